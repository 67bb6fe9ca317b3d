package relay

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"

	"parley/server/relay/transport"
	"parley/shared/rtcstats"
)

// maxStreams bounds the SSRCs a caller may use: one for audio, and the reports about it
// and about the agent's, with room for restarts.
const maxStreams = 32

// maxAssociationBuffer bounds what a caller's data channels may leave unread: the
// largest message, and pings beside it.
const maxAssociationBuffer = maxMessage + 64<<10

// connection is what carries a leg, until the caller comes back with another one.
type connection struct {
	leg         *Leg
	transport   *transport.Transport
	fingerprint string // of our certificate

	wasConnected bool        // the leg's telling must be held
	hungUp       atomic.Bool // the server closes it: its end is no goodbye of the caller's
	channels     atomic.Int32
	// What comes in, one packet at a time.
	streams map[stream]struct{}
	newest  stream // of all of them
}

// stream is one of a caller's, or the reports about one.
type stream struct {
	ssrc     uint32
	isReport bool
}

// connect makes a connection of l for an offer.
func (r *Relay) connect(l *Leg, offer takenOffer) (*connection, error) {
	cert, err := r.identity.current()
	if err != nil {
		return nil, err
	}
	fingerprint, err := transport.ParseFingerprint(offer.fingerprint)
	if err != nil {
		return nil, errUnanswerable
	}
	c := &connection{leg: l, fingerprint: cert.fingerprint, streams: make(map[stream]struct{})}
	cfg := transport.Config{
		Certificate: cert.Certificate, Fingerprint: fingerprint, IsClient: offer.isDTLSServer(),
		Log: r.pionLog.Of(l.id), MaxReceived: maxAssociationBuffer,
	}
	_, err = r.port.calls.Open(cfg, func(t *transport.Transport) transport.Handler {
		c.transport = t
		return c
	})
	if err != nil {
		return nil, fmt.Errorf("relay: make a connection: %w", err)
	}
	return c, nil
}

// addCandidate notes where the caller says it may be.
func (c *connection) addCandidate(r *remoteCandidate) { c.transport.AddRemote(r.at, r.kind) }

// HandleRTP implements transport.Handler.
func (c *connection) HandleRTP(packet []byte, came time.Time) {
	if c.isTaken(stream{ssrc: binary.BigEndian.Uint32(packet[8:12])}) { // it has a whole header, or it were not opened
		c.leg.streams.ReceiveRTP(packet, came, c.leg.to)
	}
}

// HandleRTCP implements transport.Handler: what a packet says is noted for each SSRC
// that it is about, once.
func (c *connection) HandleRTCP(packet []byte, came time.Time) {
	reports, err := rtcp.Unmarshal(packet)
	if err != nil {
		return
	}
	told := make(map[uint32]struct{}, 2)
	for _, r := range reports {
		for _, ssrc := range r.DestinationSSRC() {
			if _, isTold := told[ssrc]; isTold || !c.isTaken(stream{ssrc, true}) {
				continue
			}
			told[ssrc] = struct{}{}
			c.leg.streams.ReceiveRTCP(packet, came, ssrc)
		}
	}
}

// isTaken reports whether a stream is one of those that a caller may have. Who has more
// is hung up on.
func (c *connection) isTaken(s stream) bool {
	if c.newest == s && s != (stream{}) {
		return true
	}
	if _, isKnown := c.streams[s]; isKnown {
		c.newest = s
		return true
	}
	if len(c.streams) == maxStreams {
		c.hangUp("too many streams")
		return false
	}
	c.streams[s], c.newest = struct{}{}, s
	return true
}

// HandleState implements transport.Handler.
func (c *connection) HandleState() { c.leg.stateChanged(c) }

// HandlePair implements transport.Handler: it notes by which kinds of candidate the
// caller comes.
func (c *connection) HandlePair(p transport.Pair) {
	c.leg.notePaired()
	c.leg.pair.Store(&rtcstats.CandidatePair{
		ID: "pair", State: "succeeded", Protocol: p.Protocol, LocalCandidateType: "host", RemoteCandidateType: p.RemoteType,
	})
}

// hangUp ends a connection that does what no caller's browser does.
func (c *connection) hangUp(why string) {
	if c.hungUp.Swap(true) {
		return
	}
	isStarted := c.leg.start(func() {
		c.transport.Close()
		c.leg.stateChanged(c)
	})
	if isStarted {
		c.leg.relay.log.Warn("hung up on a caller", "session", c.leg.id, "event", "hang_up", "cause", why)
	}
}
