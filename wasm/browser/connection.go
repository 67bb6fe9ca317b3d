//go:build js

package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"syscall/js"

	"github.com/pion/webrtc/v4"

	"parley/shared/rtcstats"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// Connection is a browser's RTCPeerConnection with the microphone's track, the
// agent's and the ping channel. It implements peer.Connection.
type Connection struct {
	pc        *webrtc.PeerConnection
	pings     *webrtc.DataChannel
	events    *webrtc.DataChannel // nil: there is none
	mic       *Microphone         // that is sent
	sender    js.Value            // of its track (W3C RTCRtpSender)
	listeners cleanups

	// open ends with Close, and with it all that waits: the promises of a closed
	// RTCPeerConnection never settle.
	open context.Context
	end  context.CancelCauseFunc
}

var errClosed = errors.New("browser: the connection is closed")

// Connect makes a connection that sends mic and tells to l; the agent's stream
// goes to sound.
func Connect(servers []wire.ICEServer, mic *Microphone, sound *Sound, l peer.Listener) (_ *Connection, err error) {
	defer recoverJSError(&err)
	// One transport for all, said at once: else Firefox gathers for each of four.
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{
		ICEServers:    iceServers(servers),
		BundlePolicy:  webrtc.BundlePolicyMaxBundle,
		RTCPMuxPolicy: webrtc.RTCPMuxPolicyRequire,
	})
	if err != nil {
		return nil, fmt.Errorf("browser: new connection: %w", err)
	}
	c := &Connection{pc: pc, mic: mic}
	c.open, c.end = context.WithCancelCause(context.Background())
	// pion's own callbacks lose parts of a candidate and may come out of order,
	// and it has none for tracks: those of the browser are used side by side.
	c.listen(pc.JSValue(), "icecandidate", func(ev js.Value) { tellCandidate(ev, l) })
	c.listen(pc.JSValue(), "track", func(ev js.Value) { sound.play(streamOf(ev)) })
	tell := c.stateReporter(l)
	for _, event := range []string{"connectionstatechange", "iceconnectionstatechange"} {
		c.listen(pc.JSValue(), event, func(js.Value) { tell() })
	}
	c.sender = pc.JSValue().Call("addTrack", mic.track, mic.stream)
	if err := c.openPings(l); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Connection) listen(target js.Value, event string, f func(js.Value)) {
	c.listeners.add(listen(target, event, f))
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

// tellCandidate tells a candidate as the browser gives it. Null is the end of
// gathering and says nothing that the empty candidate hasn't.
func tellCandidate(ev js.Value, l peer.Listener) {
	c := ev.Get("candidate")
	if !isPresent(c) {
		return
	}
	var init wire.CandidateInit
	if json.Unmarshal([]byte(js.Global().Get("JSON").Call("stringify", c).String()), &init) == nil {
		l.Candidate(init)
	}
}

func streamOf(ev js.Value) js.Value {
	if streams := ev.Get("streams"); streams.Length() > 0 {
		return streams.Index(0)
	}
	return js.Global().Get("MediaStream").New([]any{ev.Get("track")})
}

// stateReporter tells the connection's state when it has changed.
func (c *Connection) stateReporter(l peer.Listener) func() {
	last := peer.ConnectionNew
	return func() {
		if s := c.state(); s != last {
			last = s
			l.State(s)
		}
	}
}

func (c *Connection) state() peer.ConnectionState {
	ice := c.pc.ICEConnectionState()
	path := ice == webrtc.ICEConnectionStateConnected || ice == webrtc.ICEConnectionStateCompleted
	switch c.pc.ConnectionState() {
	case webrtc.PeerConnectionStateConnected:
		return peer.ConnectionConnected
	case webrtc.PeerConnectionStateDisconnected:
		return peer.ConnectionDisconnected
	case webrtc.PeerConnectionStateFailed:
		if path && c.hasDTLSFailed() {
			return peer.ConnectionInsecure
		}
		return peer.ConnectionFailed
	}
	switch {
	case path:
		return peer.ConnectionSecuring
	case ice == webrtc.ICEConnectionStateChecking:
		return peer.ConnectionChecking
	}
	return peer.ConnectionNew
}

// hasDTLSFailed means something while there is a path only: Firefox says so of a
// connection that never found one, too.
func (c *Connection) hasDTLSFailed() bool {
	senders := c.pc.JSValue().Call("getSenders")
	for i := range senders.Length() {
		if t := senders.Index(i).Get("transport"); isPresent(t) && stringOrEmpty(t.Get("state")) == "failed" {
			return true
		}
	}
	return false
}

func (c *Connection) openPings(l peer.Listener) error {
	ordered, retransmits := false, uint16(0)
	pings, err := c.pc.CreateDataChannel(wire.PingChannel, &webrtc.DataChannelInit{
		Ordered: &ordered, MaxRetransmits: &retransmits,
	})
	if err != nil {
		return fmt.Errorf("browser: data channel: %w", err)
	}
	c.pings = pings
	c.listen(pings.JSValue(), "message", func(ev js.Value) {
		if pong := stringOrEmpty(ev.Get("data")); pong != "" && len(pong) <= wire.MaxPing {
			l.Pong(pong)
		}
	})
	return nil
}

// OpenEvents opens the channel of agent events, and tells to l what comes on it. It
// comes before the first offer.
func (c *Connection) OpenEvents(l peer.Listener) (err error) {
	defer recoverJSError(&err)
	events, err := c.pc.CreateDataChannel(wire.EventChannel, nil)
	if err != nil {
		return fmt.Errorf("browser: data channel: %w", err)
	}
	c.events = events
	c.listen(events.JSValue(), "message", func(ev js.Value) {
		if text := stringOrEmpty(ev.Get("data")); text != "" {
			l.AgentEvent(text)
		}
	})
	return nil
}

// Offer implements peer.Negotiator.
func (c *Connection) Offer(ctx context.Context, restart bool) (_ string, err error) {
	defer recoverJSError(&err)
	offer, err := c.await(ctx, "createOffer", map[string]any{"iceRestart": restart})
	if err != nil {
		return "", fmt.Errorf("browser: offer: %w", err)
	}
	if _, err := c.await(ctx, "setLocalDescription", offer); err != nil {
		return "", fmt.Errorf("browser: offer: %w", err)
	}
	return stringOrEmpty(offer.Get("sdp")), nil
}

// await calls a method and waits for its promise until ctx ends or the
// connection is closed.
func (c *Connection) await(ctx context.Context, method string, args ...any) (_ js.Value, err error) {
	defer recoverJSError(&err)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.open, func() { cancel(errClosed) })()
	return await(ctx, c.pc.JSValue().Call(method, args...))
}

