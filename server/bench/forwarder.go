package main

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
)

// forwarder is the least that joins a caller and an agent by pion: two connections a call,
// without interceptors, and each packet that is read from one is written to the other.
type forwarder struct {
	far   string // where calls are asked for
	count atomic.Int64

	mu  sync.Mutex
	pcs []io.Closer
}

func (f *forwarder) answer(ctx context.Context, offer string) (string, error) {
	near, toCaller, err := f.newEnd()
	if err != nil {
		return "", err
	}
	far, toAgent, err := f.newEnd()
	if err != nil {
		return "", err
	}
	near.OnTrack(func(in *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { copyRTP(in, toAgent, &f.count) })
	far.OnTrack(func(in *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { copyRTP(in, toCaller, &f.count) })
	if err := f.call(ctx, far); err != nil {
		return "", err
	}
	return answer(near, offer)
}

// newEnd is a connection with a track to write to.
func (f *forwarder) newEnd() (*webrtc.PeerConnection, *webrtc.TrackLocalStaticRTP, error) {
	pc, err := newPeerConnection(webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	if err != nil {
		return nil, nil, err
	}
	f.mu.Lock()
	f.pcs = append(f.pcs, pc)
	f.mu.Unlock()
	out, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "out", "out")
	if err == nil {
		_, err = pc.AddTrack(out)
	}
	return pc, out, err
}

// call asks the far end for a call.
func (f *forwarder) call(ctx context.Context, pc *webrtc.PeerConnection) error {
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		return err
	}
	<-gathered
	text, err := exchange(ctx, f.far, pc.LocalDescription().SDP)
	return errors.Join(err, pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: text}))
}

func (f *forwarder) hangUp() { closeAll(&f.mu, &f.pcs) }

func (f *forwarder) packets() int64 { return f.count.Load() }

func (f *forwarder) Close() error { f.hangUp(); return nil }
