package peer_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/shared/rtcstats"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// hang says which methods of a connection never answer.
type hang struct {
	isRude  bool          // they don't heed their context either
	release chan struct{} // ends the rude ones, so that the bubble can close

	mu sync.Mutex
	in map[string]bool
}

func newHang(isRude bool, methods ...string) *hang {
	h := &hang{isRude: isRude, in: map[string]bool{}}
	h.begin(methods...)
	return h
}

func (h *hang) begin(methods ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range methods {
		h.in[m] = true
	}
}

// wait returns at once for a method that answers, else its context's error.
func (h *hang) wait(ctx context.Context, method string) error {
	h.mu.Lock()
	hangs := h.in[method]
	h.mu.Unlock()
	switch {
	case !hangs:
		return nil
	case h.isRude:
		<-h.release
		return context.Canceled
	}
	<-ctx.Done()
	return ctx.Err()
}

// hangingConnection is a scripted one, some methods of which never answer, as
// promises of a closed RTCPeerConnection don't.
type hangingConnection struct {
	*connection
	hang *hang
}

func (c *hangingConnection) Offer(ctx context.Context, restart bool) (string, error) {
	if err := c.hang.wait(ctx, "offer"); err != nil {
		return "", err
	}
	return c.connection.Offer(ctx, restart)
}

func (c *hangingConnection) Answer(ctx context.Context, sdp string) error {
	if err := c.hang.wait(ctx, "answer"); err != nil {
		return err
	}
	return c.connection.Answer(ctx, sdp)
}

func (c *hangingConnection) AddCandidate(ctx context.Context, _ wire.CandidateInit) error {
	return c.hang.wait(ctx, "candidate")
}

func (c *hangingConnection) Sample(ctx context.Context) (rtcstats.Sample, error) {
	if err := c.hang.wait(ctx, "sample"); err != nil {
		return rtcstats.Sample{}, err
	}
	return c.connection.Sample(ctx)
}

func (c *hangingConnection) Close() error {
	if c.hang.isRude {
		_ = c.hang.wait(context.Background(), "close")
	}
	return c.connection.Close()
}

const everything = "offer answer candidate sample close"

// shownWithin is how soon an end has to be told, whatever else is going on.
const shownWithin = time.Second

// ends are the ways a call that stands comes to its end.
var ends = map[string]struct {
	cause wire.EndCause
	begin func(s *script, c *peer.Call, cancel func())
}{
	"End is pressed":    {wire.CallerLeft, func(_ *script, c *peer.Call, _ func()) { c.Hangup() }},
	"it is canceled":    {wire.CallerLeft, func(_ *script, _ *peer.Call, cancel func()) { cancel() }},
	"the server says":   {wire.AdminEnded, func(s *script, _ *peer.Call, _ func()) { s.newest().say(wire.Ended{Cause: wire.AdminEnded}) }},
	"the socket says":   {wire.IdleTimeout, func(s *script, _ *peer.Call, _ func()) { s.newest().drop(wire.CloseIdleTimeout) }},
	"DTLS fails":        {wire.MediaFailed, func(s *script, _ *peer.Call, _ func()) { s.conn.on.State(peer.ConnectionInsecure) }},
	"resume is refused": {wire.ConnectionLost, func(s *script, _ *peer.Call, _ func()) { s.newest().drop(1006) }},
}

// Every end is told within a second, and Run returns, though the connection
// answers nothing any more and a negotiation is under way.
func TestEndsOfAConnectionThatHangs(t *testing.T) {
	for name, end := range ends {
		for kind, isRude := range map[string]bool{"heeding its context": false, "heeding nothing": true} {
			t.Run(name+", "+kind, func(t *testing.T) {
				s := &script{resumed: &wire.Error{Code: wire.ErrUnknownResume}, hang: newHang(isRude)}
				synctest.Test(t, func(t *testing.T) {
					s.t, s.start = t, time.Now()
					s.hang.release = make(chan struct{})
					c, done, cancel := s.run(t)
					s.live()
					s.pulse() // the path dies, and a restart begins
					s.hang.begin(strings.Fields(everything)...)
					wait(peer.RestartAfter)
					began := s.since()
					end.begin(s, c, cancel)
					got := <-done
					checkEnd(t, s, got, end.cause, began)
					close(s.hang.release)
				})
			})
		}
	}
}

