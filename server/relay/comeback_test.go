package relay_test

import (
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"parley/shared/rtcstats"
)

// TestACallerComesBackWithAnotherConnection offers from a second peer on a leg
// that a first one had: a page that was reloaded, or another machine. Whatever
// became of the first, the second gets an answer, DTLS, and the same far end.
func TestACallerComesBackWithAnotherConnection(t *testing.T) {
	for name, leave := range map[string]func(*caller){
		"while the first is there":    func(*caller) {},
		"after a goodbye":             func(c *caller) { c.leave() },
		"after a goodbye that's read": func(c *caller) { c.leave(); c.waitsFor(rtcstats.StateClosed) },
	} {
		t.Run(name, func(t *testing.T) {
			first := newCaller(t, callerConfig{})
			l := first.reflected()
			first.call(l)
			first.echoes()
			leave(first)
			begun := time.Now()
			second := newCaller(t, callerConfig{})
			second.events = first.events
			second.call(l)
			second.echoes()
			if took := time.Since(begun); took > 3*time.Second {
				t.Errorf("it took %s, want 3 s at most", took)
			}
			second.waitsFor(rtcstats.StateConnected)
			eventually(t, "the leg counts the second's packets", func() bool {
				_, s := second.events.last()
				return s.Inbound != nil && s.RemoteInbound != nil && s.Inbound.PacketsReceived > 0
			})
			second.call(l) // a renegotiation of its own is none of another's
			if n := len(second.packets()); n == 0 {
				t.Error("the second was cut off")
			}
			if n := second.events.restarted(); n != 0 {
				t.Errorf("%d ICE restarts told, want none: it is another connection", n)
			}
		})
	}
}

// TestAnotherConnectionTakesNoMoreThanOne changes between peers: what one leaves
// behind is closed, and a leg's bounds are those of a connection.
func TestAnotherConnectionTakesNoMoreThanOne(t *testing.T) {
	l := newCaller(t, callerConfig{}).reflected()
	var last *caller
	for range 4 {
		c := newCaller(t, callerConfig{})
		if last != nil {
			c.events = last.events
		}
		c.call(l)
		c.echoes()
		if last != nil {
			eventually(t, "the one before is told goodbye", func() bool {
				return last.pc.ConnectionState() != webrtc.PeerConnectionStateConnected
			})
		}
		last = c
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// waitsFor waits until the leg tells a state.
func (c *caller) waitsFor(want rtcstats.ConnectionState) {
	c.t.Helper()
	eventually(c.t, string(want), func() bool { state, _ := c.events.last(); return state == want })
}
