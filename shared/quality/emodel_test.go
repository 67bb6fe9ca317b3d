package quality_test

import (
	"fmt"
	"math"
	"testing"

	"parley/shared/quality"
)

// The known answers: 31 kbit/s, random loss.
func TestKnownAnswers(t *testing.T) {
	cases := []struct{ delay, loss, r, mos float64 }{
		{100, 0, 88.6, 4.30},
		{150, 0, 88.5, 4.30},
		{150, 1, 81.7, 4.09},
		{150, 3, 71.1, 3.65},
		{150, 10, 50.4, 2.60},
		{200, 0, 85.6, 4.22},
		{250, 1, 72.9, 3.73},
		{300, 0, 73.9, 3.77},
		{300, 2, 61.4, 3.17},
		{400, 0, 64.6, 3.33},
		{400, 5, 39.4, 2.03},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%v ms %v %%", c.delay, c.loss), func(t *testing.T) {
			r, mos := quality.Rate(c.delay, c.loss, 31, false)
			if math.Abs(r-c.r) > 0.051 || math.Abs(mos-c.mos) > 0.0051 {
				t.Errorf("R %.2f MOS %.3f, want %.1f and %.2f", r, mos, c.r, c.mos)
			}
		})
	}
}

func TestRateStaysOnItsScale(t *testing.T) {
	odd := []float64{math.Inf(-1), -1, 0, 0.5, 16, 50, 100, 101, 1e9, math.Inf(1), math.NaN()}
	for _, delay := range odd {
		for _, loss := range odd {
			for _, kbps := range odd {
				r, mos := quality.Rate(delay, loss, kbps, true)
				if !(r >= 0 && r <= 100 && mos >= 1 && mos <= 4.5) {
					t.Fatalf("Rate(%v, %v, %v) = %v, %v", delay, loss, kbps, r, mos)
				}
			}
		}
	}
}

func TestWorseIsNeverRatedBetter(t *testing.T) {
	last := 101.0
	for loss := 0.0; loss <= 100; loss += 0.25 {
		r, _ := quality.Rate(150, loss, 31, false)
		if r > last {
			t.Fatalf("%v %% of loss rates %v, less loss rated %v", loss, r, last)
		}
		last = r
	}
	last = 101
	for ms := 0.0; ms <= 2000; ms++ {
		r, _ := quality.Rate(ms, 0, 31, false)
		if r > last || last-r > 1 && ms > 0 {
			t.Fatalf("%v ms rates %v after %v: no cliff, no hill", ms, r, last)
		}
		last = r
	}
}

func TestBurstyLossHurtsMore(t *testing.T) {
	random, _ := quality.Rate(150, 3, 31, false)
	bursty, _ := quality.Rate(150, 3, 31, true)
	if bursty >= random {
		t.Errorf("bursty %v, random %v", bursty, random)
	}
}

func TestOpusRowAtOrBelow(t *testing.T) {
	// Without loss and delay R is 100 − Ie/1.48.
	cases := map[float64]float64{
		8: 30.16, 16: 30.16, 18.9: 30.16, 19: 23.81, 30.9: 18.48, 31: 16.83, 32: 16.83, 34: 14.76, 39.9: 12.08, 40: 10.67, 510: 10.67,
	}
	for kbps, ie := range cases {
		if r, _ := quality.Rate(0, 0, kbps, false); math.Abs(r-(100-ie/1.48)) > 1e-9 {
			t.Errorf("%v kbit/s rates %v", kbps, r)
		}
	}
}

func TestMOSEndsAtItsEnds(t *testing.T) {
	for r, want := range map[float64]float64{-5: 1, 0: 1, 100: 4.5, 120: 4.5} {
		if got := quality.MOS(r); got != want {
			t.Errorf("MOS(%v) = %v, want %v", r, got, want)
		}
	}
	if quality.MOS(math.NaN()) != 1 {
		t.Error("no number is no quality")
	}
}

func TestLevelsBeginWhereG109Says(t *testing.T) {
	cases := map[float64]quality.Level{
		100: quality.Excellent, 80: quality.Excellent, 79.99: quality.Good, 70: quality.Good, 69.99: quality.Fair,
		60: quality.Fair, 59.99: quality.Poor, 0: quality.Poor,
	}
	for r, want := range cases {
		if got := quality.LevelOf(r); got != want {
			t.Errorf("R %v is %s, want %s", r, got, want)
		}
	}
	bars := map[quality.Level]int{quality.Excellent: 4, quality.Good: 3, quality.Fair: 2, quality.Poor: 1, quality.None: 0, "": 0}
	for l, want := range bars {
		if l.Bars() != want {
			t.Errorf("%q draws %d bars", l, l.Bars())
		}
	}
}

func TestBands(t *testing.T) {
	cases := []struct {
		m    quality.Metric
		v    float64
		want quality.Level
	}{
		{quality.MetricDelay, 149.9, quality.Excellent}, {quality.MetricDelay, 150, quality.Good},
		{quality.MetricRTT, 250, quality.Fair}, {quality.MetricRTT, 400, quality.Poor},
		{quality.MetricJitter, 9.9, quality.Excellent}, {quality.MetricJitter, 30, quality.Poor},
		{quality.MetricBuffer, 60, quality.Good}, {quality.MetricBuffer, 199, quality.Fair},
		{quality.MetricLoss, 0.99, quality.Excellent}, {quality.MetricLoss, 5, quality.Poor},
		{quality.MetricConceal, 3, quality.Fair}, {quality.MetricConceal, 7, quality.Poor},
		{quality.MetricLoss, math.NaN(), quality.None}, {quality.Metric(99), 1, quality.None},
	}
	for _, c := range cases {
		if got := quality.Band(c.m, c.v); got != c.want {
			t.Errorf("metric %d at %v is %s, want %s", c.m, c.v, got, c.want)
		}
	}
}
