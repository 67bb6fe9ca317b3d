package accesslog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"parley/server/accesslog"
	"parley/server/privacy"
	"parley/shared/rest"
)

// memorySink is a Sink in memory that may be out of order.
type memorySink struct {
	mu     sync.Mutex
	broken bool
	groups [][]rest.LogEntry
}

func (s *memorySink) AppendLogs(_ context.Context, lines []rest.LogEntry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return errors.New("disk full")
	}
	s.groups = append(s.groups, append([]rest.LogEntry(nil), lines...))
	return nil
}

func (s *memorySink) setBroken(b bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = b
}

func (s *memorySink) lines() []rest.LogEntry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []rest.LogEntry
	for _, g := range s.groups {
		all = append(all, g...)
	}
	return all
}

func (s *memorySink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.groups)
}

func mask(t testing.TB) *privacy.Privacy {
	t.Helper()
	p, err := privacy.New(privacy.Config{On: true})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// answer serves one request through the log and gives its line.
func answer(t *testing.T, h http.HandlerFunc, r *http.Request) rest.LogEntry {
	t.Helper()
	s := new(memorySink)
	l := accesslog.New(accesslog.Config{Sink: s, Mask: mask(t), Node: "n1", UserKey: func(sub string) string { return "key of " + sub }})
	l.Wrap(h).ServeHTTP(httptest.NewRecorder(), r)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l.Run(ctx)
	if lines := s.lines(); len(lines) == 1 {
		return lines[0]
	}
	t.Fatalf("%d lines for one request", len(s.lines()))
	return rest.LogEntry{}
}

func TestALineSaysWhoAskedForWhatAndHowItWent(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/api/v1/monitoring/users/ada@example.com/revoke?q=secret", nil)
	r.RemoteAddr = "203.0.113.7:4711"
	r.Header.Set("User-Agent", "curl/8 ada@example.com")
	got := answer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "req_1")
		line := accesslog.LineOf(r.Context())
		line.User("+905551234534", "acme")
		line.Session("sess_1")
		line.Route("/api/v1/monitoring/users/{sub}/revoke")
		line.Code("forbidden")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("no"))
	}, r)
	if got.DurationMS < 0 || got.T.IsZero() {
		t.Errorf("no time: %+v", got)
	}
	got.T, got.DurationMS = time.Time{}, 0
	want := rest.LogEntry{
		Kind: rest.LogAPI, Method: "POST", Path: "/api/v1/monitoring/users/a•••@example.com/revoke",
		Route: "/api/v1/monitoring/users/{sub}/revoke", Status: 403, User: "+90•••34", Org: "acme", Remote: "203.0.113.•",
		Session: "sess_1", RequestID: "req_1", Node: "n1", Bytes: 2, UserAgent: "curl/8 a•••@example.com",
		Code: "forbidden", UserKey: "key of +905551234534",
	}
	if got != want {
		t.Errorf("the line is\n%+v, want\n%+v", got, want)
	}
}

func TestKinds(t *testing.T) {
	for path, want := range map[string]rest.LogKind{
		rest.PathMe: rest.LogAPI, rest.PathHealth: rest.LogAPI, rest.PathMetrics: rest.LogAPI, rest.PathSocket: rest.LogSocket,
		rest.PathCalls: rest.LogAPI, rest.PathStream: rest.LogStream, "/call": rest.LogPage, "/web/app.wasm": rest.LogPage,
	} {
		got := answer(t, func(http.ResponseWriter, *http.Request) {}, httptest.NewRequest(http.MethodGet, path, nil))
		if got.Kind != want || got.Status != 200 {
			t.Errorf("%s is logged as %s with %d, want %s with 200", path, got.Kind, got.Status, want)
		}
	}
}

func TestFieldsAreHarmlessAndShort(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/x", nil)
	r.URL.Path = "/\u202eevil\n\x1b[31m" + strings.Repeat("a", 2*accesslog.MaxField)
	r.Header.Set("User-Agent", "\x00\u200b")
	got := answer(t, func(http.ResponseWriter, *http.Request) {}, r)
	if strings.ContainsAny(got.Path, "\u202e\n\x1b") || len([]rune(got.Path)) != accesslog.MaxField {
		t.Errorf("the path is logged as %q (%d characters)", got.Path, len([]rune(got.Path)))
	}
	if got.UserAgent != "··" {
		t.Errorf("the user agent is logged as %q", got.UserAgent)
	}
}

