//go:build js

package browser

import (
	"context"
	"syscall/js"
)

// Sound plays the agent's stream. It needs no place in the page.
type Sound struct {
	element   js.Value
	on        func(playing bool)
	listeners cleanups

	open  context.Context // ends with Close
	close context.CancelFunc
}

// NewSound makes the loudspeaker, at an audio output ("" is the default one, and what
// is left where the browser can't choose). on, which must not wait, is told when sound
// begins, and (false) when the browser wants a click before it plays.
func NewSound(speaker string, on func(playing bool)) (_ *Sound, err error) {
	defer recoverJSError(&err)
	element := js.Global().Get("document").Call("createElement", "audio")
	element.Set("autoplay", true)
	element.Call("setAttribute", "playsinline", "")
	s := &Sound{element: element, on: on}
	s.open, s.close = context.WithCancel(context.Background())
	go func() { _ = chooseSpeaker(s.open, element, speaker) }() // the default one plays else
	s.listeners.add(listen(element, "playing", func(js.Value) { on(true) }))
	return s, nil
}

// UseSpeaker goes on at another audio output; "" is the default one. It changes nothing
// where the browser can't choose, or the output is gone.
func (s *Sound) UseSpeaker(speaker string) {
	go func() { _ = sinkTo(s.open, s.element, speaker) }()
}

func (s *Sound) play(stream js.Value) {
	s.element.Set("srcObject", stream)
	s.Play()
}

// Play starts what was blocked; call it in a click. AbortError only says that a
// newer stream took the place of this one.
func (s *Sound) Play() {
	var err error
	defer recoverJSError(&err) // autoplay may do what play() can't
	playing := s.element.Call("play")
	if !isPresent(playing) {
		return
	}
	go func() {
		_, err := await(s.open, playing)
		if e, ok := err.(*Error); ok && e.Name == "NotAllowedError" {
			s.on(false)
		}
	}()
}

// Close falls silent.
func (s *Sound) Close() {
	s.close()
	s.listeners.runAll()
	var err error
	defer recoverJSError(&err) // nothing is left to do about it
	s.element.Call("pause")
	s.element.Set("srcObject", nil)
}
