package upstream

import (
	"sync"
	"time"

	"github.com/pion/rtp"

	"parley/server/agent"
	"parley/server/agent/budget"
	"parley/server/agent/realtime"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

// measures tell what a call uses, and how long its caller waits.
type measures struct {
	to agent.Measures // nil: nobody asks

	mu    sync.Mutex // they are told under it, so that totals come in order
	meter *realtime.Meter
	turns realtime.Turns
	sound realtime.Sound // the agent's
	begun time.Time      // of the connection
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

// callerVoice takes a packet of the caller's: whether it holds speech.
func (m *measures) callerVoice(isVoice bool, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turns.CallerVoice(now, isVoice)
}

// agentPacket takes a packet of the agent's: its size, and its level if it has one.
func (m *measures) agentPacket(size int, level *rtp.AudioLevelExtension, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	isSound := false
	if level != nil {
		isSound = realtime.ByLevel(-int(level.Level))
	} else {
		isSound = m.sound.BySize(now, size, m.turns.IsSilent())
	}
	m.turns.AgentVoice(now, isSound)
	m.tellTurnsLocked()
}

// sampled takes the leg's counters, and that time goes on: an agent whose packets cease
// is silent, too.
func (m *measures) sampled(s rtcstats.Sample, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := s.RemoteInbound; r != nil && r.RoundTripTime != nil {
		m.turns.RoundTrip(time.Duration(*r.RoundTripTime * float64(time.Second)))
	}
	if m.begun.IsZero() {
		m.begun = now.Add(-sampleInterval)
	}
	if m.meter.Connected(now.Sub(m.begun)) && m.to != nil {
		m.to.Used(m.meter.Total())
	}
	m.turns.Pass(now)
	m.tellTurnsLocked()
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

// tellTurnsLocked tells of what is over. mu must be held.
func (m *measures) tellTurnsLocked() {
	if turns, interruptions := m.turns.Take(); m.to != nil && len(turns)+len(interruptions) > 0 {
		m.to.TurnsMeasured(turns, interruptions)
	}
	if ended := m.turns.TakeEnded(); m.to != nil && len(ended) > 0 {
		m.to.TurnsEnded(ended)
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
