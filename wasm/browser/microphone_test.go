//go:build js

package browser

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"syscall/js"
	"testing"
)

const devicesObject = "Object.getPrototypeOf(navigator.mediaDevices)"

// Each reason of a browser's has its code, and stays to be read.
func TestWhyThereIsNoMicrophone(t *testing.T) {
	for _, c := range []struct{ name, message, code string }{
		{"NotAllowedError", "Permission denied", "mic_denied"},
		{"NotAllowedError", "Permission denied by system", "mic_denied_system"},
		{"SecurityError", "", "mic_denied"},
		{"NotFoundError", "Requested device not found", "mic_none"},
		{"OverconstrainedError", "", "mic_none"},
		{"NotReadableError", "Could not start audio source", "mic_busy"},
		{"NotReadableError", "in use by the system", "mic_busy"},
		{"AbortError", "", "mic_busy"},
		{"TypeError", "", "unsupported"},
		{"", "", "unsupported"},
	} {
		replace(t, devicesObject, "getUserMedia", `value: () => Promise.reject(new DOMException('`+c.message+`', '`+c.name+`'))`)
		_, err := OpenMicrophone(t.Context(), "", func(float64) {}, func() {})
		var refused *MicrophoneError
		if !errors.As(err, &refused) || refused.Code != c.code {
			t.Errorf("%s %q: got %v, want %s", c.name, c.message, err, c.code)
		}
		var reason *Error
		if !errors.As(err, &reason) || reason.Message != c.message {
			t.Errorf("%s: the browser's own reason is lost: %v", c.name, err)
		}
	}
}

