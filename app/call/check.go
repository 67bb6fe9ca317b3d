package call

import (
	"context"
	"errors"
	"math"
	"time"

	"parley/shared/rtcstats"
	"parley/wasm/peer"
)

// When the page is satisfied that it hears the caller.
const (
	heardDBFS   = -45                    // louder than a quiet room
	heardFor    = 300 * time.Millisecond // longer than a knock on the desk
	silentFor   = 6 * time.Second        // of no sound: the page asks whether the microphone is right
	shoutedFor  = 800 * time.Millisecond // of speech while muted: the page says so within a second
	noticeFor   = 4 * time.Second        // how long it goes on saying so, to be read
	breathPause = 250 * time.Millisecond // a pause that doesn't end speech
	levelWait   = 3 * time.Second        // until a microphone whose level isn't told counts as one without
)

// speechDetector listens to the level of a microphone.
type speechDetector struct {
	opened    time.Time
	loudSince time.Time
	lastLoud  time.Time
}

// quiet reports for how long nothing loud was heard.
func (l *speechDetector) quiet(now time.Time) time.Duration { return now.Sub(l.lastLoud) }

// observeLevel takes one level and reports for how long it has been loud, and for how
// long the ear has been open.
func (l *speechDetector) observeLevel(dBFS float64, now time.Time) (loud, open time.Duration) {
	if l.opened.IsZero() {
		l.opened = now
	}
	if dBFS >= heardDBFS {
		l.lastLoud = now
		if l.loudSince.IsZero() {
			l.loudSince = now
		}
	}
	if l.loudSince.IsZero() || now.Sub(l.lastLoud) > breathPause {
		l.loudSince = time.Time{}
		return 0, now.Sub(l.opened)
	}
	return l.lastLoud.Sub(l.loudSince), now.Sub(l.opened)
}

// meanLevel is the level of the microphone since it was last asked for. Some browsers count
// nothing of what they send.
type meanLevel struct {
	power float64 // sum
	n     int
}

func (m *meanLevel) add(dBFS float64) {
	m.power += math.Pow(10, dBFS/10)
	m.n++
}

func (m *meanLevel) take() (dBFS float64) {
	dBFS = rtcstats.SilenceDBFS
	if m.n > 0 {
		dBFS = max(dBFS, 10*math.Log10(m.power/float64(m.n)))
	}
	*m = meanLevel{}
	return dBFS
}

// applyLevel is what a level makes of a picture. It reports whether anything that
// is drawn has changed: most levels change nothing.
func applyLevel(p Picture, loud, quiet, open time.Duration) (Picture, bool) {
	before := p
	p.Mic.NoLevel = false // it is told, if late
	if p.Mic.State == MicOpen && !p.Mic.Heard {
		p.Mic.Heard = loud >= heardFor
		p.Mic.Silent = !p.Mic.Heard && open >= silentFor
	}
	p.Talk.Shouting = p.Phase == Live && p.Talk.Quiet() &&
		(loud >= shoutedFor || p.Talk.Shouting && quiet < noticeFor)
	return p, p.Mic.NoLevel != before.Mic.NoLevel || p.Mic.Heard != before.Mic.Heard || p.Mic.Silent != before.Mic.Silent ||
		p.Talk.Shouting != before.Talk.Shouting
}

// CheckMicrophone opens the microphone, so that the caller sees it move. It
// has to run in the caller's click: the browser asks for permission.
func (e *Engine) CheckMicrophone() {
	if e.peer == nil {
		return
	}
	e.runInBackground(func(ctx context.Context) { _, _ = e.openMicrophone(ctx) }) // the picture tells
}

// ChooseMicrophone changes to another microphone; in a call, without a break in it.
func (e *Engine) ChooseMicrophone(deviceID string) {
	e.Choose(func(c Choice) Choice { c.DeviceID = deviceID; return c })
	if e.Picture().isUp() {
		e.runInBackground(func(ctx context.Context) { e.changeMicrophone(ctx, deviceID) })
		return
	}
	e.CloseMicrophone()
	e.CheckMicrophone()
}

