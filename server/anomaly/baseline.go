package anomaly

import (
	"math"
	"slices"

	"parley/shared/rest"
)

const (
	hoursOfDay  = 24
	hoursOfWeek = 7 * hoursOfDay
	longHours   = LongMinutes / minutesOfHour
	// normal makes a median of deviations, or their 90th percentile, comparable to a
	// standard deviation: by these numbers they differ for a normal distribution.
	normalMAD = 1.4826
	normal90  = 1.2816
	// fewEvents: a median of smaller counts than that is a matter of luck, mostly 0. The
	// days as a whole have a say then.
	fewEvents = 3
)

// usual is what an hour of the week usually looks like.
type usual struct {
	value float64
	basis string  // "": it isn't known
	own   float64 // how far the same hours of the weeks are apart
}

// spread is how far sums are usually off what was learned of their hours: of counts in
// units of √, as deviation has them.
type spread struct {
	median float64
	tenth  float64 // of the worst tenth
}

// baseline is what was learned of a series.
type baseline struct {
	hours  [hoursOfWeek]usual
	within float64 // the standard deviation of values in an hour
	hourly spread
	long   spread // of sums of longHours
}

// hourOfWeek: the week begins on Thursday, as 1970 did.
func hourOfWeek(hour int64) int { return int(hour % hoursOfWeek) }

// learn learns from hours in a row, the first of which is number first.
func learn(s *series, first int64, hours []Sum) *baseline {
	l := learner{series: s, first: first, hours: hours}
	l.pool()
	b := new(baseline)
	b.within = l.within()
	all, daily := usual{}, 0.0
	if values := l.valuesOf(1, 0); len(values) >= MinHours {
		all = usual{value: median(values), basis: rest.AnomalyAllHours}
	}
	if s.isCount {
		daily = l.daily()
	}
	weight := l.meanWeight()
	var days [hoursOfDay]usual
	for h := range days {
		days[h] = all
		if values := l.valuesOf(hoursOfDay, h); len(values) >= MinDays {
			days[h] = usual{value: median(values), basis: rest.AnomalyHourOfDay}
		}
	}
	for h := range b.hours {
		u := &b.hours[h]
		*u = days[h%hoursOfDay]
		if values := l.valuesOf(hoursOfWeek, h); len(values) >= MinWeeks {
			*u = usual{median(values), rest.AnomalyHourOfWeek, l.own(values)}
		}
		if s.isCount && u.basis != "" && u.value*weight < fewEvents {
			u.value = max(u.value, daily)
		}
	}
	b.hourly, b.long = l.spreadOf(b, 1), l.spreadOf(b, longHours)
	return b
}

// learner holds what is learned from.
type learner struct {
	*series
	first  int64
	hours  []Sum
	pooled []Sum // each hour with its neighbors: of few calls an hour says little
}

func (l *learner) pool() {
	l.pooled = make([]Sum, len(l.hours))
	for i := range l.hours {
		if l.hours[i].Weight == 0 {
			continue
		}
		for j := max(0, i-1); j <= min(i+1, len(l.hours)-1); j++ {
			l.pooled[i].add(l.hours[j])
		}
	}
}

// valuesOf are the values of the hours that leave a remainder.
func (l *learner) valuesOf(modulus, remainder int) (values []float64) {
	i := int(((int64(remainder)-l.first)%int64(modulus) + int64(modulus)) % int64(modulus))
	for ; i < len(l.pooled); i += modulus {
		if l.pooled[i].Weight >= l.minHourWeight && l.pooled[i].Weight > 0 {
			values = append(values, l.pooled[i].value())
		}
	}
	return values
}

// meanWeight is what an hour, with its neighbors, is of.
func (l *learner) meanWeight() float64 {
	sum, n := 0.0, 0.0
	for i := range l.pooled {
		if w := l.pooled[i].Weight; w > 0 {
			sum, n = sum+w, n+1
		}
	}
	return sum / max(n, 1)
}

// daily is what a day usually comes to.
func (l *learner) daily() float64 {
	var values []float64
	for i := 0; i < len(l.hours); i += hoursOfDay {
		var day Sum
		for _, h := range l.hours[i:min(i+hoursOfDay, len(l.hours))] {
			day.add(h)
		}
		if day.Weight >= l.minHourWeight && day.Weight > 0 {
			values = append(values, day.value())
		}
	}
	return median(values)
}

