package quality_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"parley/shared/quality"
)

// The codec's rows as its authors publish them: kbit/s, impairment, robustness to
// random loss and to loss in runs.
var opusRows = [][4]float64{
	{16, 30.16, 11.83, 10.06}, {19, 23.81, 10.67, 8.92}, {22, 20.22, 10.47, 8.57}, {25, 20.21, 11.28, 9.18}, {28, 18.48, 10.63, 8.91},
	{31, 16.83, 10.44, 8.82}, {34, 14.76, 10.12, 8.54}, {37, 12.08, 10.38, 8.30}, {40, 10.67, 9.79, 8.04},
}

// idd is ITU-T G.107's eq. 7-27 and 7-28 as they are printed, with sT = 1.
func idd(ms float64) float64 {
	if ms <= 100 {
		return 0
	}
	x := math.Log10(ms/100) / math.Log10(2)
	return 25 * (math.Pow(1+math.Pow(x, 6), 1.0/6) - 3*math.Pow(1+math.Pow(x/3, 6), 1.0/6) + 2)
}

func TestEveryRowIsRatedByTheFormula(t *testing.T) {
	for _, row := range opusRows {
		for _, loss := range []float64{0, 0.5, 1, 3, 5, 10, 30, 100} {
			for _, ms := range []float64{0, 99.9, 100, 100.1, 150, 177, 250, 400, 1000} {
				for isBursty, bpl := range map[bool]float64{false: row[2], true: row[3]} {
					want := 100 - (row[1]+(132-row[1])*loss/(loss+bpl))/1.48 - idd(ms)
					want = math.Max(0, math.Min(100, want))
					got, mos := quality.Rate(ms, loss, row[0], isBursty)
					if math.Abs(got-want) > 1e-6 || math.Abs(mos-quality.MOS(want)) > 1e-6 {
						t.Errorf("%v ms, %v %%, %v kbit/s, bursty %v: R %v, want %v", ms, loss, row[0], isBursty, got, want)
					}
				}
			}
		}
	}
}

// TestARowHoldsUpToTheNext: a bitrate between two is rated by the lower.
func TestARowHoldsUpToTheNext(t *testing.T) {
	for i, row := range opusRows {
		at, _ := quality.Rate(0, 2, row[0], false)
		if i+1 < len(opusRows) {
			if below, _ := quality.Rate(0, 2, math.Nextafter(opusRows[i+1][0], 0), false); below != at {
				t.Errorf("just below %v: %v, want the row of %v: %v", opusRows[i+1][0], below, row[0], at)
			}
		}
	}
	least, _ := quality.Rate(0, 2, 16, false)
	most, _ := quality.Rate(0, 2, 40, false)
	for kbps, want := range map[float64]float64{0: least, 6: least, math.NaN(): least, 64: most, 510: most, math.Inf(1): most} {
		if got, _ := quality.Rate(0, 2, kbps, false); got != want {
			t.Errorf("%v kbit/s: %v, want %v", kbps, got, want)
		}
	}
}

// TestWhatIsNoNumberTakesNothingOff: a delay or a loss that can't be is none.
func TestWhatIsNoNumberTakesNothingOff(t *testing.T) {
	want, _ := quality.Rate(0, 0, 31, false)
	for _, v := range []float64{math.NaN(), -1, math.Inf(-1)} {
		for _, pair := range [][2]float64{{v, 0}, {0, v}, {v, v}} {
			if got, mos := quality.Rate(pair[0], pair[1], 31, false); got != want || math.IsNaN(mos) {
				t.Errorf("%v ms, %v %%: R %v, MOS %v", pair[0], pair[1], got, mos)
			}
		}
	}
	if got, mos := quality.Rate(math.Inf(1), math.Inf(1), 31, false); got != 0 || mos != 1 {
		t.Errorf("without an end: R %v, MOS %v", got, mos)
	}
}

// reference is the hysteresis as the rule is told: down when three of the last five
// are lower, to the best level that three of them agree on; up by one when the last
// five are all higher, five seconds after the level was last changed.
type reference struct {
	recent  []int // bars, newest last
	level   int
	changed int // s
}

func (r *reference) next(bars, second int) int {
	r.recent = append(r.recent, bars)
	if len(r.recent) > 5 {
		r.recent = r.recent[1:]
	}
	if len(r.recent) < 3 {
		return 0
	}
	lower, higher := 0, 0
	for _, b := range r.recent {
		if b < r.level {
			lower++
		}
		if b > r.level {
			higher++
		}
	}
	switch {
	case r.level == 0 || lower >= 3:
		r.level, r.changed = r.bestOfThree(), second
	case higher == 5 && second-r.changed >= 5:
		r.level, r.changed = r.level+1, second
	}
	return r.level
}

