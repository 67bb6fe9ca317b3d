package chart

import (
	"math"
	"sort"

	"parley/shared/quality"
)

// MaxSeries is how many lines a chart tells apart by colour and dashes.
const MaxSeries = 6

// Series is one line. At are the moments of its values, oldest first; a value
// that is NaN was not measured.
type Series struct {
	Name   string
	At     []int64 // milliseconds since the Unix epoch
	Values []float64
	// Level colours the area of a chart that is stacked.
	Level quality.Level
}

// stack puts series upon each other, the first at the bottom: each becomes the sum of
// itself and those before it. A moment at which one wasn't measured is a gap of all
// above. They have the same moments.
func stack(all []Series) []Series {
	out := make([]Series, len(all))
	for i, s := range all {
		out[i] = s
		out[i].Values = make([]float64, len(s.Values))
		for j, v := range s.Values {
			if i > 0 {
				v += out[i-1].Values[j]
			}
			out[i].Values[j] = v
		}
	}
	return out
}

// Band colours a range of values.
type Band struct {
	From, To float64
	Level    quality.Level
}

// Event is a mark in the lane above the lines.
type Event struct {
	At    int64
	Text  string
	Grave bool
}

// visible are the samples that a line over a span needs: those within, and one
// on either side, so that the line goes on to the edges.
func (s Series) visible(over Span) (first, last int) {
	first = sort.Search(len(s.At), func(i int) bool { return s.At[i] >= over.From })
	last = sort.Search(len(s.At), func(i int) bool { return s.At[i] > over.To })
	return max(first-1, 0), min(last+1, len(s.At))
}

// nearest is the sample nearest to a moment, -1 of an empty series.
func (s Series) nearest(at int64) int {
	i := sort.Search(len(s.At), func(i int) bool { return s.At[i] >= at })
	switch {
	case len(s.At) == 0:
		return -1
	case i == len(s.At):
		return i - 1
	case i > 0 && at-s.At[i-1] < s.At[i]-at:
		return i - 1
	}
	return i
}

// value is what the series says of a moment: NaN where it has no sample within
// reach.
func (s Series) value(at, reach int64) float64 {
	i := s.nearest(at)
	if i < 0 || s.At[i]-at > reach || at-s.At[i] > reach {
		return math.NaN()
	}
	return s.Values[i]
}

// latest is the newest value, NaN where there is none.
func (s Series) latest() float64 {
	for i := len(s.Values) - 1; i >= 0; i-- {
		if !isGap(s.Values[i]) {
			return s.Values[i]
		}
	}
	return math.NaN()
}

// bounds are the lowest and highest value of all series within a span, and of
// the limits that a chart wants to have in it.
func bounds(all []Series, over Span, low, high float64) (float64, float64) {
	for _, s := range all {
		first, last := s.visible(over)
		for _, v := range s.Values[first:last] {
			if !isGap(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	return low, high
}

// step is the usual distance of two samples of the series that has most of them.
func step(all []Series) int64 {
	at := moments(all)
	if len(at) < 2 {
		return 0
	}
	return (at[len(at)-1] - at[0]) / int64(len(at)-1)
}

// moments are the times of the series that has most of them.
func moments(all []Series) []int64 {
	longest := 0
	for i := range all {
		if len(all[i].At) > len(all[longest].At) {
			longest = i
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[longest].At
}

// moveCursor steps n samples from a moment; without one it begins at the end.
func moveCursor(times []int64, at int64, n int, shown Span) int64 {
	if len(times) == 0 {
		return 0
	}
	s := Series{At: times}
	if at == 0 || !shown.Contains(at) {
		at = shown.To
		if n > 0 {
			at = shown.From
		}
		return times[s.nearest(at)]
	}
	i := min(max(s.nearest(at)+n, 0), len(times)-1)
	return min(max(times[i], shown.From), shown.To)
}

// spread moves places apart that are closer than gap, within 0 to most, and
// keeps their order.
func spread(places []int, gap, most int) []int {
	order := make([]int, len(places))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return places[order[a]] < places[order[b]] })
	out := make([]int, len(places))
	next := 0
	for _, i := range order {
		out[i] = max(places[i], next)
		next = out[i] + gap
	}
	for limit, k := most, len(order)-1; k >= 0; k-- {
		i := order[k]
		out[i] = min(out[i], limit)
		limit = out[i] - gap
	}
	return out
}
