package signaling_test

import (
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"parley/shared/rest"
	"parley/shared/wire"
)

func resumeOf(h wire.Hello) wire.Resume {
	return wire.Resume{SessionID: h.SessionID, ResumeToken: h.ResumeToken}
}

// hasty lets the waits of this file end soon; none of its tests depends on
// coming before the end of one.
func hasty(s *setup) {
	s.signaling.Limits.ResumeWait, s.signaling.Limits.ProbeWait = 200*time.Millisecond, 200*time.Millisecond
}

// A cut socket, the cap full: the caller comes back into the place that is
// still held, as often as it takes.
func TestResumeAfterACut(t *testing.T) {
	h := open(t, roomy, caps(1, 1))
	c, hello := h.call("a")
	for range 3 {
		c.NetConn().Close()
		h.state(hello.SessionID, wire.StateReconnecting)
		c = h.dial("a")
		c.say(resumeOf(hello))
		next := read[wire.Hello](c)
		if next.SessionID != hello.SessionID || next.ResumeToken == hello.ResumeToken {
			t.Fatalf("hello %+v", next)
		}
		hello = next
		h.state(hello.SessionID, wire.StateActive)
		if live, _, _ := h.sessions.Capacity(); live != 1 {
			t.Fatalf("%d live", live)
		}
		c.say(wire.Offer{SDP: "restart"})
		read[wire.Answer](c)
	}
	c.say(wire.Bye{})
	c.endsWith(wire.CallerLeft, wire.CloseNormalClosure)
}

// While a session waits for its socket, a new one of the same caller opens
// without a place, and gets one only if there is one.
func TestAnythingButResumeAsksForAPlace(t *testing.T) {
	say := map[string]func(c *client){
		"silence":     func(*client) {},
		"a message":   func(c *client) { c.say(wire.Ping{ID: 1}) },
		"an offer":    func(c *client) { c.say(wire.Offer{SDP: "x"}) },
		"a bad frame": func(c *client) { c.write(1, []byte("?")) },
	}
	for name, say := range say {
		t.Run(name, func(t *testing.T) {
			h := open(t, roomy, hasty, caps(10, 1))
			c, hello := h.call("a")
			c.NetConn().Close()
			h.state(hello.SessionID, wire.StateReconnecting)
			c = h.dial("a")
			say(c)
			if code, _ := c.closes(); code != wire.CloseTryAgainLater {
				t.Errorf("closed with %d", code)
			}
			if live, _, _ := h.sessions.Capacity(); live != 1 || h.seen.of(hello.SessionID).State != wire.StateReconnecting {
				t.Errorf("%d live, the first is %s", live, h.seen.of(hello.SessionID).State)
			}
		})
		t.Run(name+", and there is one", func(t *testing.T) {
			h := open(t, roomy, hasty, caps(2, 2))
			c, hello := h.call("a")
			c.NetConn().Close()
			h.state(hello.SessionID, wire.StateReconnecting)
			c = h.dial("a")
			say(c)
			for {
				m, err := c.next()
				if err != nil {
					t.Fatal(err)
				}
				if next, ok := m.(wire.Hello); ok {
					if next.SessionID == hello.SessionID {
						t.Error("the other session")
					}
					break
				}
			}
			if live, _, _ := h.sessions.Capacity(); live != 2 {
				t.Errorf("%d live", live)
			}
		})
	}
}

// Whatever is refused before there is a session is answered, one by one, up to the
// frame that closes the socket.
func TestRefusalsBeforeASessionAreAllTold(t *testing.T) {
	const badFrames = 10
	h := open(t, roomy, caps(10, 1), func(s *setup) {
		s.signaling.Limits.ResumeWait, s.signaling.Limits.BadFrameEvery = patience, time.Hour
	})
	c, hello := h.call("a")
	c.NetConn().Close()
	h.state(hello.SessionID, wire.StateReconnecting)
	c = h.dial("a")
	c.say(wire.Resume{SessionID: hello.SessionID, ResumeToken: "x"})
	for range badFrames + 1 {
		c.write(websocket.TextMessage, []byte("?"))
	}
	code, before := c.closes()
	if code != wire.ClosePolicyViolation || len(before) != 1+badFrames+1 {
		t.Fatalf("closed with %d after %d answers: %+v", code, len(before), before)
	}
	for i, m := range before {
		want := wire.ErrMalformed
		if i == 0 {
			want = wire.ErrUnknownResume
		}
		if e, ok := m.(wire.Error); !ok || e.Code != want {
			t.Errorf("answer %d is %+v, want %s", i, m, want)
		}
	}
}

