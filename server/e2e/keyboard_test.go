package e2e_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// maxTabs is more than any page here has to tab through.
const maxTabs = 40

// A caller without a mouse gets everywhere: sign in, call, mute, end.
func TestACallByKeyboardAlone(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	caller := startBrowser(t, microphone{voice: voice(t)}, nil).open(srv.origin() + "/sign-in")
	eventually(t, "the page puts the focus where one enters", patience, func() (string, bool) {
		name := caller.focused()
		return name, name == "Enter as a caller"
	})
	caller.tabTo("Access token")
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

// watchesFocus keeps, of each thing that the focus comes to, its name and what is wrong
// with how it shows. What has been reached is marked.
const watchesFocus = `(() => {
  window.focusWalk = []; window.focusSeen = new Set();
  const nameOf = e => (e.getAttribute('aria-label') || (e.labels && e.labels[0] ? e.labels[0].innerText : '') || e.innerText || e.tagName).trim().replace(/\s+/g, ' ').slice(0, 40);
  document.addEventListener('focusin', event => {
    const e = event.target; window.focusSeen.add(e);
    const entry = {name: nameOf(e), fault: ''}; window.focusWalk.push(entry);
    setTimeout(() => {
      if (document.activeElement !== e) return;
      const style = getComputedStyle(e), box = e.getBoundingClientRect();
      if (!e.matches(':focus-visible') || style.outlineStyle === 'none' && style.boxShadow === 'none') entry.fault = 'does not show its focus';
      else if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth) entry.fault = 'is out of sight';
      else {
        const at = document.elementFromPoint(Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 2), Math.min(Math.max(box.top + box.height / 2, 1), innerHeight - 2));
        if (at && at !== e && !e.contains(at) && !at.contains(e) && !(e.labels && [...e.labels].some(l => l.contains(at)))) entry.fault = 'is covered by ' + (at.className || at.tagName);
      }
    }, 0);
  });
  window.tabStops = () => [...document.querySelectorAll('a[href],button,input,select,textarea,summary,[tabindex]')].filter(e =>
    e.tabIndex >= 0 && !e.disabled && e.checkVisibility({visibilityProperty: true}) && !e.closest('[popover]:not(:popover-open)'));
  window.unreached = () => window.tabStops().filter(e => !window.focusSeen.has(e)).map(nameOf);
})()`

// walksByKeyboard goes over all pages of the control room without a mouse: to each by
// its keys, through it by Tab and back, and into what opens over it. That last alone where
// not the whole is asked for, which takes a minute and more.
func (s *screen) walksByKeyboard(srv *server, isWhole bool) {
	s.t.Helper()
	s.goTo(srv.origin() + "/admin")
	s.says("Demo admin") // whoever it is: until then no key goes anywhere
	if !isWhole {
		s.opensByKeyboard()
		return
	}
	evaluate[any](s, watchesFocus)
	for _, p := range []struct{ key, heading string }{
		{"s", "Sessions"}, {"a", "Activity"}, {"l", "Access logs"}, {"u", "Audit log"}, {"r", "Alerts"}, {"t", "Agents"},
		{"y", "Usage"}, {"p", "People"}, {"v", "Privacy"}, {"e", "Settings"}, {"o", "Overview"},
	} {
		s.types("g" + p.key)
		s.hasFocus(p.heading)
		s.isLoaded(p.heading)
		s.tabsThrough(p.heading)
	}
	s.opensByKeyboard()
}

// isLoaded waits until a page has what it asked for.
func (s *screen) isLoaded(page string) {
	s.t.Helper()
	eventually(s.t, page+" is there", patience, func() (string, bool) {
		left := evaluate[int](s, "document.querySelectorAll('main .skeleton, main [aria-busy=true], main .live-waiting').length")
		return fmt.Sprint(left, " parts wait"), left == 0
	})
}

// hasFocus waits until what has that name has the focus.
func (s *screen) hasFocus(name string) {
	s.t.Helper()
	eventually(s.t, name+" has the focus", patience, func() (string, bool) {
		got := s.focused()
		return got, got == name
	})
}

// tabsThrough goes through a page by Tab: each stop is reached, shows it, and is in
// sight; then one step back.
func (s *screen) tabsThrough(page string) {
	s.t.Helper()
	stops := min(evaluate[int](s, "window.focusWalk.length = 0, window.focusSeen.clear(), window.tabStops().length"), 2*maxTabs)
	for range stops { // from the heading down, and from the top down to before it
		s.types(kb.Tab)
	}
	type entry struct{ Name, Fault string }
	walk := evaluate[[]entry](s, "new Promise(done => setTimeout(() => done(window.focusWalk.map(e => ({Name: e.name, Fault: e.fault}))), 20))")
	for i, e := range walk {
		if e.Fault != "" && i < stops {
			s.t.Errorf("%s: %q %s", page, e.Name, e.Fault)
		}
	}
	if left := evaluate[[]string](s, "window.unreached()"); stops < 2*maxTabs && len(left) > 2 { // a live page may have grown
		s.t.Errorf("%s: Tab reaches %d stops, and not %q", page, len(walk), left)
	}
	if n := len(walk); n > 2 {
		s.types(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift))
		if got := evaluate[string](s, "window.focusWalk.at(-1).name"); got != walk[n-2].Name {
			s.t.Errorf("%s: back from %q is %q, not %q", page, walk[n-1].Name, got, walk[n-2].Name)
		}
	}
}

// opensByKeyboard: what opens over a page takes the focus, and gives it back.
func (s *screen) opensByKeyboard() {
	s.t.Helper()
	s.types("?")
	s.says("This list")
	if top := evaluate[float64](s, "document.querySelector('dialog[open]').scrollTop"); top != 0 {
		s.t.Errorf("the list of keys opens at its end: %.0f", top)
	}
	s.types(kb.Escape)
	s.saysNot("This list")
	s.isNotLost("after the list of keys")
	s.types("k", chromedp.KeyModifiers(chromedp.ModifierCtrl))
	s.hasFocus("Search pages and actions")
	s.types("audit")
	s.types(kb.Enter)
	s.hasFocus("Audit log")

	s.types("ge")
	s.hasFocus("Settings")
	s.tabTo("Calls of one user")
	s.types("2\t")
	s.tabTo("Discard")
	s.types(kb.Enter)
	s.isNotLost("after the changes were discarded")
	s.tabTo("Calls of one user")
	s.types("3\t")
	s.tabTo("Review")
	s.types(kb.Enter)
	s.hasFocus("Cancel")
	s.types(kb.Escape)
	s.hasFocus("Review")
	s.types(kb.Enter)
	s.hasFocus("Cancel")
	s.types(kb.Tab)
	s.types(kb.Enter)
	s.saysNot("Save these changes?")
	s.isNotLost("after the changes were saved")
}

// isNotLost checks that the focus is on something, so that Tab goes on from there.
func (s *screen) isNotLost(when string) {
	s.t.Helper()
	held := 0
	eventually(s.t, "the focus is somewhere "+when, patience, func() (string, bool) {
		got := s.focused()
		if held++; got == "" {
			held = 0
		}
		return got, held > 3
	})
}
