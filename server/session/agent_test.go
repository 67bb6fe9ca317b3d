package session_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"parley/server/session"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// gone is an agent's error that tells what the session ends for.
type gone struct{ cause wire.EndCause }

func (g gone) Error() string            { return "gone: " + string(g.cause) }
func (g gone) EndCause() wire.EndCause  { return g.cause }
func (gone) ForCaller() string          { return "Call again." }
func wrapped(cause wire.EndCause) error { return fmt.Errorf("the leg: %w", gone{cause}) }

// An agent's failure ends the session with the cause that it tells, if that is one of
// the set.
func TestTheCauseThatAnAgentTells(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want wire.EndCause
	}{
		"hung up":           {nil, wire.AgentLeft},
		"broke":             {errors.New("broke"), wire.AgentLeft},
		"went silent":       {wrapped(wire.AgentSilent), wire.AgentSilent},
		"noticed nothing":   {wrapped(wire.AgentUnresponsive), wire.AgentUnresponsive},
		"ended no answer":   {wrapped(wire.ResponseTimeout), wire.ResponseTimeout},
		"was lost":          {wrapped(wire.AgentLost), wire.AgentLost},
		"tells no cause":    {wrapped(""), wire.AgentLeft},
		"made up its cause": {wrapped("bored"), wire.AgentLeft},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(h *fixture) {
				s, _ := h.call("a")
				s.AgentState(wire.AgentListening)
				s.AgentLeft(c.err)
				pass(0)
				if got := causeOf(s); got != c.want {
					t.Errorf("ended for %q, want %q", got, c.want)
				}
			})
		})
	}
}

// A caller is warned of an agent that is stuck, on a new socket, too; it is taken back
// when the agent goes on, and what admins see has it.
func TestAStuckAgentIsWarnedOf(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s, l := h.call("a")
		ends := time.Now().Add(12 * time.Second)
		for range 2 { // once is enough
			s.AgentStuck(wire.ResponseTimeout, ends)
			pass(0)
		}
		if got := of[wire.Warning](drain(l)); len(got) != 1 || got[0].Code != wire.WarnAgentStuck || !got[0].EndsAt.Equal(ends.Truncate(time.Millisecond)) {
			t.Errorf("warned %+v", got)
		}
		pass(2 * time.Second)
		if last := h.seen.last(t); last.AgentStuck != wire.ResponseTimeout || !last.EndsAt.Equal(ends) {
			t.Errorf("seen as %q until %v", last.AgentStuck, last.EndsAt)
		}
		l.Lost(time.Now())
		pass(time.Second)
		fresh := h.attach(s)
		if got := of[wire.Warning](drain(fresh)); len(got) != 1 || got[0].Code != wire.WarnAgentStuck {
			t.Errorf("on a new socket warned %+v", got)
		}
		s.AgentStuck("", time.Time{})
		pass(2 * time.Second)
		if got := of[wire.Warning](drain(fresh)); len(got) != 1 || got[0].Code != wire.WarnAgentStuck || !got[0].EndsAt.IsZero() {
			t.Errorf("taken back by %+v", got)
		}
		if last := h.seen.last(t); last.AgentStuck != "" {
			t.Errorf("still seen as %q", last.AgentStuck)
		}
		if got := causeOf(s); got != "" {
			t.Errorf("ended for %q", got)
		}
	})
}

// The length that an agent allows ends a call as the server's own does: the nearer of
// the two, after the same warning, and hello tells it.
func TestAnAgentsLongestCall(t *testing.T) {
	for name, c := range map[string]struct{ server, agent, want time.Duration }{
		"the agent's is less":    {time.Hour, 10 * time.Minute, 10 * time.Minute},
		"the server's is less":   {10 * time.Minute, time.Hour, 10 * time.Minute},
		"only the agent has one": {0, 10 * time.Minute, 10 * time.Minute},
		"only the server":        {10 * time.Minute, 0, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(cfg *session.Config) {
				cfg.Settings = session.DefaultSettings()
				cfg.Settings.MaxDuration = c.server
			}, func(h *fixture) {
				h.media.longest = c.agent
				s := h.admit(caller("a"))
				l := h.attach(s)
				if hello := helloOf(t, l); hello.Limits.MaxDurationS != int(c.want/time.Second) {
					t.Errorf("hello tells %d s", hello.Limits.MaxDurationS)
				}
				l.Offer(wire.Offer{SDP: "offer"})
				pass(0)
				s.ConnectionState(rtcstats.StateConnected, time.Now())
				pass(0)
				drain(l)
				pass(c.want - 2*time.Minute - 1)
				if got := of[wire.Warning](drain(l)); len(got) != 0 {
					t.Errorf("warned too early: %+v", got)
				}
				pass(1)
				if got := of[wire.Warning](drain(l)); len(got) != 1 || got[0].Code != wire.WarnMaxDuration {
					t.Errorf("2 min before warned %+v", got)
				}
				h.endsAfter(s, 2*time.Minute, wire.MaxDuration)
			})
		})
	}
}

// A longest duration that an admin sets holds beside the agent's own.
func TestALimitThatIsChangedLeavesTheAgentsOwn(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		h.media.longest = 30 * time.Minute
		s, l := h.call("a")
		set := h.Settings()
		set.MaxDuration, set.IdleTimeout = 0, 2*time.Hour
		h.UpdateSettings(set)
		pass(28 * time.Minute)
		if got := of[wire.Warning](drain(l)); len(got) != 1 || got[0].Code != wire.WarnMaxDuration {
			t.Errorf("warned %+v", got)
		}
		h.endsAfter(s, 2*time.Minute, wire.MaxDuration)
	})
}
