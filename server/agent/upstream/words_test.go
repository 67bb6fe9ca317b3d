package upstream_test

import (
	"context"
	"errors"
	"testing"

	"parley/server/agent"
	"parley/server/agent/double"
	"parley/server/agent/realtime"
	"parley/server/agent/upstream"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// guard writes down what it is asked, and refuses it.
type guard struct {
	refuses error
	asked   []string
}

func (g *guard) Caption(by, _ string) error {
	g.asked = append(g.asked, "caption by "+by)
	return g.refuses
}

func (g *guard) Transcribe(by, _ string, isShown bool) error {
	g.asked = append(g.asked, map[bool]string{true: "shown", false: "hidden"}[isShown]+" transcript by "+by)
	return g.refuses
}

func (g *guard) Tap(by, _ string) error {
	g.asked = append(g.asked, "tap by "+by)
	return g.refuses
}

func TestTheGuardIsAskedBeforeTheService(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{}, func(c *upstream.Config) {
		c.Policy, c.Session.Transcription = realtime.Policy{Captions: true}, "whisper"
	})
	refusing := &guard{refuses: errors.New("no")}
	c := &caller{t: t, speech: map[rtcstats.Leg]int{}, left: make(chan error, 1)}
	call := agent.Call{Session: "sess_1", Audio: c, Messages: c, Words: refusing}
	if _, err := r.agent.Open(context.Background(), call, c); !errors.Is(err, agent.ErrForbidden) || !errors.Is(err, refusing.refuses) {
		t.Errorf("refused with %v", err)
	}
	if r.agent.Live() != 0 || len(r.service.Calls()) != 0 {
		t.Errorf("%d calls are counted, the service was asked for %d", r.agent.Live(), len(r.service.Calls()))
	}
	allowing := &guard{}
	call.Words = allowing
	far, err := r.agent.Open(context.Background(), call, c)
	if err != nil {
		t.Fatal(err)
	}
	c.leg = far
	t.Cleanup(c.hangUp)
	eventually(t, "the agent listens", c.is(wire.AgentListening))
	c.hangUp()
	if len(allowing.asked) != 2 || allowing.asked[1] != "shown transcript by pirate" {
		t.Errorf("asked %q", allowing.asked)
	}
}
