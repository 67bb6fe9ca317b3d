package chart

import (
	"math"
	"strconv"
	"time"
)

// maxTicks bounds the marks of an axis; there are at least four on a vertical one.
const maxTicks = 6

// axis is a vertical scale between two round values.
type axis struct{ low, high, step float64 }

// newAxis makes the scale of 4 to 6 round ticks that holds low to high.
func newAxis(low, high float64) axis {
	if !(high > low) { // one value, or none
		if math.IsNaN(low) || math.IsInf(low, 0) {
			low = 0
		}
		low, high = min(low, 0), max(low, low+1)
	}
	power := math.Pow(10, math.Floor(math.Log10((high-low)/maxTicks)))
	for ; ; power *= 10 {
		for _, m := range [...]float64{1, 2, 2.5, 5} {
			step := m * power
			first, last := math.Floor(low/step+1e-9), math.Ceil(high/step-1e-9)
			if last-first+1 <= maxTicks {
				return axis{first * step, last * step, step}
			}
		}
	}
}

// ticks are the round values, lowest first.
func (a axis) ticks() []float64 {
	n := int(math.Round((a.high-a.low)/a.step)) + 1
	out := make([]float64, n)
	for i := range out {
		out[i] = math.Round((a.low/a.step)+float64(i)) * a.step
	}
	return out
}

// share is where a value lies: 0 at the top, 1 at the bottom.
func (a axis) share(v float64) float64 {
	return 1 - (min(max(v, a.low), a.high)-a.low)/(a.high-a.low)
}

// label writes a tick with as many decimals as tell it from its neighbours.
func (a axis) label(v float64) string {
	decimals := 0
	for s := a.step; decimals < 3 && math.Abs(s-math.Round(s)) > 1e-9; s *= 10 {
		decimals++
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// timeStep is the smallest round step that has no more than most ticks in a span.
func timeStep(s Span, most int) int64 {
	steps := [...]time.Duration{
		time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	}
	for _, step := range steps {
		if s.Len() <= step.Milliseconds()*int64(most) {
			return step.Milliseconds()
		}
	}
	day := (24 * time.Hour).Milliseconds()
	days := int64(1)
	for s.Len() > days*day*int64(most) {
		days++
	}
	return days * day
}

// timeTicks are the round moments of a span, by the clock of a zone that is
// offset milliseconds ahead of UTC.
func timeTicks(s Span, most int, offset int64) (at []int64, step int64) {
	step = timeStep(Span{s.From, s.To - s.Len()/100}, most) // an hour and a second has the ticks of an hour
	first := (s.From+offset+step-1)/step*step - offset
	for t := first; t <= s.To; t += step {
		at = append(at, t)
	}
	return at, step
}

// zoneOffset is how far the viewer's clock is ahead of UTC.
func zoneOffset(at int64) int64 {
	_, seconds := time.UnixMilli(at).Zone()
	return int64(seconds) * 1000
}

// timeLabel writes a tick of the time axis.
func timeLabel(at, step int64) string {
	layout := "15:04"
	switch {
	case step < time.Minute.Milliseconds():
		layout = "15:04:05"
	case step >= (24 * time.Hour).Milliseconds():
		layout = "2 Jan"
	}
	return time.UnixMilli(at).Local().Format(layout)
}
