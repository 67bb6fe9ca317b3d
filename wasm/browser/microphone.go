//go:build js

package browser

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"sync"
	"syscall/js"
	"time"
)

// LevelInterval is how often a microphone tells its level.
const LevelInterval = 50 * time.Millisecond

// silenceDBFS is the level of digital silence.
const silenceDBFS = -100

// meterSamples is how much audio one level is of: 2,048 samples are 43 ms at
// 48 kHz, about one interval.
const meterSamples = 2048

// MicrophoneError is why there is no microphone. Code is one of mic_denied,
// mic_denied_system, mic_none, mic_busy, insecure and unsupported.
type MicrophoneError struct {
	Code string // see above; a stable word, for a client's own copy
	err  error
}

// Error implements error.
func (e *MicrophoneError) Error() string { return "microphone: " + e.Code }

// Unwrap gives the browser's own error, or nil.
func (e *MicrophoneError) Unwrap() error { return e.err }

// Microphone is an open microphone. Its track is sent; a copy of it feeds the
// level, so that it is heard on this side while the call is muted.
type Microphone struct {
	stream, track js.Value
	meterStream   js.Value // the copy; undefined without a level
	audio         js.Value // AudioContext; undefined without a level
	listeners     cleanups
	stop          context.CancelFunc
	metering      sync.WaitGroup
}

// OpenMicrophone asks for a microphone ("" is the default one) and tells its
// level in dBFS until Close, where the browser can measure it. lost, which must
// not wait, is called when the device is gone. Errors are *MicrophoneError.
func OpenMicrophone(ctx context.Context, device string, level func(dBFS float64), lost func()) (*Microphone, error) {
	stream, err := requestMicrophone(ctx, device)
	if err != nil {
		return nil, microphoneError(err)
	}
	m, err := newMicrophone(stream, lost)
	if err != nil {
		stopTracks(stream)
		return nil, microphoneError(err)
	}
	meter, err := m.meter()
	if err != nil { // the level is a comfort: a call does without
		m.closeMeter()
		return m, nil
	}
	ctx, m.stop = context.WithCancel(context.Background())
	m.metering.Go(func() { reportLevels(ctx, meter, level) })
	return m, nil
}

// WatchPauses tells paused, which must not wait, when the device stops to give sound and
// when it goes on, until Close (W3C track.muted): a phone call, or a page that the system
// sent to the background.
func (m *Microphone) WatchPauses(paused func(on bool)) {
	for event, on := range map[string]bool{"mute": true, "unmute": false} {
		m.listeners.add(listen(m.track, event, func(js.Value) { paused(on) }))
	}
}

// HasLevel reports whether the microphone's level is told.
func (m *Microphone) HasLevel() bool { return m.stop != nil }

func requestMicrophone(ctx context.Context, device string) (_ js.Value, err error) {
	defer recoverJSError(&err)
	devices := property(navigator(), "mediaDevices")
	switch {
	case !property(window(), "isSecureContext").Truthy():
		return js.Undefined(), &MicrophoneError{Code: "insecure"}
	case !isPresent(devices) || !canCall():
		return js.Undefined(), &MicrophoneError{Code: "unsupported"}
	}
	audio := map[string]any{"echoCancellation": true, "noiseSuppression": true, "autoGainControl": true}
	if device != "" {
		audio["deviceId"] = map[string]any{"exact": device}
	}
	// The permission may be given too late: then the light has to go out again.
	return awaitOr(ctx, devices.Call("getUserMedia", map[string]any{"audio": audio}), stopTracks)
}

// canCall reports whether the browser has what a call needs beside a microphone.
func canCall() bool {
	return isPresent(property(window(), "RTCPeerConnection")) && isPresent(property(window(), "WebSocket"))
}

func newMicrophone(stream js.Value, lost func()) (_ *Microphone, err error) {
	defer recoverJSError(&err)
	m := &Microphone{stream: stream, track: stream.Call("getAudioTracks").Index(0)}
	m.listeners.add(listen(m.track, "ended", func(js.Value) { lost() }))
	return m, nil
}

