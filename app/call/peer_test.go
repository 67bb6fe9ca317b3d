package call_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"parley/app/call"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// phone is a Peer that does what a test tells it to.
type phone struct {
	micErr error         // what opening the microphone gives
	micFor time.Duration // how long the browser asks
	silent bool          // no microphone's level is told
	events []peer.Event  // told as soon as a line is dialled

	mu     sync.Mutex
	mics   []*mic
	lines  []*line
	level  func(float64)
	device string
	told   []call.MicrophoneListener // of the microphones, in the order of mics
	inputs []call.Device             // nil: the usual ones

	played   []sound // in order
	soundErr error

	ways    map[string]bool // by which relays answer; nil: none before the page gives up
	waysErr error
}

// sound is one that was played.
type sound struct {
	wav     []byte
	speaker string
	volume  float64
}

type mic struct {
	label  string
	closed bool
	silent bool // its level isn't told
}

func (m *mic) Label() string  { return m.label }
func (m *mic) HasLevel() bool { return !m.silent }
func (m *mic) Close()         { m.closed = true }

func (p *phone) Devices(context.Context) ([]call.Device, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inputs != nil {
		return p.inputs, nil
	}
	return []call.Device{{ID: "a", Label: "Built-in"}, {ID: "b", Label: "Headset"}, {ID: "c", Label: "Speaker", Output: true}, {ID: "d"}}, nil
}

func (p *phone) Microphone(ctx context.Context, device string, l call.MicrophoneListener) (call.Microphone, error) {
	select {
	case <-time.After(p.micFor):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.level, p.device = l.Level, device
	if p.micErr != nil {
		return nil, p.micErr
	}
	m := &mic{label: "Built-in", silent: p.silent}
	if device == "b" {
		m.label = "Headset"
	}
	p.mics, p.told = append(p.mics, m), append(p.told, l)
	return m, nil
}

func (p *phone) CanChooseSpeaker() bool { return true }

func (p *phone) PlaySound(_ context.Context, wav []byte, speaker string, volume float64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.played = append(p.played, sound{wav, speaker, volume})
	return p.soundErr
}

func (p *phone) FindRelays(ctx context.Context, _ []wire.ICEServer) (map[string]bool, error) {
	if p.ways != nil {
		return p.ways, p.waysErr
	}
	<-ctx.Done()
	return nil, p.waysErr
}

func (p *phone) Dial(ctx context.Context, d call.Dial) call.Line {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := &line{dial: d, tell: make(chan peer.Event, 100)}
	p.lines = append(p.lines, l)
	for _, ev := range p.events {
		l.tell <- ev
	}
	go func() {
		for ev := range l.tell {
			d.On(ev)
			if _, last := ev.(peer.CallEnded); last {
				return
			}
		}
	}()
	return l
}

func (p *phone) line(t *testing.T, n int) *line {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.lines) != n {
		t.Fatalf("%d lines were dialled, want %d", len(p.lines), n)
	}
	return p.lines[n-1]
}

type line struct {
	dial call.Dial
	tell chan peer.Event

	mu     sync.Mutex
	quiet  []bool
	alive  int
	played int
	hung   bool

	renewed int
	mics    []call.Microphone // it was changed to
	micErr  error             // of the next change
	speaker string
}

func (l *line) Renew()               { l.mu.Lock(); defer l.mu.Unlock(); l.renewed++ }
func (l *line) UseSpeaker(id string) { l.mu.Lock(); defer l.mu.Unlock(); l.speaker = id }

func (l *line) UseMicrophone(_ context.Context, m call.Microphone) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.micErr == nil {
		l.mics = append(l.mics, m)
	}
	return l.micErr
}

func (l *line) Mute(on bool) { l.mu.Lock(); defer l.mu.Unlock(); l.quiet = append(l.quiet, on) }
func (l *line) KeepAlive()   { l.mu.Lock(); defer l.mu.Unlock(); l.alive++ }
func (l *line) PlaySound()   { l.mu.Lock(); defer l.mu.Unlock(); l.played++ }

func (l *line) Hangup() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.hung {
		l.hung = true
		l.tell <- peer.CallEnded{Ended: wire.Ended{Cause: wire.CallerLeft}}
	}
}
