//go:build js

package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"parley/app/call"
	"parley/app/client"
	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/browser"
	"parley/wasm/peer"
)

// peerAdapter makes the pages' calls by the browser. It implements call.Peer.
type peerAdapter struct{ server *client.Client }

// Devices implements call.Peer.
func (*peerAdapter) Devices(ctx context.Context) ([]call.Device, error) {
	found, err := browser.Devices(ctx)
	devices := make([]call.Device, len(found))
	for i, d := range found {
		devices[i] = call.Device(d)
	}
	return devices, err
}

// Microphone implements call.Peer.
func (*peerAdapter) Microphone(ctx context.Context, device string, l call.MicrophoneListener) (call.Microphone, error) {
	mic, err := browser.OpenMicrophone(ctx, device, l.Level, l.Lost)
	var refused *browser.MicrophoneError
	switch {
	case err == nil:
		mic.WatchPauses(l.Paused)
		return mic, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &refused):
		return nil, &call.MediaError{Code: refused.Code}
	}
	return nil, err
}

// CanChooseSpeaker implements call.Peer.
func (*peerAdapter) CanChooseSpeaker() bool { return browser.CanChooseSpeaker() }

// PlaySound implements call.Peer.
func (*peerAdapter) PlaySound(ctx context.Context, wav []byte, speaker string, volume float64) error {
	return browser.PlaySound(ctx, wav, speaker, volume)
}

// FindRelays implements call.Peer.
func (*peerAdapter) FindRelays(ctx context.Context, servers []wire.ICEServer) (map[string]bool, error) {
	return browser.FindRelays(ctx, servers)
}

// Dial implements call.Peer.
func (p *peerAdapter) Dial(ctx context.Context, d call.Dial) call.Line {
	mic, ok := d.Microphone.(*browser.Microphone)
	sound, err := browser.NewSound(d.Speaker, d.OnSound)
	if !ok || err != nil {
		go d.On(peer.CallEnded{Failure: peer.LocalError, Err: err})
		return noLine{}
	}
	l := &line{sound: sound, mic: mic, dims: d.OnScreenDims}
	l.Call = peer.New(peer.Config{
		Start: time.Now(), Muted: d.Muted, Resume: d.Resume,
		On: func(e peer.Event) { d.On(withOffline(e)) },
		Admit: func(ctx context.Context) error {
			_, err := p.server.Admission(ctx)
			if d.TakesOver && isUserCap(err) {
				return nil
			}
			return err
		},
		Dial: socketDialer(d), EndSession: p.server.EndOwnSession,
		Connect: func(_ context.Context, servers []wire.ICEServer, to peer.Listener) (peer.Connection, error) {
			return l.connect(d, servers, to)
		},
	})
	go l.run(ctx)
	return l
}

// withOffline tells a browser without network from a server that doesn't answer.
func withOffline(e peer.Event) peer.Event {
	end, isLast := e.(peer.CallEnded)
	if isLast && !browser.Online() && (end.Failure == peer.Unreachable || errors.Is(end.Err, client.ErrNetwork)) {
		end.Failure = call.Offline
		return end
	}
	return e
}

func isUserCap(err error) bool {
	var problem *rest.Problem
	return errors.As(err, &problem) && problem.Code == rest.CodeUserCap
}

// socketDialer takes over with the first socket only: the next ones come back
// to the place that the first one got.
func socketDialer(d call.Dial) func(context.Context) (peer.Socket, error) {
	query := rest.SocketQuery{Agent: d.Agent, Takeover: d.TakesOver}
	return func(ctx context.Context) (peer.Socket, error) {
		sock, err := browser.Dial(ctx, query.Path(), wire.Subprotocol)
		if err != nil {
			return nil, err
		}
		query.Takeover = false
		return sock, nil
	}
}

// line is a call under way. It implements call.Line.
type line struct {
	*peer.Call
	sound *browser.Sound
	dims  func() // the screen may

	mu   sync.Mutex
	mic  *browser.Microphone // that is sent
	conn *browser.Connection // the newest; nil before the first
}

// connect makes a connection, with the agent's events if it has captions.
func (l *line) connect(d call.Dial, servers []wire.ICEServer, to peer.Listener) (peer.Connection, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	conn, err := browser.Connect(servers, l.mic, l.sound, to)
	if err != nil {
		return nil, err
	}
	if d.HasCaptions {
		if err := conn.OpenEvents(to); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	l.conn = conn
	return conn, nil
}

// UseMicrophone implements call.Line. A connection that is made anew has it, too.
func (l *line) UseMicrophone(ctx context.Context, m call.Microphone) error {
	mic, ok := m.(*browser.Microphone)
	if !ok {
		return errors.New("not a microphone of this browser's")
	}
	l.mu.Lock()
	conn, before := l.conn, l.mic
	l.mic = mic
	l.mu.Unlock()
	if conn == nil {
		return nil
	}
	err := conn.UseMicrophone(ctx, mic)
	if err != nil {
		l.mu.Lock()
		l.mic = before
		l.mu.Unlock()
	}
	return err
}

// UseSpeaker implements call.Line.
func (l *line) UseSpeaker(id string) { l.sound.UseSpeaker(id) }

// run makes the call, while the browser keeps the screen on, asks before the
// page is left, and tells when the network may have changed.
func (l *line) run(ctx context.Context) {
	undo := []func(){browser.KeepAwake(l.dims), browser.GuardLeaving(), browser.WatchNetwork(l.Hint), l.sound.Close}
	l.Run(ctx)
	for _, f := range undo {
		f()
	}
}

// PlaySound implements call.Line.
func (l *line) PlaySound() { l.sound.Play() }

// noLine is a call that this browser can't make.
type noLine struct{}

func (noLine) Mute(bool)         {}
func (noLine) KeepAlive()        {}
func (noLine) Hangup()           {}
func (noLine) PlaySound()        {}
func (noLine) Renew()            {}
func (noLine) UseSpeaker(string) {}
func (noLine) UseMicrophone(context.Context, call.Microphone) error {
	return errors.New("there is no line")
}
