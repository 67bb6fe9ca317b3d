package upstream

import (
	"sync"
	"time"

	"parley/server/agent"
	"parley/server/agent/realtime"
	"parley/shared/wire"
)

// endSilence is the pause after which an agent whose events tell nothing has ended its
// answer: longer than those inside a sentence.
const endSilence = 600 * time.Millisecond

// turns tells whose turn it is: by the service's events, and by its audio where events
// are missing.
type turns struct {
	on agent.Events

	mu       sync.Mutex // events are told under it, so that they come in order
	state    wire.AgentState
	watch    *realtime.Watch // nil until the connection stands
	limits   realtime.WatchLimits
	hasMarks bool // the service tells when its audio begins and ends
	closed   bool
	voicedAt time.Time // of the agent, newest
	timer    *time.Timer

	callerSpeaks bool
}

func newTurns(on agent.Events, limits realtime.WatchLimits) *turns {
	return &turns{on: on, limits: limits, state: wire.AgentConnecting}
}

func (t *turns) setState(s wire.AgentState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.setStateLocked(s)
}

// setStateLocked tells of a state that is new. mu must be held.
func (t *turns) setStateLocked(s wire.AgentState) {
	if t.closed || t.state == s {
		return
	}
	t.state = s
	t.on.AgentState(s)
}

// setConnected takes that the connection stands, or is interrupted.
func (t *turns) setConnected(is bool, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.watch == nil && is {
		t.watch = realtime.NewWatch(t.limits, now)
	}
	if t.watch != nil {
		t.watch.Connected(now, is)
	}
}

// observe takes an event of the service.
func (t *turns) observe(e *realtime.Event, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.watch != nil {
		t.watch.Observe(now, e)
	}
	switch e.Type {
	case realtime.OutputStarted:
		t.hasMarks = true
		t.setStateLocked(wire.AgentSpeaking)
	case realtime.OutputStopped, realtime.OutputCleared:
		t.hasMarks = true
		t.setStateLocked(wire.AgentListening)
	case realtime.SpeechStarted:
		if t.state == wire.AgentThinking {
			t.setStateLocked(wire.AgentListening)
		}
	case realtime.SpeechStopped, realtime.InputCommitted, realtime.ResponseCreated:
		if t.state == wire.AgentListening {
			t.setStateLocked(wire.AgentThinking)
		}
	case realtime.ResponseDone, realtime.ErrorEvent:
		if t.state == wire.AgentThinking && e.Response != nil && e.Response.Status != "completed" {
			t.setStateLocked(wire.AgentListening)
		}
	}
}

// callerVoice takes whether a packet of the caller's holds speech.
func (t *turns) callerVoice(isVoice bool, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if isVoice != t.callerSpeaks {
		t.callerSpeaks = isVoice
		if t.watch != nil {
			t.watch.CallerVoice(now, isVoice)
		}
	}
}

// agentVoice takes whether a packet of the agent's holds speech.
func (t *turns) agentVoice(isVoice bool, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.watch != nil {
		t.watch.Media(now)
	}
	if !isVoice || t.hasMarks || t.closed {
		return
	}
	t.voicedAt = now
	if t.state == wire.AgentSpeaking {
		return
	}
	t.setStateLocked(wire.AgentSpeaking)
	t.timer = time.AfterFunc(endSilence, t.fallSilent)
}

// fallSilent ends an answer that no event ends, unless voice was heard since it was due.
func (t *turns) fallSilent() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.hasMarks || t.state != wire.AgentSpeaking {
		return
	}
	if left := endSilence - time.Since(t.voicedAt); left > 0 {
		t.timer.Reset(left)
		return
	}
	t.setStateLocked(wire.AgentListening)
}

// check returns what is newly stuck, or has been for too long, and of all that is stuck
// what ends the call first; zero if nothing is.
func (t *turns) check(now time.Time) (fresh []realtime.Alarm, nearest realtime.Alarm) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.watch == nil {
		return nil, nearest
	}
	if all := t.watch.Stuck(now); len(all) > 0 {
		nearest = all[0]
	}
	return t.watch.Check(now), nearest
}

// close ends it without a word: no state is told once it returned.
func (t *turns) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.timer != nil {
		t.timer.Stop()
	}
}
