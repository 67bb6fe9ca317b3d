package leg

import (
	"math/rand/v2"
	"time"

	"github.com/pion/rtp"
)

const (
	// maxLate is how far back a packet is late; further back is a new stream, whose
	// timestamps have nothing to do with the old one's.
	maxLate = 2 * time.Second
	// usualPacket is how long a packet of a realtime voice plays, for where nothing
	// tells.
	usualPacket = 20 * time.Millisecond
)

// Numbering numbers the packets of one leg for another. The far end sees one stream
// whose sequence numbers have no gaps and whose clock goes on, whatever becomes of
// the stream that comes in: another SSRC, a restart, loss. Loss on the one leg must
// not be taken for loss on the other; so a packet that is late is left out, as its
// number would come in the wrong place. The zero value is ready.
type Numbering struct {
	started bool
	ssrc    uint32
	newest  uint32 // timestamp, as it came
	at      time.Time
	header  rtp.Header
}

// Next returns the header for a packet that came at now, good until the next call.
// It reports false for one to leave out.
func (n *Numbering) Next(h *rtp.Header, now time.Time) (*rtp.Header, bool) {
	if !n.started {
		n.started = true
		n.header.SequenceNumber, n.header.Timestamp = uint16(rand.Uint32()), rand.Uint32()
		n.take(h, now)
		return &n.header, true
	}
	step := h.Timestamp - n.newest
	isNew := h.SSRC != n.ssrc
	if !isNew && isLate(step) {
		return nil, false
	}
	// A stream that begins anew has new timestamps, and some senders stop their clock
	// while they are silent: this one goes on with ours.
	real := max(ticks(now.Sub(n.at)), ticks(usualPacket))
	isFar := !isLate(step-real) && !isLate(real-step)
	if isNew || isFar || h.Marker && int32(real-step) > 0 {
		step = real
	}
	n.header.SequenceNumber++
	n.header.Timestamp += step
	n.take(h, now)
	n.header.Marker = h.Marker || isNew
	return &n.header, true
}

func (n *Numbering) take(h *rtp.Header, now time.Time) {
	n.ssrc, n.newest, n.at, n.header.Marker = h.SSRC, h.Timestamp, now, h.Marker
}

// isLate reports whether a packet that is this far from the newest comes too late.
func isLate(step uint32) bool {
	back := int32(step)
	return back <= 0 && back > -int32(ticks(maxLate))
}

// ticks is a time in RTP clock units.
func ticks(d time.Duration) uint32 { return uint32(d * ClockRate / time.Second) }
