package monitor

import (
	"maps"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// counts is what happened since the server started.
type counts struct {
	started, ended, faults int64
	refused, causes        map[string]int64
	shortest, longest, sum time.Duration
}

func newCounts() counts {
	return counts{refused: make(map[string]int64), causes: make(map[string]int64)}
}

func (c *counts) end(cause string, lasted time.Duration) {
	lasted = max(0, lasted)
	if c.ended == 0 || lasted < c.shortest {
		c.shortest = lasted
	}
	c.longest = max(c.longest, lasted)
	c.sum += lasted
	c.ended++
	c.causes[cause]++
	if fault(wire.EndCause(cause)) {
		c.faults++
	}
}

func (c *counts) durations() rest.DurationStats {
	if c.ended == 0 {
		return rest.DurationStats{}
	}
	return rest.DurationStats{
		MinS: c.shortest.Seconds(),
		AvgS: c.sum.Seconds() / float64(c.ended),
		MaxS: c.longest.Seconds(),
	}
}

// stats adds up the picture. The caller holds the monitor's lock.
func (m *Monitor) stats(now time.Time, limit, perUser int) rest.Stats {
	c := &m.counts
	st := rest.Stats{
		At:         now,
		ByState:    make(map[string]int),
		Cap:        limit,
		PerUserCap: perUser,
		Started:    c.started,
		Ended:      c.ended,
		Refused:    maps.Clone(c.refused),
		EndCauses:  maps.Clone(c.causes),
		Durations:  c.durations(),
		Quality:    make(map[quality.Level]int),
	}
	if c.ended > 0 {
		st.ErrorRate = float64(c.faults) / float64(c.ended)
	}
	for _, s := range m.sessions {
		state, level, live := s.brief(now)
		if !live {
			continue
		}
		st.Live++
		st.ByState[state]++
		st.Quality[level]++
	}
	return st
}
