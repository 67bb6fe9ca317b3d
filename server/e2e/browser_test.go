package e2e_test

import (
	"context"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"parley/server/e2e/netpath"
)

// chromiums are the names that Chromium goes by.
var chromiums = []string{"chromium", "chromium-browser", "google-chrome"}

// A microphone is how Chromium answers a page that asks for one.
type microphone struct {
	voice  string // a WAV file, looped; "" beeps
	denied bool
}

// A browser is one headless Chromium. Each page that it opens has its own
// cookies, as if on a machine of its own.
type browser struct {
	t   *testing.T
	ctx context.Context
}

func startBrowser(t *testing.T, mic microphone, in *netpath.Namespace, flags ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	options := append(chromiumFlags(mic), chromedp.ExecPath(chromium(t)))
	options = append(options, flags...)
	if in != nil {
		options = append(options, chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) {
			if err := in.Wrap(cmd); err != nil {
				t.Error(err)
			}
		}))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	t.Cleanup(func() { closeBrowser(); stop() })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("Chromium doesn't start: %v", err)
	}
	return &browser{t: t, ctx: ctx}
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range chromiums {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("no Chromium; on Debian: apt-get install chromium")
	return ""
}

// withMotion has pages move as most users see them, for tests of what moves and of what
// a page costs. Elsewhere they stand still: drawing without a GPU, the orb of a call
// alone takes a third of what the call does.
var withMotion = chromedp.Flag(reducedMotion, false)

const reducedMotion = "force-prefers-reduced-motion"

// chromiumFlags are our own rather than the driver's defaults, which switch
// off the throttling that a user's browser has.
func chromiumFlags(mic microphone) []chromedp.ExecAllocatorOption {
	flags := []chromedp.ExecAllocatorOption{chromedp.Flag("headless", "new")}
	for _, name := range []string{"no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-dev-shm-usage",
		"disable-background-networking", "disable-component-update", "disable-sync", "mute-audio",
		"use-fake-device-for-media-stream", reducedMotion,
		// Lets a machine without any network but loopback make calls.
		"allow-loopback-in-peer-connection"} {
		flags = append(flags, chromedp.Flag(name, true))
	}
	if mic.denied {
		return append(flags, chromedp.Flag("deny-permission-prompts", true))
	}
	flags = append(flags, chromedp.Flag("use-fake-ui-for-media-stream", true))
	if mic.voice == "" {
		return flags
	}
	return append(flags, chromedp.Flag("use-file-for-fake-audio-capture", mic.voice))
}

// probe runs in each page before its own scripts. It lets the test read the
// statistics of the page's calls and say what the server might, times the first
// audio after a click, and tells of what the content security policy blocked.
const probe = `(() => {
  const real = window.RTCPeerConnection;
  const probe = window.parleyProbe = { peers: [], sockets: [], clickedAt: 0, firstAudioMS: 0 };
  addEventListener('click', () => { probe.clickedAt = performance.now(); }, true);
  addEventListener('securitypolicyviolation', e => console.error('CSP blocked ' + e.violatedDirective + ' ' + e.blockedURI));
  probe.stats = async () => {
    const pc = probe.peers.at(-1), out = {};
    if (!pc) return out;
    for (const r of (await pc.getStats()).values()) {
      if (r.type === 'media-source') out.sent = r.totalAudioEnergy;
      if (r.type === 'inbound-rtp') { out.heard = r.totalAudioEnergy; out.packets = r.packetsReceived; out.lost = r.packetsLost; }
    }
    return out;
  };
  window.WebSocket = new Proxy(window.WebSocket, { construct(target, args) {
    const socket = new target(...args);
    probe.sockets.push(socket);
    return socket;
  } });
  probe.receive = message => probe.sockets.at(-1).dispatchEvent(new MessageEvent('message', { data: JSON.stringify(message) }));
  const first = async (started) => {
    const s = await probe.stats();
    if (s.packets > 0) { probe.firstAudioMS = performance.now() - started; return; }
    setTimeout(first, 5, started);
  };
  window.RTCPeerConnection = new Proxy(real, { construct(target, args) {
    const pc = new target(...args);
    probe.peers.push(pc);
    if (probe.peers.length === 1) first(probe.clickedAt);
    return pc;
  } });
})()`

// open opens a page at the address, with nothing remembered. The scripts run in
// it before its own.
func (b *browser) open(address string, scripts ...string) *screen {
	b.t.Helper()
	return openIn(b.t, b.ctx, address, scripts, chromedp.WithNewBrowserContext())
}

// openTab opens another tab of the same user's browser: it shares all but what
// a tab has of its own.
func (s *screen) openTab(address string, scripts ...string) *screen {
	s.t.Helper()
	return openIn(s.t, s.ctx, address, scripts)
}

func openIn(t *testing.T, parent context.Context, address string, scripts []string, options ...chromedp.ContextOption) *screen {
	t.Helper()
	ctx, closePage := chromedp.NewContext(parent, options...)
	s := &screen{t: t, ctx: ctx, close: closePage}
	for _, script := range append([]string{probe}, scripts...) {
		if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script}); err != nil {
			t.Fatal(err)
		}
	}
	var listening sync.WaitGroup
	messages := chromedp.Console(ctx)
	listening.Go(func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			s.heardConsole(m)
		}
	})
	t.Cleanup(func() {
		if t.Failed() {
			s.keep("failed")
		}
		closePage()
		listening.Wait()
		s.checkConsole()
	})
	s.resize(desktop)
	s.goTo(address)
	return s
}

// heardConsole remembers what the page complained of.
func (s *screen) heardConsole(m chromedp.ConsoleMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := m.String()
	if m.URL != "" {
		line += " (" + m.URL + ")"
	}
	s.console = append(s.console, line)
	if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleException {
		s.complaints = append(s.complaints, line)
	}
}

// mayComplain lets a test bring about what a browser reports as an error, such
// as a refused request.
func (s *screen) mayComplain(of string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.excused = append(s.excused, of)
}

func (s *screen) checkConsole() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.complaints {
		if !s.isExcused(line) {
			s.t.Errorf("the console says: %s", line)
		}
	}
	if s.t.Failed() {
		s.t.Logf("the console:\n%s", strings.Join(s.console, "\n"))
	}
}

func (s *screen) isExcused(line string) bool {
	for _, of := range s.excused {
		if strings.Contains(line, of) {
			return true
		}
	}
	return false
}
