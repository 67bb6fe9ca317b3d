package chart_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"parley/app/ui/chart"
)

var nan = math.NaN()

func TestAxesHaveRoundTicks(t *testing.T) {
	for name, test := range map[string]struct {
		low, high float64
		want      string
	}{
		"a MOS":        {1, 4.5, "1 2 3 4 5"},
		"percent":      {0, 100, "0 20 40 60 80 100"},
		"a small loss": {0, 0.37, "0.0 0.1 0.2 0.3 0.4"},
		"negative":     {-5, 5, "-5.0 -2.5 0.0 2.5 5.0"},
		"one value":    {7, 7, "0 2 4 6 8"},
		"nothing":      {math.Inf(1), math.Inf(-1), "0.0 0.2 0.4 0.6 0.8 1.0"},
		"thousands":    {0, 31400, "0 10000 20000 30000 40000"},
	} {
		_, labels := chart.AxisTicks(test.low, test.high)
		if got := strings.Join(labels, " "); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// Whatever the values: four to six ticks, evenly apart, that hold them all.
func TestAxesHoldTheirValues(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		low := (random.Float64() - 0.5) * math.Pow(10, float64(random.IntN(8)-2))
		high := low + random.Float64()*math.Pow(10, float64(random.IntN(8)-3)) + 1e-6
		ticks, labels := chart.AxisTicks(low, high)
		if n := len(ticks); n < 4 || n > 6 {
			t.Fatalf("%v to %v has %d ticks: %v", low, high, n, ticks)
		}
		if ticks[0] > low+1e-6 || ticks[len(ticks)-1] < high-1e-6 {
			t.Fatalf("%v to %v is not within %v", low, high, ticks)
		}
		seen := map[string]bool{}
		for _, l := range labels {
			if seen[l] && ticks[1]-ticks[0] >= 0.001 {
				t.Fatalf("%v to %v: two ticks are written %s", low, high, l)
			}
			seen[l] = true
		}
	}
}

func TestTimeTicksAreRoundMoments(t *testing.T) {
	const second, minute, hour = 1000, 60_000, 3_600_000
	for name, test := range map[string]struct {
		span   chart.Span
		offset int64
		want   []int64
		step   int64
	}{
		"seconds":              {chart.Span{From: 3 * second, To: 12 * second}, 0, []int64{4 * second, 6 * second, 8 * second, 10 * second, 12 * second}, 2 * second},
		"minutes":              {chart.Span{From: 30 * second, To: 5 * minute}, 0, []int64{minute, 2 * minute, 3 * minute, 4 * minute, 5 * minute}, minute},
		"an hour and a second": {chart.Span{From: 0, To: hour + 1000}, 0, []int64{0, 10 * minute, 20 * minute, 30 * minute, 40 * minute, 50 * minute, hour}, 10 * minute},
		"hours where it's +1":  {chart.Span{From: 0, To: 10 * hour}, hour, []int64{hour, 3 * hour, 5 * hour, 7 * hour, 9 * hour}, 2 * hour},
	} {
		at, step := chart.TimeTicks(test.span, 6, test.offset)
		if !reflect.DeepEqual(at, test.want) || step != test.step {
			t.Errorf("%s: %v by %d, want %v by %d", name, at, step, test.want, test.step)
		}
	}
	for _, length := range []int64{5 * second, 59 * second, 17 * minute, 3 * hour, 26 * hour, 40 * 24 * hour} {
		if at, _ := chart.TimeTicks(chart.Span{From: 12_345, To: 12_345 + length}, 6, 0); len(at) < 2 || len(at) > 7 {
			t.Errorf("%d ms have %d ticks", length, len(at))
		}
	}
}

func series(values ...float64) chart.Series {
	s := chart.Series{Name: "it", Values: values}
	for i := range values {
		s.At = append(s.At, int64(i)*1000)
	}
	return s
}

func TestLines(t *testing.T) {
	over := chart.Span{From: 0, To: 10_000}
	for name, test := range map[string]struct {
		series chart.Series
		want   string
	}{
		"a line":               {series(0, 5, 10), "M0 1000L1000 500L2000 0"},
		"a gap":                {series(0, 0, nan, 10, 10), "M0 1000L1000 1000M3000 0L4000 0"},
		"one between gaps":     {series(nan, 5, nan), "M1000 500h0"},
		"nothing":              {series(nan, nan), ""},
		"no samples":           {series(), ""},
		"samples that are far": {chart.Series{At: []int64{0, 1000, 5000, 6000}, Values: []float64{0, 0, 10, 10}}, "M0 1000L1000 1000M5000 0L6000 0"},
	} {
		if got := chart.LinePath(test.series, over, 0, 10, 600, 3000); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	zoomed := chart.LinePath(series(0, 0, 10, 10, 0), chart.Span{From: 2000, To: 3000}, 0, 10, 600, 0)
	if want := "M-10000 1000L0 0L10000 0L20000 1000"; zoomed != want {
		t.Errorf("zoomed: %q, want %q: a line goes on to the edges", zoomed, want)
	}
}

// An hour by the second on 100 pixels: no more than two points a pixel, and the
// one spike is among them.
func TestSpikesSurviveDownsampling(t *testing.T) {
	values := make([]float64, 3600)
	for i := range values {
		values[i] = 1
	}
	values[1234], values[2345] = 10, 0
	d := chart.LinePath(series(values...), chart.Span{From: 0, To: 3_600_000}, 0, 10, 100, 0)
	if n := strings.Count(d, "L") + strings.Count(d, "M"); n > 202 {
		t.Errorf("%d points are drawn on 100 pixels", n)
	}
	for _, spike := range []string{fmt.Sprintf("L%d 0", 3428), fmt.Sprintf("L%d 1000", 6514)} {
		if !strings.Contains(d, spike) {
			t.Errorf("%s is missing of %s", spike, d)
		}
	}
}

func TestNamesAreApart(t *testing.T) {
	for name, test := range map[string]struct{ places, want []int }{
		"apart":          {[]int{100, 500, 900}, []int{100, 500, 900}},
		"on each other":  {[]int{500, 500, 500}, []int{500, 600, 700}},
		"at the bottom":  {[]int{990, 1000}, []int{900, 1000}},
		"in other order": {[]int{520, 500}, []int{600, 500}},
		"none":           {[]int{}, []int{}},
	} {
		if got := chart.Spread(test.places, 100, 1000); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestTheTableHasWhatIsShown(t *testing.T) {
	write := func(v float64) string { return fmt.Sprint(v) }
	values := make([]float64, 120)
	for i := range values {
		values[i] = float64(i % 4)
	}
	at, cells := chart.Rows([]chart.Series{series(values...), series(1)}, chart.Span{From: 60_000, To: 119_000}, write)
	if len(at) != 59 || at[0] != 60_000 {
		t.Errorf("%d rows from %v", len(at), at)
	}
	if got := cells[1]; got[0] != "1" || got[1] != "–" {
		t.Errorf("the second row says %q", got)
	}
	_, cells = chart.Rows([]chart.Series{series(values...)}, chart.Span{From: 0, To: 119_000}, write)
	if got := cells[0][0]; got != "1.2 (0 – 3)" {
		t.Errorf("five seconds are %q", got)
	}
	if at, _ := chart.Rows([]chart.Series{series(nan, nan)}, chart.Span{From: 0, To: 10_000}, write); len(at) != 0 {
		t.Error("a gap has rows")
	}
}

func TestTheNearestEventIsTold(t *testing.T) {
	events := []chart.Event{{At: 10_000, Text: "a"}, {At: 11_500, Text: "b"}}
	over := chart.Span{From: 0, To: 200_000}
	for at, want := range map[int64]string{10_400: "a", 11_000: "b", 13_400: "b", 13_600: "", 7_900: ""} {
		if e, _ := chart.EventNear(events, at, over); e.Text != want {
			t.Errorf("at %d: %q, want %q", at, e.Text, want)
		}
	}
}
