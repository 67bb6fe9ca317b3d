package session

import (
	"log/slog"
	"time"

	"parley/shared/quality"
	"parley/shared/wire"
)

// tellEvery is how often a caller hears of states and the observer of mere
// signs of life: once a second is what a page can show.
const tellEvery = time.Second

// run holds a session to its limits: it ends it at its deadlines, warns
// before, tells observer and caller of changes, and closes the legs at the end.
func (s *Session) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for s.ctx.Err() == nil {
		timer.Reset(time.Until(s.tellStep()))
		select {
		case <-timer.C:
		case <-s.wakeup:
		case <-s.ctx.Done():
		}
	}
	s.finish()
}

// tellStep does what is due, tells the observer of it, and gives when to look again.
func (s *Session) tellStep() time.Time {
	s.telling.Lock()
	defer s.telling.Unlock()
	snap, next := s.step(time.Now())
	if snap != nil {
		s.all.cfg.Observer.SessionChanged(*snap)
	}
	return next
}

// step does what is due now. It gives what the observer is to be told, if
// anything, and when to look again.
func (s *Session) step(now time.Time) (*Snapshot, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil || s.checkLocked(now) {
		return nil, now
	}
	next := earlier(s.nearest().at, s.warn(now))
	if at := s.tellState(now); !at.IsZero() {
		next = earlier(next, at)
	}
	snap, at := s.pendingSnapshot(now)
	return snap, earlier(next, at)
}

// tellState sends the state to the caller when it changed, at most once a
// second, and gives when one that is held back is due.
func (s *Session) tellState(now time.Time) time.Time {
	if !s.stateDue || s.link == nil {
		return time.Time{}
	}
	if at := s.stateAt.Add(tellEvery); !s.stateAt.IsZero() && now.Before(at) {
		return at
	}
	s.sendState(now)
	return time.Time{}
}

func (s *Session) sendState(now time.Time) {
	s.stateDue, s.stateAt = false, now
	st := wire.State{Session: s.state(), Agent: s.agentState}
	if s.quality != (quality.Verdict{}) {
		q := s.quality
		st.Quality = &q
	}
	s.send(st)
}

// pendingSnapshot gives the snapshot for the observer if there is anything to tell now,
// and when what is held back is due.
func (s *Session) pendingSnapshot(now time.Time) (*Snapshot, time.Time) {
	if !s.seen || s.ended != nil {
		return nil, time.Time{}
	}
	if !s.changed {
		at := s.toldAt.Add(tellEvery)
		if !s.active {
			return nil, time.Time{}
		}
		if now.Before(at) {
			return nil, at
		}
	}
	s.changed, s.active, s.toldAt = false, false, now
	snap := s.snapshot()
	return &snap, time.Time{}
}

// finish tells of the end and closes both legs.
func (s *Session) finish() {
	s.telling.Lock()
	s.mu.Lock()
	snap, seen, legs, failure := s.snapshot(), s.seen, s.legs, s.failure
	s.legs = nil
	s.mu.Unlock()
	if seen {
		s.all.cfg.Observer.SessionChanged(snap)
		s.log(snap, failure)
	}
	s.telling.Unlock()
	close(s.told)
	s.all.forget(s)
	if legs != nil {
		legs.Close()
	}
}

func (s *Session) log(snap Snapshot, failure error) {
	attrs := []any{slog.String("session", s.id), slog.String("cause", string(snap.Cause)),
		slog.Duration("took", snap.EndedAt.Sub(snap.StartedAt))}
	if failure != nil {
		attrs = append(attrs, slog.Any("err", failure))
	}
	s.all.cfg.Logger.Info("session ended", attrs...)
}
