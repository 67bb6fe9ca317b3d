package double

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/ice/v4"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"parley/server/leg/peerconn"
	"parley/shared/wire"
)

const (
	// maxMessage is what the known services let a message be.
	maxMessage = 16 << 20
	// gatherTimeout bounds the answer: nobody is asked for an address.
	gatherTimeout = 5 * time.Second
	// setupTimeout ends a call that nobody connects to.
	setupTimeout = 30 * time.Second
	// maxQueued bounds what waits for a call's goroutine.
	maxQueued = 256
)

// Call is one call. What tests ask of it may be asked at any time.
type Call struct {
	ID      string
	Request *http.Request // that asked for it; its body is read

	server *Server
	faults Faults
	ctx    context.Context
	end    context.CancelFunc
	done   chan struct{}

	pc    *webrtc.PeerConnection
	line  *line
	voice *talkspurts
	dc    atomic.Pointer[webrtc.DataChannel]

	opened   chan struct{} // the channel of events is open
	messages chan []byte
	frames   chan bool // of the caller's: is it speech?

	wasHungUp      atomic.Bool
	heard, voiced  atomic.Int64
	mu             sync.Mutex
	session        map[string]any
	received, sent []string // types of the events
	answers        []Answer
	sidebands      map[*websocket.Conn]struct{}

	turns // run's alone
}

// answer makes a call of an offer, and the answer to it.
func (s *Server) answer(offer string, session map[string]any, f Faults) (c *Call, answer string, err error) {
	c = &Call{
		ID: "rtc_" + strings.ToLower(rand.Text()), server: s, faults: f, done: make(chan struct{}), session: newSession(session),
		opened: make(chan struct{}, 1), messages: make(chan []byte, maxQueued), frames: make(chan bool, maxQueued),
	}
	if f.IsTracing {
		c.session["tracing"] = "auto"
	}
	c.ctx, c.end = context.WithCancel(context.Background())
	if err = c.connect(offer); err != nil {
		c.close()
		return nil, "", err
	}
	return c, c.pc.LocalDescription().SDP, nil
}

func (c *Call) connect(offer string) (err error) {
	if c.line, err = newLine(c.server.cfg.Path); err != nil {
		return err
	}
	settings := webrtc.SettingEngine{LoggerFactory: peerconn.Mute{}}
	settings.SetICEUDPMux(ice.NewUDPMuxDefault(ice.UDPMuxParams{Logger: peerconn.Mute{}, UDPConn: c.line}))
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	settings.SetSCTPMaxMessageSize(maxMessage)
	api := webrtc.NewAPI(webrtc.WithMediaEngine(c.server.media), webrtc.WithSettingEngine(settings), webrtc.WithInterceptorRegistry(reports()))
	if c.pc, err = api.NewPeerConnection(webrtc.Configuration{}); err != nil {
		return err
	}
	if c.voice, err = newTalkspurts(); err != nil {
		return err
	}
	sender, err := c.pc.AddTrack(c.voice.track)
	if err != nil {
		return err
	}
	c.server.running.Go(func() { drain(sender.ReadRTCP) })
	c.pc.OnTrack(c.listen)
	c.pc.OnDataChannel(c.channel)
	c.pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateFailed || state == webrtc.PeerConnectionStateClosed {
			c.end()
		}
	})
	return c.negotiate(offer)
}

func (c *Call) negotiate(offer string) error {
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return err
	}
	answer, err := c.pc.CreateAnswer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(answer); err != nil {
		return err
	}
	select {
	case <-gathered:
		return nil
	case <-time.After(gatherTimeout):
		return fmt.Errorf("no candidates within %s", gatherTimeout)
	}
}

// drain reads until there is no more: interceptors live on what is read.
func drain[P, A any](read func() (P, A, error)) {
	for {
		if _, _, err := read(); err != nil {
			return
		}
	}
}

// listen hears the caller.
func (c *Call) listen(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	c.server.running.Go(func() { drain(receiver.ReadRTCP) })
	id := levelID(receiver)
	c.server.running.Go(func() {
		for {
			p, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			c.hear(p, id)
		}
	})
}

