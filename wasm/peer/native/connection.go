//go:build !js

package native

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/pion/webrtc/v4"

	"parley/shared/wire"
	"parley/wasm/peer"
)

// Connection is a connection of pion's with one Opus track each way and the
// ping channel. It implements peer.Connection.
type Connection struct {
	pc     *webrtc.PeerConnection
	pings  *webrtc.DataChannel
	events *webrtc.DataChannel // nil: there is none
	sender *webrtc.RTPSender
	stats  *statistics
	audio
	reading sync.WaitGroup

	mu   sync.Mutex
	told peer.ConnectionState
}

// Connect makes a connection that tells to l, as cfg's Heard, Engine and RelayOnly
// have it.
func Connect(servers []wire.ICEServer, cfg Config, l peer.Listener) (*Connection, error) {
	stats := &statistics{}
	api, err := newAPI(stats, cfg.Engine)
	if err != nil {
		return nil, fmt.Errorf("native: connect: %w", err)
	}
	policy := webrtc.ICETransportPolicyAll
	if cfg.RelayOnly {
		policy = webrtc.ICETransportPolicyRelay
	}
	pc, err := api.NewPeerConnection(webrtc.Configuration{ICEServers: iceServers(servers), ICETransportPolicy: policy})
	if err != nil {
		return nil, fmt.Errorf("native: connect: %w", err)
	}
	c := &Connection{pc: pc, stats: stats, audio: audio{heard: cfg.Heard}}
	pc.OnICECandidate(func(found *webrtc.ICECandidate) { candidate(found, l) })
	pc.OnICEConnectionStateChange(func(webrtc.ICEConnectionState) { c.tell(l) })
	pc.OnConnectionStateChange(func(webrtc.PeerConnectionState) { c.tell(l) })
	pc.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) { c.listen(t, r) })
	if err := errors.Join(c.addTrack(), c.openPings(l)); err != nil {
		return nil, errors.Join(fmt.Errorf("native: connect: %w", err), c.Close())
	}
	return c, nil
}

func iceServers(servers []wire.ICEServer) []webrtc.ICEServer {
	out := make([]webrtc.ICEServer, len(servers))
	for i, s := range servers {
		out[i] = webrtc.ICEServer{URLs: s.URLs, Username: s.Username}
		if s.Credential != "" {
			out[i].Credential = s.Credential
		}
	}
	return out
}

// candidate tells a candidate; nil is the end of them.
func candidate(c *webrtc.ICECandidate, l peer.Listener) {
	if c == nil {
		l.Candidate(wire.CandidateInit{})
		return
	}
	init := c.ToJSON()
	l.Candidate(wire.CandidateInit{
		Candidate: init.Candidate, SDPMid: init.SDPMid,
		SDPMLineIndex: init.SDPMLineIndex, UsernameFragment: init.UsernameFragment,
	})
}

// tell tells the state when it has changed. pion calls back from goroutines of
// its own, so telling is done under the lock that orders it.
func (c *Connection) tell(l peer.Listener) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.state(); s != c.told {
		c.told = s
		l.State(s)
	}
}

func (c *Connection) state() peer.ConnectionState {
	switch c.pc.ConnectionState() {
	case webrtc.PeerConnectionStateConnected:
		return peer.ConnectionConnected
	case webrtc.PeerConnectionStateDisconnected:
		return peer.ConnectionDisconnected
	case webrtc.PeerConnectionStateFailed:
		if c.sender != nil && c.sender.Transport().State() == webrtc.DTLSTransportStateFailed {
			return peer.ConnectionInsecure
		}
		return peer.ConnectionFailed
	}
	switch c.pc.ICEConnectionState() {
	case webrtc.ICEConnectionStateChecking:
		return peer.ConnectionChecking
	case webrtc.ICEConnectionStateConnected, webrtc.ICEConnectionStateCompleted:
		return peer.ConnectionSecuring
	}
	return peer.ConnectionNew
}

func (c *Connection) openPings(l peer.Listener) error {
	ordered, retransmits := false, uint16(0)
	pings, err := c.pc.CreateDataChannel(wire.PingChannel, &webrtc.DataChannelInit{
		Ordered: &ordered, MaxRetransmits: &retransmits,
	})
	if err != nil {
		return err
	}
	c.pings = pings
	pings.OnMessage(func(m webrtc.DataChannelMessage) {
		if m.IsString && len(m.Data) <= wire.MaxPing {
			l.Pong(string(m.Data))
		}
	})
	return nil
}

// openEvents opens the channel of agent events. It comes before the first offer.
func (c *Connection) openEvents(on func(text string)) error {
	events, err := c.pc.CreateDataChannel(wire.EventChannel, nil)
	if err != nil {
		return fmt.Errorf("native: events: %w", err)
	}
	events.OnMessage(func(m webrtc.DataChannelMessage) {
		if m.IsString {
			on(string(m.Data))
		}
	})
	c.events = events
	return nil
}

// SendEvent sends the agent one event.
func (c *Connection) SendEvent(text string) error {
	if c.events == nil || c.events.ReadyState() != webrtc.DataChannelStateOpen {
		return errors.New("native: the channel of events is not open")
	}
	return c.events.SendText(text)
}

// Offer implements peer.Negotiator. An offer that was never answered is taken
// back first: pion, unlike browsers, replaces none.
func (c *Connection) Offer(_ context.Context, restart bool) (string, error) {
	if c.pc.SignalingState() == webrtc.SignalingStateHaveLocalOffer {
		if err := c.pc.SetLocalDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeRollback}); err != nil {
			return "", fmt.Errorf("native: offer: %w", err)
		}
	}
	offer, err := c.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	if err != nil {
		return "", fmt.Errorf("native: offer: %w", err)
	}
	if err := c.pc.SetLocalDescription(offer); err != nil {
		return "", fmt.Errorf("native: offer: %w", err)
	}
	return offer.SDP, nil
}

// Answer implements peer.Negotiator.
func (c *Connection) Answer(_ context.Context, sdp string) error {
	answer := webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp}
	if err := c.pc.SetRemoteDescription(answer); err != nil {
		return fmt.Errorf("native: answer: %w", err)
	}
	c.findLevelExtension()
	return nil
}

// AddCandidate implements peer.Negotiator.
func (c *Connection) AddCandidate(_ context.Context, init wire.CandidateInit) error {
	err := c.pc.AddICECandidate(webrtc.ICECandidateInit{
		Candidate: init.Candidate, SDPMid: init.SDPMid,
		SDPMLineIndex: init.SDPMLineIndex, UsernameFragment: init.UsernameFragment,
	})
	if err != nil {
		return fmt.Errorf("native: candidate: %w", err)
	}
	return nil
}

// Ping implements peer.Connection.
func (c *Connection) Ping(text string) error {
	if c.pings.ReadyState() != webrtc.DataChannelStateOpen {
		return errors.New("native: the ping channel is not open")
	}
	return c.pings.SendText(text)
}

// Close implements peer.Connection. It waits for all that the connection
// started.
func (c *Connection) Close() error {
	err := c.pc.GracefulClose()
	c.reading.Wait()
	return err
}
