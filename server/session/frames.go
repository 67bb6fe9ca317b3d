package session

import (
	"time"

	"parley/shared/wire"
)

// Each of these takes one message of the caller, and gives the refusal to send
// back, or nil. None blocks.

// Offer takes a session description; the answer comes through the outbox. A
// newer offer overtakes one that waits.
func (l *Link) Offer(m wire.Offer) *wire.Error {
	now := time.Now()
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if !l.acceptMessageLocked() {
		return nil
	}
	if !s.offered {
		s.offered = true
		s.setupBy = now.Add(s.sessions.cfg.SetupTimeout)
	}
	s.offerBy = time.Time{}
	s.negotiationTasks = append(s.negotiationTasks[:0], negotiationTask{offer: m.SDP})
	s.negotiateLocked()
	s.wakeRun()
	return nil
}

// maxWork bounds what waits for the negotiator: an offer, and of its candidates as
// many as a caller may send at once (a burst of frames), for the legs know which
// of them can be used. More are ignored.
const maxWork = 64

// Candidate takes one ICE candidate for the newest offer. An empty one says
// that there are no more, and is not counted.
func (l *Link) Candidate(m wire.Candidate) *wire.Error {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !l.acceptMessageLocked():
		return nil
	case !s.offered:
		return &wire.Error{Code: wire.ErrOutOfOrder, Field: "candidate"}
	case len(s.negotiationTasks) >= maxWork:
		return nil
	}
	s.negotiationTasks = append(s.negotiationTasks, negotiationTask{candidate: m.Candidate})
	s.negotiateLocked()
	return nil
}

// Activity takes a sign of life.
func (l *Link) Activity(m wire.Activity) *wire.Error {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if !l.acceptMessageLocked() {
		return nil
	}
	if muted := m.Kind == wire.ActivityMute; muted != s.muted && (muted || m.Kind == wire.ActivityUnmute) {
		s.muted, s.changed = muted, true
	}
	s.touchLocked(time.Now())
	return nil
}
