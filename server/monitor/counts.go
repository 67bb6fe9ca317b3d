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
	started, ended, faults    int64
	begunSetups, failedSetups int64 // calls that became active; those that failed before
	refused                   map[string]int64
	causes                    map[wire.EndCause]int64
	shortest, longest, sum    time.Duration
	firstWord, silenced       quality.Durations
	poor                      map[quality.Owner]int // seconds of calls
}

func newCounts() counts {
	return counts{refused: make(map[string]int64), causes: make(map[wire.EndCause]int64), poor: make(map[quality.Owner]int)}
}

func (c *counts) addEnd(cause wire.EndCause, lasted time.Duration, unbegun bool) {
	lasted = max(0, lasted)
	if unbegun {
		c.failedSetups++
	}
	if c.ended == 0 || lasted < c.shortest {
		c.shortest = lasted
	}
	c.longest = max(c.longest, lasted)
	c.sum += lasted
	c.ended++
	c.causes[cause]++
	if cause.IsFault() {
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

// stats are the counts as they are told, without what lives.
func (c *counts) stats(now time.Time, caps sessionCaps) rest.Stats {
	st := rest.Stats{
		At:          now,
		ByState:     make(map[wire.SessionState]int),
		Cap:         caps.sessions,
		PerUserCap:  caps.perUser,
		Started:     c.started,
		Ended:       c.ended,
		Refused:     maps.Clone(c.refused),
		EndCauses:   maps.Clone(c.causes),
		Durations:   c.durations(),
		Quality:     make(map[quality.Level]int),
		Turns:       rest.TurnSummary{FirstWord: rest.NewFirstWord(&c.firstWord), Silenced: rest.NewSilenced(&c.silenced)},
		PoorSeconds: maps.Clone(c.poor),
	}
	if c.ended > 0 {
		st.ErrorRate = float64(c.faults) / float64(c.ended)
	}
	return st
}

// statsLocked adds up the picture for each of the organizations; "" is all. mu
// must be held.
func (m *Monitor) statsLocked(now time.Time, orgs ...string) map[string]*rest.Stats {
	all := make(map[string]*rest.Stats, len(orgs))
	for _, org := range orgs {
		c := &m.counts
		if org != "" {
			c = m.orgs[org]
		}
		if c == nil {
			c = new(newCounts())
		}
		all[org] = new(c.stats(now.UTC(), *m.caps.Load()))
		all[org].Paused = m.isPaused.Load()
		m.addOthersLocked(org, all[org])
	}
	for _, s := range m.sessions {
		r := s.liveState(now)
		if !r.isLive {
			continue
		}
		count(all[""], r)
		if r.org != "" {
			count(all[r.org], r)
		}
	}
	return all
}

// count adds a live session; nil is told to nobody.
func count(st *rest.Stats, r liveState) {
	if st == nil {
		return
	}
	st.Live++
	st.ByState[r.state]++
	st.Quality[r.verdict.Level]++
}
