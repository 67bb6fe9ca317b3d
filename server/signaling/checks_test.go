package signaling_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"parley/shared/rest"
	"parley/shared/wire"
)

func caps(all, perUser int) func(*setup) {
	return func(s *setup) { s.Settings.MaxSessions, s.Settings.MaxPerUser = all, perUser }
}

// Each case fails its own check and every one after it: what is answered first
// is looked at first.
func TestChecksBeforeTheUpgradeInTheirOrder(t *testing.T) {
	const fine = wire.Subprotocol
	cases := []struct {
		name       string
		origin     string
		noToken    bool
		tries      int // before, by the same user
		proto      string
		query      string
		drain      bool
		live       string // who holds the one place
		wantStatus int
		want       rest.ProblemCode
	}{
		{"origin", "http://evil.example", true, 100, "no", "?agent=x", true, "z", 403, rest.CodeOrigin},
		{"token", "", true, 100, "no", "?agent=x", true, "z", 401, rest.CodeUnauthorized},
		{"rate", "", false, 100, "no", "?agent=x", true, "z", 429, rest.CodeRateLimited},
		{"subprotocol", "", false, 0, "no", "?agent=x", true, "z", 400, rest.CodeMalformed},
		{"agent", "", false, 0, fine, "?agent=x", true, "z", 422, rest.CodeOutOfRange},
		{"draining", "", false, 0, fine, "?agent=echo", true, "a", 503, rest.CodeDraining},
		{"cap", "", false, 0, fine, "", false, "z", 503, rest.CodeCapReached},
		{"cap, held by oneself", "", false, 0, fine, "", false, "a", 503, rest.CodeUserCap},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := open(t, roomy, patient, caps(1, 1), func(s *setup) { s.checks.Starts = 10; s.checks.StartEvery = time.Hour })
			holder, _ := h.start(c.live)
			go drainFrames(holder) // it lives, and answers pings
			if c.drain {
				done := make(chan error, 1)
				ctx, cancel := context.WithCancel(t.Context())
				go func() { done <- h.sessions.Drain(ctx) }()
				defer func() { cancel(); <-done }()
				until(t, "draining", func() bool {
					_, err := h.sessions.Admit(callerOf("q"))
					return err != nil && err.Error() == "session: refused: draining"
				})
			}
			header := http.Header{}
			if c.origin != "" {
				header.Set("Origin", c.origin)
			}
			if !c.noToken {
				header.Set("Authorization", "Bearer "+h.token("a"))
			}
			d := &websocket.Dialer{Subprotocols: []string{c.proto}}
			for range c.tries {
				if _, p := h.dialWith(d, header, c.query); p == nil {
					t.Fatal("opened")
				}
			}
			_, p := h.dialWith(d, header, c.query)
			if p == nil {
				t.Fatal("opened")
			}
			if p.Status != c.wantStatus || p.Code != c.want {
				t.Errorf("%d %s, want %d %s", p.Status, p.Code, c.wantStatus, c.want)
			}
			if again := p.Status == 429 || p.Status == 503; again != (p.RetryAfterS > 0) {
				t.Errorf("try again in %d s", p.RetryAfterS)
			}
		})
	}
}

// Whoever is looked at for privacy passed the rate, and is not told of the cap.
func TestNobodyCallsWhileNothingProtectsThem(t *testing.T) {
	protected := make(chan error, 1)
	h := open(t, roomy, caps(1, 1), func(s *setup) {
		s.checks.Starts, s.checks.StartEvery = 2, time.Hour
		s.checks.Protected = func() error {
			select {
			case err := <-protected:
				return err
			default:
				return nil
			}
		}
	})
	holder, _ := h.start("z")
	go drainFrames(holder)
	for _, want := range []rest.ProblemCode{rest.CodePrivacyBlock, rest.CodeCapReached} {
		if want == rest.CodePrivacyBlock {
			protected <- errors.New("audio in the data directory")
		}
		if _, p := h.tryDial("a", ""); p == nil || p.Code != want || p.Status != http.StatusServiceUnavailable || p.RetryAfterS == 0 {
			t.Errorf("%+v, want %s", p, want)
		}
	}
	for range 5 { // the per-user cap adds to the bucket
		protected <- errors.New("still")
		_, p := h.tryDial("a", "")
		if p != nil && p.Code == rest.CodeRateLimited {
			return
		}
	}
	t.Error("the rate is never looked at")
}