// Answer implements peer.Negotiator.
func (c *Connection) Answer(ctx context.Context, sdp string) error {
	answer := map[string]any{"type": "answer", "sdp": sdp}
	if _, err := c.await(ctx, "setRemoteDescription", answer); err != nil {
		return fmt.Errorf("browser: answer: %w", err)
	}
	return nil
}

// AddCandidate implements peer.Negotiator.
func (c *Connection) AddCandidate(ctx context.Context, init wire.CandidateInit) (err error) {
	defer recoverJSError(&err)
	candidate, err := json.Marshal(init)
	if err != nil {
		return fmt.Errorf("browser: candidate: %w", err)
	}
	parsed := js.Global().Get("JSON").Call("parse", string(candidate))
	if _, err := c.await(ctx, "addIceCandidate", parsed); err != nil {
		return fmt.Errorf("browser: candidate: %w", err)
	}
	return nil
}

// Sample implements peer.Connection.
func (c *Connection) Sample(ctx context.Context) (_ rtcstats.Sample, err error) {
	defer recoverJSError(&err)
	report, err := c.await(ctx, "getStats")
	if err != nil {
		return rtcstats.Sample{}, fmt.Errorf("browser: stats: %w", err)
	}
	all := js.Global().Get("Array").Call("from", report.Call("values"))
	return rtcstats.FromReports([]byte(js.Global().Get("JSON").Call("stringify", all).String()))
}

// Ping implements peer.Connection.
func (c *Connection) Ping(ping string) (err error) {
	defer recoverJSError(&err)
	if c.pings.ReadyState() != webrtc.DataChannelStateOpen {
		return errors.New("browser: the ping channel is not open")
	}
	return c.pings.SendText(ping)
}

// Mute implements peer.Connection. Only what is sent falls silent: the level
// meter goes on, so that a page can tell who speaks while muted.
func (c *Connection) Mute(on bool) { c.mic.track.Set("enabled", !on) }

// UseMicrophone sends another microphone in place of the one before: nothing is
// negotiated for it (W3C replaceTrack), and it is as muted. Both stay their owner's.
func (c *Connection) UseMicrophone(ctx context.Context, mic *Microphone) (err error) {
	defer recoverJSError(&err)
	mic.track.Set("enabled", c.mic.track.Get("enabled"))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.open, func() { cancel(errClosed) })()
	if _, err := await(ctx, c.sender.Call("replaceTrack", mic.track)); err != nil {
		return fmt.Errorf("browser: another microphone: %w", err)
	}
	mic.track.Set("enabled", c.mic.track.Get("enabled")) // muted in the meantime
	c.mic = mic
	return nil
}

// Close implements peer.Connection. All that waits gives up. The microphone
// stays open: it is its owner's.
func (c *Connection) Close() (err error) {
	defer recoverJSError(&err)
	c.end(errClosed)
	c.listeners.runAll()
	c.mic.track.Set("enabled", true)
	for _, channel := range []*webrtc.DataChannel{c.pings, c.events} {
		if channel != nil {
			err = errors.Join(err, channel.Close())
		}
	}
	return errors.Join(err, c.pc.Close())
}
