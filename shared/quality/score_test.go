package quality_test

import (
	"math"
	"testing"

	"parley/shared/quality"
	"parley/shared/rtcstats"
)

func TestMouthToEar(t *testing.T) {
	cases := map[string]struct {
		d    quality.Direction
		f    rtcstats.Figures
		want float64
	}{
		"to the caller, all known":    {quality.ToCaller, rtcstats.Figures{RTTMS: new(80.0), BufferMS: new(60.0), PlayoutMS: new(30.0)}, 36.5 + 40 + 60 + 30},
		"to the caller, by the relay": {quality.ToCaller, rtcstats.Figures{RTTMS: new(80.0)}, 36.5 + 40 + quality.BufferMS + quality.PlayoutMS},
		"to the agent":                {quality.ToAgent, rtcstats.Figures{RTTMS: new(80.0)}, 36.5 + 40 + quality.PlayoutMS},
	}
	for name, c := range cases {
		ms, ok := quality.MouthToEar(c.d, c.f)
		if !ok || math.Abs(ms-c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, ms, c.want)
		}
	}
	if _, ok := quality.MouthToEar(quality.ToAgent, rtcstats.Figures{BufferMS: new(60.0)}); ok {
		t.Error("a delay without a round trip")
	}
}

// figures of ten good seconds.
func figures() rtcstats.Figures {
	return rtcstats.Figures{
		At: 10_000, Seconds: 10, Samples: 10, Expected: 500,
		LossRatio: new(0.0), EffectiveLossRatio: new(0.0), JitterMS: new(3.0), RTTMS: new(40.0), BufferMS: new(40.0),
	}
}

func with(change func(*rtcstats.Figures)) rtcstats.Figures {
	f := figures()
	change(&f)
	return f
}

func lossOf(percent float64) func(*rtcstats.Figures) {
	return func(f *rtcstats.Figures) {
		f.LossRatio, f.EffectiveLossRatio, f.Lost = new(percent/100), new(percent/100), int64(5*percent)
	}
}

func TestCauses(t *testing.T) {
	cases := map[string]struct {
		d     quality.Direction
		f     rtcstats.Figures
		cause quality.Cause
		value float64
	}{
		"nothing":          {quality.ToCaller, figures(), quality.CauseNone, 0},
		"loss":             {quality.ToAgent, with(lossOf(4)), quality.CauseLoss, 4},
		"a long way":       {quality.ToAgent, with(func(f *rtcstats.Figures) { f.RTTMS = new(500.0) }), quality.CauseDelay, 36.5 + 20 + 250 + 40},
		"a swollen buffer": {quality.ToCaller, with(func(f *rtcstats.Figures) { f.BufferMS, f.JitterMS = new(260.0), new(45.0) }), quality.CauseJitter, 45},
		"packets too late": {quality.ToAgent, with(func(f *rtcstats.Figures) { f.EffectiveLossRatio, f.Discarded, f.JitterMS = new(0.05), 25, new(60.0) }), quality.CauseJitter, 60},
		// What stays of a jitter that is over is a delay, or a loss; no jitter of 3 ms.
		"a buffer that stayed large": {quality.ToCaller, with(func(f *rtcstats.Figures) { f.BufferMS = new(260.0) }), quality.CauseDelay, 36.5 + 20 + 20 + 260},
		"jitter at the edge":         {quality.ToCaller, with(func(f *rtcstats.Figures) { f.BufferMS, f.JitterMS = new(260.0), new(10.0) }), quality.CauseJitter, 10},
		"jitter just below it":       {quality.ToCaller, with(func(f *rtcstats.Figures) { f.BufferMS, f.JitterMS = new(260.0), new(9.9) }), quality.CauseDelay, 36.5 + 20 + 20 + 260},
		"jitter is not told":         {quality.ToCaller, with(func(f *rtcstats.Figures) { f.BufferMS, f.JitterMS = new(260.0), nil }), quality.CauseDelay, 36.5 + 20 + 20 + 260},
		"dropped, though even":       {quality.ToAgent, with(func(f *rtcstats.Figures) { f.EffectiveLossRatio, f.Discarded = new(0.05), 25 }), quality.CauseLoss, 5},
		"a starved device":           {quality.ToCaller, with(func(f *rtcstats.Figures) { f.SynthesizedRatio = new(0.1) }), quality.CauseCPU, 10},
		"loss beside delay":          {quality.ToAgent, with(func(f *rtcstats.Figures) { lossOf(8)(f); f.RTTMS = new(300.0) }), quality.CauseLoss, 8},
		"no answer at all":           {quality.ToAgent, with(func(f *rtcstats.Figures) { f.Unanswered = true }), quality.CauseLoss, 100},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := quality.ScoreOf(c.d, c.f)
			if s.Cause != c.cause || math.Abs(s.Value-c.value) > 1e-9 {
				t.Errorf("%q %v, want %q %v (R %v)", s.Cause, s.Value, c.cause, c.value, s.R)
			}
		})
	}
}

