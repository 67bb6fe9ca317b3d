package e2e_test

import (
	"fmt"
	"testing"
)

// maxBesides is what a page may load besides its program, in bytes as they
// travel: web/weights.txt leaves as much of 2.0 MB for callers, 2.2 for admins.
const maxBesides = 60_000

// loaded is what a page's load took.
type loaded struct {
	Paint   float64  `json:"paint"` // first contentful paint, in ms
	Ready   float64  `json:"ready"` // until the program drew its own
	Shift   float64  `json:"shift"`
	Besides int      `json:"besides"` // bytes of all but programs
	Wasm    []string `json:"wasm"`
	Form    bool     `json:"form"` // a form was there at some time
}

// watchLoad notes, from the first moment on, what a page shows.
const watchLoad = `(() => {
  const seen = window.parleyLoad = { ready: 0, shift: 0, form: false };
  new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput) seen.shift += e.value; })
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
    ready: parleyLoad.ready, shift: parleyLoad.shift, form: parleyLoad.form,
    besides: performance.getEntriesByType('navigation')[0].encodedBodySize + files.filter(e => !isProgram(e)).reduce((sum, e) => sum + e.encodedBodySize, 0),
    wasm: [...new Set(files.filter(isProgram).map(e => new URL(e.name).pathname))],
  };
})()`

// A link signs in without a form and loads one program. How long it took, and how
// far the layout shifted, is told, not judged: other work of the machine counts, too.
func TestAColdLoad(t *testing.T) {
	srv := startServer(t, nil)
	b := startBrowser(t, microphone{}, nil)
	for who, page := range map[string]struct{ link, name, program string }{
		"caller": {srv.callerLink, "Demo caller", "/web/app.wasm"},
		"admin":  {srv.adminLink, "Demo admin", "/web/admin.wasm"},
	} {
		s := b.open(page.link, watchLoad)
		s.says(page.name)
		got := evaluate[loaded](s, readLoad)
		t.Logf("%s: first paint %.0f ms, signed in and drawn %.0f ms, shift %.3f, %d bytes besides %v", who, got.Paint, got.Ready, got.Shift, got.Besides, got.Wasm)
		if fmt.Sprint(got.Wasm) != fmt.Sprint([]string{page.program}) || got.Form {
			t.Errorf("%s: loads %v, shows a form: %v", who, got.Wasm, got.Form)
		}
		if got.Besides == 0 || got.Besides > maxBesides || got.Ready == 0 || got.Paint > got.Ready {
			t.Errorf("%s: %+v", who, got)
		}
	}
}
