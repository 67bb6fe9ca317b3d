package relay

import (
	"net"
	"net/netip"

	"github.com/pion/webrtc/v4"
)

// What the tests of this package's rules see.
var (
	CheckHost = checkHost
	CheckIP   = checkIP
	Candidate = candidate
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

	MaxTCPPerAddress = maxTCPPerAddress
)

// Advertised is what a relay bound to an address tells callers.
func Advertised(cfg Config, bound string) ([]netip.Addr, error) {
	return advertised(cfg, netip.MustParseAddr(bound))
}

// Socket reads a UDP socket as the relay does.
func Socket(c *net.UDPConn) interface {
	ReadFromAddrPort([]byte) (int, netip.AddrPort, error)
} {
	return &socket{UDPConn: c}
}

// IdentityLife is how long legs share a certificate.
const IdentityLife = identityLife

// NewIdentity gives out the certificate of new legs.
func NewIdentity() func() (webrtc.Certificate, error) { return new(identity).current }
