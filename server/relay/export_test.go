package relay

import (
	"net"
	"net/netip"
	"time"

	"github.com/pion/webrtc/v4"
)

// What the tests of this package's rules see.
var (
	CheckHost = checkHost
	CheckIP   = checkIP
	Candidate = candidate
	ReadOffer = readOffer
	Fraction  = fraction
	NTPTime   = ntpTime
)

// Bounds that tests stand at.
const (
	MaxStreams  = maxStreams
	MaxChannels = maxChannels
	PingBurst   = pingBurst
)

// Advertised is what a relay bound to an address tells callers.
func Advertised(cfg Config, bound string) ([]netip.Addr, error) {
	return advertised(cfg, netip.MustParseAddr(bound))
}

// Sequence counts sequence numbers.
type Sequence struct{ s sequence }

// Add counts one.
func (s *Sequence) Add(seq uint16) bool { return s.s.add(seq) }

// Counts are received, lost, runs and packets in runs.
func (s *Sequence) Counts() [4]int64 {
	return [4]int64{s.s.received, s.s.lost(), s.s.runs, s.s.runPackets}
}

// Extended is the highest sequence number with its cycles.
func (s *Sequence) Extended() uint32 { return uint32(s.s.highest) }

// Jitter is the estimate after packets that came and were stamped so.
func Jitter(at []time.Duration, stamps []uint32) float64 {
	var j jitter
	for i := range at {
		j.add(at[i], stamps[i])
	}
	return j.value
}

// Socket reads a UDP socket as the relay does.
func Socket(c *net.UDPConn) interface {
	ReadFromAddrPort([]byte) (int, netip.AddrPort, error)
} {
	return &socket{UDPConn: c}
}

// Packet gives a leg that was never offered anything a packet as pion would,
// whose answers go to out.
func (l *Leg) Packet(opus, level uint8, out webrtc.TrackLocalWriter) func(raw []byte) {
	l.path.agree(chosen{opus: opus, level: level})
	l.path.mouth.Store(&mouth{ssrc: 1, writer: out})
	return l.packet
}

// IdentityLife is how long legs share a certificate.
const IdentityLife = identityLife

// NewIdentity gives out the certificate of new legs.
func NewIdentity() func() (webrtc.Certificate, error) { return new(identity).current }
