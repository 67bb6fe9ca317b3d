package rest_test

import (
	"testing"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// TestHistoryPutsCallsIntoTheirBuckets: a call is where it was on, begun and ended.
func TestHistoryPutsCallsIntoTheirBuckets(t *testing.T) {
	t.Parallel()
	from := at(0)
	minute := func(n float64) time.Time { return from.Add(time.Duration(n * float64(time.Minute))) }
	h := rest.NewHistory(rest.HistoryQuery{From: from, To: minute(3), StepS: 60})
	if len(h.Buckets) != 3 || h.StepS != 60 {
		t.Fatalf("%+v", h)
	}
	for _, c := range []rest.HistoryCall{
		{StartedAt: minute(-5), EndedAt: new(minute(1.5)), Cause: wire.CallerLeft, Level: quality.Good, Agent: "a"},
		{StartedAt: minute(0.5), EndedAt: new(minute(0.6)), Cause: wire.MediaFailed, Level: quality.None, Agent: "a"},
		{StartedAt: minute(1), EndedAt: nil, Level: quality.Poor, Agent: "b", FirstWord: rest.FirstWord{Turns: 3, P50MS: 800, P95MS: 900}},
		{StartedAt: minute(9), EndedAt: nil, Level: quality.Poor, Agent: "b"},
	} {
		h.Add(c)
	}
	b := h.Buckets
	if b[0].Calls[quality.Good] != 1 || b[1].Calls[quality.Good] != 0 || b[1].Ended != 1 {
		t.Errorf("a call that was on before: %+v", b)
	}
	if b[0].Started != 1 || b[0].Failed != 1 || b[0].FailedBy[wire.MediaFailed] != 1 || b[0].Calls[quality.None] != 0 {
		t.Errorf("a call that never began: %+v", b[0])
	}
	if b[1].Calls[quality.Poor] != 1 || b[2].Calls[quality.Poor] != 1 || b[1].First == nil || b[1].First.P50MS != 800 || b[2].First != nil {
		t.Errorf("a live call: %+v", b)
	}
	if h.First == nil || *h.First != *b[1].First {
		t.Errorf("of all calls: %+v, of the only one that was answered: %+v", h.First, b[1].First)
	}
	if h.Causes[wire.CallerLeft] != 1 || h.Causes[wire.MediaFailed] != 1 || h.Agents["a"].Calls != 1 || h.Agents["b"] != (rest.HistoryAgents{Calls: 1, Poor: 1}) {
		t.Errorf("%+v, %+v", h.Causes, h.Agents)
	}
	for _, c := range []struct {
		at     time.Time
		bucket int // -1: none
	}{{from.Add(-1), -1}, {from, 0}, {minute(1).Add(-1), 0}, {minute(3).Add(-1), 2}, {minute(3), -1}} {
		one := rest.NewHistory(rest.HistoryQuery{From: from, To: minute(3), StepS: 60})
		one.Add(rest.HistoryCall{StartedAt: c.at, EndedAt: &c.at})
		for i := range one.Buckets {
			if begun := one.Buckets[i].Started == 1; begun != (i == c.bucket) {
				t.Errorf("a call at %v is begun in %d: %t", c.at, i, begun)
			}
		}
	}
}

// TestHistorySteps: as many buckets as a chart shows, and never more than there may be.
func TestHistorySteps(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		span  time.Duration
		stepS int
		want  time.Duration
	}{
		"a quarter of an hour": {15 * time.Minute, 0, 15 * time.Second},
		"a day":                {24 * time.Hour, 0, 24 * time.Minute},
		"too fine":             {500 * time.Hour, 1, time.Hour},
		"a second":             {time.Second, 0, time.Second},
		"as asked":             {time.Hour, 600, 10 * time.Minute},
	} {
		q := rest.HistoryQuery{From: at(0), To: at(0).Add(c.span), StepS: c.stepS}
		if got := q.Step(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if n := len(rest.NewHistory(q).Buckets); n < 1 || n > rest.MaxHistorySteps {
			t.Errorf("%s: %d buckets", name, n)
		}
	}
}
