package relay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"parley/server/leg"
	"parley/server/leg/peerconn"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// Why an offer or a candidate was refused. An ErrOffer wraps the wire.Error that
// the caller is told.
var (
	ErrOffer   = errors.New("relay: offer refused")
	ErrNoOffer = errors.New("relay: no offer yet")
)

// errUnanswerable says what pion's own words would, but quotes nothing of the
// description.
var errUnanswerable = refuseOffer("not_negotiable", "it has no answer as WebRTC's (RFC 8829)")

// Leg is the caller's side of a call: a connection at a time from the first
// offer to Close, through any number of ICE restarts, and anew when the caller
// comes back with another one.
type Leg struct {
	relay *Relay
	id    string
	on    Events
	open  OpenAgent
	to    leg.Handler // what open made; nil before the first good offer

	negotiating sync.Mutex // one offer or candidate at a time; never held by the packet's way
	candidates  int
	offer       takenOffer // the newest that was answered
	answers     int        // how many there were
	isSampled   bool       // each second

	conn atomic.Pointer[connection] // written under negotiating; nil: there is none

	mu     sync.Mutex // guards closed against wg
	closed bool
	wg     sync.WaitGroup
	done   chan struct{}

	telling sync.Mutex // events, in order
	state   rtcstats.ConnectionState

	streams  *leg.Streams
	messages *peerconn.Channel
	handling sync.Mutex // one message of the caller at a time, from whichever channel
	pair     atomic.Pointer[rtcstats.CandidatePair]
	pairedAt atomic.Pointer[time.Time] // first of all; nil: never
	signs    signs
}

func newLeg(r *Relay, id string, on Events, open OpenAgent) *Leg {
	return &Leg{relay: r, id: id, on: on, open: open, done: make(chan struct{}), streams: leg.NewStreams(), messages: newChannel()}
}

// WriteRTP implements leg.RTPWriter: it sends the caller one packet of the
// agent's. Calls must come one at a time.
func (l *Leg) WriteRTP(h *rtp.Header, payload []byte, level *rtp.AudioLevelExtension) error {
	return l.streams.WriteRTP(h, payload, level)
}

// Offer answers a caller's offer. The answer holds all candidates. A later
// offer with new ICE credentials restarts ICE; DTLS, streams and counters stay.
// One with another certificate is a caller who came back after a reload, or from
// another machine: it gets a connection of its own, and the one before is closed.
// The first offer that can be taken opens the agent's side, which stays for all of
// them; what that fails with is returned as it is.
func (l *Leg) Offer(ctx context.Context, sdp string) (string, error) {
	l.negotiating.Lock()
	defer l.negotiating.Unlock()
	if l.isClosed() {
		return "", ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("relay: answer an offer: %w", err)
	}
	offer, err := readOffer(sdp, l.relay.cfg.AllowPrivate)
	if err != nil {
		return "", err
	}
	if err := l.openAgentLocked(); err != nil {
		return "", err
	}
	if l.needsConnectionLocked(offer) {
		l.disconnectLocked()
	}
	before := l.conn.Load()
	answer, err := l.answerLocked(offer)
	if err != nil {
		return "", err
	}
	if before != nil && offer.credentials != l.offer.credentials {
		l.on.ICERestarted()
	}
	l.candidates, l.offer = len(offer.candidates), offer
	if !l.isSampled {
		l.isSampled = true
		l.relay.rhythm.add(l)
	}
	return answer, nil
}

// openAgentLocked opens the agent's side, once. negotiating must be held.
func (l *Leg) openAgentLocked() error {
	if l.to != nil {
		return nil
	}
	to, err := l.open(l)
	if err != nil {
		return err
	}
	l.to = to
	return nil
}

// needsConnectionLocked reports whether an offer can't be answered on the connection
// there is: it is another peer's, or that one has ended. negotiating must be held.
func (l *Leg) needsConnectionLocked(offer takenOffer) bool {
	c := l.conn.Load()
	if c == nil {
		return false
	}
	_, dtls := c.transport.State()
	return offer.fingerprint != l.offer.fingerprint || dtls == webrtc.DTLSTransportStateClosed || dtls == webrtc.DTLSTransportStateFailed
}

// disconnectLocked closes the connection, so that the next offer begins anew. Until
// that connects, the leg is disconnected. negotiating must be held.
func (l *Leg) disconnectLocked() {
	c := l.conn.Swap(nil)
	c.transport.Close()
	l.streams.Unbind()
	l.pair.Store(nil)
	l.messages.Reset()
	l.telling.Lock()
	defer l.telling.Unlock()
	if l.state != "" {
		l.tellLocked(rtcstats.StateDisconnected, time.Now())
	}
}

