package agent

import (
	"context"
	"time"

	"github.com/pion/rtp"

	"parley/server/leg"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// Echo returns audio at once, for line tests. It is always listening.
type Echo struct{}

// Open implements Agent.
func (Echo) Open(_ context.Context, out leg.RTPWriter, on Events) (Leg, error) {
	on.AgentState(wire.AgentListening)
	return &echo{out: out, caller: spoken{on: on, by: rtcstats.LegCaller}, self: spoken{on: on, by: rtcstats.LegAgent}}, nil
}

// echo is used by the goroutine that HandleRTP is called from, and no other.
type echo struct {
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
	if err := e.out.WriteRTP(&e.answer, payload); err != nil {
		return // the leg is going; there is no one to tell
	}
	if e.voice.heardIn(payload, samples(payload), level) {
		e.caller.now(now)
		e.self.now(now)
	}
}

// Close implements Leg.
func (e *echo) Close() error { return nil }