// microphoneError gives the browser's reason its code. Chromium tells a refusal
// of the system's from one of the user's in its message alone.
func microphoneError(err error) error {
	var known *MicrophoneError
	if errors.As(err, &known) {
		return known
	}
	var e *Error
	if !errors.As(err, &e) {
		return &MicrophoneError{Code: "unsupported", err: err}
	}
	code := map[string]string{
		"NotAllowedError": "mic_denied", "SecurityError": "mic_denied",
		"NotFoundError": "mic_none", "OverconstrainedError": "mic_none",
		"NotReadableError": "mic_busy", "AbortError": "mic_busy",
	}[e.Name]
	switch {
	case code == "":
		code = "unsupported"
	case code == "mic_denied" && strings.Contains(e.Message, "system"):
		code = "mic_denied_system"
	}
	return &MicrophoneError{Code: code, err: err}
}

// Label is the device's name.
func (m *Microphone) Label() string { return stringOrEmpty(m.track.Get("label")) }

// Close turns the microphone off. No level is told after it.
func (m *Microphone) Close() {
	m.listeners.runAll()
	if m.stop != nil {
		m.stop()
		m.metering.Wait()
	}
	stopTracks(m.stream)
	m.closeMeter()
}

func (m *Microphone) closeMeter() {
	var err error
	defer recoverJSError(&err) // nothing is left to do about it
	if isPresent(m.meterStream) {
		stopTracks(m.meterStream)
	}
	if isPresent(m.audio) && stringOrEmpty(m.audio.Get("state")) != "closed" {
		m.audio.Call("close")
	}
}

func stopTracks(stream js.Value) {
	tracks := stream.Call("getTracks")
	for i := range tracks.Length() {
		tracks.Index(i).Call("stop")
	}
}

// meter listens to a copy of the track. It gives a function that measures the
// loudness of the newest audio, and reports false while the browser holds audio
// back: what isn't measured isn't silence.
func (m *Microphone) meter() (_ func() (dBFS float64, ok bool), err error) {
	defer recoverJSError(&err)
	m.audio = property(window(), "AudioContext").New()
	m.meterStream = js.Global().Get("MediaStream").New([]any{m.track.Call("clone")})
	if stringOrEmpty(m.audio.Get("state")) == "suspended" {
		m.audio.Call("resume") // it starts with the click that asked for the microphone
	}
	analyser := m.audio.Call("createAnalyser")
	analyser.Set("fftSize", meterSamples)
	m.audio.Call("createMediaStreamSource", m.meterStream).Call("connect", analyser)
	samples := js.Global().Get("Float32Array").New(meterSamples)
	analyser.Call("getFloatTimeDomainData", samples) // a browser that can't says so now
	raw := js.Global().Get("Uint8Array").New(samples.Get("buffer"))
	buf := make([]byte, 4*meterSamples)
	return func() (_ float64, ok bool) {
		var err error
		defer recoverJSError(&err) // what can't be measured isn't told
		if stringOrEmpty(m.audio.Get("state")) != "running" {
			return 0, false
		}
		analyser.Call("getFloatTimeDomainData", samples)
		js.CopyBytesToGo(buf, raw)
		return loudness(buf), true
	}, nil
}

// loudness is the root mean square of little-endian float32 samples, in dBFS.
func loudness(samples []byte) float64 {
	sum := 0.0
	for i := 0; i < len(samples); i += 4 {
		v := float64(math.Float32frombits(binary.LittleEndian.Uint32(samples[i:])))
		sum += v * v
	}
	if !(sum > 0) {
		return silenceDBFS
	}
	return max(silenceDBFS, 10*math.Log10(sum/float64(len(samples)/4)))
}

func reportLevels(ctx context.Context, meter func() (dBFS float64, ok bool), level func(float64)) {
	tick := time.NewTicker(LevelInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if dBFS, ok := meter(); ok {
				level(dBFS)
			}
		}
	}
}
