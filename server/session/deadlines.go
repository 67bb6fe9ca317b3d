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

// nearest gives the deadline that comes first; of two at the same moment, the
// one that says more.
func (s *Session) nearest() deadline {
	set := s.all.settings.Load()
	var first deadline
	for _, d := range [...]deadline{
		{s.tokenBy, wire.TokenExpired},
		{s.longest(set), wire.MaxDuration},
		{s.idle(set), wire.IdleTimeout},
		{s.mediaBy, s.mediaCauseLocked()},
		{s.graceBy, wire.ConnectionLost},
		{s.setupBy, s.setupCause()},
		{s.offerBy, wire.ProtocolError},
	} {
		if !d.at.IsZero() && (first.at.IsZero() || d.at.Before(first.at)) {
			first = d
		}
	}
	return first
}

func (s *Session) idle(set *Settings) time.Time { return s.lastActive.Add(set.IdleTimeout) }

func (s *Session) longest(set *Settings) time.Time {
	if set.MaxDuration == 0 {
		return time.Time{}
	}
	return s.startedAt.Add(set.MaxDuration)
}

// mediaCauseLocked blames the leg only if the socket was heard since media broke:
// what took both was the caller's connection, and the page says so, too. mu must be
// held.
func (s *Session) mediaCauseLocked() wire.EndCause {
	if s.link != nil && s.heard.After(s.mediaBrokenAt) {
		return wire.MediaFailed
	}
	return wire.ConnectionLost
}

// setupCause blames the agent while it has not opened.
func (s *Session) setupCause() wire.EndCause {
	if s.legs == nil {
		return wire.AgentUnavailable
	}
	return wire.MediaFailed
}

// endsAt is what callers and admins are told.
func (s *Session) endsAt() time.Time {
	set := s.all.settings.Load()
	ends := s.idle(set)
	for _, t := range [...]time.Time{s.longest(set), s.all.draining()} {
		if !t.IsZero() && t.Before(ends) {
			ends = t
		}
	}
	return ends
}

// check ends the session if a deadline has come by now.
func (s *Session) check(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.checkLocked(now)
}

func (s *Session) checkLocked(now time.Time) bool {
	d := s.nearest()
	if now.Before(d.at) {
		return false
	}
	return s.endLocked(d.cause, "", now)
}

// warnings hold the end that the caller was last told of, by what brings it;
// the zero time is none.
type warnings struct{ idle, longest, draining time.Time }

// warn tells the caller of each end that is near, and takes back what is not
// any more. It gives the next moment at which one comes near by itself.
func (s *Session) warn(now time.Time) time.Time {
	set, drain := s.all.settings.Load(), s.all.draining()
	idle := s.warnOf(now, wire.WarnIdle, &s.warned.idle, s.idle(set), set.idleWarning())
	longest := s.warnOf(now, wire.WarnMaxDuration, &s.warned.longest, s.longest(set), set.durationWarning())
	s.warnOf(now, wire.WarnDraining, &s.warned.draining, drain, drain.Sub(now))
	return earlier(idle, longest)
}

// warnOf tells of one end from lead before it. It gives when that will be, or
// zero if it is now or never.
func (s *Session) warnOf(now time.Time, code wire.WarningCode, told *time.Time, ends time.Time, lead time.Duration) time.Time {
	var next time.Time
	if from := ends.Add(-lead); !ends.IsZero() && now.Before(from) {
		next, ends = from, time.Time{}
	}
	if !told.Equal(ends) {
		*told = ends
		s.send(warning(code, ends))
	}
	return next
}

// remind repeats the standing warnings, on a new socket.
func (s *Session) remind() {
	for _, w := range [...]wire.Warning{
		{Code: wire.WarnIdle, EndsAt: s.warned.idle},
		{Code: wire.WarnMaxDuration, EndsAt: s.warned.longest},
		{Code: wire.WarnDraining, EndsAt: s.warned.draining},
	} {
		if !w.EndsAt.IsZero() {
			s.send(warning(w.Code, w.EndsAt))
		}
	}
}

// warning gives the moment as the wire has it: UTC, milliseconds.
func warning(code wire.WarningCode, ends time.Time) wire.Warning {
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
