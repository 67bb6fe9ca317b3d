package e2e_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// gate is one address for two versions: calls are at the server that it was opened for,
// pages and files come from whichever is chosen.
type gate struct {
	origin string
	calls  *url.URL
	pages  atomic.Pointer[url.URL]
	isShut atomic.Bool // it breaks off whatever comes
}

func openGate(t *testing.T, to *server) *gate {
	t.Helper()
	g := &gate{calls: addressOf(t, to)}
	g.pages.Store(g.calls)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		target := g.pages.Load()
		if strings.HasPrefix(r.In.URL.Path, "/api/") {
			target = g.calls
		}
		r.SetURL(target)
		r.Out.Host = r.In.Host // what the Origin is held against
	}, FlushInterval: -1}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.isShut.Load() {
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { site.CloseClientConnections(); site.Close() })
	g.origin = site.URL
	return g
}

func addressOf(t *testing.T, s *server) *url.URL {
	t.Helper()
	address, err := url.Parse(s.origin())
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// link is a sign-in link that leads through the gate.
func (g *gate) link(of string) string { return g.origin + "/sign-in#token=" + token(of) }

// anotherVersion is the program as it will be some day. Only its version differs.
func anotherVersion(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "parley")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w -X main.version=another", "-o", path, "./server")
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// The pages are installed, open without a network and come back with it, and give way
// to a newer version, but never in a call.
func TestPagesAreInstalledAndUpdated(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil, "--agent=echo")
	next := startProgram(t, anotherVersion(t), nil)
	g := openGate(t, srv)
	b := startBrowser(t, microphone{voice: voice(t)}, nil)

	admin := b.open(g.link(srv.adminLink))
	admin.says("No calls yet")
	admin.isControlled()
	admin.asksTheServerItself(g)
	admin.opensOffline(g, "/admin", "No calls yet")

	caller := openIn(t, b.ctx, g.link(srv.callerLink), nil) // whose profile can install
	caller.says("Ready when you are")
	caller.isControlled()
	caller.isInstallable()
	caller.wearsItsTheme()
	caller.opensOffline(g, "/", "Ready when you are")
	caller.isUpdatedAfterItsCall(g, next)
	caller.readsItsLastCallOffline(g)
}

// readsItsLastCallOffline: the summary of the call that it has just made, until who made it
// signs out.
func (s *screen) readsItsLastCallOffline(g *gate) {
	s.t.Helper()
	s.mayComplain("401")
	s.network(g, false)
	s.goTo(g.origin + "/call")
	s.says("Your last call")
	s.says("Echo · ")
	s.says("no audio stored")
	s.pictures("offline-last-call")
	s.isAccessibleNarrow("offline-last-call")
	s.network(g, true)
	s.press("Sign out")
	s.says("Access token")
	s.network(g, false)
	s.goTo(g.origin + "/call")
	s.says("You're offline")
	s.saysNot("Your last call")
	s.network(g, true)
	s.says("Access token")
}

// isControlled waits until the worker has the page, and all of the shell.
func (s *screen) isControlled() {
	s.t.Helper()
	eventually(s.t, "the worker controls the page", patience, func() (string, bool) {
		state := evaluate[string](s, "navigator.serviceWorker.controller?.state")
		return state, state == "activated"
	})
}

