package call_test

import (
	"testing"
	"time"

	"parley/app/call"
	"parley/shared/quality"
)

func TestHearing(t *testing.T) {
	const step = 50 * time.Millisecond
	cases := map[string]struct {
		levels        []float64 // one each 50 ms
		heard, silent bool
	}{
		"a voice":               {many(-20, 7), true, false},
		"not yet":               {many(-20, 6), false, false},
		"at the threshold":      {many(-45, 7), true, false},
		"a quiet room":          {many(-46, 100), false, false},
		"a quiet room for long": {many(-46, 121), false, true},
		"just not for long":     {many(-46, 120), false, false},
		"a knock":               {append(many(-10, 2), many(-80, 30)...), false, false},
		"words with a breath":   {append(append(many(-20, 3), many(-80, 4)...), many(-20, 1)...), true, false},
		"two knocks":            {append(append(many(-10, 2), many(-80, 10)...), many(-10, 2)...), false, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var e call.SpeechDetector
			p := call.Picture{Mic: call.MicCheck{State: call.MicOpen}}
			for i, level := range c.levels {
				loud, open := e.ObserveLevel(level, noon.Add(time.Duration(i)*step))
				p, _ = call.ApplyLevel(p, loud, 0, open)
			}
			if p.Mic.Heard != c.heard || p.Mic.Silent != c.silent {
				t.Errorf("heard: %v, silent: %v", p.Mic.Heard, p.Mic.Silent)
			}
		})
	}
}

func many(level float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = level
	}
	return out
}

func TestPredict(t *testing.T) {
	ms := func(times ...int) []time.Duration {
		out := make([]time.Duration, len(times))
		for i, v := range times {
			out[i] = time.Duration(v) * time.Millisecond
		}
		return out
	}
	cases := map[string]struct {
		times []time.Duration
		state call.ProbeState
		level quality.Level
		lost  int
		cause quality.Cause // of what it lacks
	}{
		"a good line":       {ms(38, 38, 38, 38, 38, 38, 38, 38, 38, 38), call.ProbeDone, quality.Excellent, 0, quality.CauseDelay},
		"a far server":      {ms(500, 500, 500, 500, 500, 500, 500, 500, 500, 500), call.ProbeDone, quality.Fair, 0, quality.CauseDelay},
		"an uneven line":    {ms(20, 140, 20, 140, 20, 140, 20, 140, 20, 140), call.ProbeDone, quality.Fair, 0, quality.CauseJitter},
		"half is lost":      {ms(38, 38, 38, 38, 38), call.ProbeDone, quality.Poor, 5, quality.CauseLoss},
		"too few to say":    {ms(38, 38), call.ProbeFailed, "", 0, ""},
		"nothing came back": {nil, call.ProbeFailed, "", 0, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := call.Predict(c.times, call.ProbeCount)
			if got.State != c.state || got.Verdict.Level != c.level || got.Lost != c.lost || got.Verdict.Cause != c.cause {
				t.Errorf("got %+v", got)
			}
		})
	}
}
