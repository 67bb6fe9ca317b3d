package signaling_test

import (
	"testing"

	"parley/shared/rest"
	"parley/shared/wire"
)

// takeOver opens a socket with ?takeover=1 and reads its hello.
func (h *house) takeOver(user string) (*client, wire.Hello) {
	h.t.Helper()
	c, problem := h.tryDial(user, "?takeover=1")
	if problem != nil {
		h.t.Fatalf("refused: %+v", problem)
	}
	return c, read[wire.Hello](c)
}

// A caller whose places are all taken moves the call here: the oldest ends, the
// others go on, and other callers' sessions are left alone.
func TestATakeoverEndsTheOldest(t *testing.T) {
	for name, caps := range map[string]func(*setup){"the caller's cap is full": caps(10, 2), "the server is full, too": caps(3, 2)} {
		t.Run(name, func(t *testing.T) {
			h := open(t, roomy, caps)
			other, _ := h.call("b")
			oldest, first := h.call("a")
			newer, _ := h.call("a")
			c, hello := h.takeOver("a")
			oldest.endsWith(wire.Replaced, wire.CloseReplaced)
			if got := h.ended(first.SessionID); got != wire.Replaced {
				t.Errorf("the oldest ended %s", got)
			}
			if hello.SessionID == first.SessionID {
				t.Error("it is the same session")
			}
			for _, c := range []*client{c, newer, other} {
				c.say(wire.Ping{ID: 1})
				read[wire.Pong](c)
			}
		})
	}
}

// With a place left, nobody is ended for it; a session that waits for its socket
// counts as one that holds a place.
func TestATakeoverTakesWhatIsFree(t *testing.T) {
	h := open(t, roomy, caps(10, 2))
	old, _ := h.call("a")
	h.takeOver("a")
	old.say(wire.Ping{ID: 1})
	read[wire.Pong](old)

	h = open(t, roomy, caps(10, 1))
	gone, hello := h.call("a")
	gone.Close()
	h.state(hello.SessionID, wire.StateReconnecting)
	h.takeOver("a")
	if got := h.ended(hello.SessionID); got != wire.Replaced {
		t.Errorf("the one that waited ended %s", got)
	}
}

func TestATakeoverThatCannotBe(t *testing.T) {
	h := open(t, roomy, caps(1, 1))
	other, _ := h.call("b")
	if _, problem := h.tryDial("a", "?takeover=1"); problem == nil || problem.Code != rest.CodeCapReached {
		t.Errorf("a full server without a place of the caller's: %+v", problem)
	}
	if _, problem := h.tryDial("b", "?takeover=yes"); problem == nil || problem.Code != rest.CodeOutOfRange || problem.Field != "takeover" {
		t.Errorf("a value outside of its set: %+v", problem)
	}
	other.say(wire.Ping{ID: 1})
	read[wire.Pong](other)
}
