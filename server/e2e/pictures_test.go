package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
)

// manifestPictures is where those are that a browser shows who is about to install the pages.
const manifestPictures = "../../web/screenshots"

// The README's pictures are taken from the real thing by `make screenshots`, and so are
// the manifest's.
func TestTheReadmesPictures(t *testing.T) {
	if os.Getenv("PARLEY_PICTURES") == "" {
		t.Skip("takes the README's pictures anew: run `make screenshots`")
	}
	srv := startServer(t, nil)
	b := startBrowser(t, microphone{voice: voice(t)}, nil, withMotion)
	caller := b.signIn(srv.callerLink)
	caller.startCall()
	caller.press("Details")
	admin := b.open(startServer(t, nil, "--demo-data").adminLink)
	admin.press("Sessions")
	admin.says("Demo data")

	aWhile := regexp.MustCompile(`\b(0:[45]\d|[1-9]:\d\d)\b`)
	eventually(t, "the agent speaks on a good line, a while into the call", 4*time.Minute, func() (string, bool) {
		text := caller.text()
		return text, strings.Contains(text, "Agent is speaking") && strings.Contains(text, "Excellent") && aWhile.MatchString(text)
	})
	admin.resize(size{1280, 720})
	for name, s := range map[string]*screen{"call": caller, "sessions": admin} {
		s.shotTo(filepath.Join("pictures", name+".png"))
	}
	caller.press("Close details")
	caller.set("(() => { const sheet = new CSSStyleSheet(); sheet.replaceSync('.demo-ribbon { visibility: hidden }'); document.adoptedStyleSheets = [sheet]; })()")
	for name, shape := range map[string]size{"wide": desktop, "narrow": phone} {
		caller.resize(shape)
		caller.says("Agent is speaking")
		caller.shotTo(filepath.Join(manifestPictures, name+".png"))
	}
}

func (s *screen) shotTo(path string) {
	s.t.Helper()
	shot, err := s.shot(page.CaptureScreenshotParams{})
	if err == nil {
		err = os.WriteFile(path, shot, 0o644)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}
