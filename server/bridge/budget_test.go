package bridge_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"parley/server/agent"
	"parley/server/agent/budget"
	"parley/server/bridge"
	"parley/server/fault"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

// dear is an agent whose calls cost money. It answers like echo, and hands out its
// calls for a test to charge.
type dear struct {
	agent.Echo
	limits budget.Limits
	calls  chan agent.Call
	events chan agent.Events
	broken error
}

func newDear(limits budget.Limits) *dear {
	return &dear{limits: limits, calls: make(chan agent.Call, 8), events: make(chan agent.Events, 8)}
}

func (d *dear) Budget() budget.Limits { return d.limits }

func (d *dear) Open(ctx context.Context, c agent.Call, on agent.Events) (agent.Leg, error) {
	if d.broken != nil {
		return nil, d.broken
	}
	d.calls <- c
	d.events <- on
	return d.Echo.Open(ctx, c, on)
}

func (d *dear) Check(context.Context) rest.AgentCheck {
	return rest.AgentCheck{Agent: "dear", Result: rest.CheckOK, Steps: []rest.AgentCheckStep{{Name: "exchange", Result: rest.CheckOK}}}
}

func withDear(d *dear) func(*bridge.Config) {
	return func(c *bridge.Config) {
		c.Agents = agent.NewRegistry(
			agent.Entry{Agent: rest.Agent{Name: "dear"}, Answerer: d},
			agent.Entry{Agent: rest.Agent{Name: "echo"}, Answerer: agent.Echo{}},
		)
	}
}

func cost(micros int64) rest.Usage {
	return rest.Usage{Tokens: rest.Tokens{OutputAudio: micros}, Responses: 1, CostMicros: micros, Currency: "USD"}
}

func TestACallIsWarnedAndEndedWhenItsBudgetIsSpent(t *testing.T) {
	d := newDear(budget.Limits{PerUserDay: 1000})
	r := newRig(t, withDear(d))
	l := r.ring("ada", "dear")
	id := next[wire.Hello](t, l).SessionID
	r.connect(l)
	call := <-d.calls
	call.Measures.Used(cost(600))
	call.Measures.Used(cost(999))
	call.Measures.Used(cost(1000))
	before := time.Now()
	if w := next[wire.Warning](t, l); w.Code != wire.WarnBudget || w.EndsAt.Before(before) || w.EndsAt.After(time.Now().Add(session.BudgetNotice)) {
		t.Errorf("warned %+v", w)
	}
	until(t, "what was used is on record", func() bool {
		spent, _ := r.disk.SpentOn(t.Context(), "key of ada", "acme", "dear", rest.DayOf(time.Now()))
		return spent == 1000
	})
	r.disk.set(func(disk *disk) {
		for _, e := range disk.used {
			if e.Session != id || e.User != "masked ada" || e.Org != "acme" || e.Usage.Currency != "USD" {
				t.Errorf("kept %+v", e)
			}
		}
	})
	if err := r.Sessions().End(id, wire.CallerLeft, ""); err != nil {
		t.Fatal(err)
	}
	<-l.Context().Done()

	seen, err := r.Admission("ada", "acme", "")
	if err != nil || len(seen.Agents) != 2 || !seen.Agents[0].BudgetSpent || seen.Agents[1].BudgetSpent {
		t.Errorf("foretold is %+v, %v", seen.Agents, err)
	}
	who := session.Caller{User: "ada", Org: "acme", Agent: "dear"}
	if p := r.BudgetProblem(t.Context(), who); p == nil || p.Code != rest.CodeBudgetSpent || p.Status != 429 || p.RetryAfterS > 86400 {
		t.Errorf("the next call would be answered %+v", p)
	}
	for _, c := range []session.Caller{{User: "bob", Org: "acme", Agent: "dear"}, {User: "ada", Org: "acme", Agent: "echo"}, {User: "ada", Org: "acme", Agent: "nobody"}} {
		if p := r.BudgetProblem(t.Context(), c); p != nil {
			t.Errorf("%+v is refused: %+v", c, p)
		}
	}
	again := r.ring("ada", "dear")
	pc, _ := r.newPeer()
	if refused := again.Offer(wire.Offer{SDP: r.offer(pc)}); refused != nil {
		t.Fatal(refused)
	}
	<-again.Context().Done()
	var end *session.End
	if !errors.As(context.Cause(again.Context()), &end) || end.Cause != wire.BudgetSpent {
		t.Errorf("the next call of the day ended by %v", context.Cause(again.Context()))
	}
	other := r.ring("bob", "dear")
	r.connect(other) // has money of his own
}

