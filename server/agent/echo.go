package agent

import (
	"context"
	"sync"
	"time"

	"github.com/pion/rtp"

	"parley/server/leg"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// Echo returns audio at once, for line tests: it keeps none, and asks for nothing. It speaks while its caller does.
type Echo struct{}

// Open implements Agent.
func (Echo) Open(_ context.Context, call Call, on Events) (Leg, error) {
	on.AgentState(wire.AgentListening)
	return &echo{out: call.Audio, turn: turn{on: on}, caller: NewSpeechDetector(on, rtcstats.LegCaller), self: spoken{on: on, by: rtcstats.LegAgent}}, nil
}

// echo is used by the goroutine that HandleRTP is called from, and no other;
// but for its turn, which ends by a timer.
type echo struct {
	deaf
	turn   turn
	out    leg.RTPWriter
	caller *SpeechDetector
	self   spoken
	answer leg.Numbering
}

// HandleRTP sends the packet back.
func (e *echo) HandleRTP(h *rtp.Header, payload []byte, level *rtp.AudioLevelExtension) {
	now := time.Now()
	answer, ok := e.answer.Next(h, now)
	if !ok || e.out.WriteRTP(answer, payload, nil) != nil {
		return // it is late; or the leg is going, and there is no one to tell
	}
	if e.caller.Heard(payload, level, now) {
		e.turn.extend()
		e.self.now(now)
	}
}

// Close implements Leg.
func (e *echo) Close() error {
	e.turn.close()
	return nil
}

// turn tells when an agent that speaks with its caller begins and ends.
type turn struct {
	on Events

	mu       sync.Mutex // events are told under it, so that they come in order
	timer    *time.Timer
	last     time.Time // when voice was heard
	speaking bool
	closed   bool
}

// extend begins a turn, or lets it go on for endSilence from now.
func (t *turn) extend() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.last = time.Now()
	if t.speaking {
		return
	}
	t.speaking = true
	t.on.AgentState(wire.AgentSpeaking)
	t.timer = time.AfterFunc(endSilence, t.check)
}

// check ends the turn, unless voice was heard since it was due.
func (t *turn) check() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	if left := endSilence - time.Since(t.last); left > 0 {
		t.timer.Reset(left)
		return
	}
	t.speaking = false
	t.on.AgentState(wire.AgentListening)
}

// close ends it without a word: no event is told once it returned.
func (t *turn) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.timer != nil {
		t.timer.Stop()
	}
}
