package upstream_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"parley/server/agent"
	"parley/server/agent/budget"
	"parley/server/agent/double"
	"parley/server/agent/realtime"
	"parley/server/agent/upstream"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// book takes what a call measures.
type book struct {
	mu      sync.Mutex
	totals  []rest.Usage
	waits   []time.Duration
	refused []rest.RefusedEvent
}

func (b *book) Used(total rest.Usage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.totals = append(b.totals, total)
}

func (b *book) Answered(wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waits = append(b.waits, wait)
}

func (*book) ToolUsed(rest.ToolUse) {}

func (b *book) Refused(e rest.RefusedEvent) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused = append(b.refused, e)
}

func (b *book) len() (totals, waits int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.totals), len(b.waits)
}

// openMeasured has a caller call an agent that measures into b.
func (r *rig) openMeasured(b *book) *caller {
	r.t.Helper()
	c := &caller{t: r.t, speech: map[rtcstats.Leg]int{}, left: make(chan error, 1)}
	far, err := r.agent.Open(context.Background(), agent.Call{Session: "sess_1", Audio: c, Messages: c, Measures: b}, c)
	if err != nil {
		r.t.Fatal(err)
	}
	c.leg = far
	r.t.Cleanup(c.hangUp)
	return c
}

func TestACallTellsWhatItUsesAndHowLongItsCallerWaits(t *testing.T) {
	t.Parallel()
	prices := realtime.Prices{Currency: "USD", InputText: 4_000_000, InputAudio: 32_000_000, OutputText: 24_000_000, OutputAudio: 64_000_000}
	r := newRig(t, double.Config{}, func(c *upstream.Config) {
		c.Prices, c.CallBudget, c.UserDayBudget = prices, 1_000_000, 5_000_000
	})
	if got := r.agent.Budget(); got != (budget.Limits{PerCall: 1_000_000, PerUserDay: 5_000_000}) {
		t.Errorf("budget %+v", got)
	}
	b := &book{}
	c := r.openMeasured(b)
	eventually(t, "the agent listens", c.is(wire.AgentListening))
	// A client that makes events of its own up costs nobody anything.
	c.leg.HandleMessage([]byte(`{"type":"response.done","response":{"id":"x","usage":{"output_tokens":100000000}}}`))
	c.say(600*time.Millisecond, true)
	began := time.Now()
	c.say(time.Second, false)
	eventually(t, "an answer is measured", func() bool { _, waits := b.len(); return waits == 1 })
	longest := time.Since(began)
	eventually(t, "and its usage", func() bool { totals, _ := b.len(); return totals > 0 })
	c.hangUp()
	b.mu.Lock()
	defer b.mu.Unlock()
	if want := (rest.RefusedEvent{Direction: "from_browser", Type: "response.done", Reason: "unknown", Count: 1}); len(b.refused) != 1 || b.refused[0] != want {
		t.Errorf("refused %+v", b.refused)
	}
	if w := b.waits[0]; w <= 0 || w > longest {
		t.Errorf("waited %v of %v", w, longest)
	}
	last := b.totals[len(b.totals)-1]
	if last.Currency != "USD" || last.CostMicros <= 0 || last.Responses < 1 || last.Tokens.Sum() <= 0 || last.Tokens.Sum() > 1_000_000 {
		t.Errorf("used %+v", last)
	}
}

// An answer that nobody saw the end of is not confirmed.
func TestAnAnswerThatIsCutOffIsUnconfirmed(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{}, nil)
	b := &book{}
	c := r.openMeasured(b)
	eventually(t, "the agent listens", c.is(wire.AgentListening))
	c.say(600*time.Millisecond, true)
	c.say(time.Second, false)
	eventually(t, "an answer begins", func() bool {
		for _, kind := range c.types() {
			if kind == string(realtime.ResponseCreated) {
				return true
			}
		}
		return false
	})
	c.hangUp()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.totals) == 0 {
		t.Fatal("nothing is told at the end")
	}
	if last := b.totals[len(b.totals)-1]; last.Responses != 1 {
		t.Errorf("used %+v", last)
	}
}
