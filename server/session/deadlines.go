package session

import (
	"time"

	"parley/shared/wire"
)

// A deadline ends a session at a moment, for a cause.
type deadline struct {
	at    time.Time // zero: there is none
	cause wire.EndCause
}

// nearestDeadlineLocked gives the deadline that comes first; of two at the same moment, the
// one that says more. mu must be held.
func (s *Session) nearestDeadlineLocked() deadline {
	set := s.limitsLocked()
	var first deadline
	for _, d := range [...]deadline{
		{s.tokenBy, wire.TokenExpired},
		{s.budgetBy, wire.BudgetSpent},
		{s.durationDeadlineLocked(set), wire.MaxDuration},
		{s.idleDeadlineLocked(set), wire.IdleTimeout},
		{s.mediaBy, s.mediaCauseLocked()},
		{s.graceBy, wire.ConnectionLost},
		{s.setupBy, s.setupCauseLocked()},
		{s.offerBy, wire.ProtocolError},
	} {
		if !d.at.IsZero() && (first.at.IsZero() || d.at.Before(first.at)) {
			first = d
		}
	}
	return first
}

// mu must be held.
func (s *Session) idleDeadlineLocked(set *Settings) time.Time {
	return later(s.lastActive.Add(set.IdleTimeout), s.idleNotice)
}

// mu must be held.
func (s *Session) durationDeadlineLocked(set *Settings) time.Time {
	if set.MaxDuration == 0 {
		return time.Time{}
	}
	return later(s.startedAt.Add(set.MaxDuration), s.durationNotice)
}

// noticeOf gives until when a limit that was changed ends nobody: zero where it ends
// no sooner than that leaves room for a warning. old and changed are when it ended the
// session before, and would end it now; zero is never.
func noticeOf(now, old, changed time.Time) time.Time {
	until := now.Add(LoweredNotice)
	if changed.IsZero() || !changed.Before(until) {
		return time.Time{}
	}
	return earlier(until, old)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// mediaCauseLocked blames the leg only if the socket was heard since media broke:
// what took both was the caller's connection, and the page says so, too. mu must be
// held.
func (s *Session) mediaCauseLocked() wire.EndCause {
	if s.link != nil && s.socketHeardAt.After(s.mediaBrokenAt) {
		return wire.MediaFailed
	}
	return wire.ConnectionLost
}

// setupCauseLocked blames the agent while it has not opened. mu must be held.
func (s *Session) setupCauseLocked() wire.EndCause {
	if s.legs == nil {
		return wire.AgentUnavailable
	}
	return wire.MediaFailed
}

// plannedEndLocked is what callers and admins are told. mu must be held.
func (s *Session) plannedEndLocked() time.Time {
	set := s.limitsLocked()
	ends := s.idleDeadlineLocked(set)
	for _, t := range [...]time.Time{s.durationDeadlineLocked(set), s.sessions.drainDeadline(), s.budgetBy, s.stuckBy} {
		if !t.IsZero() && t.Before(ends) {
			ends = t
		}
	}
	return ends
}

// CheckTimeouts looks at every deadline as of now, and counts whom it looked
// at and whom it ended.
func (a *Sessions) CheckTimeouts(now time.Time) (checked, ended int) {
	for _, s := range a.list() {
		checked++
		if s.endIfDue(now) {
			ended++
		}
	}
	return checked, ended
}

// Extend begins a session's idle time anew. It reports false where there is none.
func (a *Sessions) Extend(id string, now time.Time) bool {
	s, err := a.find(id)
	return err == nil && s.Extend(now)
}

// Extend begins the idle time anew. It reports false where the session has ended.
func (s *Session) Extend(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touchLocked(now)
	return s.ended == nil
}

// endIfDue ends the session if a deadline has come by now.
func (s *Session) endIfDue(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.endIfDueLocked(now)
}

// mu must be held.
func (s *Session) endIfDueLocked(now time.Time) bool {
	d := s.nearestDeadlineLocked()
	if now.Before(d.at) {
		return false
	}
	return s.endLocked(d.cause, "", now)
}

// sentWarnings hold the end that the caller was last told of, by what brings it;
// the zero time is none.
type sentWarnings struct{ idle, longest, draining, budget, stuck time.Time }

// warnLocked tells the caller of each end that is near, and takes back what is not
// any more. It gives the next moment at which one comes near by itself.
// mu must be held.
func (s *Session) warnLocked(now time.Time) time.Time {
	set, drain := s.limitsLocked(), s.sessions.drainDeadline()
	idle := s.sendWarningLocked(now, wire.WarnIdle, &s.warned.idle, s.idleDeadlineLocked(set), set.idleWarning())
	longest := s.sendWarningLocked(now, wire.WarnMaxDuration, &s.warned.longest, s.durationDeadlineLocked(set), set.durationWarning())
	s.sendWarningLocked(now, wire.WarnDraining, &s.warned.draining, drain, drain.Sub(now))
	s.sendWarningLocked(now, wire.WarnBudget, &s.warned.budget, s.budgetBy, BudgetNotice)
	s.sendWarningLocked(now, wire.WarnAgentStuck, &s.warned.stuck, s.stuckBy, s.stuckBy.Sub(now))
	return earlier(idle, longest)
}

// sendWarningLocked tells of one end from lead before it. It gives when that will be, or
// zero if it is now or never. mu must be held.
func (s *Session) sendWarningLocked(now time.Time, code wire.WarningCode, told *time.Time, ends time.Time, lead time.Duration) time.Time {
	var next time.Time
	if from := ends.Add(-lead); !ends.IsZero() && now.Before(from) {
		next, ends = from, time.Time{}
	}
	if !told.Equal(ends) {
		*told = ends
		s.sendLocked(newWarning(code, ends))
	}
	return next
}

// repeatWarningsLocked repeats the standing warnings, on a new socket.
// mu must be held.
func (s *Session) repeatWarningsLocked() {
	for _, w := range [...]wire.Warning{
		{Code: wire.WarnIdle, EndsAt: s.warned.idle},
		{Code: wire.WarnMaxDuration, EndsAt: s.warned.longest},
		{Code: wire.WarnDraining, EndsAt: s.warned.draining},
		{Code: wire.WarnBudget, EndsAt: s.warned.budget},
		{Code: wire.WarnAgentStuck, EndsAt: s.warned.stuck},
	} {
		if !w.EndsAt.IsZero() {
			s.sendLocked(newWarning(w.Code, w.EndsAt))
		}
	}
}

// newWarning gives the moment as the wire has it: UTC, milliseconds.
func newWarning(code wire.WarningCode, ends time.Time) wire.Warning {
	if ends.IsZero() {
		return wire.Warning{Code: code}
	}
	return wire.Warning{Code: code, EndsAt: ends.UTC().Truncate(time.Millisecond)}
}

// earlier gives the first of two moments; zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
