package quality_test

import (
	"math/rand/v2"
	"testing"

	"parley/shared/quality"
	"parley/shared/rtcstats"
)

// TestANoisyLineHoldsItsLevel: ten minutes of a line that loses packets at random, as many
// as there are at the border between two levels. The level of each second by itself changes
// hundreds of times; what is shown changes seldom, by one level, and rises no sooner than
// five seconds after a change.
func TestANoisyLineHoldsItsLevel(t *testing.T) {
	for name, loss := range map[string]float64{"excellent or good": .0127, "good or fair": .033, "fair or poor": .058} {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(3, 4))
			j, window := quality.NewJudge(quality.ToAgent), rtcstats.Window{}
			var own, shown, changedAt int // changes of the second's level, and of the one that is shown
			lastOwn, last := quality.None, quality.None
			for second := 1; second <= 600; second++ {
				flow := rtcstats.Flow{Seconds: 1, Bytes: 50 * 78}
				for range 50 { // packets of 20 ms, each lost by itself
					if flow.Expected++; random.Float64() < loss {
						flow.Lost++
					} else {
						flow.Packets++
					}
				}
				window.Add(float64(1000*second), flow)
				s := quality.ScoreOf(quality.ToAgent, window.Newest())
				v, _ := j.Next(window.Figures())
				if l := quality.LevelOf(s.R); l != lastOwn {
					lastOwn = l
					own++
				}
				if v.Level == last {
					continue
				}
				if step := v.Level.Bars() - last.Bars(); last != quality.None && (step > 1 || step < -1 || step > 0 && second-changedAt < 5) {
					t.Errorf("second %d: from %s to %s, %d s after the change before", second, last, v.Level, second-changedAt)
				}
				last, changedAt = v.Level, second
				shown++
			}
			t.Logf("%d changes are shown, of %d", shown, own)
			if own < 150 || shown > own/8 {
				t.Errorf("%d changes are shown, of %d", shown, own)
			}
		})
	}
}
