package anomaly

import (
	"maps"
	"time"

	"parley/shared/rest"
)

// hourKey is a series; org is "" but for the refused sign-ins of one organization.
type hourKey struct{ series, org string }

// history is what hours came to, and what of it is not yet on the disk.
type history struct {
	hours   map[hourKey]map[int64]Sum
	unsaved map[hourKey]map[int64]Sum
	orgs    int
}

func newHistory(hours []Hour) *history {
	h := &history{hours: make(map[hourKey]map[int64]Sum), unsaved: make(map[hourKey]map[int64]Sum)}
	for _, of := range hours {
		key := hourKey{of.Series, of.Org}
		if h.admits(key) {
			addHour(h.hours, key, of.Hour, of.Sum)
		}
	}
	return h
}

// admits reports whether there is room to learn of a series.
func (h *history) admits(key hourKey) bool {
	if key.org == "" || h.hours[key] != nil {
		return true
	}
	if h.orgs >= MaxOrgs {
		return false
	}
	h.orgs++
	return true
}

func addHour(to map[hourKey]map[int64]Sum, key hourKey, hour int64, s Sum) {
	if to[key] == nil {
		to[key] = make(map[int64]Sum)
	}
	sum := to[key][hour]
	sum.add(s)
	to[key][hour] = sum
}

func (h *history) add(key hourKey, hour int64, s Sum) {
	if s.Weight == 0 || !h.admits(key) {
		return
	}
	addHour(h.hours, key, hour, s)
	addHour(h.unsaved, key, hour, s)
}

// takeUnsaved gives what was added since the last time.
func (h *history) takeUnsaved() (out []Hour) {
	for key, hours := range h.unsaved {
		for hour, sum := range hours {
			out = append(out, Hour{Hour: hour, Series: key.series, Org: key.org, Sum: sum})
		}
	}
	clear(h.unsaved)
	return out
}

// forget drops the hours of a series before one.
func (h *history) forget(key hourKey, before int64) {
	isOld := func(hour int64, _ Sum) bool { return hour < before }
	maps.DeleteFunc(h.hours[key], isOld)
	maps.DeleteFunc(h.unsaved[key], isOld)
	if len(h.hours[key]) == 0 && key.org != "" && h.hours[key] != nil {
		delete(h.hours, key)
		h.orgs--
	}
}

// between gives the hours of a series from its first to before end, in a row. An hour in
// which nothing was kept of an organization had none, if sign-ins were looked at.
func (h *history) between(key hourKey, end int64) (first int64, row []Sum) {
	hours := h.hours[key]
	first = end
	for hour := range hours {
		first = min(first, hour)
	}
	if first == end {
		return first, nil
	}
	watched := h.hours[hourKey{series: rest.AnomalySignIns}]
	row = make([]Sum, end-first)
	for i := range row {
		row[i] = hours[first+int64(i)]
		if key.org != "" {
			row[i].Weight = watched[first+int64(i)].Weight
		}
	}
	return first, row
}

// expire forgets what is older than Span.
func (h *history) expire(now time.Time) {
	for key := range h.hours {
		h.forget(key, HourOf(now.Add(-Span)))
	}
}
