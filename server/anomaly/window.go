package anomaly

import "parley/shared/rest"

// window is the newest minutes, oldest first.
type window struct{ minutes []numberedMinute }

type numberedMinute struct {
	number  int64 // since 1970
	sums    sums
	signIns map[Origin]int
}

// sums are those of the series that are summed up over windows, in the order of summed;
// of refused sign-ins those of all.
type sums [5]Sum

var summed = [len(sums{})]string{rest.AnomalyFailureRate, rest.AnomalyFirstWord, rest.AnomalyMOS, rest.AnomalyRefusals, rest.AnomalySignIns}

func newNumberedMinute(number int64, m *Minute) numberedMinute {
	signIns := 0
	for _, n := range m.SignIns {
		signIns += n
	}
	return numberedMinute{number, sums{
		{Weight: float64(m.Ended), Total: float64(m.Failed)}, m.Waits, m.MOS,
		{Weight: 1.0 / minutesOfHour, Total: float64(m.Refused)}, {Weight: 1.0 / minutesOfHour, Total: float64(signIns)},
	}, m.SignIns}
}

// add takes a minute and forgets those before the long window.
func (w *window) add(number int64, m Minute) {
	gone := 0
	for gone < len(w.minutes) && w.minutes[gone].number <= number-LongMinutes {
		gone++
	}
	w.minutes = append(w.minutes[gone:], newNumberedMinute(number, &m))
}

// since returns the minutes after a number.
func (w *window) since(number int64) []numberedMinute {
	from := len(w.minutes)
	for from > 0 && w.minutes[from-1].number > number {
		from--
	}
	return w.minutes[from:]
}

// windowSums are what the newest minutes came to.
type windowSums struct {
	minutes int64
	sums    sums
	parts   [len(sums{})][]part // what they are of, by hour
}

// sums adds up the minutes of a window that ends with a number.
func (w *window) sums(number, length int64) *windowSums {
	minutes := w.since(number - length)
	out := &windowSums{minutes: length}
	last := int64(-1)
	for i := range minutes {
		m := &minutes[i]
		hour := (m.number - 1) / minutesOfHour
		for s := range m.sums {
			out.sums[s].add(m.sums[s])
			if hour != last {
				out.parts[s] = append(out.parts[s], part{hour: hour})
			}
			out.parts[s][len(out.parts[s])-1].weight += m.sums[s].Weight
		}
		last = hour
	}
	return out
}

// originCounts are refused sign-ins of some minutes, by network and organization.
type originCounts map[Origin]int

func originsOf(minutes []numberedMinute) originCounts {
	counts := make(originCounts)
	for i := range minutes {
		for origin, n := range minutes[i].signIns {
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
