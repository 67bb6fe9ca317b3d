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
	waits                     waitSum
}

// waitSum adds up waits for the agent's first word.
type waitSum struct {
	turns, slow  int64
	sum, squares float64 // of seconds
}

func (w *waitSum) add(turns []rest.Turn) {
	for i := range turns {
		seconds := min(turns[i].Wait(), LongestWait).Seconds()
		if w.turns++; turns[i].Wait() > SlowAnswer {
			w.slow++
		}
		w.sum += seconds
		w.squares += seconds * seconds
	}
}

// SlowAnswer is how long a wait for the agent's first word is at most that an alert counts
// as none: callers ask by then whether anybody is there.
const SlowAnswer = 2 * time.Second

// LongestWait is what a longer wait for the agent's first word counts as where waits are
// added up: one turn must not stand for many.
const LongestWait = 15 * time.Second

// Counted is what was counted since the server started.
type Counted struct {
	Ended, Faults int64 // calls; those that a fault ended or kept from beginning
	Refused       int64 // calls that were not let in
	Turns         int64
	Waits         float64 // for the agent's first word, in seconds
	WaitSquares   float64
}

// Counted returns what was counted of all.
func (m *Monitor) Counted() Counted {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &m.counts
	out := Counted{Ended: c.ended, Faults: c.faults, Turns: c.waits.turns, Waits: c.waits.sum, WaitSquares: c.waits.squares}
	for _, n := range c.refused {
		out.Refused += n
	}
	return out
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
		all[org].Anomalies = m.anomaliesLocked(org)
		all[org].Nodes = 1 + len(m.others.stats)
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