func TestWhatTheEarMisses(t *testing.T) {
	rate := func(loss float64) float64 {
		r, _ := quality.Rate(36.5+20+20+40, loss, 31, false)
		return r
	}
	concealed := func(lost, ratio float64) rtcstats.Figures {
		return with(func(f *rtcstats.Figures) { lossOf(lost)(f); f.ConcealedRatio = new(ratio / 100) })
	}
	cases := map[string]struct {
		d    quality.Direction
		f    rtcstats.Figures
		loss float64 // rated
	}{
		"concealment hides some":       {quality.ToCaller, concealed(4, 3), 3},
		"but never more than half":     {quality.ToCaller, concealed(4, 0.5), 2},
		"and never adds":               {quality.ToCaller, concealed(4, 20), 4},
		"a browser that doesn't say":   {quality.ToCaller, with(lossOf(4)), 4},
		"the agent conceals nothing":   {quality.ToAgent, concealed(4, 0), 4},
		"concealed silence is no loss": {quality.ToCaller, concealed(0, 30), 0},
	}
	for name, c := range cases {
		if s := quality.ScoreOf(c.d, c.f); math.Abs(s.R-rate(c.loss)) > 1e-9 {
			t.Errorf("%s: R %v, want %v", name, s.R, rate(c.loss))
		}
	}
}

func TestBursty(t *testing.T) {
	cases := map[string]struct {
		d    quality.Direction
		f    rtcstats.Figures
		want bool
	}{
		"runs of two":               {quality.ToAgent, rtcstats.Figures{BurstRatio: new(1.5), BurstLosses: 10}, true},
		"shorter runs":              {quality.ToAgent, rtcstats.Figures{BurstRatio: new(1.49), BurstLosses: 10}, false},
		"too few losses":            {quality.ToAgent, rtcstats.Figures{BurstRatio: new(3.0), BurstLosses: 9}, false},
		"long concealments":         {quality.ToCaller, rtcstats.Figures{Lost: 1, ConcealmentMS: new(40.1)}, true},
		"short concealments":        {quality.ToCaller, rtcstats.Figures{Lost: 1, ConcealmentMS: new(40.0)}, false},
		"long ones without a loss":  {quality.ToCaller, rtcstats.Figures{ConcealmentMS: new(400.0)}, false},
		"the agent has no ear":      {quality.ToAgent, rtcstats.Figures{Lost: 1, ConcealmentMS: new(400.0)}, false},
		"seen runs are better word": {quality.ToCaller, rtcstats.Figures{Lost: 20, BurstRatio: new(1.0), BurstLosses: 20, ConcealmentMS: new(90.0)}, false},
	}
	for name, c := range cases {
		if got := quality.Bursty(c.d, c.f); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestPausesAreNotPoor(t *testing.T) {
	speaking := with(func(f *rtcstats.Figures) { f.BitrateBPS = new(32000.0) })
	pausing := with(func(f *rtcstats.Figures) { f.BitrateBPS = new(4000.0) })
	a, b := quality.ScoreOf(quality.ToAgent, speaking), quality.ScoreOf(quality.ToAgent, pausing)
	if a.R != b.R {
		t.Errorf("speaking rates %v, pausing %v", a.R, b.R)
	}
	low := with(func(f *rtcstats.Figures) { f.TargetBPS = new(16000.0) })
	if s := quality.ScoreOf(quality.ToAgent, low); s.R >= a.R {
		t.Errorf("an encoder set to 16 kbit/s rates %v", s.R)
	}
}
