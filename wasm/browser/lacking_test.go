//go:build js

package browser

import (
	"errors"
	"strings"
	"syscall/js"
	"testing"
)

const navigatorObject = "Object.getPrototypeOf(navigator)"

func TestAPropertyThatThrowsIsUndefined(t *testing.T) {
	throwing(t, "globalThis", "parleyTest")
	if v := property(window(), "parleyTest"); !v.IsUndefined() {
		t.Errorf("got %v", v)
	}
	if v := property(window(), "location"); !isPresent(v) {
		t.Error("what is there isn't found")
	}
}

// A method that isn't there, a function that isn't one, an exception: all are
// errors, and none ends the program.
func TestWhatACallIntoTheBrowserThrows(t *testing.T) {
	for name, call := range map[string]func(){
		"no method":      func() { window().Get("Object").Call("noSuchMethod") },
		"no object":      func() { property(window(), "noSuchObject").Call("method") },
		"no constructor": func() { property(window(), "noSuchClass").New() },
	} {
		err := func() (err error) {
			defer recoverJSError(&err)
			call()
			return nil
		}()
		if !errors.Is(err, errUnsupported) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	defer func() {
		if recover() != "ours" {
			t.Error("a panic of ours is swallowed")
		}
	}()
	_ = func() (err error) {
		defer recoverJSError(&err)
		panic("ours")
	}()
}

// What is no promise can't be waited for, and isn't.
func TestWaitingForWhatIsNoPromise(t *testing.T) {
	for name, value := range map[string]js.Value{"nothing": js.Undefined(), "null": js.Null(), "an object": js.ValueOf(map[string]any{}), "a number": js.ValueOf(1)} {
		if _, err := await(t.Context(), value); !errors.Is(err, errUnsupported) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestABrowserWithoutComforts(t *testing.T) {
	for _, name := range []string{"connection", "wakeLock", "mediaDevices", "onLine"} {
		throwing(t, navigatorObject, name)
	}
	if !Online() {
		t.Error("a browser that doesn't say is sure to be offline")
	}
	WatchNetwork(func() {})()
	KeepAwake(func() {})()
	if _, err := Devices(t.Context()); !errors.Is(err, errUnsupported) {
		t.Errorf("devices: %v", err)
	}
	var refused *MicrophoneError
	if _, err := OpenMicrophone(t.Context(), "", func(float64) {}, func() {}); !errors.As(err, &refused) || refused.Code != "unsupported" {
		t.Errorf("microphone: %v", err)
	}
}

// What isn't measured isn't silence: without audio processing no level is told.
func TestAMicrophoneWithoutALevel(t *testing.T) {
	for name, change := range map[string]string{
		"forbidden":  `get() { throw new DOMException('no', 'SecurityError') }`,
		"missing":    `value: undefined`,
		"throws":     `value: class { constructor() { throw new DOMException('no', 'NotSupportedError') } }`,
		"half there": `value: class { state = 'running'; close() {} }`,
	} {
		t.Run(name, func(t *testing.T) {
			replace(t, "globalThis", "AudioContext", change)
			m, err := OpenMicrophone(t.Context(), "", func(float64) { t.Error("a level is told") }, func() {})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if m.HasLevel() {
				t.Error("it has a level")
			}
			if m.Label() == "" || !strings.Contains(m.track.Get("readyState").String(), "live") {
				t.Error("the microphone isn't open")
			}
		})
	}
}

// A context that the browser holds back measures nothing, and tells nothing.
func TestALevelThatIsHeldBack(t *testing.T) {
	replace(t, "AudioContext.prototype", "state", `get() { return 'suspended' }`)
	m, err := OpenMicrophone(t.Context(), "", func(float64) { t.Error("a level is told") }, func() {})
	if err != nil {
		t.Fatal(err)
	}
	measure, err := m.meter()
	if err != nil {
		t.Fatal(err)
	}
	if dBFS, ok := measure(); ok {
		t.Errorf("it measures %g dBFS", dBFS)
	}
	m.Close()
}