// bestOfThree is the best level that three of the recent ones are not above.
func (r *reference) bestOfThree() int {
	for level := 4; ; level-- {
		atMost := 0
		for _, b := range r.recent {
			if b <= level {
				atMost++
			}
		}
		better := 0
		for _, b := range r.recent {
			if b <= level-1 {
				better++
			}
		}
		if atMost >= 3 && better < 3 {
			return level
		}
	}
}

// TestTheHysteresisIsTheRule, on lines of every kind: calm, jumping, sinking, rising.
func TestTheHysteresisIsTheRule(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	kinds := []rune("pfge")
	for line := range 400 {
		j, want := quality.NewJudge(quality.ToAgent), &reference{}
		at, stay := random.IntN(4), 1+random.IntN(8)
		var so []byte
		for second := 1; second <= 60; second++ {
			if random.IntN(stay) == 0 {
				at = random.IntN(4)
			}
			so = append(so, byte(kinds[at]))
			f := secondOf(kinds[at])
			f.At = float64(1000 * second)
			v, s := j.Next(f)
			bars := quality.LevelOf(s.R).Bars()
			if bars != at+1 {
				t.Fatalf("a second %c rates %d bars", kinds[at], bars)
			}
			if got, due := v.Level.Bars(), want.next(bars, second); got != due {
				t.Fatalf("line %d, after %s: %d bars, want %d", line, so, got, due)
			}
		}
	}
}

// TestTheVerdictSaysWhatItIsOf: with a level there are numbers on their scales, and a
// cause stands with its direction and its value, or none of the three does.
func TestTheVerdictSaysWhatItIsOf(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	for _, d := range []quality.Direction{quality.ToAgent, quality.ToCaller} {
		j := quality.NewJudge(d)
		for second := 1; second <= 2000; second++ {
			f := secondOf([]rune("pfgeq")[random.IntN(5)])
			f.At, f.Silent = float64(1000*second), random.IntN(40) == 0
			if random.IntN(50) == 0 {
				f.RTTMS = new(float64(random.IntN(3000)))
			}
			v, s := j.Next(f)
			if !isSound(v.R, v.MOS) || !isSound(s.R, s.MOS) {
				t.Fatalf("second %d: %+v of %+v", second, v, s)
			}
			if (v.Cause == quality.CauseNone) != (v.Direction == "") || v.Cause != quality.CauseNone && (v.Direction != d || v.Value < 0) {
				t.Fatalf("second %d: %+v", second, v)
			}
			if v != j.Verdict() {
				t.Fatalf("second %d: %+v was given, %+v is kept", second, v, j.Verdict())
			}
		}
	}
}

func isSound(r, mos float64) bool {
	return r >= 0 && r <= 100 && (mos == 0 || mos >= 1) && mos <= 4.5
}

// TestALevelIsForgottenWithItsFigures after NoDataAfterMS and not a moment before; a
// clock that was set back says nothing of before, either.
func TestALevelIsForgottenWithItsFigures(t *testing.T) {
	for name, test := range map[string]struct {
		next float64 // ms
		want quality.Level
	}{
		"a second on":        {4000, quality.Excellent},
		"at the limit":       {3000 + quality.NoDataAfterMS, quality.Excellent},
		"beyond it":          {3000 + quality.NoDataAfterMS + 1, quality.None},
		"the clock set back": {2999, quality.None},
	} {
		j := quality.NewJudge(quality.ToAgent)
		for at := 1000.0; at <= 3000; at += 1000 {
			f := figures()
			f.At = at
			j.Next(f)
		}
		f := figures()
		f.At = test.next
		if v, _ := j.Next(f); v.Level != test.want {
			t.Errorf("%s: %s, want %s", name, v.Level, test.want)
		}
	}
}

// TestMOSIsNeverBelowItsLowest: the printed polynomial is, for an R of up to 6.5.
func TestMOSIsNeverBelowItsLowest(t *testing.T) {
	before := 1.0
	for r := -1.0; r <= 101; r += 0.01 {
		mos := quality.MOS(r)
		if mos < before || mos > 4.5 {
			t.Fatalf("R %.2f: MOS %v after %v", r, mos, before)
		}
		before = mos
	}
	if mos := quality.MOS(6.6); mos <= 1 {
		t.Errorf("R 6.6: MOS %v", mos)
	}
}