func TestAResumeThatDoesNotFit(t *testing.T) {
	cases := map[string]func(h *house, of wire.Hello) (user string, m wire.Resume){
		"spent token": func(h *house, of wire.Hello) (string, wire.Resume) {
			c := h.dial("a")
			c.say(resumeOf(of))
			read[wire.Hello](c)
			c.say(wire.Ping{ID: 1})
			read[wire.Pong](c)
			c.NetConn().Close()
			h.state(of.SessionID, wire.StateReconnecting)
			return "a", resumeOf(of)
		},
		"another token": func(_ *house, of wire.Hello) (string, wire.Resume) {
			return "a", wire.Resume{SessionID: of.SessionID, ResumeToken: "x"}
		},
		"another's session": func(_ *house, of wire.Hello) (string, wire.Resume) { return "b", resumeOf(of) },
		"ended session": func(h *house, of wire.Hello) (string, wire.Resume) {
			if err := h.sessions.End(of.SessionID, wire.AdminEnded, ""); err != nil {
				h.t.Fatal(err)
			}
			return "a", resumeOf(of)
		},
	}
	for name, try := range cases {
		t.Run(name, func(t *testing.T) {
			h := open(t, roomy, hasty, caps(10, 2))
			c, hello := h.call("a")
			c.NetConn().Close()
			h.state(hello.SessionID, wire.StateReconnecting)
			user, m := try(h, hello)
			c = h.dial(user)
			c.say(m)
			refused, fresh := false, false
			for !refused || !fresh { // in either order: a fresh session comes with its hello
				switch m, err := c.next(); m := m.(type) {
				case wire.Error:
					refused = m.Code == wire.ErrUnknownResume
				case wire.Hello:
					fresh = m.SessionID != hello.SessionID
				default:
					t.Fatalf("%v, %v", m, err)
				}
			}
		})
	}
}

// A path that died without a sign: the server still thinks the old socket is
// there. It is asked, does not answer, and the caller is let back in.
func TestResumeBesideADeadSocket(t *testing.T) {
	for name, c := range map[string]func(*setup){"the caller's cap is full": caps(10, 1), "the cap is full": caps(1, 2)} {
		t.Run(name, func(t *testing.T) {
			h := open(t, roomy, hasty, c)
			old, hello := h.call("a") // and it reads no more: no pong comes back
			next := h.dial("a")
			next.say(resumeOf(hello))
			if got := read[wire.Hello](next); got.SessionID != hello.SessionID {
				t.Errorf("hello %+v", got)
			}
			old.endsWith(wire.Replaced, wire.CloseReplaced)
			if got := h.seen.of(hello.SessionID); got.State != wire.StateActive {
				t.Errorf("the session is %s", got.State)
			}
			next.say(wire.Ping{ID: 8})
			read[wire.Pong](next)
		})
	}
}

// With room for two, the new socket gets a place before it says what it came
// for; the place goes back when it resumes.
func TestResumeFromASocketThatHasAPlace(t *testing.T) {
	h := open(t, roomy, hasty, caps(2, 2))
	old, hello := h.call("a")
	c, fresh := h.start("a")
	c.say(resumeOf(hello))
	if got := read[wire.Hello](c); got.SessionID != hello.SessionID {
		t.Errorf("hello %+v", got)
	}
	if got := h.ended(fresh.SessionID); got != wire.Replaced {
		t.Errorf("the place ended %s", got)
	}
	old.endsWith(wire.Replaced, wire.CloseReplaced)
	c.say(wire.Bye{})
	if got := h.ended(hello.SessionID); got != wire.CallerLeft {
		t.Errorf("ended %s", got)
	}
}

// A socket that was let in without a place can't be used to exceed the cap.
func TestNoPlaceIsTakenTwice(t *testing.T) {
	h := open(t, roomy, hasty, caps(2, 2))
	c, hello := h.call("a")
	c.NetConn().Close()
	h.state(hello.SessionID, wire.StateReconnecting)
	var waiting []*client
	for range 5 {
		waiting = append(waiting, h.dial("a"))
	}
	hellos := 0
	for _, c := range waiting {
		c.say(wire.Ping{})
	}
	for _, c := range waiting {
		if m, err := c.next(); err == nil && m.Type() == wire.TypeHello {
			hellos++
		}
	}
	if live, _, _ := h.sessions.Capacity(); hellos != 1 || live != 2 {
		t.Errorf("%d got a place beside the one held; %d live", hellos, live)
	}
	if _, p := h.tryDial("b", ""); p == nil || p.Code != rest.CodeCapReached {
		t.Errorf("another caller: %v", p)
	}
}
