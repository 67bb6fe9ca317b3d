package relay

import (
	"net/netip"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"

	"parley/server/relay/transport"
	"parley/shared/rtcstats"
)

// What the tests of this package's rules see.
var (
	CheckHost = checkHost
	CheckIP   = checkIP

	PathFailure = pathFailure
)

// Candidate returns a candidate as it is taken; "" for one that is left out.
func Candidate(raw string, allowPrivate bool) (string, error) {
	c, err := readCandidate(raw, allowPrivate)
	if c == nil {
		return "", err
	}
	return c.text, err
}

// ReadOffer returns the candidates that are taken of an offer, and how many there are.
func ReadOffer(text string, allowPrivate bool) (string, int, error) {
	offer, err := readOffer(text, allowPrivate)
	var taken strings.Builder
	for _, c := range offer.candidates {
		taken.WriteString("a=candidate:" + c.text + "\r\n")
	}
	return taken.String(), len(offer.candidates), err
}

// Answer returns the answer to an offer, of a relay with one address.
func Answer(text string) (string, error) {
	offer, err := readOffer(text, false)
	if err != nil {
		return "", err
	}
	own := answerParameters{
		credentials: transport.Credentials{Ufrag: "ufrag", Pwd: "password"}, fingerprint: "sha-256 00",
		ips: []netip.Addr{netip.MustParseAddr("8.8.8.8")}, port: 8081,
	}
	return writeAnswer(offer, own), nil
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

// IdentityLife is how long legs share a certificate.
const IdentityLife = identityLife

// NewIdentity gives out the certificate of new legs.
func NewIdentity() func() (webrtc.Certificate, error) {
	shared := new(identity)
	return func() (webrtc.Certificate, error) {
		c, err := shared.current()
		return webrtc.CertificateFromX509(c.PrivateKey, c.Leaf), err
	}
}

// PingRhythm is how long before the newest sign a ping may lie for another to be due.
const PingRhythm = pingRhythm

// Signs is what tells a live leg from one that is cut off.
type Signs struct{ signs }

// Ping notes a ping.
func (s *Signs) Ping(now time.Time) { s.addPing(now) }

// Sample returns what is told at a moment.
func (s *Signs) Sample(packets uint32, now time.Time) rtcstats.Sample {
	sample := rtcstats.Sample{Transport: &rtcstats.Transport{}, CandidatePair: &rtcstats.CandidatePair{}}
	s.put(&sample, int64(packets), now)
	return sample
}
