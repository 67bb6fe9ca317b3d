package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/api"
	"parley/shared/rest"
	"parley/shared/wire"
)

// event is one server-sent event, or a comment.
type event struct {
	id, name, data, comment string
	at                      time.Time
}

// reader takes a stream apart as it comes.
type reader struct {
	t      testing.TB
	res    *http.Response
	events chan event
	cancel context.CancelFunc
}

func (r *rig) stream(edits ...edit) *reader {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	edits = append(edits, func(req *http.Request) { *req = *req.WithContext(ctx) })
	s := &reader{t: r.t, res: r.open("GET", rest.PathStream, "", edits...), events: make(chan event, 1000), cancel: cancel}
	if s.res.StatusCode != 200 {
		r.t.Fatalf("stream: %d", s.res.StatusCode)
	}
	go s.read()
	r.t.Cleanup(s.close)
	return s
}

func (s *reader) read() {
	defer close(s.events)
	lines := bufio.NewScanner(s.res.Body)
	var e event
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			e.data = value
		case "":
			if lines.Text() != "" {
				e.comment = "comment" + value
				continue
			}
			e.at = time.Now()
			s.events <- e
			e = event{}
		}
	}
}

// close leaves the stream and waits until it is read out.
func (s *reader) close() {
	s.cancel()
	s.res.Body.Close()
	for range s.events {
	}
}

// next is the next event that is no comment; its name is "" at the end.
func (s *reader) next() event {
	for e := range s.events {
		if e.comment == "" {
			return e
		}
	}
	return event{}
}

func (s *reader) until(name string) event {
	s.t.Helper()
	for e := s.next(); e.name != ""; e = s.next() {
		if e.name == name {
			return e
		}
	}
	s.t.Fatalf("the stream ended before %q", name)
	return event{}
}

// running starts the monitor within the bubble.
func running(t *testing.T, r *rig) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.monitor.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

func decode[T any](t *testing.T, e event) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(e.data), &v); err != nil {
		t.Fatalf("%s: %v: %s", e.name, err, e.data)
	}
	return v
}

func TestStreamTellsWhatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		running(t, r)
		s1 := r.call("alice", "")
		time.Sleep(2 * time.Second)
		s := r.stream(r.as("root"))
		for name, want := range map[string]string{
			"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
		} {
			if got := s.res.Header.Get(name); got != want {
				t.Errorf("%s: %q", name, got)
			}
		}
		first := s.next()
		snap := decode[rest.Snapshot](t, first)
		if first.name != "snapshot" || first.id == "" || len(snap.Sessions) != 1 || snap.Sessions[0].ID != s1 {
			t.Fatalf("first event %+v", first)
		}
		begin := time.Now()
		s2 := r.call("bob", "")
		e := s.until("sessions")
		if frame := decode[rest.SessionsFrame](t, e); len(frame.Upsert) != 1 || frame.Upsert[0].ID != s2 {
			t.Fatalf("frame %s", e.data)
		}
		if late := e.at.Sub(begin); late > time.Second {
			t.Fatalf("it took %s", late)
		}
		r.end(s2, wire.AdminEnded, "x")
		if frame := decode[rest.SessionsFrame](t, s.until("sessions")); frame.Upsert[0].EndReason != "x" {
			t.Fatalf("frame %+v", frame)
		}
	})
}

func TestStreamGoesOnWhereItsReaderWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		running(t, r)
		s := r.stream(r.as("root"))
		last := s.next()
		s.close()
		s1 := r.call("alice", "")
		time.Sleep(3 * time.Second)

		again := r.stream(r.as("root"), with("Last-Event-ID", last.id))
		if e := again.next(); e.name == "snapshot" || e.name == "resync" {
			t.Fatalf("started over with %s", e.name)
		} else if e.name != "sessions" || decode[rest.SessionsFrame](t, e).Upsert[0].ID != s1 {
			t.Fatalf("went on with %+v", e)
		}
	})
}

func TestStreamStartsOverWhenTheCursorIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		running(t, r)
		s := r.stream(r.as("root"))
		first := s.next()
		epoch, _, _ := strings.Cut(first.id, ".")
		s.close()
		overwritten := func() string {
			for range 150 { // more frames than are kept
				r.end(r.call("alice", ""), wire.CallerLeft, "")
				time.Sleep(time.Second)
			}
			return first.id
		}()
		for name, id := range map[string]string{
			"overwritten":        overwritten,
			"of another life":    "ABCDEFGH.1",
			"of the future":      epoch + ".99999999",
			"not ours":           "17",
			"not a number":       epoch + ".x",
			"a negative":         epoch + ".-1",
			"longer than any":    epoch + "." + strings.Repeat("9", 400),
			"with a space in it": epoch + ". 1",
		} {
			again := r.stream(r.as("chief"), with("Last-Event-ID", id))
			if e := again.next(); e.name != "resync" {
				t.Errorf("%s: first %+v", name, e)
			}
			if e := again.next(); e.name != "snapshot" {
				t.Errorf("%s: then %+v", name, e)
			}
			again.close()
		}
	})
}

func TestStreamHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil) // nothing happens: the monitor isn't running
		s := r.stream(r.as("root"))
		begin := s.next().at
		for n := 1; n <= 4; n++ {
			e := <-s.events
			if e.comment == "" || e.at.Sub(begin) != time.Duration(n)*15*time.Second {
				t.Fatalf("after %s: %+v", e.at.Sub(begin), e)
			}
		}
	})
}

func TestStreamIsRenewed(t *testing.T) {
	for name, life := range map[string]time.Duration{"default": 0, "short": 2500 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(c *api.Config) { c.StreamLifetime = life })
				begin := time.Now()
				s := r.stream(bearer(r.token("root", 12*time.Hour)))
				e := s.until("renew")
				want := life
				if want == 0 {
					want = time.Hour
				}
				if got := e.at.Sub(begin); got != want {
					t.Fatalf("renewed after %s, want %s", got, want)
				}
				if e := s.next(); e.name != "" {
					t.Fatalf("after renew: %+v", e)
				}
			})
		})
	}
}

func TestStreamEndsWithItsRights(t *testing.T) {
	for name, test := range map[string]struct {
		ttl  time.Duration
		do   func(*rig, string)
		most time.Duration
	}{
		"token expires": {5 * time.Minute, func(*rig, string) {}, 5*time.Minute + 75*time.Second},
		"revoked": {time.Hour, func(r *rig, token string) {
			id, err := r.auth.Verify(token)
			if err != nil {
				r.t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
			r.auth.Revoke(id.ID, id.ExpiresAt)
		}, 12 * time.Second},
		"server closes": {time.Hour, func(r *rig, _ string) { time.Sleep(10 * time.Second); r.api.Close() }, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				token := r.token("root", test.ttl)
				begin := time.Now()
				s := r.stream(bearer(token))
				test.do(r, token)
				for range s.events {
				}
				if took := time.Since(begin); took > test.most {
					t.Fatalf("ended after %s, at most %s", took, test.most)
				}
			})
		})
	}
}

func TestStreamStartsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		for range api.MaxStreamStarts {
			s := r.stream(r.as("root"))
			s.next()
			s.close()
			synctest.Wait()
		}
		got := r.do("GET", rest.PathStream, "", r.as("root"), with("X-Forwarded-For", "203.0.113.9"))
		checkAnswer(t, got)
		if got.status != 429 {
			t.Fatalf("one more: %d", got.status)
		}
		r.stream(r.as("chief")).next()
		time.Sleep(time.Minute)
		r.stream(r.as("root")).next()
	})
}

func TestOpenStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		var open []*reader
		for i := range api.MaxOpenStreams {
			s := r.stream(r.as("root"))
			s.next()
			open = append(open, s)
			if i%5 == 4 {
				time.Sleep(time.Minute) // not too many starts
			}
		}
		got := r.do("GET", rest.PathStream, "", r.as("root"))
		checkAnswer(t, got)
		if got.status != 429 {
			t.Fatalf("one more: %d", got.status)
		}
		r.stream(r.as("chief")).next()
		open[3].close()
		time.Sleep(time.Minute)
		r.stream(r.as("root")).next()
	})
}

// TestSlowReader takes nothing: its stream ends ten seconds after the first
// write that found no taker, and another's goes on meanwhile.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		running(t, r)
		conn, err := r.pipes.dial(context.Background(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET "+rest.PathStream+" HTTP/1.1\r\nHost: parley.test\r\nAuthorization: Bearer "+
			r.token("root", time.Hour)+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		s := r.stream(r.as("chief"))
		s.next()
		for range 9 {
			r.call("alice", "")
			sent := time.Now()
			if late := s.until("sessions").at.Sub(sent); late > time.Second {
				t.Fatalf("the other reader got it after %s", late)
			}
		}
		time.Sleep(time.Until(begin.Add(10*time.Second - time.Nanosecond)))
		if ended := r.pipes.closedAt(); len(ended) > 0 {
			t.Fatalf("closed after %s", ended[0].Sub(begin))
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if ended := r.pipes.closedAt(); len(ended) != 1 || !ended[0].Equal(begin.Add(10*time.Second)) {
			t.Fatalf("closed at %v, began %v", ended, begin)
		}
	})
}
