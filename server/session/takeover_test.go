package session_test

import (
	"errors"
	"testing"

	"parley/server/session"
	"parley/shared/wire"
)

// Who would be refused anyway ends nothing of their own.
func TestATakeoverThatWouldBeRefusedEndsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*session.Sessions)
		want  session.RefusalCode
	}{
		"the cap is lower than what lives": {func(a *session.Sessions) {
			a.UpdateSettings(session.Settings{MaxSessions: 1, MaxPerUser: 1})
		}, session.CapReached},
		"new calls are paused": {func(a *session.Sessions) {
			a.UpdateSettings(session.Settings{MaxSessions: 2, MaxPerUser: 1, Paused: true})
		}, session.Paused},
		"the server drains": {func(a *session.Sessions) { a.StartDrain() }, session.Draining},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(c *session.Config) { c.Settings = session.Settings{MaxSessions: 2, MaxPerUser: 1} }, func(h *fixture) {
				own, _ := h.call("a")
				h.call("b")
				c.spoil(h.Sessions)
				_, err := h.TakeOver(caller("a"))
				var refused *session.Refusal
				if !errors.As(err, &refused) || refused.Code != c.want {
					t.Errorf("error %v, want %s", err, c.want)
				}
				if cause := causeOf(own); cause != "" {
					t.Errorf("the caller's own ended %s", cause)
				}
			})
		})
	}
}

func TestATakeoverEndsOneAndNoMore(t *testing.T) {
	bubble(t, func(c *session.Config) { c.Settings = session.Settings{MaxSessions: 10, MaxPerUser: 2} }, func(h *fixture) {
		first, _ := h.call("a")
		pass(1)
		second, _ := h.call("a")
		third, err := h.TakeOver(caller("a"))
		if err != nil {
			t.Fatal(err)
		}
		if causeOf(first) != wire.Replaced || causeOf(second) != "" || causeOf(third) != "" {
			t.Errorf("ended: %q, %q, %q", causeOf(first), causeOf(second), causeOf(third))
		}
	})
}
