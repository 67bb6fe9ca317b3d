package e2e_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// maxTabs is more than any page here has to tab through.
const maxTabs = 40

// A caller without a mouse gets everywhere: sign in, call, mute, end.
func TestACallByKeyboardAlone(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	caller := startBrowser(t, microphone{voice: voice(t)}, nil).open(srv.origin() + "/sign-in")
	eventually(t, "the page puts the focus where one types", patience, func() (string, bool) {
		name := caller.focused()
		return name, name == "Access token"
	})
	caller.types(token(srv.callerLink))
	caller.types(kb.Enter)
	caller.says("Ready when you are")
	eventually(t, "the focus is on the new page's heading", patience, func() (string, bool) {
		name := caller.focused()
		return name, name == "Ready when you are"
	})

	caller.tabTo("Start call")
	caller.types(kb.Enter)
	caller.says("Agent is listening")

	caller.tabTo("Mute")
	caller.types(" ")
	caller.says("Unmute")
	caller.types(" ")
	eventually(t, "the mute button is Mute again", patience, func() (string, bool) {
		name := caller.focused()
		return name, name == "Mute"
	})

	caller.tabTo("End")
	caller.types(kb.Enter)
	caller.says("You ended the call.")
}

// tabTo presses Tab until the control with the name has the focus, and checks
// that the focus can be seen.
func (s *screen) tabTo(name string) {
	s.t.Helper()
	passed := ""
	for range maxTabs {
		if got := s.focused(); got == name {
			if !evaluate[bool](s, "document.activeElement.matches(':focus-visible')") {
				s.t.Errorf("%s has the focus and doesn't show it", name)
			}
			return
		} else {
			passed += " " + fmt.Sprintf("%q", got)
		}
		s.types(kb.Tab)
	}
	s.t.Fatalf("no %q among what Tab reaches:%s", name, passed)
}

// focused is the name of what has the focus.
func (s *screen) focused() string {
	return evaluate[string](s, `(() => { const e = document.activeElement; if (!e || e === document.body) return '';
	  const label = e.labels && e.labels.length ? e.labels[0].innerText : '';
	  return (e.getAttribute('aria-label') || label || e.innerText || '').trim().replace(/\s+/g, ' '); })()`)
}
