package relay_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"parley/server/relay"
	"parley/shared/rtcstats"
)

// patience bounds every wait for a condition.
const patience = 20 * time.Second

// eventually waits until ok holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// A spoken packet is 20 ms of Opus and its RFC 6464 level.
type spokenPacket struct {
	level uint8
	opus  []byte
}

// speech reads a sentence: half a second of room noise, 2.7 s of speech by
// espeak-ng, 1.5 s of noise; libopus at 32 kbit/s. Each packet is its level,
// its length (16 bit) and its bytes.
func speech(t testing.TB) []spokenPacket {
	t.Helper()
	raw, err := os.ReadFile("../agent/double/speech.packets")
	if err != nil {
		t.Fatal(err)
	}
	var all []spokenPacket
	for len(raw) > 0 {
		n := int(binary.BigEndian.Uint16(raw[1:]))
		all = append(all, spokenPacket{raw[0], raw[3 : 3+n]})
		raw = raw[3+n:]
	}
	return all
}

// caller is a real peer: pion over real sockets.
type caller struct {
	t      testing.TB
	pc     *webrtc.PeerConnection
	out    *webrtc.TrackLocalStaticRTP
	leg    *relay.Leg
	events *log  // of the leg, if reflected made it
	level  uint8 // header extension id; 0 sends none

	onReport func(rtcp.Packet) // set before the call
	trickle  bool
	gathered chan struct{}

	mu       sync.Mutex
	heard    []*rtp.Packet
	trickled []webrtc.ICECandidateInit

	seq   uint16
	stamp uint32
}

type callerConfig struct {
	tcpOnly  bool
	noLevels bool
	trickle  bool
	settings func(*webrtc.SettingEngine)
}

// newCaller makes a peer that only uses loopback.
func newCaller(t testing.TB, cfg callerConfig) *caller {
	t.Helper()
	m := &webrtc.MediaEngine{}
	if err := m.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	if !cfg.noLevels {
		if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: sdp.AudioLevelURI}, webrtc.RTPCodecTypeAudio); err != nil {
			t.Fatal(err)
		}
	}
	reg := &interceptor.Registry{}
	if err := webrtc.ConfigureRTCPReports(reg); err != nil {
		t.Fatal(err)
	}
	se := webrtc.SettingEngine{LoggerFactory: quiet{}}
	se.SetIncludeLoopbackCandidate(true)
	se.SetIPFilter(net.IP.IsLoopback)
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	se.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	if cfg.tcpOnly {
		se.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
	}
	if cfg.settings != nil {
		cfg.settings(&se)
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(se), webrtc.WithInterceptorRegistry(reg)).
		NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	c := &caller{t: t, pc: pc, seq: 65500, gathered: make(chan struct{})} // wraps within the first second
	t.Cleanup(func() { pc.GracefulClose() })
	c.out, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "mic", "mic")
	if err != nil {
		t.Fatal(err)
	}
	sender, err := pc.AddTrack(c.out)
	if err != nil {
		t.Fatal(err)
	}
	go c.reports(sender)
	pc.OnTrack(c.listen)
	if c.trickle = cfg.trickle; c.trickle {
		pc.OnICECandidate(c.found)
	}
	return c
}

// reports reads what the relay says of the caller's stream.
func (c *caller) reports(s *webrtc.RTPSender) {
	for {
		all, _, err := s.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range all {
			if c.onReport != nil {
				c.onReport(p)
			}
		}
	}
}

func (c *caller) listen(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		c.mu.Lock()
		c.heard = append(c.heard, p)
		c.mu.Unlock()
	}
}

func (c *caller) packets() []*rtp.Packet {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*rtp.Packet(nil), c.heard...)
}

// hears waits for n packets and returns what came.
func (c *caller) hears(n int) []*rtp.Packet {
	c.t.Helper()
	eventually(c.t, fmt.Sprintf("%d packets come", n), func() bool { return len(c.packets()) >= n })
	return c.packets()
}

func (c *caller) found(i *webrtc.ICECandidate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i == nil {
		close(c.gathered)
		return
	}
	c.trickled = append(c.trickled, i.ToJSON())
}

