package anomaly

import (
	"math"
	"time"

	"parley/shared/rest"
)

// findingKey is what a finding is of.
type findingKey struct{ series, subject string }

// finding is how one figure stands: raised, or on its way there or back.
type finding struct {
	isRaised    bool
	over, below int // minutes in a row
	learnedOf   string
	told        rest.Anomaly
}

// reading is a figure as it is now.
type reading struct {
	series       *series
	subject      string // "" for all
	network, org string
	sum          Sum
	baseline     *baseline
	learnedOf    string // the organization by whose own past it is judged
}

// judge gives every series its minute.
func (d *Detector) judge(now time.Time, number int64) {
	hour := (number - 1) / SlowMinutes
	quick, slow := d.window.since(number-QuickMinutes), d.window.since(number-SlowMinutes)
	seen := make(map[findingKey]bool)
	quickSums, slowSums := sumsOf(quick), sumsOf(slow)
	origins, signIns := originsOf(quick), 0
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
			sum := quickSums[s.name]
			sum.Total -= float64(signIns)
			d.judgeOne(now, hour, seen, d.readingOf(s, sum))
		default:
			d.judgeOne(now, hour, seen, d.readingOf(s, quickSums[s.name]), d.readingOf(s, slowSums[s.name]))
		}
	}
	for key, f := range d.findings {
		if !seen[key] {
			d.endMinute(key, f)
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

func (d *Detector) readingOf(s *series, sum Sum) reading {
	return reading{series: s, sum: sum, baseline: d.baselines[hourKey{series: s.name}]}
}

// judgeEach judges what is counted by network or organization: an organization by its own
// past where it has one, else by what is usual for the busiest.
func (d *Detector) judgeEach(now time.Time, hour int64, s *series, counts map[string]int, seen map[findingKey]bool) {
	for name, n := range counts {
		r := d.readingOf(s, Sum{Weight: 1, Total: float64(n)})
		r.subject = name
		if s.name == rest.AnomalySignInsNetwork {
			r.network = name
		} else {
			r.org = name
			if own := d.baselines[hourKey{s.name, name}]; own != nil && own.hours[hourOfWeek(hour)].basis != "" {
				r.baseline, r.learnedOf = own, name
				r.sum.Weight = 1.0 * QuickMinutes / SlowMinutes
			}
		}
		d.judgeOne(now, hour, seen, r)
	}
}

// judgeOne gives a figure its minute: it is over if one of its windows is.
func (d *Detector) judgeOne(now time.Time, hour int64, seen map[findingKey]bool, windows ...reading) {
	key := findingKey{windows[0].series.name, windows[0].subject}
	seen[key] = true
	worst, at := 0.0, -1
	for i := range windows {
		if off := windows[i].off(hour); off > worst {
			worst, at = off, i
		}
	}
	f := d.findings[key]
	if f == nil {
		if worst < Threshold {
			return
		}
		f = new(finding)
		d.findings[key] = f
	}
	if worst >= EndThreshold {
		f.below = 0
	}
	if worst >= Threshold {
		f.over++
	} else if !f.isRaised {
		f.over = 0
	}
	if at >= 0 && worst >= EndThreshold {
		since := f.told.Since
		f.told, f.learnedOf = windows[at].anomaly(hour), windows[at].learnedOf
		f.told.Since = since
	}
	if f.over >= RaiseMinutes && !f.isRaised {
		f.isRaised, f.told.Since = true, now.UTC()
	}
	if worst < EndThreshold {
		d.endMinute(key, f)
	}
}

// endMinute counts a minute in which a figure was as usual.
func (d *Detector) endMinute(key findingKey, f *finding) {
	f.over = 0
	if f.below++; !f.isRaised || f.below >= EndMinutes {
		delete(d.findings, key)
	}
}

// off is how many usual deviations a figure is off what is usual at this hour, and at
// those beside it: within an hour there is a trend, and clocks are put forward and back.
// It is 0 where that is as little as nobody would notice, or of too few.
func (r reading) off(hour int64) float64 {
	s, b := r.series, r.baseline
	if b == nil || r.sum.Weight <= 0 || r.sum.Weight < s.minWeight || s.isCount && r.sum.Total < s.minCount {
		return 0
	}
	least := math.Inf(1)
	for _, beside := range []int64{0, -1, 1} {
		u := b.hours[hourOfWeek(hour+beside+hoursOfWeek)]
		switch {
		case u.basis != "" && s.isNotable(r.sum.value(), u.value):
			least = min(least, s.deviation(r.sum, u.value)/s.deviationOf(r.sum.Weight, u, b.within))
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

// anomaly tells of a reading.
func (r reading) anomaly(hour int64) rest.Anomaly {
	u := r.baseline.hours[hourOfWeek(hour)]
	low, high := r.series.rangeOf(r.sum.Weight, u, r.baseline.within)
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
