package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// Promises about what happens after a while, all at the same time.
func TestPromisesThatTakeTheirTime(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes the 75 s after which an expired token must have ended everything")
	}
	var all sync.WaitGroup
	for name, holds := range map[string]func(*testing.T){
		"a silent socket is closed":             silentSocketIsClosed,
		"a dead peer is gone":                   deadPeerIsGone,
		"an expired token ends socket, stream":  expiredTokenEndsAll,
		"half a request is not waited for":      halfRequestsAreNotWaitedFor,
		"a stop is over in time":                stopIsOverInTime,
		"ten streams are open, not one more":    tenStreamsAreOpen,
		"streams live as long as they are told": streamsLiveAsLongAsTold,
		"a lowered timeout gives notice":        func(t *testing.T) { lowersLimit(t, idleLowered(false), wire.WarnIdle, wire.IdleTimeout) },
		"a lowered timeout holds now":           func(t *testing.T) { lowersLimit(t, idleLowered(true), "", wire.IdleTimeout) },
		"a lowered duration gives notice":       func(t *testing.T) { lowersLimit(t, durationLowered, wire.WarnMaxDuration, wire.MaxDuration) },
	} {
		all.Go(func() { t.Run(name, holds) })
	}
	all.Wait()
}

func silentSocketIsClosed(t *testing.T) {
	p := spawn(t)
	s, hello := p.open(t, p.token(t, "mute"))
	silent := startStopwatch(p.cmd.Process.Pid)
	if code := s.closes(patience); code != wire.CloseProtocolError {
		t.Errorf("closed with %d", code)
	}
	// Its deadline is exact in the session's own tests; here the close frame is on
	// its way between two processes that share the machine with all other tests.
	const onItsWay = 500 * time.Millisecond
	silent.over(t, "the socket is closed", wire.OfferTimeout+onItsWay)
	listed := startStopwatch(p.cmd.Process.Pid)
	eventually(t, "it is off the list", func() bool { return !p.lists(t, hello.SessionID) })
	// The list is asked for over HTTP, beside all the callers of this process's other tests.
	listed.over(t, "it is off the list", 5*time.Second)
}

// lists tells whether a call is among those the admin sees.
func (p *program) lists(t *testing.T, id string) bool {
	t.Helper()
	for _, s := range p.active(t) {
		if s.ID == id {
			return true
		}
	}
	return false
}

// A peer is dead whose process stands still: its sockets are open, and nothing
// answers.
func deadPeerIsGone(t *testing.T) {
	p := spawn(t)
	cmd := p.callers(t, "ann")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	eventually(t, "the call is on", func() bool {
		live := p.active(t)
		return len(live) == 1 && live[0].State == wire.StateActive
	})
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	within(t, "the dead peer is off the list", time.Minute, func() bool { return len(p.active(t)) == 0 })
	t.Logf("off the list after %v", time.Since(began).Round(100*time.Millisecond))
	var stats rest.Stats
	p.ask(t, "demo-admin", http.MethodGet, rest.PathStats, nil, &stats)
	if stats.EndCauses[wire.ConnectionLost] != 1 {
		t.Errorf("it ended by %v, want one connection_lost", stats.EndCauses)
	}
}

func expiredTokenEndsAll(t *testing.T) {
	const life, grace = 5 * time.Second, 75 * time.Second
	p := spawn(t)
	expires := time.Now().Add(life)
	k := p.ringWith(t, p.mint(t, "--sub=ann", "--ttl="+life.String()), "echo")
	eventually(t, "the call is on", func() bool { return has[peer.CallConnected](k) })
	admin := p.follow(t, p.mint(t, "--sub=demo-admin", "--ttl="+life.String()), nil)
	if admin.res.StatusCode != http.StatusOK {
		t.Fatalf("the stream is refused: %s", admin.res.Status)
	}
	var all sync.WaitGroup
	ended := func(what string, wait func()) {
		all.Go(func() {
			wait()
			after := time.Since(expires)
			if t.Logf("%s: %v after the token expired", what, after.Round(100*time.Millisecond)); after > grace {
				t.Errorf("%s was ended %v after the token expired", what, after)
			}
		})
	}
	ended("the stream", func() { admin.ends(t, life+grace+patience) })
	ended("the call", func() {
		select {
		case end := <-k.end:
			k.end <- end
			if end.Ended.Cause != wire.TokenExpired {
				t.Errorf("the call ended by %s", end.Ended.Cause)
			}
		case <-time.After(life + grace + patience):
			t.Error("the call goes on")
		}
	})
	all.Wait()
}