func TestSocketsAreLoggedWhenTheyClose(t *testing.T) {
	s := new(memorySink)
	l := accesslog.New(accesslog.Config{Sink: s, Mask: mask(t)})
	up := websocket.Upgrader{}
	served := make(chan struct{})
	logged := l.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		_, _, _ = c.ReadMessage()
		c.Close()
	}))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(served)
		logged.ServeHTTP(w, r)
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { l.Run(ctx) })
	c, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http")+rest.PathSocket, nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if n := len(s.lines()); n != 0 {
		t.Errorf("%d lines while the socket is open", n)
	}
	c.Close()
	<-served
	cancel()
	running.Wait()
	if lines := s.lines(); len(lines) != 1 || lines[0].Status != http.StatusSwitchingProtocols || lines[0].Kind != rest.LogSocket {
		t.Errorf("the socket is logged as %+v", lines)
	}
}

func TestLinesAreCommittedInGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(memorySink)
		l := accesslog.New(accesslog.Config{Sink: s, Mask: mask(t), Batch: 3, Delay: 50 * time.Millisecond})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { l.Run(ctx) })
		h := l.Wrap(http.NotFoundHandler())
		ask := func(n int) {
			for range n {
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/x", nil))
			}
		}
		ask(2)
		time.Sleep(50*time.Millisecond - time.Nanosecond)
		synctest.Wait()
		if s.count() != 0 {
			t.Error("committed before its time")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if s.count() != 1 || len(s.lines()) != 2 {
			t.Errorf("after 50 ms: %d groups, %d lines", s.count(), len(s.lines()))
		}
		ask(3)
		synctest.Wait()
		if s.count() != 2 {
			t.Error("a full group waits")
		}
		ask(1)
		cancel()
		running.Wait()
		if len(s.lines()) != 6 {
			t.Errorf("%d lines after the end, want all 6", len(s.lines()))
		}
	})
}

func TestAStoreThatFailsCostsNoRequestAndLosesOnlyWhatDoesNotFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &memorySink{broken: true}
		l := accesslog.New(accesslog.Config{Sink: s, Mask: mask(t), Batch: 2, Queue: 4})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { l.Run(ctx) })
		h := l.Wrap(http.NotFoundHandler())
		for range 2 {
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/x", nil))
		}
		synctest.Wait() // the first two are in the writer's hands
		for range 5 {
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/x", nil))
		}
		synctest.Wait()
		if l.Dropped() != 1 || l.Queued() != 4 || !l.Failing() {
			t.Errorf("dropped %d, queued %d, failing %v; want 1, 4, true", l.Dropped(), l.Queued(), l.Failing())
		}
		s.setBroken(false)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(s.lines()) != 6 || l.Failing() || l.Queued() != 0 {
			t.Errorf("once it works again: %d lines, failing %v, queued %d", len(s.lines()), l.Failing(), l.Queued())
		}
		cancel()
		running.Wait()
	})
}

func TestMonitoringOffLogsNothing(t *testing.T) {
	s := new(memorySink)
	l := accesslog.New(accesslog.Config{Sink: s, Mask: mask(t), Enabled: func() bool { return false }})
	l.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/x", nil))
	if l.Queued() != 0 {
		t.Error("a line is queued")
	}
}

func FuzzJSONLine(f *testing.F) {
	f.Add("/call", "curl/8", "ada@example.com", "203.0.113.7:80")
	f.Add("/\n\"\\\x00", "\u202e\u2028</script>", "{}", "[::1]:9")
	f.Fuzz(func(t *testing.T, path, agent, user, remote string) {
		var out bytes.Buffer
		l := accesslog.New(accesslog.Config{Sink: new(memorySink), Mask: mask(t), Out: &out})
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path, r.RemoteAddr = path, remote
		r.Header["User-Agent"] = []string{agent}
		l.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			accesslog.LineOf(r.Context()).User(user, "")
		})).ServeHTTP(httptest.NewRecorder(), r)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		l.Run(ctx)
		if n := bytes.Count(out.Bytes(), []byte("\n")); n != 1 {
			t.Errorf("%d lines: %q", n, out.Bytes())
		}
		var e rest.LogEntry
		if err := json.Unmarshal(out.Bytes(), &e); err != nil {
			t.Errorf("not JSON: %v: %q", err, out.Bytes())
		}
	})
}
