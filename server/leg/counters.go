package leg

import (
	"math"
	"time"
)

// Sequence numbers as RFC 3550 appendix A.1 reads them.
const (
	maxDropout  = 3000 // a step further ahead is a new stream, not a loss
	maxMisorder = 100  // a step further back is one too
	window      = 64   // a packet that is further back stays lost; SRTP lets none through
)

// sequence tells received, lost and late packets apart.
type sequence struct {
	started       bool
	base, highest int64  // extended sequence numbers
	seen          uint64 // bit i: highest-i came
	received      int64
	jump          int64 // where a jump would go on, -1 for none

	run              int64 // lost in a row where the window ends
	runs, runPackets int64 // runs of loss that are over
}

// add counts a packet. It is false for one that came before, or that is too far
// off to belong.
func (s *sequence) add(seq uint16) bool {
	if !s.started {
		*s = sequence{started: true, base: int64(seq), highest: int64(seq), seen: math.MaxUint64, received: 1, jump: -1}
		return true
	}
	ahead := seq - uint16(s.highest)
	switch {
	case ahead == 0:
		return false
	case ahead < maxDropout:
		s.advance(int64(ahead))
	case -ahead <= maxMisorder:
		if !s.takeLate(int64(-ahead)) {
			return false
		}
	case s.jump == int64(seq): // two in a row: it is a new beginning
		s.leap(seq)
	default:
		s.jump = int64(seq + 1)
		return false
	}
	s.received++
	s.jump = -1
	return true
}

// advance moves the window n on; what leaves it is settled.
func (s *sequence) advance(n int64) {
	for range min(n, window) {
		s.settle(s.seen>>(window-1) == 1)
		s.seen <<= 1
	}
	if n > window {
		s.run += n - window
	}
	s.seen |= 1
	s.highest += n
}

func (s *sequence) settle(came bool) {
	switch {
	case !came:
		s.run++
	case s.run > 0:
		s.runs++
		s.runPackets += s.run
		s.run = 0
	}
}

// takeLate takes a packet that is back behind the newest. It is false for one that
// is already there, or too late.
func (s *sequence) takeLate(back int64) bool {
	if back >= window {
		return false
	}
	if n := s.highest - back; n < s.base { // the stream began with packets out of order
		for missing := n + 1; missing < s.base; missing++ {
			s.seen &^= 1 << (s.highest - missing)
		}
		s.base = n
		return true
	}
	bit := uint64(1) << back
	if s.seen&bit != 0 {
		return false
	}
	s.seen |= bit
	return true
}

// leap goes on from a place that has nothing to do with the last one. What was
// lost stays lost; the leap itself loses nothing, but for the packet that
// announced it, which was not counted.
func (s *sequence) leap(seq uint16) {
	lost := s.lost()
	to := s.highest&^0xffff | int64(seq)
	if to <= s.highest {
		to += 1 << 16
	}
	s.highest, s.seen, s.run = to, math.MaxUint64, 0
	s.base = to - s.received - lost // this packet is not in received yet
}

// expected counts from the first packet to the newest.
func (s *sequence) expected() int64 {
	if !s.started {
		return 0
	}
	return s.highest - s.base + 1
}

func (s *sequence) lost() int64 { return s.expected() - s.received }

// jitter is the interarrival jitter of RFC 3550 §6.4.1, in timestamp units.
type jitter struct {
	started bool
	at      time.Duration
	stamp   uint32
	value   float64
}

func (j *jitter) add(at time.Duration, stamp uint32) {
	if j.started {
		d := (at-j.at).Seconds()*ClockRate - float64(int32(stamp-j.stamp))
		j.value += (math.Abs(d) - j.value) / 16
	}
	j.started, j.at, j.stamp = true, at, stamp
}

// inbound is what is known of the far end's stream.
type inbound struct {
	ssrc     uint32
	sequence sequence
	jitter   jitter
	bytes    int64
	last     time.Duration // arrival of the newest

	sender      uint32        // middle 32 bits of the NTP time in the far end's newest report
	senderAt    time.Duration // its arrival
	wasExpected int64         // at our last report
	wasReceived int64
}

// count takes a packet; a new SSRC begins all counters anew.
func (i *inbound) count(ssrc uint32, seq uint16, stamp uint32, size int, at time.Duration) bool {
	if i.ssrc != ssrc {
		*i = inbound{ssrc: ssrc}
	}
	if !i.sequence.add(seq) {
		return false
	}
	i.jitter.add(at, stamp)
	i.bytes += int64(size)
	i.last = at
	return true
}

// outbound is what is known of the stream that is sent, and what the far end
// says of it.
type outbound struct {
	ssrc           uint32
	packets, bytes int64
	stamp          uint32        // of the newest packet
	last           time.Duration // when it went
	sentReports    sentReports
	remote         remoteInbound
}

// remoteInbound is the far end's view of the stream that is sent, from its
// receiver reports.
type remoteInbound struct {
	reported  bool
	lost      int64
	fraction  float64
	jitter    float64 // s
	roundTrip float64 // s, newest
	sum       float64 // s, of all
	num       int64
}

// count takes a packet that was sent; a new SSRC begins all counters anew.
func (o *outbound) count(ssrc, stamp uint32, size int, at time.Duration) {
	if o.ssrc != ssrc {
		*o = outbound{ssrc: ssrc, sentReports: o.sentReports}
	}
	o.packets++
	o.bytes += int64(size)
	o.stamp, o.last = stamp, at
}
