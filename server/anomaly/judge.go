package anomaly

import (
	"cmp"
	"math"
	"slices"
	"time"

	"parley/shared/rest"
)

// findingKey is what a finding is of.
type findingKey struct{ series, subject string }

// finding is how one figure stands: raised, or on its way there or back.
type finding struct {
	isRaised    bool
	over, below int   // minutes in a row
	minutes     int64 // of the quickest window that was over
	learnedOf   string
	told        rest.Anomaly
}

// reading is a figure as it is now.
type reading struct {
	series       *series
	subject      string // "" for all
	network, org string
	sum          Sum
	parts        []part // of the hours that it is of
	minutes      int64  // of its window
	baseline     *baseline
	learnedOf    string // the organization by whose own past it is judged
}

// judge gives every series its minute.
func (d *Detector) judge(now time.Time, number int64) {
	hour := (number - 1) / minutesOfHour
	seen := make(map[findingKey]bool)
	windows := []*windowSums{d.window.sums(number, QuickMinutes), d.window.sums(number, SlowMinutes), d.window.sums(number, LongMinutes)}
	origins, signIns := originsOf(d.window.since(number-QuickMinutes)), 0
	for i := range d.kinds {
		s := &d.kinds[i]
		switch s.name {
		case rest.AnomalySignInsNetwork:
			d.judgeEach(now, hour, s, origins.by(byNetwork), seen)
			origins, signIns = origins.without(byNetwork, d.isRaised(s.name))
		case rest.AnomalySignInsOrg:
			d.judgeEach(now, hour, s, origins.by(byOrg), seen)
			_, told := origins.without(byOrg, d.isRaised(s.name))
			signIns += told
		case rest.AnomalySignIns: // those that nothing else tells of
			r := d.readingOf(s, windows[0])
			r.sum.Total -= float64(signIns)
			d.judgeOne(now, seen, r)
		default:
			readings := make([]reading, 0, len(windows))
			for _, w := range windows {
				// What was told already is not told again by a longer window.
				if ended, known := d.ended[s.name]; !known || w.minutes == QuickMinutes || number-ended >= w.minutes {
					readings = append(readings, d.readingOf(s, w))
				}
			}
			d.judgeOne(now, seen, readings...)
		}
	}
	for key, f := range d.findings {
		if !seen[key] {
			d.endMinute(now, key, f)
		}
	}
	d.renew(now)
}

func (d *Detector) isRaised(series string) func(string) bool {
	return func(subject string) bool {
		f := d.findings[findingKey{series, subject}]
		return subject != "" && f != nil && f.isRaised
	}
}

func (d *Detector) readingOf(s *series, w *windowSums) reading {
	i := slices.Index(summed[:], s.name)
	return reading{series: s, sum: w.sums[i], parts: w.parts[i], minutes: w.minutes, baseline: d.baselines[hourKey{series: s.name}]}
}

// judgeEach judges what is counted by network or organization: an organization by its own
// past where it has one, else by what is usual for the busiest.
func (d *Detector) judgeEach(now time.Time, hour int64, s *series, counts map[string]int, seen map[findingKey]bool) {
	for name, n := range counts {
		r := reading{
			series: s, subject: name, sum: Sum{Weight: 1, Total: float64(n)}, parts: []part{{hour, 1}}, minutes: QuickMinutes, baseline: d.baselines[hourKey{series: s.name}],
		}
		if s.name == rest.AnomalySignInsNetwork {
			r.network = name
		} else {
			r.org = name
			if own := d.baselines[hourKey{s.name, name}]; own != nil && own.hours[hourOfWeek(hour)].basis != "" {
				r.baseline, r.learnedOf = own, name
				r.sum.Weight = 1.0 * QuickMinutes / minutesOfHour
			}
		}
		d.judgeOne(now, seen, r)
	}
}

// judgeOne gives a figure its minute, by its windows, the quickest first. It is over if
// one of them is; by the quickest that was it is told, and it ends.
func (d *Detector) judgeOne(now time.Time, seen map[findingKey]bool, windows ...reading) {
	key := findingKey{windows[0].series.name, windows[0].subject}
	seen[key] = true
	f := d.findings[key]
	quickest := slices.IndexFunc(windows, func(r reading) bool { return r.off() >= cmp.Or(r.series.threshold, Threshold) })
	if f == nil {
		if quickest < 0 {
			return
		}
		f = &finding{minutes: windows[quickest].minutes}
		d.findings[key] = f
	}
	if quickest >= 0 {
		f.over++
		f.minutes = min(f.minutes, windows[quickest].minutes)
	}
	i := slices.IndexFunc(windows, func(r reading) bool { return r.minutes == f.minutes })
	switch {
	case quickest < 0 && !f.isRaised, i < 0, windows[i].off() < EndThreshold:
		d.endMinute(now, key, f)
		return
	}
	f.below = 0
	since := f.told.Since
	if f.over >= RaiseMinutes && !f.isRaised {
		f.isRaised, since = true, now.UTC()
	}
	f.told, f.learnedOf = windows[i].anomaly(), windows[i].learnedOf
	f.told.Since = since
}

// endMinute counts a minute in which a figure was as usual.
func (d *Detector) endMinute(now time.Time, key findingKey, f *finding) {
	f.over = 0
	if f.below++; !f.isRaised {
		delete(d.findings, key)
	} else if f.below >= EndMinutes {
		delete(d.findings, key)
		d.ended[key.series] = now.Unix()/minuteSeconds - QuickMinutes
	}
}

// off is how many usual deviations a figure is off what is usual at this hour, and at
// those beside it: within an hour there is a trend, and clocks are put forward and back.
// It is 0 where that is as little as nobody would notice, or of too few.
func (r reading) off() float64 {
	s, b := r.series, r.baseline
	if b == nil || r.sum.Weight <= 0 || r.sum.Weight < s.minWeight || s.isCount && r.sum.Total < s.minCount {
		return 0
	}
	least := math.Inf(1)
	for _, beside := range []int64{0, -1, 1} {
		u := b.usualAt(r.parts, beside)
		switch {
		case u.basis != "" && s.isNotable(r.sum.value(), u.value):
			least = min(least, s.deviation(r.sum, u.value)/r.deviationOf(u))
		case u.basis != "" || beside == 0:
			return 0
		}
	}
	return max(0, least)
}

// isNotable reports whether somebody would care.
func (s *series) isNotable(value, usual float64) bool {
	change := value - usual
	if s.isLow {
		change = -change
	}
	return change >= s.minChange && (s.isLow || value >= s.minTimes*usual)
}

// deviationOf is what the figure is usually off by.
func (r reading) deviationOf(u usual) float64 {
	return r.series.deviationOf(r.sum.Weight, r.baseline.spreadOf(r.series, u, r.minutes > SlowMinutes), r.baseline.within)
}

// anomaly tells of a reading.
func (r reading) anomaly() rest.Anomaly {
	u := r.baseline.usualAt(r.parts, 0)
	low, high := r.series.rangeOf(r.sum.Weight, u.value, r.deviationOf(u))
	a := rest.Anomaly{
		Series: r.series.name, Value: r.sum.value(), Usual: u.value, Low: low, High: high,
		Unit: r.series.unit, Basis: u.basis, Network: r.network, Org: r.org,
	}
	if r.series.name == rest.AnomalySignInsOrg && r.learnedOf == "" {
		a.Unit = unitCount
	}
	a.Text = sentence(a)
	return a
}