func TestUsageThatTheStoreRefusesIsKeptLater(t *testing.T) {
	d := newDear(budget.Limits{})
	r := newRig(t, withDear(d))
	l := r.ring("ada", "dear")
	r.connect(l)
	call := <-d.calls
	r.disk.set(func(disk *disk) { disk.broken = errors.New("away") })
	call.Measures.Used(cost(10))
	until(t, "the store's absence is noticed", r.Failing)
	call.Measures.Used(cost(15))
	r.disk.set(func(disk *disk) { disk.broken = nil })
	until(t, "all of it is kept", func() bool {
		spent, _ := r.disk.SpentOn(t.Context(), "key of ada", "acme", "dear", rest.DayOf(time.Now()))
		return spent == 15
	})
	until(t, "the record is whole again", func() bool { return !r.Failing() })
}

func TestHowAgentsDo(t *testing.T) {
	d := newDear(budget.Limits{})
	r := newRig(t, withDear(d))
	status := func() rest.AgentStatus { return r.AgentStatuses()[0] }
	l := r.ring("ada", "dear")
	id := next[wire.Hello](t, l).SessionID
	r.connect(l)
	call := <-d.calls
	for n := range 20 {
		call.Measures.TurnsMeasured([]rest.Turn{{WaitMS: float64(n+1) * 100}}, nil)
	}
	call.Measures.ToolUsed(rest.ToolUse{Tool: "weather", Result: "ok"})
	once := rest.RefusedEvent{Direction: "from_browser", Type: "session.update", Reason: "rate", Count: 1}
	twice := rest.RefusedEvent{Direction: "from_browser", Type: "unknown", Reason: "unknown", Count: 1}
	call.Measures.Refused(once)
	call.Measures.Refused(twice)
	call.Measures.Refused(twice)
	twice.Count = 2
	if s := status(); !slices.Equal(s.Refused, []rest.RefusedEvent{twice, once}) {
		t.Errorf("refused %+v", s.Refused)
	}
	if s := status(); s.Name != "dear" || s.Calls != 1 || s.FirstWord != (rest.FirstWord{Turns: 20, P50MS: 1000, P95MS: 1900}) || len(s.Failures) != 0 {
		t.Errorf("during a call: %+v", s)
	}
	(<-d.events).AgentLeft(errors.New("it broke"))
	until(t, "the call is over", func() bool { return status().Calls == 0 })
	if s := status(); len(s.Failures) != 1 || s.Failures[0].Detail != "it broke" {
		t.Errorf("after it broke: %+v", s)
	}
	if _, ok := r.Sessions().Snapshot(id); ok {
		until(t, "the session is gone", func() bool { _, ok := r.Sessions().Snapshot(id); return !ok })
	}
	d.broken = errors.New("it is busy")
	pc, _ := r.newPeer()
	l = r.ring("bob", "dear")
	if refused := l.Offer(wire.Offer{SDP: r.offer(pc)}); refused != nil {
		t.Fatal(refused)
	}
	<-l.Context().Done()
	if s := status(); len(s.Failures) != 2 || s.Failures[0].Detail != "it is busy" || s.Calls != 0 {
		t.Errorf("after it was busy: %+v", s)
	}
	if s := r.AgentStatuses()[1]; s.Name != "echo" || len(s.Failures) != 0 {
		t.Errorf("another agent: %+v", s)
	}
}

func TestAgentsAreChecked(t *testing.T) {
	r := newRig(t, withDear(newDear(budget.Limits{})))
	if got, err := r.CheckAgent(t.Context(), "dear"); err != nil || len(got.Steps) != 1 {
		t.Errorf("one that can be tried: %+v, %v", got, err)
	}
	if got, err := r.CheckAgent(t.Context(), "echo"); err != nil || got.Result != rest.CheckUntried || got.Agent != "echo" {
		t.Errorf("one of ours: %+v, %v", got, err)
	}
	if _, err := r.CheckAgent(t.Context(), "nobody"); !errors.Is(err, fault.NotFound) {
		t.Errorf("none: %v", err)
	}
}
