package anomaly

import (
	"maps"
	"slices"
	"strings"
	"time"

	"parley/shared/rest"
)

// Detector learns what is usual and finds what isn't. It is not safe for use by several
// goroutines.
type Detector struct {
	kinds     []series
	history   *history
	baselines map[hourKey]*baseline
	learnedOn int64 // the day, since 1970
	window    window
	findings  map[findingKey]*finding
	ended     map[string]int64 // by series, the minute to which the newest finding of it reached
	forgotten []Forgotten
}

// New makes a Detector that has learned from the hours of the past.
func New(past []Hour) *Detector {
	return &Detector{
		kinds: kinds(), history: newHistory(past), baselines: make(map[hourKey]*baseline), learnedOn: -1,
		findings: make(map[findingKey]*finding), ended: make(map[string]int64),
	}
}

const (
	minuteSeconds = int64(time.Minute / time.Second)
	minutesOfHour = 60
	minutesOfDay  = hoursOfDay * minutesOfHour
)

// AddMinute takes what happened in the minute up to a time, and returns what isn't as
// usual at its end, in the order of the series. A minute that is not after the one before
// (a clock that was set back) is not judged.
func (d *Detector) AddMinute(until time.Time, m Minute) []rest.Anomaly {
	number := until.Unix() / minuteSeconds
	if n := len(d.window.minutes); n > 0 && number <= d.window.minutes[n-1].number {
		return d.current()
	}
	d.window.add(number, m)
	if day := (number - 1) / minutesOfDay; day != d.learnedOn {
		d.learnedOn = day
		d.learnAll(until)
	}
	d.count(number)
	d.judge(until, number)
	return d.current()
}

// LearningHours is for how many more hours there is nothing to be told, of any series; 0:
// of some it is known what is usual.
func (d *Detector) LearningHours() int {
	most := 0
	for i := range d.kinds {
		known := 0
		for _, sum := range d.history.hours[hourKey{series: d.kinds[i].name}] {
			if sum.Weight > 0 && sum.Weight >= d.kinds[i].minHourWeight {
				known++
			}
		}
		most = max(most, known)
	}
	return max(0, MinHours-most)
}

// learnAll learns anew from all hours that are over.
func (d *Detector) learnAll(now time.Time) {
	d.history.expire(now)
	clear(d.baselines)
	for key := range d.history.hours {
		d.learn(key, now)
	}
}

func (d *Detector) learn(key hourKey, now time.Time) {
	i := slices.IndexFunc(d.kinds, func(s series) bool { return s.name == key.series })
	if i < 0 {
		return // of a release that knew more series
	}
	first, row := d.history.between(key, HourOf(now.Add(-time.Minute)))
	d.baselines[key] = learn(&d.kinds[i], first, row)
}

// count adds the newest minute to its hour.
func (d *Detector) count(number int64) {
	newest := d.window.since(number - 1)
	hour := (number - 1) / minutesOfHour
	for i, name := range summed {
		d.history.add(hourKey{series: name}, hour, newest[0].sums[i])
	}
	for org, n := range originsOf(newest).by(byOrg) {
		d.history.add(hourKey{rest.AnomalySignInsOrg, org}, hour, Sum{Weight: 1.0 / minutesOfHour, Total: float64(n)})
	}
	if number%QuickMinutes != 0 {
		return
	}
	quarter := originsOf(d.window.since(number - QuickMinutes))
	for name, part := range map[string]func(Origin) string{rest.AnomalySignInsNetwork: byNetwork, rest.AnomalySignInsOrg: byOrg} {
		busiest := float64(most(quarter.by(part)))
		d.history.add(hourKey{series: name}, hour, Sum{Weight: 1, Total: busiest, Squares: busiest * busiest})
	}
}

// TakeHours gives what hours came to since the last time, to be added to what is kept.
func (d *Detector) TakeHours() []Hour { return d.history.takeUnsaved() }

// TakeForgotten gives what is to be deleted of what is kept, since the last time.
func (d *Detector) TakeForgotten() []Forgotten {
	out := d.forgotten
	d.forgotten = nil
	return out
}

// current are the findings that stand.
func (d *Detector) current() []rest.Anomaly {
	out := []rest.Anomaly{}
	for _, f := range d.findings {
		if f.isRaised {
			out = append(out, f.told)
		}
	}
	order := func(a rest.Anomaly) int {
		return slices.IndexFunc(d.kinds, func(s series) bool { return s.name == a.Series })
	}
	slices.SortFunc(out, func(a, b rest.Anomaly) int {
		if by := order(a) - order(b); by != 0 {
			return by
		}
		return strings.Compare(a.Network+a.Org, b.Network+b.Org)
	})
	return out
}

// renew takes on as usual what has lasted for NewUsual.
func (d *Detector) renew(now time.Time) {
	for key, f := range maps.Clone(d.findings) {
		if !f.isRaised || now.Sub(f.told.Since) < NewUsual {
			continue
		}
		delete(d.findings, key)
		of := hourKey{series: key.series, org: f.learnedOf}
		before := HourOf(f.told.Since)
		d.history.forget(of, before)
		d.forgotten = append(d.forgotten, Forgotten{of.series, of.org, before})
		d.learn(of, now)
	}
}
