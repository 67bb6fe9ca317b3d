//go:build js

package main

import (
	"context"
	"errors"
	"net/url"
	"sync/atomic"
	"time"

	"parley/app/call"
	"parley/app/client"
	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/browser"
	"parley/wasm/peer"
)

// phone makes calls for the pages. It implements call.Peer.
type phone struct{ server *client.Client }

// Devices implements call.Peer.
func (*phone) Devices(ctx context.Context) ([]call.Device, error) {
	found, err := browser.Devices(ctx)
	devices := make([]call.Device, len(found))
	for i, d := range found {
		devices[i] = call.Device(d)
	}
	return devices, err
}

// microphone is the browser's, and who wants to know when it is gone.
type microphone struct {
	*browser.Microphone
	lost atomic.Pointer[func()]
}

func (m *microphone) gone() {
	if tell := m.lost.Load(); tell != nil {
		(*tell)()
	}
}

// Microphone implements call.Peer.
func (*phone) Microphone(ctx context.Context, device string, level func(float64)) (call.Microphone, error) {
	m := &microphone{}
	opened, err := browser.OpenMicrophone(ctx, device, level, m.gone)
	var refused *browser.MicrophoneError
	switch {
	case err == nil:
		m.Microphone = opened
		return m, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &refused):
		return nil, &call.MediaError{Code: refused.Code}
	}
	return nil, err
}

// Dial implements call.Peer.
func (p *phone) Dial(ctx context.Context, d call.Dial, on func(call.Event)) call.Line {
	l := &line{told: newFeed()}
	mic, ok := d.Microphone.(*microphone)
	sound, err := browser.NewSound(l.sounds)
	if !ok || err != nil {
		l.told.put(call.Ended{Failure: string(peer.LocalError)})
		go l.told.pump(on)
		return l
	}
	l.sound = sound
	l.call = peer.New(peer.Config{
		Start: time.Now(), Muted: d.Muted,
		On: func(e peer.Event) { l.tell(e) },
		Admit: func(ctx context.Context) error {
			_, err := p.server.Admission(ctx)
			return err
		},
		Dial: func(ctx context.Context) (peer.Socket, error) {
			return browser.Dial(ctx, socketPath(d.Agent), wire.Subprotocol)
		},
		Connect: func(_ context.Context, servers []wire.ICEServer, to peer.Listener) (peer.Connection, error) {
			return browser.Connect(servers, mic.Microphone, sound, to)
		},
	})
	go l.told.pump(on)
	go l.run(ctx, mic)
	return l
}

func socketPath(agent string) string {
	if agent == "" {
		return rest.PathSocket
	}
	return rest.PathSocket + "?" + url.Values{"agent": {agent}}.Encode()
}

// line is a call under way. It implements call.Line.
type line struct {
	call  *peer.Call // nil if there is none to make
	sound *browser.Sound
	told  *feed
}

// run makes the call, while the browser keeps the screen on, asks before the
// page is left, and tells when the network may have changed.
func (l *line) run(ctx context.Context, mic *microphone) {
	lost := func() { l.told.put(call.MicrophoneLost{}) }
	mic.lost.Store(&lost)
	undo := []func(){
		browser.KeepAwake(), browser.GuardLeaving(l.call.Leave), browser.WatchNetwork(l.call.Hint),
		l.sound.Close, func() { mic.lost.CompareAndSwap(&lost, nil) },
	}
	end := l.call.Run(ctx)
	for _, f := range undo {
		f()
	}
	l.told.put(ended(end))
}

func (l *line) tell(e peer.Event) {
	if translated := translate(e); translated != nil {
		l.told.put(translated)
	}
}

func (l *line) sounds(playing bool) {
	if playing {
		l.told.put(call.SoundPlaying{})
		return
	}
	l.told.put(call.SoundBlocked{})
}

// Mute implements call.Line.
func (l *line) Mute(on bool) { l.do(func() { l.call.Mute(on) }) }

// KeepAlive implements call.Line.
func (l *line) KeepAlive() { l.do(func() { l.call.KeepAlive() }) }

// Hangup implements call.Line.
func (l *line) Hangup() { l.do(func() { l.call.Hangup() }) }

// PlaySound implements call.Line.
func (l *line) PlaySound() { l.do(func() { l.sound.Play() }) }

func (l *line) do(f func()) {
	if l.call != nil {
		f()
	}
}