func TestABrowserThatCanNotCall(t *testing.T) {
	for name, c := range map[string]struct{ object, property, code string }{
		"no secure context": {"globalThis", "isSecureContext", "insecure"},
		"no WebRTC":         {"globalThis", "RTCPeerConnection", "unsupported"},
		"no WebSocket":      {"globalThis", "WebSocket", "unsupported"},
	} {
		t.Run(name, func(t *testing.T) {
			throwing(t, c.object, c.property)
			_, err := OpenMicrophone(t.Context(), "", func(float64) {}, func() {})
			var refused *MicrophoneError
			if !errors.As(err, &refused) || refused.Code != c.code {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
}

func TestTheMicrophoneThatIsAskedFor(t *testing.T) {
	for device, want := range map[string]string{
		"":    `{"audio":{"autoGainControl":true,"echoCancellation":true,"noiseSuppression":true}}`,
		"one": `{"audio":{"autoGainControl":true,"deviceId":{"exact":"one"},"echoCancellation":true,"noiseSuppression":true}}`,
	} {
		replace(t, devicesObject, "getUserMedia", `value: c => { globalThis.askedTest = JSON.stringify({audio: Object.fromEntries(Object.entries(c.audio).sort())}); return Promise.reject('no'); }`)
		_, _ = OpenMicrophone(t.Context(), device, func(float64) {}, func() {})
		if got := js.Global().Get("askedTest").String(); got != want {
			t.Errorf("device %q: asked for %s, want %s", device, got, want)
		}
	}
}

// Who gives up before the permission is given has no light on afterwards.
func TestAPermissionThatComesTooLate(t *testing.T) {
	replace(t, devicesObject, "getUserMedia", `value: () => (globalThis.lateTest = Promise.withResolvers()).promise`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	within(t, "OpenMicrophone", func() {
		if _, err := OpenMicrophone(ctx, "", func(float64) {}, func() {}); err == nil {
			t.Error("a microphone that nobody allowed is open")
		}
	})
	js.Global().Call("eval", `globalThis.stoppedTest = 0;
	  lateTest.resolve({getTracks: () => [{stop() { stoppedTest++ }}, {stop() { stoppedTest++ }}]})`)
	eventually(t, "its tracks are stopped", func() bool { return js.Global().Get("stoppedTest").Int() == 2 })
}

func TestAMicrophoneThatIsPulledOut(t *testing.T) {
	lost := 0
	m, err := OpenMicrophone(t.Context(), "", func(float64) {}, func() { lost++ })
	if err != nil {
		t.Fatal(err)
	}
	end := func() { m.track.Call("dispatchEvent", js.Global().Get("Event").New("ended")) }
	end()
	if lost != 1 {
		t.Errorf("told %d times", lost)
	}
	m.Close()
	end()
	if lost != 1 {
		t.Error("told of a microphone that was closed")
	}
}

// What the device pauses is told, and when it goes on, until Close.
func TestPausesOfAMicrophone(t *testing.T) {
	m, err := OpenMicrophone(t.Context(), "", func(float64) {}, func() {})
	if err != nil {
		t.Fatal(err)
	}
	var told []bool
	m.WatchPauses(func(on bool) { told = append(told, on) })
	tell := func(event string) { m.track.Call("dispatchEvent", js.Global().Get("Event").New(event)) }
	tell("mute")
	tell("unmute")
	m.Close()
	tell("mute")
	if len(told) != 2 || !told[0] || told[1] {
		t.Errorf("told %v", told)
	}
}

// A microphone tells its level until Close, and leaves no track running.
func TestALevelUntilClose(t *testing.T) {
	levels := 0
	m, err := OpenMicrophone(t.Context(), "", func(dBFS float64) {
		if levels++; dBFS < silenceDBFS || dBFS > 0 {
			t.Errorf("%g dBFS", dBFS)
		}
	}, func() {})
	if err != nil {
		t.Fatal(err)
	}
	if !m.HasLevel() {
		t.Error("it has no level")
	}
	eventually(t, "levels", func() bool { return levels > 2 })
	m.Close()
	for what, stream := range map[string]js.Value{"sent": m.stream, "measured": m.meterStream} {
		if state := stream.Call("getAudioTracks").Index(0).Get("readyState").String(); state != "ended" {
			t.Errorf("the track that is %s is %s", what, state)
		}
	}
	m.Close() // twice is once
}

func TestLoudness(t *testing.T) {
	for name, c := range map[string]struct {
		sample float32
		want   float64
	}{
		"full":         {1, 0},
		"half":         {-0.5, -6.02},
		"silence":      {0, silenceDBFS},
		"below it all": {1e-9, silenceDBFS},
		"no number":    {float32(math.NaN()), silenceDBFS},
	} {
		samples := make([]byte, 0, 4*meterSamples)
		for range meterSamples {
			samples = binary.LittleEndian.AppendUint32(samples, math.Float32bits(c.sample))
		}
		if got := loudness(samples); math.Abs(got-c.want) > 0.01 {
			t.Errorf("%s: %g dBFS, want %g", name, got, c.want)
		}
	}
}

// Sound tells when it plays and when it needs a click; a newer stream that takes
// the place of one is no fault.
func TestWhatBecomesOfASound(t *testing.T) {
	for name, c := range map[string]struct {
		play string
		want []bool
	}{
		"blocked":  {`Promise.reject(new DOMException('no', 'NotAllowedError'))`, []bool{false}},
		"replaced": {`Promise.reject(new DOMException('no', 'AbortError'))`, nil},
		"throws":   {`(() => { throw new DOMException('no', 'NotAllowedError') })()`, nil},
		"old":      {`undefined`, nil},
		"plays":    {`(this.dispatchEvent(new Event('playing')), Promise.resolve())`, []bool{true}},
	} {
		t.Run(name, func(t *testing.T) {
			replace(t, "HTMLMediaElement.prototype", "play", `value() { return `+c.play+` }`)
			var told []bool
			s, err := NewSound("", func(playing bool) { told = append(told, playing) })
			if err != nil {
				t.Fatal(err)
			}
			s.Play()
			for range 5 { // turns of the page: the question, its answer, and what comes of it
				if _, err := await(t.Context(), js.Global().Get("Promise").Call("resolve")); err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, "the answer", func() bool { return len(told) >= len(c.want) })
			s.Close()
			s.element.Call("dispatchEvent", js.Global().Get("Event").New("playing"))
			if len(told) != len(c.want) || len(told) > 0 && told[0] != c.want[0] {
				t.Errorf("told %v, want %v", told, c.want)
			}
		})
	}
}