func halfRequestsAreNotWaitedFor(t *testing.T) {
	const halves = 200
	p := spawn(t)
	stop := p.pulse(t)
	var all sync.WaitGroup
	for i := range halves {
		all.Go(func() {
			part := "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Part: "
			took := p.sendPart(t, part, byteEach(i%2 == 0, time.Second/2), 25*time.Second)
			if took > 20*time.Second {
				t.Errorf("half a header was waited for, for %v", took)
			}
		})
	}
	all.Go(func() {
		head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n",
			rest.PathTimeout, p.token(t, "demo-admin"))
		took := p.sendPart(t, head, byteEach(true, time.Second/2), 75*time.Second)
		if t.Logf("the trickled body was given up after %v", took.Round(100*time.Millisecond)); took > 65*time.Second {
			t.Errorf("a trickled body was waited for, for %v", took)
		}
	})
	all.Wait()
	others := stop()
	t.Logf("others meanwhile: %v", others)
	if others.alone(others.longest) >= time.Second {
		t.Errorf("others waited meanwhile: %v", others)
	}
}

func idleLowered(now bool) func(*child, *testing.T) int {
	return func(p *child, t *testing.T) int {
		return p.ask(t, "demo-admin", http.MethodPost, rest.PathTimeout, rest.TimeoutRequest{TimeoutMinutes: 1, Now: now}, nil)
	}
}

func durationLowered(p *child, t *testing.T) int {
	return p.ask(t, "demo-admin", http.MethodPatch, rest.PathSettings, map[string]any{rest.SettingMaxDuration: 1}, nil)
}

// lowersLimit lowers a limit to a minute when a call has lasted longer, and never
// spoke. The call is warned, if a warning is wanted, and ends when it says.
func lowersLimit(t *testing.T, lower func(*child, *testing.T) int, warning wire.WarningCode, cause wire.EndCause) {
	p := spawn(t)
	k := p.talking(t, "ann", "echo")
	within(t, "the call has lasted a minute", 2*time.Minute, func() bool {
		live := p.active(t)
		return len(live) == 1 && time.Since(live[0].LastActiveAt) > time.Minute
	})
	loweredAt := time.Now()
	if got := lower(p, t); got != http.StatusOK {
		t.Fatalf("lowering the limit gets %d", got)
	}
	notice := time.Duration(0)
	if warning != "" {
		notice = session.LoweredNotice
		eventually(t, "the call is warned", func() bool { return k.warned(warning) })
	}
	var end peer.CallEnded
	select {
	case end = <-k.end:
		k.end <- end
	case <-time.After(notice + patience):
		t.Fatal("the call goes on")
	}
	took := time.Since(loweredAt)
	if took < notice || took > notice+patience || end.Ended.Cause != cause {
		t.Errorf("ended by %s after %v, want %s after %v", end.Ended.Cause, took, cause, notice)
	}
	endedAs(cause, "")(t, p, k.session()) // the caller hears of it while it is being written; what the record answers is on disk
	p.kill(t)
	endedAs(cause, "")(t, spawnIn(t, p.dir), k.session())
}

// byteEach gives the rhythm of a trickle, or 0 for none.
func byteEach(trickle bool, d time.Duration) time.Duration {
	if trickle {
		return d
	}
	return 0
}

// sendPart sends a part of a request, then a byte now and then, and gives how
// long the server bore that: until it answered or hung up.
func (p *program) sendPart(t *testing.T, part string, each, limit time.Duration) time.Duration {
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
	if err != nil {
		t.Error(err)
		return 0
	}
	defer conn.Close()
	began := time.Now()
	if _, err := io.WriteString(conn, part); err != nil {
		t.Error(err)
	}
	if each > 0 {
		done := make(chan struct{})
		defer func() { <-done }()
		gone := make(chan struct{})
		defer close(gone)
		go func() {
			defer close(done)
			tick := time.NewTicker(each)
			defer tick.Stop()
			for {
				select {
				case <-gone:
					return
				case <-tick.C:
				}
				if _, err := io.WriteString(conn, "x"); err != nil {
					return
				}
			}
		}()
	}
	_ = conn.SetReadDeadline(began.Add(limit))
	_, _ = io.Copy(io.Discard, conn) // how it ends is no matter, only when
	return time.Since(began)
}