// own is how far the same hours of the weeks are apart.
func (l *learner) own(values []float64) float64 {
	if l.isCount {
		return 0 // of eight counts, the spread of all hours knows more
	}
	center := median(values)
	off := make([]float64, len(values))
	for i, v := range values {
		off[i] = math.Abs(v - center)
	}
	return normalMAD * median(off)
}

// within is how far the values of an hour are apart.
func (l *learner) within() float64 {
	var values []float64
	for _, h := range l.hours {
		if !l.isCount && h.Weight >= l.minHourWeight {
			mean := h.value()
			values = append(values, math.Sqrt(max(0, h.Squares/h.Weight-mean*mean)))
		}
	}
	return median(values)
}

// spreadOf finds how far sums of some hours in a row are usually off what was learned of
// those hours.
func (l *learner) spreadOf(b *baseline, hours int) spread {
	var off, worse []float64
	for i := 0; i < len(l.hours); i += hours {
		var sum Sum
		var parts []part
		for j := i; j < min(i+hours, len(l.hours)); j++ {
			sum.add(l.hours[j])
			parts = append(parts, part{l.first + int64(j), l.hours[j].Weight})
		}
		u := b.usualAt(parts, 0)
		if u.basis == "" || sum.Weight == 0 || sum.Weight < l.minHourWeight {
			continue
		}
		d := l.deviation(sum, u.value)
		worse = append(worse, d)
		if d > 0 || !l.isCount { // nights in which nothing happens say nothing of how much is much
			off = append(off, math.Abs(d))
		}
	}
	out := spread{median: normalMAD * median(off)}
	slices.Sort(worse)
	if n := len(worse); n > 0 {
		out.tenth = worse[n*9/10] / normal90
	}
	return out
}

// part is what a sum is of within an hour.
type part struct {
	hour   int64
	weight float64
}

// usualAt is what is usual for a sum of parts, the last of which says what it was learned
// of; beside puts it that many hours later.
func (b *baseline) usualAt(parts []part, beside int64) (u usual) {
	var value, weight float64
	for _, p := range parts {
		if h := b.hours[hourOfWeek(p.hour+beside+hoursOfWeek)]; h.basis != "" {
			value, weight = value+h.value*p.weight, weight+p.weight
			u.own = max(u.own, h.own)
		}
	}
	if weight == 0 {
		return usual{}
	}
	u.value, u.basis = value/weight, b.hours[hourOfWeek(parts[len(parts)-1].hour+beside+hoursOfWeek)].basis
	return u
}

// spreadOf is what hours, or long sums, are usually off by. Where weeks are missing, quiet
// hours and busy ones were taken for the same: what the worst tenth does is usual then.
func (b *baseline) spreadOf(s *series, u usual, isLong bool) float64 {
	of, least := b.hourly, s.minSpread
	if isLong {
		of = b.long
	}
	if s.isCount {
		least = 1 // of √ twice: that of chance alone
	}
	if u.basis != rest.AnomalyHourOfWeek {
		least = max(least, of.tenth)
	}
	return max(u.own, of.median, least)
}

// deviation is how far a sum is off a value, to the worse side. Of counts it is twice
// the difference of square roots: by chance alone that deviates by 1, whatever the count
// (Anscombe 1948), and so a night and a noon can be compared.
func (s *series) deviation(of Sum, value float64) float64 {
	if s.isCount {
		return 2 * (math.Sqrt(of.Total) - math.Sqrt(value*of.Weight))
	}
	if s.isLow {
		return value - of.value()
	}
	return of.value() - value
}

// deviationOf is what a mean or a count of a weight is usually off by.
func (s *series) deviationOf(weight, spread, within float64) float64 {
	if s.isCount {
		return spread
	}
	return math.Sqrt(spread*spread + within*within*s.valuesPerCall/weight)
}

// rangeOf is what a sum of a weight usually lies between: two deviations about the usual
// value.
func (s *series) rangeOf(weight, usual, deviation float64) (low, high float64) {
	if !s.isCount {
		return max(0, usual-2*deviation), usual + 2*deviation
	}
	root := math.Sqrt(usual * weight)
	low = max(0, root-deviation)
	return low * low / weight, (root + deviation) * (root + deviation) / weight
}

func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