func drainFrames(c *client) {
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			return
		}
	}
}

func TestUserCapIsAProblemWhileTheCallerIsThere(t *testing.T) {
	h := open(t, roomy, patient, caps(10, 1))
	c, hello := h.start("a")
	go drainFrames(c)
	_, p := h.tryDial("a", "")
	if p == nil || p.Code != rest.CodeUserCap || p.Status != http.StatusServiceUnavailable {
		t.Errorf("%v", p)
	}
	h.start("b")
	if got := h.seen.of(hello.SessionID); got.State != wire.StateConnecting {
		t.Errorf("the first is %s", got.State)
	}
}

// A place taken for a socket that then does not open is given back.
func TestABadHandshakeGivesThePlaceBack(t *testing.T) {
	cases := map[string]func(http.Header){
		"no websocket at all": func(h http.Header) { h.Del("Upgrade") },
		"another version":     func(h http.Header) { h.Set("Sec-WebSocket-Version", "8") },
		"no key":              func(h http.Header) { h.Del("Sec-WebSocket-Key") },
		"a short key":         func(h http.Header) { h.Set("Sec-WebSocket-Key", "AAAA") },
		"no subprotocol":      func(h http.Header) { h.Del("Sec-WebSocket-Protocol") },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			h := open(t, caps(1, 1))
			r, err := http.NewRequest(http.MethodGet, h.server.URL+rest.PathSocket, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header = http.Header{
				"Authorization": {"Bearer " + h.token("a")}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"},
				"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"MDEyMzQ1Njc4OWFiY2RlZg=="},
				"Sec-Websocket-Protocol": {wire.Subprotocol},
			}
			spoil(r.Header)
			answer, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != http.StatusBadRequest {
				t.Errorf("status %d", answer.StatusCode)
			}
			if live, _, _ := h.sessions.Capacity(); live != 0 {
				t.Errorf("%d places taken", live)
			}
			http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		})
	}
}

func TestOverloadFillsTheCapExactly(t *testing.T) {
	const limit, tries = 20, 60
	h := open(t, roomy, caps(limit, 1))
	var opened, refused atomic.Int64
	var wg sync.WaitGroup
	for i := range tries {
		wg.Go(func() {
			_, p := h.tryDial(fmt.Sprint("user", i), "")
			switch {
			case p == nil:
				opened.Add(1)
			case p.Code == rest.CodeCapReached:
				refused.Add(1)
			default:
				t.Errorf("refused: %v", p)
			}
		})
	}
	wg.Wait()
	if opened.Load() != limit || refused.Load() != tries-limit {
		t.Errorf("%d opened, %d refused", opened.Load(), refused.Load())
	}
}

func TestUpgradesOfOneUserAreLimited(t *testing.T) {
	h := open(t, caps(10, 3), func(s *setup) {
		s.checks.Starts, s.checks.StartEvery = 4, time.Hour
	})
	bad := func(user string) *rest.Problem {
		_, p := h.tryDial(user, "?agent=none")
		return p
	}
	for i := range 4 + 2*3 { // two for each session the user may have
		if p := bad("a"); p.Code != rest.CodeOutOfRange {
			t.Fatalf("%d: %v", i, p)
		}
	}
	if p := bad("a"); p.Code != rest.CodeRateLimited || p.RetryAfterS < 3599 || p.RetryAfterS > 3600 {
		t.Errorf("one more: %v, in %d s", p, p.RetryAfterS)
	}
	if p := bad("b"); p.Code != rest.CodeOutOfRange {
		t.Errorf("another user: %v", p)
	}
}

func TestNothingIsCompressed(t *testing.T) {
	h := open(t)
	d := &websocket.Dialer{Subprotocols: []string{"x", wire.Subprotocol}, EnableCompression: true}
	conn, answer, err := d.Dial(h.url(""), http.Header{"Authorization": {"Bearer " + h.token("a")}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := answer.Header.Get("Sec-WebSocket-Extensions"); got != "" || conn.Subprotocol() != wire.Subprotocol {
		t.Errorf("extensions %q, subprotocol %q", got, conn.Subprotocol())
	}
}
