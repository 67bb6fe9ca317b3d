package session_test

import (
	"testing"
	"testing/synctest"
	"time"

	"parley/server/session"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// callSocketless brings the call of a caller without a socket up to where media flows.
func (h *fixture) callSocketless() (*session.Session, *session.Link) {
	h.t.Helper()
	c := caller("a")
	c.IsSocketless = true
	s := h.admit(c)
	l := h.attach(s)
	if refused := l.Offer(wire.Offer{SDP: "offer"}); refused != nil {
		h.t.Fatalf("offer: %v", refused)
	}
	synctest.Wait()
	s.ConnectionState(rtcstats.StateConnected, time.Now())
	synctest.Wait()
	return s, l
}

// Without a socket the close of the connection is the goodbye; with one the caller
// may come back.
func TestAClosedConnection(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s, l := h.callSocketless()
		s.ConnectionState(rtcstats.StateClosed, time.Now())
		if got := causeOf(s); got != wire.CallerLeft {
			t.Errorf("without a socket: ended for %q", got)
		}
		l.Release()
		held, _ := h.call("b")
		held.ConnectionState(rtcstats.StateClosed, time.Now())
		h.endsAfter(held, mediaGrace, wire.ConnectionLost)
	})
}

// Whose path is lost without a goodbye is given the grace of media, and no more.
func TestALostPathWithoutASocket(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s, l := h.callSocketless()
		defer l.Release()
		s.ConnectionState(rtcstats.StateDisconnected, time.Now())
		h.endsAfter(s, mediaGrace, wire.ConnectionLost)
	})
}

// The legs of a call without a socket stay until its caller was told why it ends,
// for half a second at most.
func TestTheFarewellIsSaidBeforeTheLegsClose(t *testing.T) {
	for name, test := range map[string]struct {
		holder func(l *session.Link)
		want   time.Duration
	}{
		"said": {func(l *session.Link) {
			time.Sleep(100 * time.Millisecond)
			if err := l.DeliverMessage(t.Context(), []byte("bye")); err != nil {
				t.Error(err)
			}
			l.Release()
			l.Release()
		}, 100 * time.Millisecond},
		"never": {func(*session.Link) {}, 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(h *fixture) {
				s, l := h.callSocketless()
				ended := time.Now()
				s.End(wire.AdminEnded, "")
				test.holder(l)
				pass(time.Second)
				if got := h.media.age(ended); got != test.want || h.media.closes() != 1 {
					t.Errorf("closed %d times, after %s, want %s", h.media.closes(), got, test.want)
				}
				if l.DeliverMessage(t.Context(), []byte("late")) == nil {
					t.Error("a message is delivered by legs that are closed")
				}
			})
		})
	}
}