func checkEnd(t *testing.T, s *script, got peer.CallEnded, cause wire.EndCause, began time.Duration) {
	t.Helper()
	if got.Ended.Cause != cause {
		t.Errorf("ended %+v, want %s", got, cause)
	}
	told := happened[peer.CallEnded](s)
	if len(told) != 1 || told[0].at-began > shownWithin {
		t.Errorf("told %v, begun at %v: want it within %v", told, began, shownWithin)
	}
	if over := s.since() - told[0].at; over > peer.CleanupTimeout {
		t.Errorf("Run returns %v after the end, want at most %v", over, peer.CleanupTimeout)
	}
}

// run starts the call beside the test.
func (s *script) run(t *testing.T) (c *peer.Call, done <-chan peer.CallEnded, cancel func()) {
	c = peer.New(peer.Config{Admit: s.ask, Dial: s.dial, Connect: s.connect, On: s.on})
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan peer.CallEnded, 1)
	go func() { over <- c.Run(ctx) }()
	return c, over, cancel
}

// A call that is being set up can be given up, whatever it waits for.
func TestGivingUpASetupThatHangs(t *testing.T) {
	never := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for name, c := range map[string]struct {
		config func(s *script) peer.Config
		hang   string
	}{
		"admission": {func(s *script) peer.Config {
			return peer.Config{Admit: never, Dial: s.dial, Connect: s.connect, On: s.on}
		}, ""},
		"dial": {func(s *script) peer.Config {
			return peer.Config{Dial: func(ctx context.Context) (peer.Socket, error) { return nil, never(ctx) }, Connect: s.connect, On: s.on}
		}, ""},
		"connect": {func(s *script) peer.Config {
			return peer.Config{Dial: s.dial, On: s.on, Connect: func(ctx context.Context, _ []wire.ICEServer, _ peer.Listener) (peer.Connection, error) {
				return nil, never(ctx)
			}}
		}, ""},
		"offer":  {scripted, "offer"},
		"answer": {scripted, "answer"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{t: t, start: time.Now(), hang: newHang(false, c.hang)}
				call := peer.New(c.config(s))
				done := make(chan peer.CallEnded, 1)
				go func() { done <- call.Run(t.Context()) }()
				wait(2 * time.Second)
				call.Hangup()
				if got := <-done; got.Ended.Cause != wire.CallerLeft || s.since() != 2*time.Second {
					t.Errorf("ended %+v after %v", got, s.since())
				}
			})
		})
	}
}

func scripted(s *script) peer.Config {
	return peer.Config{Dial: s.dial, Connect: s.connect, On: s.on}
}

// Nothing that hangs lets a caller wait for ever.
func TestASetupThatHangsEnds(t *testing.T) {
	for name, c := range map[string]struct {
		admit   func(ctx context.Context) error
		hang    string
		failure peer.Failure
		at      time.Duration
	}{
		"admission": {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, "", peer.Unreachable, peer.AdmitTimeout},
		"offer":     {nil, "offer", peer.LocalSlow, peer.FirstNegotiateTimeout},
		"answer":    {nil, "answer", peer.LocalSlow, peer.FirstNegotiateTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{t: t, start: time.Now(), hang: newHang(false, c.hang)}
				config := scripted(s)
				config.Admit = c.admit
				got := peer.New(config).Run(t.Context())
				if got.Failure != c.failure || s.since() != c.at {
					t.Errorf("ended %+v after %v, want %s after %v", got, s.since(), c.failure, c.at)
				}
			})
		})
	}
}

// A step of a restart that hangs leaves room for the next restart.
func TestARestartThatHangsIsRepeated(t *testing.T) {
	s := &script{heals: true, hang: newHang(false)}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		s.pulse()
		s.hang.begin("offer")
		wait(peer.RestartAfter + peer.NegotiateTimeout/2)
		s.hang.mu.Lock()
		s.hang.in["offer"] = false
		s.hang.mu.Unlock()
		wait(2 * peer.RestartEvery)
		if n := len(happened[peer.ConnectionRecovered](s)); n != 1 {
			t.Errorf("recovered %d times", n)
		}
	})
}