// isInstallable asks the browser whether it would install the page.
func (s *screen) isInstallable() {
	s.t.Helper()
	found, err := chromedp.Call(s.ctx, page.GetInstallabilityErrors, cdp.Empty{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range found.InstallabilityErrors {
		s.t.Errorf("not installable: %s %v", e.ErrorID, e.ErrorArguments)
	}
	manifest, err := chromedp.Call(s.ctx, page.GetAppManifest, page.GetAppManifestParams{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range manifest.Errors {
		s.t.Errorf("the manifest, line %d: %s", e.Line, e.Message)
	}
	if !strings.HasSuffix(manifest.URL, "/manifest.webmanifest") {
		s.t.Errorf("the manifest is at %q", manifest.URL)
	}
}

// wearsItsTheme holds that the bar of an installed page has the page's own colour.
func (s *screen) wearsItsTheme() {
	s.t.Helper()
	for _, theme := range []struct{ scheme, colour string }{{"dark", "rgb(13, 17, 23)"}, {"light", "rgb(246, 247, 249)"}} {
		s.wear(theme.scheme)
		eventually(s.t, "the bar is "+theme.scheme, patience, func() (string, bool) {
			colour := evaluate[string](s, `document.querySelector('meta[name="theme-color"]').content`)
			return colour, colour == theme.colour
		})
	}
}

// isAtHand holds that nothing lies over a control, in a wide window and a narrow one.
func (s *screen) isAtHand(id string) {
	s.t.Helper()
	for _, shape := range []size{desktop, phone} {
		s.resize(shape)
		eventually(s.t, fmt.Sprintf("%s is at hand at %d", id, shape.width), patience, func() (string, bool) {
			over := s.over(id)
			return fmt.Sprint("it is under ", over), over != nil && len(over) == 0
		})
	}
	s.resize(desktop)
}

// over tells what lies over a control, at its middle and near its edges.
func (s *screen) over(id string) []string {
	return evaluate[[]string](s, `(() => { const e = document.getElementById('`+id+`'), r = e.getBoundingClientRect();
	  return [[.1, .5], [.5, .5], [.9, .5], [.5, .1], [.5, .9]].map(([x, y]) => document.elementFromPoint(r.x + x * r.width, r.y + y * r.height))
	    .filter(top => !e.contains(top)).map(top => top?.className ?? 'the window'); })()`)
}

// asksTheServerItself loads the page again, and holds that the worker answers for files
// alone: not for the API, nor for its streams.
func (s *screen) asksTheServerItself(g *gate) {
	s.t.Helper()
	if _, err := chromedp.Call(s.ctx, network.Enable, network.EnableParams{}); err != nil {
		s.t.Fatal(err)
	}
	var mu sync.Mutex
	byWorker := map[string]bool{} // of a path: the worker answered
	answers := chromedp.Events(s.ctx, network.ResponseReceived)
	var listening sync.WaitGroup
	listening.Go(func() {
		for e, err := range answers {
			if err != nil {
				return
			}
			path, _, _ := strings.Cut(strings.TrimPrefix(e.Response.URL, g.origin), "?")
			mu.Lock()
			byWorker[path] = e.Response.FromServiceWorker
			mu.Unlock()
			if e.Response.MimeType == "text/event-stream" {
				return
			}
		}
	})
	s.goTo(g.origin + "/admin")
	s.says("No calls yet")
	listening.Wait() // until the stream has come
	mu.Lock()
	defer mu.Unlock()
	asked := 0
	for path, is := range byWorker {
		if strings.HasPrefix(path, "/api/") {
			asked++
			if is {
				s.t.Errorf("the worker answers for %s", path)
			}
		}
	}
	if asked < 3 || !byWorker["/web/parley.css"] {
		s.t.Errorf("answered by the worker: %v", byWorker)
	}
}

// network has the browser believe that there is one, or none, and the gate do as much.
func (s *screen) network(g *gate, isThere bool) {
	s.t.Helper()
	g.isShut.Store(!isThere)
	if _, err := chromedp.Call(s.ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{
		Offline: !isThere, DownloadThroughput: -1, UploadThroughput: -1}); err != nil {
		s.t.Fatal(err)
	}
}

// opensOffline opens a page without a network, and waits until it has come back by itself.
func (s *screen) opensOffline(g *gate, path, comesBack string) {
	s.t.Helper()
	s.mayComplain("net::ERR_")
	s.mayComplain("WebSocket")
	s.network(g, false)
	s.goTo(g.origin + path)
	s.says("You're offline")
	s.says("Calls need a connection. We'll tell you when you're back.")
	s.pictures("offline " + path)
	s.isAccessibleNarrow("offline " + path)
	s.network(g, true)
	s.says(comesBack)
}

// isUpdatedAfterItsCall brings a new version in mid-call, looks at another page
// meanwhile, and takes the version when the call is over.
func (s *screen) isUpdatedAfterItsCall(g *gate, next *server) {
	s.t.Helper()
	const offer = "A new version is ready"
	s.startCall()
	s.press("My calls")
	s.says("still going on")
	s.pictures("bar")
	packets := s.sound().Packets
	evaluate[any](s, "window.isOfBefore = true")

	kept := s.versions()
	g.pages.Store(addressOf(s.t, next))
	evaluate[any](s, "navigator.serviceWorker.getRegistration().then(r => r.update()).then(() => 0)")
	eventually(s.t, "the new version has taken the place of the old one", patience, func() (string, bool) {
		now := s.versions()
		return fmt.Sprint(kept, now, s.workers()), len(now) == 1 && !slices.Equal(now, kept)
	})
	eventually(s.t, "the call goes on", patience, func() (string, bool) {
		now := s.sound()
		return fmt.Sprint(now), now.Packets > packets+100 && evaluate[int](s, "parleyProbe.peers.length") == 1
	})
	if text := s.text(); strings.Contains(text, offer) || !strings.Contains(text, "still going on") {
		s.t.Errorf("in a call the page says: %s", text)
	}

	s.press("Return")
	s.press("End")
	s.says("You ended the call.")
	s.says(offer)
	s.isAtHand("start-again")
	s.pictures("update")
	if !evaluate[bool](s, "window.isOfBefore") {
		s.t.Error("the page loaded itself again")
	}
	s.press("Update")
	own := "fetch('/app.js').then(r => r.text()).then(t => !window.isOfBefore && t.includes('" + strings.TrimPrefix(s.versions()[0], "parley-") + "'))"
	eventually(s.t, "the page is of the new version", patience, func() (string, bool) { return s.text(), evaluate[bool](s, own) })
	s.saysNot(offer)
}

// workers tells how far those of the page are.
func (s *screen) workers() string {
	return evaluate[string](s, `navigator.serviceWorker.getRegistration().then(r => ['installing', 'waiting', 'active'].map(at => at + ': ' + r[at]?.state).join(', '))`)
}

// versions are those of the pages that the browser keeps.
func (s *screen) versions() []string { return evaluate[[]string](s, "caches.keys()") }
