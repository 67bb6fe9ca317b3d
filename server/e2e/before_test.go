package e2e_test

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// skeletonBox is where the first part of what loads stands, if it is in sight and not yet
// of use.
const skeletonBox = `(() => {
  const part = document.querySelector('[inert] .skeleton-part');
  if (!part?.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return '';
  const r = part.getBoundingClientRect();
  return [r.x, r.y, r.width, r.height].map(Math.round).join(' ');
})()`

// TestAPageBeforeItsProgram: an admin's page stands in its own shape, with the menu; and
// that its program can't be loaded is said in words.
func TestAPageBeforeItsProgram(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	s := startBrowser(t, microphone{}, nil).open(srv.adminLink)
	s.says("No calls yet.")
	evaluate[any](s, `navigator.serviceWorker.getRegistrations().then(all => Promise.all(all.map(r => r.unregister())))`)
	s.loadsNot("*://*:*/*.wasm")
	s.mayComplain("wasm")
	for _, path := range []string{"/admin", "/admin/sessions", "/admin/logs", "/admin/settings"} {
		for _, window := range []size{desktop, phone} {
			s.resize(window)
			s.goTo(srv.origin() + path)
			s.says("We can't load Parley. Check your connection, then reload the page.")
			if box := evaluate[string](s, skeletonBox); box == "" {
				t.Errorf("%s at %d: nothing stands where the page will", path, window.width)
			}
			if !strings.Contains(s.text(), "Sessions") || evaluate[bool](s, `document.querySelector('.nav').getBoundingClientRect().bottom > innerHeight`) {
				t.Errorf("%s at %d has no menu in sight", path, window.width)
			}
			s.fitsAcross(path)
		}
	}
}

// loadsNot keeps a page from what has such an address, and from what it has kept of it.
func (s *screen) loadsNot(pattern string) {
	s.t.Helper()
	_, err := chromedp.Call(s.ctx, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	if err == nil {
		blocked := []*network.BlockPattern{{URLPattern: pattern, Block: true}}
		_, err = chromedp.Call(s.ctx, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: blocked})
	}
	if err != nil {
		s.t.Fatal(err)
	}
}
