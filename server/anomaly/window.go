package anomaly

import "parley/shared/rest"

// window is the newest minutes, oldest first.
type window struct{ minutes []numberedMinute }

type numberedMinute struct {
	number int64 // since 1970
	Minute
}

// add takes a minute and forgets those before the slow window.
func (w *window) add(number int64, m Minute) {
	gone := 0
	for gone < len(w.minutes) && w.minutes[gone].number <= number-SlowMinutes {
		gone++
	}
	w.minutes = append(w.minutes[gone:], numberedMinute{number, m})
}

// since returns the minutes after a number.
func (w *window) since(number int64) []numberedMinute {
	from := len(w.minutes)
	for from > 0 && w.minutes[from-1].number > number {
		from--
	}
	return w.minutes[from:]
}

// sumsOf adds up minutes by series: of refused sign-ins those of all.
func sumsOf(minutes []numberedMinute) map[string]Sum {
	var failures, refusals, signIns, waits, mos Sum
	for i := range minutes {
		m := &minutes[i].Minute
		failures.add(Sum{Weight: float64(m.Ended), Total: float64(m.Failed)})
		refusals.add(Sum{Weight: 1.0 / SlowMinutes, Total: float64(m.Refused)})
		waits.add(m.Waits)
		mos.add(m.MOS)
		signIns.Weight += 1.0 / SlowMinutes
		for _, n := range m.SignIns {
			signIns.Total += float64(n)
		}
	}
	return map[string]Sum{
		rest.AnomalyFailureRate: failures, rest.AnomalyFirstWord: waits, rest.AnomalyMOS: mos,
		rest.AnomalyRefusals: refusals, rest.AnomalySignIns: signIns,
	}
}

// originCounts are refused sign-ins of some minutes, by network and organization.
type originCounts map[Origin]int

func originsOf(minutes []numberedMinute) originCounts {
	counts := make(originCounts)
	for i := range minutes {
		for origin, n := range minutes[i].SignIns {
			counts[origin] += n
		}
	}
	return counts
}

func byNetwork(o Origin) string { return o.Network }
func byOrg(o Origin) string     { return o.Org }

// by adds up what is known by one of its parts.
func (c originCounts) by(part func(Origin) string) map[string]int {
	counts := make(map[string]int)
	for origin, n := range c {
		if name := part(origin); name != "" {
			counts[name] += n
		}
	}
	return counts
}

// without leaves out what has one of some parts, and is told by it.
func (c originCounts) without(part func(Origin) string, isTold func(string) bool) (left originCounts, gone int) {
	left = make(originCounts, len(c))
	for origin, n := range c {
		if isTold(part(origin)) {
			gone += n
			continue
		}
		left[origin] = n
	}
	return left, gone
}

// most is the greatest of some counts.
func most(counts map[string]int) (n int) {
	for _, c := range counts {
		n = max(n, c)
	}
	return n
}
