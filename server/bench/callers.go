package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

const (
	frame       = 20 * time.Millisecond
	payloadSize = 80 // bytes: 32 kbit/s
	// atOnce is how many calls are being set up at a time: enough to keep the
	// server's core busy.
	atOnce = 8
)

// callersQuestion asks the callers' process: "prepare" N callers, "call" (all
// of them, which is timed), "talk", "talked" (what came back so far, and how late what
// came since the question before), "hangup".
type callersQuestion struct {
	What string
	N    int
}

// Talk is what came back while all talked, and how long after it was sent.
type Talk struct {
	Sent, Heard int64
	P50, P99    time.Duration
}

// callerGroup is all callers of one process.
type callerGroup struct {
	server   string
	anywhere bool // at the machine's own addresses, too
	cert     webrtc.Certificate
	all      []*caller
	talk     context.CancelFunc
	wg       sync.WaitGroup
	sent     atomic.Int64
	heard    atomic.Int64
	begun    time.Time // what the packets' stamps count from

	mu     sync.Mutex
	delays []time.Duration // of what came since they were asked for
}

// caller is one call's other end.
type caller struct {
	callerGroup *callerGroup
	pc          *webrtc.PeerConnection
	out         *webrtc.TrackLocalStaticRTP
	offer       string
	up          chan struct{}
}

func callers(ctx context.Context, o options, in io.Reader, out io.Writer) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	cert, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return err
	}
	c := &callerGroup{server: o.server, anywhere: o.anywhere, cert: *cert, begun: time.Now()}
	defer c.hangUp()
	return answerQuestions(in, out, func(q callersQuestion) (any, error) {
		switch q.What {
		case "prepare":
			return nil, c.prepare(q.N)
		case "call":
			begin := time.Now()
			err := c.call(ctx)
			return time.Since(begin), err
		case "talk":
			c.talkAll(ctx)
			return nil, nil
		case "talked":
			return c.talked(), nil
		case "hangup":
			c.hangUp()
			return nil, nil
		}
		return nil, fmt.Errorf("what is %q?", q.What)
	})
}

// prepare makes callers up to their offer, so that setting up costs them as
// little as can be while the server is timed.
func (c *callerGroup) prepare(n int) error {
	for range n {
		one, err := c.newCaller()
		if err != nil {
			return err
		}
		c.all = append(c.all, one)
	}
	return nil
}

func (c *callerGroup) newCaller() (*caller, error) {
	var m webrtc.MediaEngine
	opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1"}
	if err := m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: opus, PayloadType: 111}, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: sdp.AudioLevelURI}, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	var se webrtc.SettingEngine
	se.SetIncludeLoopbackCandidate(true)
	se.SetIPFilter(func(ip net.IP) bool { return c.anywhere || ip.IsLoopback() })
	se.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	api := webrtc.NewAPI(webrtc.WithMediaEngine(&m), webrtc.WithSettingEngine(se), webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	pc, err := api.NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{c.cert}})
	if err != nil {
		return nil, err
	}
	one := &caller{callerGroup: c, pc: pc, up: make(chan struct{})}
	if one.out, err = webrtc.NewTrackLocalStaticRTP(opus, "mic", "mic"); err != nil {
		return nil, err
	}
	if _, err := pc.AddTrack(one.out); err != nil {
		return nil, err
	}
	if _, err := pc.CreateDataChannel("parley", nil); err != nil {
		return nil, err
	}
	pc.OnTrack(one.listen)
	isUp := sync.OnceFunc(func() { close(one.up) }) // a connection may be lost, and come back
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			isUp()
		}
	})
	return one, one.makeOffer()
}

func (one *caller) makeOffer() error {
	o, err := one.pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(one.pc)
	if err := one.pc.SetLocalDescription(o); err != nil {
		return err
	}
	<-gathered
	one.offer = one.pc.LocalDescription().SDP
	return nil
}

func (one *caller) listen(in *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	for b := make([]byte, 1500); ; {
		n, _, err := in.Read(b)
		if err != nil {
			return
		}
		one.callerGroup.takeBack(b[:n])
	}
}

// stampAt is where in a payload the time is at which it was sent.
const stampAt = 1

// takeBack takes a packet that came back.
func (c *callerGroup) takeBack(packet []byte) {
	c.heard.Add(1)
	var h rtp.Header
	n, err := h.Unmarshal(packet)
	if err != nil || len(packet) < n+stampAt+8 {
		return
	}
	sent := time.Duration(binary.BigEndian.Uint64(packet[n+stampAt:]))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delays = append(c.delays, time.Since(c.begun)-sent)
}

// talked tells what came back, and has the delays begin anew.
func (c *callerGroup) talked() Talk {
	c.mu.Lock()
	delays := c.delays
	c.delays = nil
	c.mu.Unlock()
	t := Talk{Sent: c.sent.Load(), Heard: c.heard.Load()}
	if n := len(delays); n > 0 {
		slices.Sort(delays)
		t.P50, t.P99 = delays[n/2], delays[n*99/100]
	}
	return t
}

// call connects all callers, atOnce at a time.
func (c *callerGroup) call(ctx context.Context) error {
	next := make(chan *caller)
	var wg sync.WaitGroup
	errs := make([]error, atOnce)
	for i := range atOnce {
		wg.Go(func() {
			for one := range next {
				if errs[i] == nil {
					errs[i] = one.call(ctx)
				}
			}
		})
	}
	for _, one := range c.all {
		next <- one
	}
	close(next)
	wg.Wait()
	return errors.Join(errs...)
}

func (one *caller) call(ctx context.Context) error {
	answer, err := exchange(ctx, one.callerGroup.server, one.offer)
	if err != nil {
		return err
	}
	if err := one.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return err
	}
	select {
	case <-one.up:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// exchange asks for a call as the dialect raw-sdp has it.
func exchange(ctx context.Context, url, offer string) (answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(offer))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/sdp")
	req.Header.Set("Authorization", "Bearer "+farKey)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s", res.Status, text)
	}
	return string(text), err
}

// talkAll sends each caller's packet each 20 ms, spread over the frame as
// callers who know nothing of each other are.
func (c *callerGroup) talkAll(ctx context.Context) {
	ctx, c.talk = context.WithCancel(ctx)
	c.wg.Go(func() {
		payload := make([]byte, payloadSize)
		payload[0] = 0x78 // 20 ms, CELT
		begin := time.Now()
		for n := 0; ctx.Err() == nil; n++ {
			for i, one := range c.all {
				due := begin.Add(time.Duration(n)*frame + frame*time.Duration(i)/time.Duration(len(c.all)))
				if d := time.Until(due); d > 0 {
					time.Sleep(d)
				}
				binary.BigEndian.PutUint64(payload[stampAt:], uint64(time.Since(c.begun)))
				h := rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: uint32(n) * 960}
				if one.out.WriteRTP(&rtp.Packet{Header: h, Payload: payload}) == nil {
					c.sent.Add(1)
				}
			}
		}
	})
}

func (c *callerGroup) hangUp() {
	if c.talk != nil {
		c.talk()
		c.wg.Wait()
	}
	var wg sync.WaitGroup
	for _, one := range c.all {
		wg.Go(func() { one.pc.Close() })
	}
	wg.Wait()
	c.all, c.talk = nil, nil
}