// levelID is the header extension that carries RFC 6464 levels; 0: none does.
func levelID(receiver *webrtc.RTPReceiver) uint8 {
	for _, e := range receiver.GetParameters().HeaderExtensions {
		if e.URI == sdp.AudioLevelURI {
			return uint8(e.ID)
		}
	}
	return 0
}

const (
	// loud is the level in −dBov from which audio is speech: a room is about 60.
	loud = 45
	// large is, where no level tells, the size in bytes from which a packet is one of
	// speech: a service that is made for tests is spoken to as its tests like.
	large = 40
)

// hear takes a packet of the caller's.
func (c *Call) hear(p *rtp.Packet, id uint8) {
	if c.server.cfg.IsEcho {
		c.heard.Add(1)
		c.voice.echo(p)
		return
	}
	isVoice := len(p.Payload) >= large
	var level rtp.AudioLevelExtension
	if raw := p.GetExtension(id); id != 0 && raw != nil && level.Unmarshal(raw) == nil {
		isVoice = level.Level <= loud
	}
	c.heard.Add(1)
	if isVoice {
		c.voiced.Add(1)
	}
	select {
	case c.frames <- isVoice:
	default: // a flood; it is judged by what is left of it
	}
}

func (c *Call) channel(dc *webrtc.DataChannel) {
	if dc.Label() != wire.EventChannel {
		return
	}
	dc.OnMessage(func(m webrtc.DataChannelMessage) {
		select {
		case c.messages <- slices.Clone(m.Data):
		case <-c.ctx.Done():
		}
	})
	dc.OnOpen(func() {
		c.dc.Store(dc)
		select {
		case c.opened <- struct{}{}:
		default:
		}
	})
}

// send sends an event.
func (c *Call) send(kind string, fields map[string]any) {
	if c.faults.IsMute {
		return
	}
	event := map[string]any{"type": kind, "event_id": "event_" + strings.ToLower(rand.Text()[:20])}
	for name, value := range fields {
		event[name] = value
	}
	text, err := json.Marshal(event)
	c.tellSidebands(text)
	dc := c.dc.Load()
	if err != nil || dc == nil || dc.SendText(string(text)) != nil {
		return // as a service does whose caller is going
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, kind)
}

// Session is the session as it is now.
func (c *Call) Session() map[string]any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return merge(map[string]any{}, c.session)
}

// Received are the types of the events that the caller sent.
func (c *Call) Received() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.received)
}

// Sent are the types of the events that the caller was sent.
func (c *Call) Sent() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.sent)
}

// Answer is when an answer was spoken, and to what.
type Answer struct {
	EndOfSpeech time.Time // the caller's newest packet of speech before it
	FirstAudio  time.Time // its own first packet
}

// Answers are those that were spoken.
func (c *Call) Answers() []Answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.answers)
}

// Heard is how many packets came of the caller, and how many of them were speech.
func (c *Call) Heard() (packets, voiced int64) { return c.heard.Load(), c.voiced.Load() }

// WasHungUp reports whether a hang-up was asked for as the dialect has it.
func (c *Call) WasHungUp() bool { return c.wasHungUp.Load() }

// IsOver reports whether nothing of the call is left.
func (c *Call) IsOver() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func (c *Call) close() {
	if c.pc != nil {
		_ = c.pc.GracefulClose() // its only error is that of a connection already gone
	}
	if c.line != nil {
		c.line.Close()
	}
	c.end()
	c.CloseSidebands()
	close(c.done)
}

// line is the call's own UDP socket. Once it is cut, nothing passes anymore, though
// neither end was told.
type line struct {
	net.PacketConn
	isCut atomic.Bool
}

func newLine(path func(net.PacketConn) net.PacketConn) (*line, error) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err == nil && path != nil {
		conn = path(conn)
	}
	return &line{PacketConn: conn}, err
}

func (l *line) ReadFrom(p []byte) (n int, from net.Addr, err error) {
	for {
		n, from, err = l.PacketConn.ReadFrom(p)
		if err != nil || !l.isCut.Load() {
			return n, from, err
		}
	}
}

func (l *line) WriteTo(p []byte, to net.Addr) (int, error) {
	if l.isCut.Load() {
		return len(p), nil
	}
	return l.PacketConn.WriteTo(p, to)
}