// trickles are the caller's candidates, if they are not in the offer.
func (c *caller) trickles() []webrtc.ICECandidateInit {
	if !c.trickle {
		return nil
	}
	<-c.gathered
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.trickled)
}

// leave is a caller's machine that is switched off, or nearly: pion says
// goodbye on the way.
func (c *caller) leave() {
	if err := c.pc.GracefulClose(); err != nil {
		c.t.Errorf("leave: %v", err)
	}
}

// offer makes an offer; with all candidates inside unless they are trickled.
func (c *caller) offer(restart bool) string {
	c.t.Helper()
	o, err := c.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	if err != nil {
		c.t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(o); err != nil {
		c.t.Fatal(err)
	}
	if c.trickle {
		return o.SDP
	}
	<-gathered
	return c.pc.LocalDescription().SDP
}

func (c *caller) call(l *relay.Leg) {
	c.t.Helper()
	c.negotiate(l, false)
	c.connected()
}

func (c *caller) negotiate(l *relay.Leg, restart bool) {
	c.t.Helper()
	c.leg = l
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := l.Offer(ctx, c.offer(restart))
	if err != nil {
		c.t.Fatalf("offer: %v", err)
	}
	c.accept(answer)
	for _, i := range c.trickles() {
		if err := l.AddCandidate(i); err != nil {
			c.t.Errorf("candidate %v: %v", i, err)
		}
	}
}

func (c *caller) accept(answer string) {
	c.t.Helper()
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		c.t.Fatalf("answer: %v\n%s", err, answer)
	}
	for _, line := range strings.Split(answer, "\r\n") {
		if id, ok := strings.CutSuffix(line, " "+sdp.AudioLevelURI); ok {
			c.level = id[len("a=extmap:")] - '0'
		}
	}
}

func (c *caller) connected() {
	c.t.Helper()
	eventually(c.t, "the caller connects", func() bool {
		return c.pc.ConnectionState() == webrtc.PeerConnectionStateConnected
	})
}

// say sends packets 20 ms apart, as a microphone does. skip leaves sequence
// numbers out, as loss on the way does.
func (c *caller) say(all []spokenPacket, skip ...int) {
	c.t.Helper()
	each := time.NewTicker(20 * time.Millisecond)
	defer each.Stop()
	for i, s := range all {
		lost := false
		for _, n := range skip {
			lost = lost || n == i
		}
		c.send(s, lost)
		<-each.C
	}
}

func (c *caller) send(s spokenPacket, lost bool) {
	p := &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: c.seq, Timestamp: c.stamp}, Payload: s.opus}
	c.seq++
	c.stamp += 960
	if lost {
		return
	}
	if c.level != 0 {
		ext, _ := rtp.AudioLevelExtension{Level: s.level}.Marshal()
		if err := p.SetExtension(c.level, ext); err != nil {
			c.t.Error(err)
		}
	}
	if err := c.out.WriteRTP(p); err != nil {
		c.t.Error(err)
	}
}

// log keeps what a leg tells.
type log struct {
	mu       sync.Mutex
	states   []rtcstats.ConnectionState
	samples  []rtcstats.Sample
	restarts int
}

func (l *log) restarted() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.restarts
}

func (l *log) ICERestarted() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.restarts++
}

func (l *log) ConnectionState(s rtcstats.ConnectionState, _ time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.states = append(l.states, s)
}

func (l *log) Sampled(s rtcstats.Sample) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.samples = append(l.samples, s)
}

func (l *log) last() (rtcstats.ConnectionState, rtcstats.Sample) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var state rtcstats.ConnectionState
	var sample rtcstats.Sample
	if n := len(l.states); n > 0 {
		state = l.states[n-1]
	}
	if n := len(l.samples); n > 0 {
		sample = l.samples[n-1]
	}
	return state, sample
}

func (l *log) told() []rtcstats.ConnectionState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.states)
}

// ufrag is the ICE user name of a description.
func ufrag(sdp string) string {
	_, rest, _ := strings.Cut(sdp, "a=ice-ufrag:")
	name, _, _ := strings.Cut(rest, "\r\n")
	return name
}

// listen opens a relay on loopback.
func listen(t testing.TB) *relay.Relay {
	t.Helper()
	r, err := relay.Listen(relay.Config{Addr: "127.0.0.1:0", AllowPrivate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return r
}