// openMicrophone gives the open microphone, or opens it.
func (e *Engine) openMicrophone(ctx context.Context) (Microphone, error) {
	e.mu.Lock()
	mic, device := e.mic, e.picture.Choice.DeviceID
	e.speech = speechDetector{}
	e.mu.Unlock()
	if mic != nil {
		return mic.Microphone, nil
	}
	e.updatePicture(func(p Picture) Picture {
		p.Mic = MicCheck{State: MicAsking, Devices: p.Mic.Devices}
		return p
	})
	opened, err := e.open(ctx, device)
	if err != nil {
		e.updatePicture(func(p Picture) Picture {
			p.Mic = micFailure(p.Mic, err)
			return p
		})
		return nil, err
	}
	return e.keepMicrophone(ctx, opened), nil
}

// keepMicrophone keeps a microphone and asks for the names of all of them.
func (e *Engine) keepMicrophone(ctx context.Context, mic *openedMic) Microphone {
	e.mu.Lock()
	if older := e.mic; older != nil { // opened twice at once: the first one stays
		e.mu.Unlock()
		mic.Close()
		return older.Microphone
	}
	e.mic = mic
	e.mu.Unlock()
	e.updatePicture(func(p Picture) Picture {
		p.Mic.State, p.Mic.Problem, p.Mic.Label = MicOpen, "", mic.Label()
		p.Mic.NoLevel = !mic.HasLevel()
		return p
	})
	e.listDevices(ctx)
	e.runInBackground(func(ctx context.Context) { e.awaitLevel(ctx, mic) })
	return mic.Microphone
}

// awaitLevel says that there is no level where none comes: without a sound device, some
// browsers measure nothing.
func (e *Engine) awaitLevel(ctx context.Context, mic *openedMic) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(levelWait):
	}
	e.mu.Lock()
	isMute := e.mic == mic && e.speech.opened.IsZero()
	e.mu.Unlock()
	if isMute {
		e.updatePicture(func(p Picture) Picture { p.Mic.NoLevel = true; return p })
	}
}

func micFailure(m MicCheck, err error) MicCheck {
	var media *MediaError
	switch {
	case errors.As(err, &media):
		m.State, m.Problem = MicFailed, media.Code
	case errors.Is(err, context.Canceled):
		m.State = MicUnasked
	default:
		m.State, m.Problem = MicFailed, "unsupported"
	}
	return m
}

// namedDevices are the inputs, or the outputs, whose names are known.
func namedDevices(devices []Device, outputs bool) []Device {
	out := make([]Device, 0, len(devices))
	for _, d := range devices {
		if d.Output == outputs && d.Label != "" {
			out = append(out, d)
		}
	}
	return out
}

// CloseMicrophone lets go of the microphone, as when the page is left before
// a call.
func (e *Engine) CloseMicrophone() {
	e.mu.Lock()
	mic := e.mic
	e.mic = nil
	e.mu.Unlock()
	if mic == nil {
		return
	}
	mic.Close()
	e.updatePicture(func(p Picture) Picture {
		p.Mic = MicCheck{Devices: p.Mic.Devices}
		return p
	})
}

// withOwnLevel puts in how loud the microphone was where the browser doesn't count it.
func (e *Engine) withOwnLevel(ev peer.Event) peer.Event {
	m, ok := ev.(peer.SampleMeasured)
	if !ok {
		return ev
	}
	e.mu.Lock()
	own := e.sent.take()
	e.mu.Unlock()
	if m.MicDBFS <= rtcstats.SilenceDBFS {
		m.MicDBFS = own
	}
	return m
}

// handleLevel takes the microphone's level about 20 times a second.
func (e *Engine) handleLevel(dBFS float64) {
	e.mu.Lock()
	now := time.Now()
	e.sent.add(dBFS)
	loud, open := e.speech.observeLevel(dBFS, now)
	next, changed := applyLevel(e.picture, loud, e.speech.quiet(now), open)
	meters := make([]func(float64), 0, len(e.meters))
	for _, m := range e.meters {
		meters = append(meters, m)
	}
	e.mu.Unlock()
	for _, m := range meters {
		m(dBFS)
	}
	if changed {
		e.updatePicture(func(p Picture) Picture {
			p.Mic.NoLevel, p.Mic.Heard, p.Mic.Silent, p.Talk.Shouting = false, next.Mic.Heard, next.Mic.Silent, next.Talk.Shouting
			return p
		})
	}
}
