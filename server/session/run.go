package session

import (
	"log/slog"
	"time"

	"parley/shared/quality"
	"parley/shared/wire"
)

// tellInterval is how often a caller hears of states and the observer of mere
// signs of life: once a second is what a page can show.
const tellInterval = time.Second

// run holds a session to its limits: it ends it at its deadlines, warns
// before, tells observer and caller of changes, and closes the legs at the end.
func (s *Session) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for s.ctx.Err() == nil {
		timer.Reset(time.Until(s.runStep()))
		select {
		case <-timer.C:
		case <-s.wakeup:
		case <-s.ctx.Done():
		}
	}
	s.finish()
}

// runStep does what is due, tells the observer of it, and gives when to look again.
func (s *Session) runStep() time.Time {
	s.observing.Lock()
	defer s.observing.Unlock()
	snap, next := s.takeStep(time.Now())
	if snap != nil {
		s.sessions.cfg.Observer.SessionChanged(*snap)
	}
	return next
}

// takeStep does what is due now. It gives what the observer is to be told, if
// anything, and when to look again.
func (s *Session) takeStep(now time.Time) (*Snapshot, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil || s.endIfDueLocked(now) {
		return nil, now
	}
	next := earlier(s.nearestDeadlineLocked().at, s.warnLocked(now))
	if at := s.sendStateIfDueLocked(now); !at.IsZero() {
		next = earlier(next, at)
	}
	snap, at := s.pendingSnapshotLocked(now)
	return snap, earlier(next, at)
}

// sendStateIfDueLocked sends the state to the caller when it changed, at most once a
// second, and gives when one that is held back is due. mu must be held.
func (s *Session) sendStateIfDueLocked(now time.Time) time.Time {
	if !s.stateDue || s.link == nil {
		return time.Time{}
	}
	if at := s.stateAt.Add(tellInterval); !s.stateAt.IsZero() && now.Before(at) {
		return at
	}
	s.sendStateLocked(now)
	return time.Time{}
}

// mu must be held.
func (s *Session) sendStateLocked(now time.Time) {
	s.stateDue, s.stateAt = false, now
	st := wire.State{Session: s.stateLocked(), Agent: s.agentState, Turn: s.turn}
	if s.quality != (quality.Verdict{}) {
		q := s.quality
		st.Quality = &q
	}
	s.sendLocked(st)
}

// pendingSnapshotLocked gives the snapshot for the observer if there is anything to tell now,
// and when what is held back is due. mu must be held.
func (s *Session) pendingSnapshotLocked(now time.Time) (*Snapshot, time.Time) {
	if !s.wasAttached || s.ended != nil {
		return nil, time.Time{}
	}
	if !s.changed {
		at := s.toldAt.Add(tellInterval)
		if !s.active {
			return nil, time.Time{}
		}
		if now.Before(at) {
			return nil, at
		}
	}
	s.changed, s.active, s.toldAt = false, false, now
	snap := s.snapshotLocked()
	return &snap, time.Time{}
}

// finish tells of the end and closes both legs.
func (s *Session) finish() {
	s.observing.Lock()
	s.mu.Lock()
	snap, seen, failure := s.snapshotLocked(), s.wasAttached, s.agentError
	s.mu.Unlock()
	if seen {
		s.sessions.cfg.Observer.SessionChanged(snap)
		s.logEnd(snap, failure)
	}
	s.observing.Unlock()
	close(s.endObserved)
	s.sessions.removeEnding(s)
	s.closeLegs()
}

// closeLegs closes both legs, of a caller without a socket once they were told why.
func (s *Session) closeLegs() {
	s.mu.Lock()
	legs, link := s.legs, s.link
	s.mu.Unlock()
	if legs == nil {
		return
	}
	if link != nil && s.currentCaller().IsSocketless {
		link.waitForFarewell()
	}
	s.mu.Lock()
	s.legs = nil
	s.mu.Unlock()
	legs.Close()
}

func (s *Session) logEnd(snap Snapshot, failure error) {
	attrs := []any{slog.String("session", s.id), slog.String("cause", string(snap.Cause)),
		slog.Duration("took", snap.EndedAt.Sub(snap.StartedAt))}
	if failure != nil {
		attrs = append(attrs, slog.Any("err", failure))
	}
	s.sessions.cfg.Logger.Info("session ended", attrs...)
}
