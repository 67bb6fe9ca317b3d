package e2e_test

import (
	"fmt"
	"strings"
	"testing"
)

// maxBesides is what a page may load besides its program, in bytes as they
// travel: web/weights.txt leaves as much of 2.0 MB for callers, 2.2 for admins.
const maxBesides = 80_000

// What a cold load may take, in ms. On a machine that is slow at a page without a program
// it may take some times as long as that: quiet, that page is painted after 250 ms.
const (
	maxPaint, paintsOfBare  = 1000, 4
	maxReady, readiesOfBare = 2500, 12
	// maxShift is half of what a steady page may shift by (Core Web Vitals: 0.1).
	maxShift = 0.05
)

// loaded is what a page's load took.
type loaded struct {
	Paint   float64  `json:"paint"` // first contentful paint, in ms
	Ready   float64  `json:"ready"` // until the program drew its own
	Shift   float64  `json:"shift"`
	Besides int      `json:"besides"` // bytes of all but programs
	Wasm    []string `json:"wasm"`
	Form    bool     `json:"form"`  // a form was there at some time
	Moved   []string `json:"moved"` // what shifted, from where to where
}

// watchLoad notes, from the first moment on, what a page shows.
const watchLoad = `(() => {
  const seen = window.parleyLoad = { ready: 0, shift: 0, form: false, moved: [] };
  const move = s => (s.node?.className ?? 'gone') + ' ' + [s.previousRect, s.currentRect].map(r => [r.x, r.y, r.width, r.height].map(Math.round)).join(' to ');
  new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput) {
    seen.shift += e.value;
    if (e.value > .001) seen.moved.push(e.value.toFixed(3) + ': ' + e.sources.map(move).join(', '));
  } })
    .observe({ type: 'layout-shift', buffered: true });
  new MutationObserver(() => {
    seen.form ||= !!document.querySelector('form');
    if (!seen.ready && document.querySelector('.who')) seen.ready = performance.now();
  }).observe(document, { childList: true, subtree: true });
})()`

const readLoad = `(() => {
  const files = performance.getEntriesByType('resource').filter(e => !e.name.includes('/api/'));
  const isProgram = e => e.name.endsWith('.wasm');
  return {
    paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 1e9,
    ready: parleyLoad.ready, shift: parleyLoad.shift, form: parleyLoad.form, moved: parleyLoad.moved,
    besides: performance.getEntriesByType('navigation')[0].encodedBodySize + files.filter(e => !isProgram(e)).reduce((sum, e) => sum + e.encodedBodySize, 0),
    wasm: [...new Set(files.filter(isProgram).map(e => new URL(e.name).pathname))],
  };
})()`

// isSettled tells that a page has shown all that it loads.
const isSettled = `!!document.querySelector('.who') && !!document.querySelector('main h1') && !document.querySelector('main .skeleton, main [aria-busy=true], main .is-waiting')`

// A link signs in without a form, loads one program, paints and is ready within what it
// may take; and neither it nor a caller's page shifts while it loads.
func TestAColdLoad(t *testing.T) {
	srv := startServer(t, nil)
	b := startBrowser(t, microphone{}, nil, withMotion)
	for who, page := range map[string]struct {
		link, name, program string
		pages               []string
	}{
		"caller": {srv.callerLink, "Demo caller", "/web/app.wasm", []string{"/call", "/history", "/settings"}},
		"admin":  {srv.adminLink, "Demo admin", "/web/admin.wasm", nil},
	} {
		// What other work of the machine does to one load, it seldom does to three.
		var s *screen
		for try, quick := 1, false; !quick && try <= 3; try++ {
			bare := b.open(srv.origin()+"/web/offline.html", watchLoad).painted().Paint
			s = b.open(page.link, watchLoad)
			s.says(page.name)
			s.isStill(who + "'s link")
			got := s.painted()
			t.Logf("%s: first paint %.0f ms (a page without a program: %.0f), signed in and drawn %.0f ms, %d bytes besides %v",
				who, got.Paint, bare, got.Ready, got.Besides, got.Wasm)
			if fmt.Sprint(got.Wasm) != fmt.Sprint([]string{page.program}) || got.Form {
				t.Errorf("%s: loads %v, shows a form: %v", who, got.Wasm, got.Form)
			}
			if got.Besides == 0 || got.Besides > maxBesides || got.Ready == 0 || got.Paint > got.Ready {
				t.Errorf("%s: %+v", who, got)
			}
			quick = got.Paint <= max(maxPaint, paintsOfBare*bare) && got.Ready <= max(maxReady, readiesOfBare*bare)
			if !quick && try == 3 {
				t.Errorf("%s: painted after %.0f ms, ready after %.0f", who, got.Paint, got.Ready)
			}
		}
		s.areStill(page.pages...)
	}
}

// painted waits until the page has painted, and reads what its load took.
func (s *screen) painted() (got loaded) {
	s.t.Helper()
	eventually(s.t, "a first paint", patience, func() (string, bool) {
		got = evaluate[loaded](s, readLoad)
		return "", got.Paint > 0 && got.Paint < 1e9
	})
	return got
}

// areStill loads pages one after the other: none may shift meanwhile.
func (s *screen) areStill(paths ...string) {
	s.t.Helper()
	origin := evaluate[string](s, "location.origin")
	for _, path := range paths {
		s.goTo(origin + path)
		s.isStill(path)
	}
}

// isStill waits until the page has shown all that it loads, and checks that nothing
// moved meanwhile.
func (s *screen) isStill(name string) {
	s.t.Helper()
	eventually(s.t, name+" has settled", patience, func() (string, bool) { return s.text(), evaluate[bool](s, isSettled) })
	got := evaluate[loaded](s, readLoad)
	s.t.Logf("%s shifts by %.3f: %v", name, got.Shift, got.Moved)
	if got.Shift > maxShift {
		s.t.Errorf("%s shifts by %.3f, at most %v is still:\n%s", name, got.Shift, maxShift, strings.Join(got.Moved, "\n"))
	}
}
