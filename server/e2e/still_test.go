package e2e_test

import (
	"fmt"
	"testing"
)

// narrow is a phone's smallest window, and a desktop's at 400 % (WCAG 1.4.10).
var narrow = size{320, 640}

// Controls never move: who reaches for End must not find Mute.
func TestControlsHoldStill(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	caller := startBrowser(t, microphone{voice: voice(t)}, nil).signIn(srv.callerLink)
	caller.startCall()
	for _, window := range []size{desktop, phone, narrow} {
		caller.resize(window)
		name := fmt.Sprintf("%d wide", window.width)
		before := caller.callControls()
		if !before.inWindow(window) {
			t.Errorf("%s: the controls %v aren't all in the window", name, before)
		}
		holdStill := func(what string) {
			t.Helper()
			if now := caller.callControls(); now != before {
				t.Errorf("%s, %s: the controls moved from %v to %v", name, what, before, now)
			}
			caller.fitsAcross(name + ", " + what)
		}
		caller.press("Details")
		caller.says("Estimated MOS")
		holdStill("details open")
		if over := caller.over("call-mute"); len(over) > 0 {
			t.Errorf("%s: over Mute lies %v", name, over)
		}
		caller.keepBoth(fmt.Sprintf("details-%d", window.width))

		caller.press("Mute")
		caller.says("Press M to unmute") // the caller goes on speaking
		holdStill("details open, speaking while muted")
		caller.press("Close details")
		holdStill("speaking while muted")
		caller.types("e")
		caller.says("End this call?")
		holdStill("a question")
		caller.keepBoth(fmt.Sprintf("question-%d", window.width))
		caller.press("Stay")
		caller.press("Unmute")
		caller.says("Agent is")
		holdStill("as before")
	}
	caller.press("End")
	caller.says("You ended the call.")
}

// box is where an element is in the window.
type box struct{ X, Y, Width, Height float64 }

// callControls are the two that matter most.
type callControls struct{ Mute, End box }

func (c callControls) inWindow(window size) bool {
	for _, b := range []box{c.Mute, c.End} {
		if b.Width < 24 || b.X < 0 || b.Y < 0 || b.X+b.Width > float64(window.width) || b.Y+b.Height > float64(window.height) {
			return false
		}
	}
	return true
}

// callControls waits until nothing moves, and tells where they are.
func (s *screen) callControls() callControls {
	s.t.Helper()
	var at callControls
	eventually(s.t, "the controls have come to rest", patience, func() (string, bool) {
		now := evaluate[callControls](s, `(async () => {
		  const box = id => { const r = document.getElementById(id).getBoundingClientRect(); return { X: r.x, Y: r.y, Width: r.width, Height: r.height }; };
		  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
		  return { Mute: box('call-mute'), End: box('call-end') };
		})()`)
		same := now == at && at != callControls{}
		at = now
		return fmt.Sprint(now), same
	})
	return at
}

// keepBoth keeps the page as it is now, light and dark.
func (s *screen) keepBoth(name string) {
	for _, scheme := range []string{"light", "dark"} {
		s.wear(scheme)
		s.keep(name + "-" + scheme)
	}
	s.wear("light")
}