// answerLocked answers an offer on the connection there is, or makes one. negotiating
// must be held.
func (l *Leg) answerLocked(offer takenOffer) (string, error) {
	ips, err := l.relay.port.advertised()
	if err != nil {
		return "", fmt.Errorf("relay: %w", err)
	}
	c := l.conn.Load()
	switch {
	case c == nil:
		if c, err = l.relay.connect(l, offer); err != nil {
			return "", err
		}
		l.conn.Store(c)
	case offer.credentials != l.offer.credentials:
		c.transport.Restart()
	}
	for _, candidate := range offer.candidates {
		c.addCandidate(candidate)
	}
	l.streams.Agree(offer.mapping)
	if offer.takesAudio() {
		l.streams.Bind(c.transport.SSRC(), c.transport)
	} else {
		l.streams.Unbind()
	}
	if offer.hasData {
		c.transport.ServeChannels(offer.maxMessageSize())
	}
	l.answers++
	return writeAnswer(offer, answerParameters{
		credentials: c.transport.Credentials(), fingerprint: c.fingerprint, ssrc: c.transport.SSRC(),
		version: l.answers, ips: ips, port: l.relay.port.port,
	}), nil
}

// AddCandidate adds a caller's trickled candidate; an empty one ends them. One
// that is none is refused with ErrCandidate; one that points where media may not
// go is ignored, as in an offer. Of the usable ones the first wire.MaxCandidates count, the rest are ignored.
func (l *Leg) AddCandidate(c webrtc.ICECandidateInit) error {
	l.negotiating.Lock()
	defer l.negotiating.Unlock()
	switch {
	case l.isClosed():
		return ErrClosed
	case l.conn.Load() == nil:
		return ErrNoOffer
	case c.Candidate == "":
		return nil // the answer waits for none
	}
	known, err := readCandidate(c.Candidate, l.relay.cfg.AllowPrivate)
	if err != nil || known == nil || l.candidates >= wire.MaxCandidates {
		return err
	}
	l.candidates++
	l.conn.Load().addCandidate(known)
	return nil
}

// stateChanged passes on what became of the connection. It is told of that in any
// order, so the state is read anew.
func (l *Leg) stateChanged(c *connection) {
	l.telling.Lock()
	defer l.telling.Unlock()
	if l.conn.Load() != c {
		return // the caller has another one by now
	}
	ice, dtls := c.transport.State()
	switch {
	case dtls == webrtc.DTLSTransportStateFailed, dtls == webrtc.DTLSTransportStateClosed, ice == webrtc.ICETransportStateFailed:
		l.tellGoneLocked(c)
	case ice == webrtc.ICETransportStateDisconnected:
		l.tellLocked(rtcstats.StateDisconnected, heardAt(c))
	case ice == webrtc.ICETransportStateConnected && dtls == webrtc.DTLSTransportStateConnected:
		c.wasConnected = true
		l.tellLocked(rtcstats.StateConnected, time.Now())
	}
}

// tellLocked tells of a state that is new. telling must be held.
func (l *Leg) tellLocked(state rtcstats.ConnectionState, heard time.Time) {
	if state == l.state || l.isClosed() {
		return
	}
	l.state = state
	l.on.ConnectionState(state, heard)
}

// sample samples and reports once, and reports whether there will be another time.
func (l *Leg) sample() bool {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return false
	}
	l.wg.Add(1)
	l.mu.Unlock()
	defer l.wg.Done()
	l.report(time.Now()) // the time that it was due at would make round trips longer
	return true
}

// PairedAt returns when ICE first found a path; the zero time: it has not.
func (l *Leg) PairedAt() (at time.Time) {
	if first := l.pairedAt.Load(); first != nil {
		at = *first
	}
	return at
}

// HeardAt returns when the caller's first packet of audio came; the zero time: none has.
func (l *Leg) HeardAt() time.Time { return l.streams.FirstReceived() }

// start runs f in a goroutine that Close waits for, unless the leg is closed.
func (l *Leg) start(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.wg.Go(f)
	return true
}

func (l *Leg) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// Close ends the leg and waits until nothing of it runs. It must not be called
// from HandleRTP or from an event, nor under a lock that those take. The error is
// always nil: what can't be taken down in order is already gone.
func (l *Leg) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		l.wg.Wait()
		return nil
	}
	l.closed = true
	close(l.done)
	l.mu.Unlock()

	l.negotiating.Lock() // an offer under way has seen done and is on its way out
	defer l.negotiating.Unlock()
	if c := l.conn.Load(); c != nil {
		c.transport.Close()
	}
	l.wg.Wait()
	l.relay.forget(l)
	return nil
}
