package quality_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parley/shared/quality"
	"parley/shared/rtcstats"
)

// TestAQuantileIsOneOfThem, the smallest that at least so many do not exceed, whatever
// came in which order; and to ask for one changes none.
func TestAQuantileIsOneOfThem(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 16))
	for _, n := range []int{1, 2, 3, 7, 19, 20, 21, 100, 999, 1000} {
		var d quality.Durations
		var all []time.Duration
		for range n {
			one := time.Duration(random.IntN(50)) // many are alike
			d.Add(one)
			all = append(all, one)
		}
		for _, q := range []float64{0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1} {
			got := d.Quantile(q)
			if !slices.Contains(all, got) {
				t.Fatalf("%v of %d: %d is none of them", q, n, got)
			}
			if share := q * float64(n); float64(atMost(all, got)) < share-1e-9 {
				t.Errorf("%v of %d: %d do not exceed %d", q, n, atMost(all, got), got)
			} else if below := float64(atMost(all, got-1)); below > 0 && below >= share+1e-9 {
				t.Errorf("%v of %d: %v are below %d", q, n, below, got)
			}
		}
		if d.Len() != n {
			t.Errorf("%d are kept of %d", d.Len(), n)
		}
	}
}

func atMost(all []time.Duration, limit time.Duration) (n int) {
	for _, d := range all {
		if d <= limit {
			n++
		}
	}
	return n
}

// TestTheNewestThousandCount: the one that is added last pushes out the oldest, round
// and round.
func TestTheNewestThousandCount(t *testing.T) {
	var d quality.Durations
	for i := 1; i <= 3500; i++ {
		d.Add(time.Duration(i))
		if i%500 != 0 {
			continue
		}
		if oldest, newest := d.Quantile(0), d.Quantile(1); oldest != time.Duration(max(1, i-999)) || newest != time.Duration(i) {
			t.Errorf("after %d: from %d to %d", i, oldest, newest)
		}
	}
}

// TestTheWorstIsTheWorstInAnyOrder, of a verdict for each level and number, and twice
// the same is no worse than once.
func TestTheWorstIsTheWorstInAnyOrder(t *testing.T) {
	verdicts := []quality.Verdict{
		{Level: quality.None}, {Level: quality.Excellent, R: 90, Quiet: true}, {Level: quality.Excellent, R: 85},
		{Level: quality.Good, R: 72}, {Level: quality.Fair, R: 61, Quiet: true}, {Level: quality.Fair, R: 66}, {Level: quality.Poor, R: 30}, {Level: quality.Poor, R: 58},
	}
	random := rand.New(rand.NewPCG(17, 18))
	for range 200 {
		some := slices.Clone(verdicts[:1+random.IntN(len(verdicts))])
		want := quality.Worst(some...)
		random.Shuffle(len(some), func(a, b int) { some[a], some[b] = some[b], some[a] })
		if got := quality.Worst(some...); got != want {
			t.Fatalf("%+v: %+v, in another order %+v", some, got, want)
		}
		if got := quality.Worst(append(some, some...)...); got != want {
			t.Fatalf("%+v twice: %+v, want %+v", some, got, want)
		}
		for _, v := range some {
			if v.Level.Bars() > 0 && v.Level.Bars() < want.Level.Bars() {
				t.Fatalf("%+v is worse than the worst, %+v", v, want)
			}
		}
	}
}

// TestBars: each level draws one more than the next worse, and what is none draws none.
func TestBars(t *testing.T) {
	for level, want := range map[quality.Level]int{
		quality.None: 0, "": 0, "superb": 0, quality.Poor: 1, quality.Fair: 2, quality.Good: 3, quality.Excellent: 4,
	} {
		if got := level.Bars(); got != want {
			t.Errorf("%q draws %d bars, want %d", level, got, want)
		}
	}
}

// legOf are the figures of a leg, each direction its own.
func legOf(toAgent, toCaller rtcstats.Figures) legFigures {
	return legFigures{quality.ToAgent: toAgent, quality.ToCaller: toCaller}
}

// TestAPartIsBlamedForWhatItDoes, and for nothing that another part did to it.
func TestAPartIsBlamedForWhatItDoes(t *testing.T) {
	fine := figuresOf(0, 40)
	good, cut := rtcstats.Figures{RTTMS: new(40.0)}, rtcstats.Figures{Silent: true}
	late := rtcstats.Figures{RTTMS: new(640.0)} // by 600 ms of this machine's
	for name, test := range map[string]struct {
		second quality.Second
		want   quality.Owner
	}{
		"the caller's ear waits":               {quality.Second{Caller: legOf(good, rtcstats.Figures{BufferMS: new(700.0)}), Agent: fine}, quality.OwnerCaller},
		"as long on the way to the agent":      {quality.Second{Caller: legOf(rtcstats.Figures{BufferMS: new(700.0)}, good), Agent: fine}, quality.OwnerNone},
		"a calm buffer":                        {quality.Second{Caller: legOf(good, rtcstats.Figures{BufferMS: new(float64(quality.BufferMS))}), Agent: fine}, quality.OwnerNone},
		"one way of the caller's is cut":       {quality.Second{Caller: legOf(cut, good), Agent: fine}, quality.OwnerCaller},
		"one way of each is cut":               {quality.Second{Caller: legOf(cut, good), Agent: legOf(cut, good)}, quality.OwnerCaller},
		"the same, the other's far side lives": {quality.Second{Caller: legOf(cut, cut), Agent: legOf(good, cut)}, quality.OwnerCaller},
		"both are cut, one by its pings":       {quality.Second{Caller: legOf(cut, cut), Agent: legOf(rtcstats.Figures{Unanswered: true}, cut)}, quality.OwnerServer},
		"the agent's leg has no figures yet":   {quality.Second{Caller: legOf(cut, cut)}, quality.OwnerCaller},
		"late, and round trips with it":        {quality.Second{Caller: legOf(late, late), Agent: legOf(late, late), ServerDelayMS: 600}, quality.OwnerServer},
		"late, in trips that are long anyhow":  {quality.Second{Caller: figuresOf(0, 620), Agent: figuresOf(0, 340), ServerDelayMS: 300}, quality.OwnerServer},
		"late by more than its round trips":    {quality.Second{Caller: fine, Agent: fine, ServerDelayMS: 600}, quality.OwnerServer},
		"the worse way decides":                {quality.Second{Caller: figuresOf(.07, 40), Agent: legOf(good, cut)}, quality.OwnerAgent},
		"muted agent on a poor way":            {quality.Second{Caller: figuresOf(.2, 40), Agent: fine, IsAgentMute: true}, quality.OwnerCaller},
		"an agent that thinks, nothing heard":  {quality.Second{ThinkingMS: quality.SlowFirstWordMS + 1}, quality.OwnerModel},
	} {
		var last quality.Owner
		var b quality.Blamer
		for range quality.DownVotes {
			last = b.Next(test.second)
		}
		if last != test.want {
			t.Errorf("%s: it is %q's, want %q", name, last, test.want)
		}
	}
}
