package monitor

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

// Active returns the live sessions of an organization, oldest first; "" is all.
func (m *Monitor) Active(org string) []rest.Session {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(m.rowsLocked(time.Now(), org), func(r rest.Session) bool { return r.EndedAt != nil })
}

// Stats returns the counts of an organization as they are now; "" is all. The
// caps are the server's.
func (m *Monitor) Stats(org string) rest.Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return *m.statsLocked(time.Now(), org)[org]
}

// Snapshot returns the picture of an organization, sessions that just ended
// included; "" is all. With its Seq, Follow goes on from here.
func (m *Monitor) Snapshot(org string) rest.Snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	return rest.Snapshot{
		Seq:        m.orgViewLocked(org, now).frames.Last(),
		T:          now.UTC(),
		Sessions:   m.toldRowsLocked(now, org),
		Stats:      *m.statsLocked(now, org)[org],
		Activities: activities(m.activityLog.kept, org),
		Alerts:     m.firingLocked(org),

		ActivityCount: m.activityLog.told[org],
	}
}

// rowsLocked are all sessions of an organization, oldest first; "" is all. mu must
// be held.
func (m *Monitor) rowsLocked(now time.Time, org string) []rest.Session {
	rows := make([]rest.Session, 0, len(m.sessions))
	for _, s := range m.sessions {
		if s.belongsTo(org) {
			rows = append(rows, s.row(now))
		}
	}
	rows = append(rows, m.otherRowsLocked(org)...)
	slices.SortFunc(rows, oldestFirst)
	return rows
}

// toldRowsLocked are the rows as frames told them last, so that the next frame fits them;
// those that none told yet are as they are. mu must be held.
func (m *Monitor) toldRowsLocked(now time.Time, org string) []rest.Session {
	rows := m.rowsLocked(now, org)
	for i := range rows {
		if of := m.others.sessions[rows[i].ID]; of != nil && of.told.ID != "" {
			rows[i] = of.told
		}
		if s := m.sessions[rows[i].ID]; s != nil {
			if told, ok := s.told(); ok {
				rows[i] = told
			}
		}
	}
	return rows
}

func oldestFirst(a, b rest.Session) int {
	if c := a.StartedAt.Compare(b.StartedAt); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

// Run judges and tells once a second, and keeps recording, until ctx is done.
// Then what is left is recorded.
func (m *Monitor) Run(ctx context.Context) {
	var recording sync.WaitGroup
	recording.Go(func() { m.queue.run(ctx) })
	tick := time.NewTicker(Tick)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case now := <-tick.C:
			m.tick(now)
		}
	}
	recording.Wait()
	m.queue.close(ctx, m.takeOpenMinutes())
}

// takeOpenMinutes are the minutes that are not full yet.
func (m *Monitor) takeOpenMinutes() (out []packedMinute) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sessions {
		out = append(out, s.takeMinutes(true)...)
	}
	return out
}

// tickResult is what one tick of all sessions came to.
type tickResult struct {
	at          time.Time
	upsert      []rowChange
	removed     []removedSession
	ratings     []tickChange // those that changed
	fullMinutes []packedMinute
	figures     []legFigures
	own         Changes // without what other nodes told
}

// legFigures are the newest figures of one leg.
type legFigures struct {
	leg         rtcstats.Leg
	byDirection map[quality.Direction]rest.Metrics
}

// removedSession is a session that leaves the picture.
type removedSession struct{ id, org string }

// tick moves the picture by a second and tells what changed of it. Others are
// told last, without the lock: they may ask back.
func (m *Monitor) tick(now time.Time) {
	delay, isMeasured := m.config.TakeDelay()
	if isMeasured {
		m.config.OnDelay(delay)
	}
	s := m.updateSessions(now, delay)
	for _, r := range s.ratings {
		m.config.OnVerdict(r.row.ID, r.row.Quality)
	}
	for _, of := range s.figures {
		for d, f := range of.byDirection {
			m.config.OnFigures(of.leg, d, f)
		}
	}
	m.config.OnChanges(s.own)
	m.queue.addMinutes(s.fullMinutes)
}

// updateSessions moves all sessions by a second. delay is this machine's own.
func (m *Monitor) updateSessions(now time.Time, delay time.Duration) tickResult {
	m.mu.Lock()
	defer m.mu.Unlock()
	sec := tickResult{at: now.UTC(), upsert: make([]rowChange, 0, m.changedRows)}
	for id, s := range m.sessions {
		if s.canBeRemoved(now) {
			delete(m.sessions, id)
			sec.removed = append(sec.removed, removedSession{id, s.info.Org})
			continue
		}
		change := s.tick(now, delay, !m.On())
		if change.poor > 0 {
			m.countLocked(change.row.Org, func(c *counts) { c.poor[change.owner] += change.poor })
		}
		sec.addTick(change)
		sec.fullMinutes = append(sec.fullMinutes, s.takeMinutes(false)...)
	}
	m.changedRows = len(sec.upsert)
	if m.config.Node != "" {
		sec.own = ownChanges(sec.upsert, sec.removed)
	}
	m.updateOthersLocked(now, &sec)
	for _, r := range sec.ratings {
		m.addLevelChangeLocked(r, now)
	}
	slices.SortFunc(sec.upsert, func(a, b rowChange) int { return oldestFirst(a.after, b.after) })
	slices.SortFunc(sec.removed, func(a, b removedSession) int { return strings.Compare(a.id, b.id) })
	sec.own.Activities = m.publishLocked(sec)
	return sec
}

func (s *tickResult) addTick(t tickChange) {
	if t.changed {
		s.upsert = append(s.upsert, rowChange{t.told, t.row})
	}
	if t.verdict {
		s.ratings = append(s.ratings, t)
	}
	s.figures = append(s.figures, legFigures{rtcstats.LegCaller, t.row.Metrics}, legFigures{rtcstats.LegAgent, t.agent})
}

// addLevelChangeLocked adds a change of level as an activity. mu must be held.
func (m *Monitor) addLevelChangeLocked(s tickChange, now time.Time) {
	from, to := s.before.Level.Bars(), s.row.Quality.Level.Bars()
	if from == 0 || to == 0 || from == to {
		return
	}
	what := rest.QualityRose
	if to < from {
		what = rest.QualityFell
	}
	m.addActivityLocked(newActivity(s.row, rest.ActivityQuality, what, string(s.row.Quality.Level), now))
}
