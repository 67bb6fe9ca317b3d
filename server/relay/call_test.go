package relay_test

import (
	"context"
	"testing"

	"parley/server/agent"
	"parley/server/relay"
	"parley/shared/wire"
)

// turns is an agent's events that nobody minds.
type turns struct{}

func (turns) AgentState(wire.AgentState) {}
func (turns) Speech(agent.Speaker)       {}

// open wires a leg to an agent, as the server does.
func open(t testing.TB, r *relay.Relay, a agent.Agent) (*relay.Leg, *log) {
	t.Helper()
	on := &log{}
	l, err := r.Open("s1", on)
	if err != nil {
		t.Fatal(err)
	}
	far, err := a.Open(context.Background(), l, turns{})
	if err != nil {
		t.Fatal(err)
	}
	l.Connect(far)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close leg: %v", err)
		}
		if err := far.Close(); err != nil {
			t.Errorf("close agent: %v", err)
		}
	})
	return l, on
}

func TestEchoComesBack(t *testing.T) {
	for name, cfg := range map[string]callerConfig{
		"over UDP":       {},
		"over TCP":       {tcpOnly: true},
		"without levels": {noLevels: true},
	} {
		t.Run(name, func(t *testing.T) {
			l, on := open(t, listen(t), agent.Echo{})
			c := newCaller(t, cfg)
			c.call(l)
			said := speech(t)[:100]
			c.say(said)
			eventually(t, "all packets come back", func() bool { return len(c.packets()) >= len(said)-2 })
			for i, p := range c.packets() {
				if i > 0 && p.SequenceNumber != c.packets()[i-1].SequenceNumber+1 {
					t.Fatalf("packet %d: sequence %d after %d", i, p.SequenceNumber, c.packets()[i-1].SequenceNumber)
				}
			}
			eventually(t, "a sample tells of all packets", func() bool {
				_, s := on.last()
				return s.Inbound != nil && s.Inbound.PacketsReceived >= int64(len(said)-2)
			})
			state, s := on.last()
			t.Logf("%v %+v", state, s.CandidatePair)
		})
	}
}
