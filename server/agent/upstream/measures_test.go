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
	mu            sync.Mutex
	totals        []rest.Usage
	waits         []time.Duration
	turns, ended  []rest.Turn
	interruptions []rest.Interruption
	refused       []rest.RefusedEvent
}

func (b *book) Used(total rest.Usage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.totals = append(b.totals, total)
}

func (b *book) TurnsMeasured(turns []rest.Turn, interruptions []rest.Interruption) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, turn := range turns {
		b.waits = append(b.waits, turn.Wait())
	}
	b.turns, b.interruptions = append(b.turns, turns...), append(b.interruptions, interruptions...)
}

func (b *book) TurnsEnded(turns []rest.Turn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = append(b.ended, turns...)
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

// A call that is billed by its length costs money before anybody says anything.
func TestACallThatIsBilledByItsLength(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{}, func(c *upstream.Config) { c.Prices = realtime.Prices{Currency: "USD", CallMinute: 60_000} })
	b := &book{}
	r.openMeasured(b)
	eventually(t, "its first step is counted", func() bool { totals, _ := b.len(); return totals == 1 })
	b.mu.Lock()
	defer b.mu.Unlock()
	if got := b.totals[0]; got.CostMicros != 15_000 || got.Responses != 0 {
		t.Errorf("used %+v", got)
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

// within is how far what is measured may be from what the service did: two packets of
// audio, and what a busy machine adds.
const within = 150 * time.Millisecond

// What is told of a turn, and of an interruption, is what the service did.
func TestTurnsAndInterruptionsAreMeasured(t *testing.T) {
	t.Parallel()
	const silence, think = 300 * time.Millisecond, 400 * time.Millisecond
	r := newRig(t, double.Config{Silence: silence, Think: think}, func(c *upstream.Config) {
		c.Session.TurnDetection = []byte(`{"type":"server_vad","silence_duration_ms":300}`)
	})
	b := &book{}
	c := r.openMeasured(b)
	eventually(t, "the agent listens", c.is(wire.AgentListening))
	c.say(600*time.Millisecond, true)
	c.say(1200*time.Millisecond, false)
	eventually(t, "a turn is measured", func() bool { _, waits := b.len(); return waits == 1 })
	c.say(400*time.Millisecond, true) // over the agent, who has a sentence of 2.8 s
	eventually(t, "an interruption is measured", func() bool {
		c.say(100*time.Millisecond, false)
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.interruptions) == 1
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	turn, cut := b.turns[0], b.interruptions[0]
	if !turn.IsSpeechMeasured || !turn.IsAudioMeasured || turn.EventLagMS == nil {
		t.Errorf("not measured by packets and events: %+v", turn)
	}
	for what, v := range map[string][2]time.Duration{
		"the wait":           {turn.Wait(), silence + think},
		"the silence window": {time.Duration(turn.SilenceWindowMS * 1e6), silence},
		"the model":          {time.Duration(turn.ModelMS * 1e6), think},
		"the interruption":   {cut.Lasted(), 60 * time.Millisecond}, // it lets in who speaks for three packets
	} {
		if got, want := v[0], v[1]; got < want-40*time.Millisecond || got > want+within {
			t.Errorf("%s is %v, want about %v: %+v %+v", what, got, want, turn, cut)
		}
	}
	if cut.ClearedMS == nil {
		t.Errorf("no event of the interruption: %+v", cut)
	}
}
