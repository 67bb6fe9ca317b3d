package main

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"github.com/pion/webrtc/v4"
)

// reflector is what pion gives: each packet is read from the track that came and written
// to the one that goes.
type reflector struct {
	connect func(...func(*webrtc.API)) (*webrtc.PeerConnection, error)
	socket  io.Closer // of all connections; nil: each has its own
	count   atomic.Int64

	mu  sync.Mutex
	pcs []io.Closer
}

func (r *reflector) answer(_ context.Context, offer string) (string, error) {
	pc, err := r.connect()
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	r.pcs = append(r.pcs, pc)
	r.mu.Unlock()
	out, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "out", "out")
	if err != nil {
		return "", err
	}
	sender, err := pc.AddTrack(out)
	if err != nil {
		return "", err
	}
	go drain(sender)
	pc.OnTrack(func(in *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { copyRTP(in, out, &r.count) })
	pc.OnDataChannel(func(d *webrtc.DataChannel) {
		d.OnMessage(func(m webrtc.DataChannelMessage) { _ = d.SendText(string(m.Data)) }) // lost like any packet
	})
	return answer(pc, offer)
}

// newPeerConnection is one with pion's defaults, but for the addresses.
func newPeerConnection(options ...func(*webrtc.API)) (*webrtc.PeerConnection, error) {
	var loopback webrtc.SettingEngine
	loopback.SetIncludeLoopbackCandidate(true)
	loopback.SetIPFilter(net.IP.IsLoopback)
	return webrtc.NewAPI(append(options, webrtc.WithSettingEngine(loopback))...).NewPeerConnection(webrtc.Configuration{})
}

// drain reads the reports on what is sent: interceptors live on what is read.
func drain(sender *webrtc.RTPSender) {
	for b := make([]byte, 1500); ; {
		if _, _, err := sender.Read(b); err != nil {
			return
		}
	}
}

func copyRTP(in *webrtc.TrackRemote, out *webrtc.TrackLocalStaticRTP, count *atomic.Int64) {
	for {
		p, _, err := in.ReadRTP()
		if err != nil {
			return
		}
		count.Add(1)
		if err := out.WriteRTP(p); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			return
		}
	}
}

func answer(pc *webrtc.PeerConnection, offer string) (string, error) {
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	a, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(a); err != nil {
		return "", err
	}
	<-gathered
	return pc.LocalDescription().SDP, nil
}

func (r *reflector) hangUp() { closeAll(&r.mu, &r.pcs) }

func (r *reflector) packets() int64 { return r.count.Load() }

func (r *reflector) Close() error {
	r.hangUp()
	if r.socket == nil {
		return nil
	}
	return r.socket.Close()
}

func closeAll(mu *sync.Mutex, list *[]io.Closer) {
	mu.Lock()
	all := *list
	*list = nil
	mu.Unlock()
	for _, c := range all {
		c.Close()
	}
}
