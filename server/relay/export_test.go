package relay

import (
	"net"
	"net/netip"
	"time"

	"github.com/pion/webrtc/v4"

	"parley/shared/rtcstats"
)

// What the tests of this package's rules see.
var (
	CheckHost = checkHost
	CheckIP   = checkIP
	Candidate = candidate

	PathFailure = pathFailure
)

// ReadOffer returns what is taken of an offer, and how many candidates are in it.
func ReadOffer(text string, allowPrivate bool) (string, int, error) {
	offer, err := readOffer(text, allowPrivate)
	return offer.sdp, offer.candidates, err
}

// Bounds that tests stand at.
const (
	MaxStreams  = maxStreams
	MaxChannels = maxChannels
	PingBurst   = pingBurst

	MaxMessage     = maxMessage
	MaxMessageSent = maxMessageSent
	MaxWaiting     = maxWaiting
	MessageRate    = messageRate
	MessageBurst   = messageRateBurst

	MaxTCPPerAddress = maxTCPPerAddress
)

// AdvertisedOn is what a relay bound to an address tells callers.
func AdvertisedOn(cfg Config, bound string) ([]netip.Addr, error) {
	return advertised(cfg, netip.MustParseAddr(bound))
}

// Socket is a UDP socket as the relay has it.
func Socket(c *net.UDPConn) interface {
	ReadFromAddrPort([]byte) (int, netip.AddrPort, error)
	WriteToAddrPort([]byte, netip.AddrPort) (int, error)
	SetWriteDeadline(time.Time) error
	SetDeadline(time.Time) error
} {
	return &socket{UDPConn: c}
}

// IdentityLife is how long legs share a certificate.
const IdentityLife = identityLife

// NewIdentity gives out the certificate of new legs.
func NewIdentity() func() (webrtc.Certificate, error) { return new(identity).current }

// PingRhythm is how long before the newest sign a ping may lie for another to be due.
const PingRhythm = pingRhythm

// Signs is what tells a live leg from one that is cut off.
type Signs struct{ signs }

// Ping notes a ping.
func (s *Signs) Ping(now time.Time) { s.addPing(now) }

// Sample returns what is told at a moment.
func (s *Signs) Sample(packets uint32, now time.Time) rtcstats.Sample {
	sample := rtcstats.Sample{Transport: &rtcstats.Transport{}, CandidatePair: &rtcstats.CandidatePair{}}
	s.put(&sample, webrtc.ICECandidatePairStats{PacketsReceived: packets}, now)
	return sample
}
