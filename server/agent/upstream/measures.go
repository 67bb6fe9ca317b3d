package upstream

import (
	"sync"
	"time"

	"parley/server/agent"
	"parley/server/agent/budget"
	"parley/server/agent/realtime"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

// How long no speech is heard before it counts as over: of a caller less than any
// service waits, of an agent longer than between two words.
const (
	callerPause = 100 * time.Millisecond
	agentPause  = 300 * time.Millisecond
)

// measures tell what a call uses, and how long its caller waits.
type measures struct {
	to agent.Measures // nil: nobody asks

	mu     sync.Mutex // they are told under it, so that totals come in order
	meter  *realtime.Meter
	turns  realtime.Turns
	caller talk
	agent  talk
}

// talk is whether one side speaks, by its packets.
type talk struct {
	isOn     bool
	voicedAt time.Time // newest
}

// heard takes a packet and reports when speech began or ended, if it did.
func (s *talk) heard(isVoice bool, pause time.Duration, now time.Time) (at time.Time, changed bool) {
	switch {
	case isVoice:
		s.voicedAt, changed = now, !s.isOn
		s.isOn = true
	case s.isOn && now.Sub(s.voicedAt) >= pause:
		s.isOn, changed = false, true
	}
	return s.voicedAt, changed
}

func newMeasures(to agent.Measures, prices realtime.Prices) *measures {
	return &measures{to: to, meter: realtime.NewMeter(prices)}
}

// observe takes an event of the service.
func (m *measures) observe(e *realtime.Event, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.meter.Observe(e) && m.to != nil {
		m.to.Used(m.meter.Total())
	}
	m.turns.Observe(now, e)
	m.tellTurnsLocked()
}

func (m *measures) callerVoice(isVoice bool, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, changed := m.caller.heard(isVoice, callerPause, now); changed {
		m.turns.CallerVoice(at, isVoice)
	}
}

func (m *measures) agentVoice(isVoice bool, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, changed := m.agent.heard(isVoice, agentPause, now); changed {
		m.turns.AgentVoice(at, isVoice)
		m.tellTurnsLocked()
	}
}

// sampled takes the leg's counters: an agent whose packets cease is silent, too.
func (m *measures) sampled(s rtcstats.Sample, now time.Time) {
	m.agentVoice(false, now)
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := s.RemoteInbound; r != nil && r.RoundTripTime != nil {
		m.turns.RoundTrip(time.Duration(*r.RoundTripTime * float64(time.Second)))
	}
}

func (m *measures) refused(r realtime.Refusal) {
	if m.to != nil {
		m.to.Refused(rest.RefusedEvent{Direction: string(r.Direction), Type: string(r.Type), Reason: string(r.Reason), Count: 1})
	}
}

func (m *measures) toolUsed(use rest.ToolUse, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turns.ToolsDone(now)
	if m.to != nil {
		m.to.ToolUsed(use)
	}
}

// tellTurnsLocked tells of the turns that are over. mu must be held.
func (m *measures) tellTurnsLocked() {
	turns, _ := m.turns.Take()
	for _, turn := range turns {
		if m.to != nil {
			m.to.Answered(turn.Wait)
		}
	}
}

// close tells the last of what was used: answers that are not over are unconfirmed
// for good.
func (m *measures) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if total := m.meter.Total(); m.to != nil && total != (rest.Usage{Currency: total.Currency}) {
		m.to.Used(total)
	}
}

// Budget implements budget.Limited.
func (a *Agent) Budget() budget.Limits {
	return budget.Limits{PerCall: int64(a.cfg.CallBudget), PerUserDay: int64(a.cfg.UserDayBudget)}
}
