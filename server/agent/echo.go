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
	return &echo{out: call.Audio, turn: turn{on: on}, caller: spoken{on: on, by: rtcstats.LegCaller}, self: spoken{on: on, by: rtcstats.LegAgent}}, nil
}

// echo is used by the goroutine that HandleRTP is called from, and no other;
// but for its turn, which ends by a timer.
type echo struct {
	deaf
	turn         turn
	out          leg.RTPWriter
	voice        voice
	caller, self spoken

	newest uint32 // timestamp
	at     time.Time
	answer rtp.Header
}

// HandleRTP sends the packet back. Sequence numbers are the echo's own, without the
// gaps of what was lost on the way here: the caller must not take that for loss
// on the way back. So a packet that is late is left out, as it would come back
// in the wrong place.
func (e *echo) HandleRTP(h *rtp.Header, payload []byte, level *rtp.AudioLevelExtension) {
	now := time.Now()
	step := h.Timestamp - e.newest
	if !e.at.IsZero() {
		if late(step) {
			return
		}
		// A new stream of the caller's has new timestamps; the echo's clock goes on.
		if real := ticks(now.Sub(e.at)); !late(step-real) && !late(real-step) {
			step = real
		}
	}
	e.newest, e.at = h.Timestamp, now
	e.answer.Marker = h.Marker
	e.answer.Timestamp += step
	e.answer.SequenceNumber++
	if err := e.out.WriteRTP(&e.answer, payload, nil); err != nil {
		return // the leg is going; there is no one to tell
	}
	voiced := e.voice.heardIn(payload, samples(payload), level)
	if voiced {
		e.turn.extend()
		e.self.now(now)
	}
	if e.voice.mayBeHeardIn(payload, level, voiced) {
		e.caller.now(now)
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
