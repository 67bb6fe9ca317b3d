package monitor

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
)

// Active gives the live sessions, oldest first.
func (m *Monitor) Active() []rest.Session {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(m.rows(time.Now()), func(r rest.Session) bool { return r.EndedAt != nil })
}

// Stats gives the counts as they are now.
func (m *Monitor) Stats() rest.Stats {
	_, limit, perUser := m.config.Caps()
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stats(time.Now(), limit, perUser)
}

// Snapshot gives the whole picture, those just ended among it. With its Seq,
// Next gives what changes from here on.
func (m *Monitor) Snapshot() rest.Snapshot {
	_, limit, perUser := m.config.Caps()
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	return rest.Snapshot{
		Seq:        m.frames.Last(),
		T:          now.UTC(),
		Sessions:   m.rows(now),
		Stats:      m.stats(now.UTC(), limit, perUser),
		Activities: activities(m.feed.kept),
	}
}

// rows are all sessions, oldest first. The caller holds the lock.
func (m *Monitor) rows(now time.Time) []rest.Session {
	rows := make([]rest.Session, 0, len(m.sessions))
	for _, s := range m.sessions {
		rows = append(rows, s.row(now))
	}
	slices.SortFunc(rows, oldestFirst)
	return rows
}

func oldestFirst(a, b rest.Session) int {
	if c := a.StartedAt.Compare(b.StartedAt); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

// Run judges and tells once a second, until ctx is done.
func (m *Monitor) Run(ctx context.Context) {
	tick := time.NewTicker(Tick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			m.tick(now)
		}
	}
}

// verdictFor is a rating that its session has yet to be told.
type verdictFor struct {
	id string
	quality.Verdict
}

// tick moves the picture by a second and tells what changed of it. Sessions
// are told last, without the lock: they may ask back.
func (m *Monitor) tick(now time.Time) {
	_, limit, perUser := m.config.Caps()
	for _, v := range m.move(now, limit, perUser) {
		m.config.OnVerdict(v.id, v.Verdict)
	}
}

func (m *Monitor) move(now time.Time, limit, perUser int) (changed []verdictFor) {
	m.mu.Lock()
	defer m.mu.Unlock()
	upsert, remove := []rest.Session{}, []string{}
	for id, s := range m.sessions {
		if s.gone(now) {
			delete(m.sessions, id)
			remove = append(remove, id)
			continue
		}
		step := s.tick(now)
		if step.changed {
			upsert = append(upsert, step.row)
		}
		if step.verdict {
			changed = append(changed, verdictFor{id, step.row.Quality})
			m.tellQuality(step, now)
		}
	}
	slices.SortFunc(upsert, oldestFirst)
	slices.Sort(remove)
	m.tell(now, upsert, remove, m.stats(now.UTC(), limit, perUser))
	return changed
}

// tellQuality adds a change of level to the feed.
func (m *Monitor) tellQuality(s step, now time.Time) {
	from, to := s.before.Level.Bars(), s.row.Quality.Level.Bars()
	if from == 0 || to == 0 || from == to {
		return
	}
	what := rest.QualityRose
	if to < from {
		what = rest.QualityFell
	}
	m.feed.add(activityOf(s.row, rest.ActivityQuality, what, string(s.row.Quality.Level), now))
}

// tell appends the frames of one second: nothing for what stayed as it was.
func (m *Monitor) tell(now time.Time, upsert []rest.Session, remove []string, st rest.Stats) {
	t := now.UTC()
	if len(upsert)+len(remove) > 0 {
		m.frames.AppendWith(func(seq uint64) Frame {
			return Frame{seq, rest.EventSessions, rest.SessionsFrame{Seq: seq, T: t, Upsert: upsert, Remove: remove}}
		})
	}
	if fresh := m.feed.flush(now); len(fresh) > 0 {
		m.frames.AppendWith(func(seq uint64) Frame {
			return Frame{seq, rest.EventActivity, rest.ActivityFrame{Seq: seq, T: t, Items: fresh}}
		})
	}
	timeless := st
	timeless.At = time.Time{}
	if reflect.DeepEqual(timeless, m.told) {
		return
	}
	m.told = timeless
	m.frames.AppendWith(func(seq uint64) Frame {
		return Frame{seq, rest.EventStats, rest.StatsFrame{Seq: seq, T: t, Stats: st}}
	})
}
