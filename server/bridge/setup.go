package bridge

import (
	"sync"
	"time"

	"parley/server/relay"
	"parley/server/session"
	"parley/server/telemetry"
	"parley/shared/rtcstats"
)

// setup notes when the steps of a call's set-up are over, and tells of them once.
type setup struct {
	tell func(telemetry.Setup) // nil: nobody asks

	mu     sync.Mutex
	steps  telemetry.Setup
	isTold bool
}

// newSetup begins where a caller has their place.
func newSetup(c session.Caller, tell func(telemetry.Setup)) *setup {
	s := &setup{tell: tell, steps: telemetry.Setup{Agent: c.Agent, Asked: c.AskedAt, Admitted: time.Now()}}
	if s.steps.Asked.IsZero() {
		s.steps.Asked = s.steps.Admitted
	}
	return s
}

// note sets the time of a step that is over, the first time only.
func (s *setup) note(step func(*telemetry.Setup) *time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := step(&s.steps); at.IsZero() {
		*at = time.Now()
	}
}

// heard tells of the set-up if the caller was heard.
func (s *setup) heard(l *relay.Leg) {
	if s.tell == nil || s.isOver() {
		return
	}
	at := l.HeardAt()
	if at.IsZero() {
		return
	}
	s.over(func(t *telemetry.Setup) { t.Paired, t.Heard = l.PairedAt(), at })
}

// ended tells of a set-up that came to nothing.
func (s *setup) ended(l *relay.Leg) {
	s.over(func(t *telemetry.Setup) { t.Paired, t.Ended = l.PairedAt(), time.Now() })
}

func (s *setup) isOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isTold
}

func (s *setup) over(how func(*telemetry.Setup)) {
	if s.tell == nil {
		return
	}
	s.mu.Lock()
	wasTold := s.isTold
	s.isTold = true
	how(&s.steps)
	steps := s.steps
	s.mu.Unlock()
	if !wasTold {
		s.tell(steps)
	}
}

// setupEvents notes what of the caller's leg belongs to a set-up, and passes all on.
type setupEvents struct {
	relay.Events
	setup *setup
	leg   func() *relay.Leg
}

// ConnectionState implements relay.Events.
func (e setupEvents) ConnectionState(s rtcstats.ConnectionState, heard time.Time) {
	if s == rtcstats.StateConnected {
		e.setup.note(func(t *telemetry.Setup) *time.Time { return &t.Connected })
	}
	e.Events.ConnectionState(s, heard)
}

// Sampled implements relay.Events.
func (e setupEvents) Sampled(s rtcstats.Sample) {
	e.setup.heard(e.leg())
	e.Events.Sampled(s)
}
