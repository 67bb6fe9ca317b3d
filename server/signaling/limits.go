package signaling

import (
	"time"

	"parley/shared/wire"
)

// Limits of sockets. A zero field means its default.
type Limits struct {
	// PingInterval is between WebSocket pings (20 s).
	PingInterval time.Duration
	// PongTimeout is how long a peer may leave them unanswered (40 s), and how
	// long one message may take to arrive in fragments.
	PongTimeout time.Duration
	// WriteTimeout bounds one write (10 s): a peer whose buffers stay full for
	// longer does not read.
	WriteTimeout time.Duration
	// CloseWait bounds the goodbye: what is left to send, and the peer's half of
	// the closing handshake (1 s). Nothing depends on either.
	CloseWait time.Duration
	// HandshakeTimeout bounds the upgrade's answer (5 s): it is 200 bytes.
	HandshakeTimeout time.Duration
	// ResumeWait is how long a socket of a caller whose session waits for its
	// socket may take to name it (1 s); a resume comes with the first packet.
	ResumeWait time.Duration
	// ProbeWait is how long a caller's other socket may take to answer before
	// its place counts as waiting (1 s): slower lines than that can't talk.
	ProbeWait time.Duration
	// FrameRate and FrameBurst are the token bucket of frames, WebSocket pings
	// and pongs included. A browser sends a report each 5 s, a ping each 20 s
	// and an activity now and then: 10 a second is many times that. The burst
	// holds two negotiations with all their candidates.
	FrameRate  float64
	FrameBurst int
	// BadFrames may be refused in a row before the socket is closed (10); one is
	// forgiven each BadFrameEvery (5 s, the rhythm of reports: a browser whose
	// numbers can't be read shall not lose its call).
	BadFrames     int
	BadFrameEvery time.Duration
}

func (l Limits) orDefaults() Limits {
	valueOr(&l.PingInterval, wire.SocketPing)
	valueOr(&l.PongTimeout, wire.SocketTimeout)
	valueOr(&l.WriteTimeout, 10*time.Second)
	valueOr(&l.CloseWait, time.Second)
	valueOr(&l.HandshakeTimeout, 5*time.Second)
	valueOr(&l.ResumeWait, time.Second)
	valueOr(&l.ProbeWait, time.Second)
	valueOr(&l.FrameRate, 10)
	valueOr(&l.FrameBurst, 60)
	valueOr(&l.BadFrames, 10)
	valueOr(&l.BadFrameEvery, wire.ReportInterval)
	return l
}

func valueOr[T int | float64 | time.Duration](v *T, otherwise T) {
	if *v <= 0 {
		*v = otherwise
	}
}

// ioBuffer is the size of a socket's buffers: most frames are below it, larger
// ones are copied in pieces.
const ioBuffer = 1024

// keepBuffer is the largest message buffer a socket keeps: an offer's is given
// back to the collector, for there is one offer in a call and 2 KiB of report
// each five seconds.
const keepBuffer = 4 << 10
