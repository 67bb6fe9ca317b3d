package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/transport/v4/packetio"
	"github.com/pion/webrtc/v4"

	"parley/server/leg"
	"parley/server/leg/peerconn"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// Bounds of one leg.
const (
	// maxStreams bounds the SSRCs a caller may use: one for audio, and the
	// reports about it and about the agent's, with room for restarts.
	maxStreams = 32
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

// Leg is the caller's side of a call: a PeerConnection at a time from the first
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
	fingerprint string // of the caller's certificate
	ufrag       string // of the offer before
	isRunning   bool   // run was started

	pc atomic.Pointer[webrtc.PeerConnection] // written under negotiating; nil: there is none

	mu     sync.Mutex // guards closed against wg
	closed bool
	wg     sync.WaitGroup
	done   chan struct{}

	telling      sync.Mutex // events, in order
	state        rtcstats.ConnectionState
	wasConnected bool // on the connection there is

	hungUp   atomic.Bool // the server closes the connection: its end is no goodbye of the caller's
	ssrcs    atomic.Int32
	channels atomic.Int32
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
	first := l.pc.Load() == nil
	if first {
		if err := l.connectLocked(); err != nil {
			return "", err
		}
	}
	answer, err := l.negotiateLocked(ctx, offer)
	if err != nil {
		if first {
			l.disconnectLocked()
		}
		return "", err
	}
	if !first && offer.ufrag != l.ufrag {
		l.on.ICERestarted()
	}
	l.candidates, l.fingerprint, l.ufrag = offer.candidates, offer.fingerprint, offer.ufrag
	if !l.isRunning {
		l.isRunning = l.start(l.run)
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
// there is: it is another peer's, or the peer has closed this one. negotiating must be
// held.
func (l *Leg) needsConnectionLocked(offer takenOffer) bool {
	pc := l.pc.Load()
	return pc != nil && (offer.fingerprint != l.fingerprint || pc.ConnectionState() == webrtc.PeerConnectionStateClosed)
}

// connectLocked makes the connection. negotiating must be held.
func (l *Leg) connectLocked() error {
	pc, err := l.relay.connection(l)
	if err != nil {
		return fmt.Errorf("relay: make a connection: %w", err)
	}
	if _, err := pc.AddTrack(peerconn.Track{Streams: l.streams, Name: "agent", Stream: "parley"}); err != nil {
		pc.Close()
		return fmt.Errorf("relay: add the agent's track: %w", err)
	}
	pc.OnConnectionStateChange(func(webrtc.PeerConnectionState) { l.stateChanged(pc) })
	pc.OnDataChannel(l.channel)
	pc.SCTP().Transport().ICETransport().OnSelectedCandidatePairChange(l.paired)
	l.ssrcs.Store(0)
	l.channels.Store(0)
	l.pc.Store(pc)
	return nil
}

// disconnectLocked closes the connection, so that the next offer begins anew. Until
// that connects, the leg is disconnected. negotiating must be held.
func (l *Leg) disconnectLocked() {
	pc := l.pc.Swap(nil)
	_ = pc.GracefulClose() // its only error is that of a connection already gone
	l.pair.Store(nil)
	l.messages.Reset()
	l.telling.Lock()
	defer l.telling.Unlock()
	l.wasConnected = false
	if l.state != "" {
		l.tellLocked(rtcstats.StateDisconnected, time.Now())
	}
}

// negotiateLocked answers an offer on the connection. negotiating must be held.
func (l *Leg) negotiateLocked(ctx context.Context, offer takenOffer) (string, error) {
	pc := l.pc.Load()
	remote := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer.sdp}
	if err := pc.SetRemoteDescription(remote); err != nil {
		return "", errUnanswerable
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", errUnanswerable
	}
	ips, err := l.relay.port.advertised()
	if err != nil {
		return "", fmt.Errorf("relay: %w", err)
	}
	told, mapping, err := writeAnswer(answer.SDP, offer.sections, ips, l.relay.port.port)
	if err != nil {
		return "", err
	}
	l.streams.Agree(mapping)
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(answer); err != nil {
		return "", errUnanswerable
	}
	select { // nothing is asked of anyone; it only has to be ready for the first check
	case <-gathered:
		return told, nil
	case <-l.done:
		return "", ErrClosed
	case <-ctx.Done():
		return "", fmt.Errorf("relay: gather candidates: %w", ctx.Err())
	}
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
	case l.pc.Load() == nil:
		return ErrNoOffer
	case c.Candidate == "":
		return nil // the answer waits for none
	}
	known, err := candidate(c.Candidate, l.relay.cfg.AllowPrivate)
	if err != nil || known == "" || l.candidates >= wire.MaxCandidates {
		return err
	}
	l.candidates++
	if err := l.pc.Load().AddICECandidate(webrtc.ICECandidateInit{Candidate: known}); err != nil {
		return fmt.Errorf("%w: %w", ErrCandidate, err)
	}
	return nil
}

// stateChanged passes on what became of the connection. Pion calls it from a new
// goroutine each time, in any order, so the state is read anew.
func (l *Leg) stateChanged(pc *webrtc.PeerConnection) {
	l.telling.Lock()
	defer l.telling.Unlock()
	if l.pc.Load() != pc {
		return // the caller has another one by now
	}
	switch pc.ConnectionState() {
	case webrtc.PeerConnectionStateConnected:
		l.wasConnected = true
		l.tellLocked(rtcstats.StateConnected, time.Now())
	case webrtc.PeerConnectionStateDisconnected:
		l.tellLocked(rtcstats.StateDisconnected, heardAt(pc, time.Now()))
	case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
		l.tellGoneLocked(pc)
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

// run samples and reports until the leg is closed.
func (l *Leg) run() {
	each := time.NewTicker(sampleInterval)
	defer each.Stop()
	for {
		select {
		case <-each.C:
			l.report(time.Now()) // a late tick's own time would make round trips longer
		case <-l.done:
			return
		}
	}
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

// stream takes the packets of one of the caller's SSRCs.
func (l *Leg) stream(kind packetio.BufferPacketType, ssrc uint32) io.ReadWriteCloser {
	if l.ssrcs.Add(1) == maxStreams+1 {
		l.hangUp("too many streams")
	}
	return peerconn.Receive(kind, ssrc, l.streams, l.to)
}

// hangUp ends a connection that does what no caller's browser does.
func (l *Leg) hangUp(why string) {
	pc := l.pc.Load()
	l.hungUp.Store(true)
	if pc != nil && l.start(func() { pc.Close() }) {
		l.relay.log.Warn("hung up on a caller", "session", l.id, "event", "hang_up", "cause", why)
	}
}

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
	if pc := l.pc.Load(); pc != nil {
		_ = pc.GracefulClose()
	}
	l.wg.Wait()
	l.relay.forget(l)
	return nil
}
