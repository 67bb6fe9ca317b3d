package e2e_test

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"
)

const (
	// spokenFor is the longest that a live region may keep its text; longer, and
	// who reads through the page comes upon what is over. A busy machine's timers
	// are late.
	spokenFor = 8*time.Second + 2*time.Second
	// readFor is the least that a notice in a call stays (to be read), but for what
	// a look of the test takes.
	readFor = 4*time.Second - 100*time.Millisecond
)

// recorder notes in the page what each live region said, and when it was gone.
const recorder = `(() => {
  const said = window.parleySaid = [];
  const watch = () => {
    for (const s of said) if (!s.gone && !s.region.isConnected) s.gone = performance.now(); // with its page
    const regions = [...document.querySelectorAll('[aria-live], [role=status], [role=alert]')];
    for (const r of regions) {
      const now = r.textContent.trim(), last = said.findLast(s => s.region === r);
      if (last && !last.gone && last.text !== now) last.gone = performance.now();
      if (now && (!last || last.gone)) said.push({ region: r, id: r.id, text: now, at: performance.now(), gone: 0 });
    }
    requestAnimationFrame(watch);
  };
  watch();
})()`

// saying is a text of a live region: since when, and for how long, in ms; 0
// while it is there.
type saying struct {
	ID, Text string
	For      float64
}

func (s *screen) said() []saying {
	return evaluate[[]saying](s, "parleySaid.map(s => ({ ID: s.id, Text: s.text, For: s.gone ? s.gone - s.at : 0 }))")
}

// What a caller hears of the page: connected, muted, over. None of it stays.
func TestLiveRegionsEmptyThemselves(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil, "--agent=echo")
	caller := startBrowser(t, microphone{voice: voice(t)}, nil).open(srv.callerLink, recorder, notices)
	caller.says("Ready when you are")
	caller.startCall()
	caller.press("Mute")
	caller.says("You're muted")
	caller.press("Unmute")
	caller.press("End")
	caller.says("You ended the call.")
	eventually(t, "all regions are empty", spokenFor+patience, func() (string, bool) {
		said := caller.said()
		return fmt.Sprint(said), !slices.ContainsFunc(said, func(s saying) bool { return s.For == 0 })
	})
	said := caller.said()
	// A busy page says the second sentence of being muted within the frame of the first.
	for _, want := range []string{`^Connected\.`, `^(Muted\.|You're muted)`, `^Unmuted\.`, `^Call ended`} {
		if !slices.ContainsFunc(said, func(s saying) bool { return regexp.MustCompile(want).MatchString(s.Text) }) {
			t.Errorf("%q was never said, only %v", want, said)
		}
	}
	for _, s := range said {
		if stayed := time.Duration(s.For * float64(time.Millisecond)); stayed > spokenFor {
			t.Errorf("%q stayed for %v", s.Text, stayed)
		}
	}
	caller.checkFirst()
	caller.noticeOfBeingMutedStays()
}

// notices times a notice of the call page from its first to its last frame.
const notices = `(() => {
  let since = 0;
  window.parleyNotices = [];
  const watch = () => {
    const is = !!document.querySelector('.pill');
    if (is && !since) since = performance.now();
    if (!is && since) { parleyNotices.push(performance.now() - since); since = 0; }
    requestAnimationFrame(watch);
  };
  watch();
})()`

// noticeOfBeingMutedStays: "You're muted" can be read, though the caller said a word or two.
func (s *screen) noticeOfBeingMutedStays() {
	s.t.Helper()
	s.startCall()
	before := evaluate[int](s, "parleyNotices.length")
	s.press("Mute")
	s.says("Press M to unmute")
	var shown []float64
	eventually(s.t, "the notice goes when the caller is silent", patience, func() (string, bool) {
		shown = evaluate[[]float64](s, "parleyNotices")
		return s.text(), len(shown) > before
	})
	for _, ms := range shown[before:] {
		if took := time.Duration(ms * float64(time.Millisecond)); took < readFor {
			s.t.Errorf("it was shown for %v", took)
		}
	}
}

// cut counts what the table has to cut of names.
const cut = `[...document.querySelectorAll('.session-user')].filter(e => e.scrollWidth > e.clientWidth).length`

// namesAreNotCut while there is room, and a row has one at each width.
func (s *screen) namesAreNotCut() {
	s.t.Helper()
	for _, window := range []size{desktop, {820, 900}, phone, narrow} {
		s.resize(window)
		if n := evaluate[int](s, cut); n != 0 {
			s.t.Errorf("%d wide: %d names are cut", window.width, n)
		}
		if seen := evaluate[float64](s, "document.querySelector('.session-user').getBoundingClientRect().width"); seen < 1 {
			s.t.Errorf("%d wide: the name isn't seen", window.width)
		}
		s.fitsAcross(fmt.Sprintf("sessions at %d", window.width))
	}
	s.resize(desktop)
}
