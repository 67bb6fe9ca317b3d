package anomaly_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/server/anomaly"
)

const pastHours = 8 * 7 * 24

// BenchmarkFigures makes the tables of ANOMALY.md.
func BenchmarkFigures(b *testing.B) {
	for range b.N {
		fmt.Println(quietTable(10)) // a benchmark's log would be cut off
		fmt.Println(faultTable(40))
	}
}

// quietTable counts false alarms on replayed quiet weeks.
func quietTable(runs uint64) string {
	const weeks = 4
	var out strings.Builder
	fmt.Fprintf(&out, "| calls an hour at noon | what was learned before | quiet weeks | false alarms | a week | of |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, peak := range []float64{20, 300, 3000} {
		for _, past := range []struct {
			name  string
			hours int
		}{{"8 weeks", pastHours}, {"nothing", 0}} {
			all, by := 0, make(map[string]int)
			for seed := range runs {
				s := newTraffic(seed, peak)
				for series, n := range falseAlarms(s, anomaly.New(s.past(monday(), past.hours)), weeks) {
					all += n
					by[series] += n
				}
			}
			fmt.Fprintf(&out, "| %v | %s | %d | %d | %.2f | %s |\n", peak, past.name, runs*weeks, all, float64(all)/float64(runs*weeks), strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(by), "map["), "]"))
		}
	}
	return out.String()
}

// faultTable measures which faults are found, and when.
func faultTable(runs int) string {
	var out strings.Builder
	fmt.Fprintf(&out, "| fault, for 6 h | calls an hour at noon | told | minutes until then: median | 9 of 10 |\n| --- | --- | --- | --- | --- |\n")
	for _, f := range faults() {
		for _, peak := range []float64{20, 300, 3000} {
			found := detections(f, peak, runs)
			at := func(q float64) string {
				if len(found) == 0 {
					return ""
				}
				return fmt.Sprint(found[int(q*float64(len(found)-1))])
			}
			fmt.Fprintf(&out, "| %s | %v | %d %% | %s | %s |\n", f.name, peak, 100*len(found)/runs, at(.5), at(.9))
		}
	}
	return out.String()
}

// detections are the minutes until a fault was told, of those runs in which it was: at
// all hours of the week in turn.
func detections(f fault, peak float64, runs int) (minutes []int) {
	for i := range runs {
		s := newTraffic(uint64(i), peak)
		hour := 24 + i*37%(5*24) // Tuesday to Saturday, nights among them
		if n, isFound := detect(s, anomaly.New(s.past(monday(), pastHours)), hour, f); isFound {
			minutes = append(minutes, n)
		}
	}
	slices.Sort(minutes)
	return minutes
}

// TestFalseAlarmsAndDetection holds what BenchmarkFigures measures to bounds: at most one
// false alarm a week, over all series together, and faults found while they last.
func TestFalseAlarmsAndDetection(t *testing.T) {
	t.Parallel()
	const seeds, weeks, peak = 2, 2, 300
	told := make(map[string]int)
	for seed := range uint64(seeds) {
		s := newTraffic(seed, peak)
		for series, n := range falseAlarms(s, anomaly.New(s.past(monday(), pastHours)), weeks) {
			told[series] += n
			told[""] += n
		}
	}
	if told[""] > seeds*weeks {
		t.Errorf("false alarms in %d quiet weeks: %v", seeds*weeks, told)
	}
	for _, f := range faults() {
		const runs = 8
		found := detections(f, f.peak, runs)
		t.Logf("%s: %v", f.name, found)
		if len(found) < runs-f.mayMiss || found[len(found)/2] > f.within {
			t.Errorf("%s: found in %d of %d runs, after %v minutes", f.name, len(found), runs, found)
		}
	}
}
