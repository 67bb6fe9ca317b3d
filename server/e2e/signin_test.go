package e2e_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// withhold keeps the page's program from loading, or no longer.
func (s *screen) withhold(patterns ...*network.BlockPattern) {
	s.t.Helper()
	if _, err := chromedp.Call(s.ctx, network.Enable, network.EnableParams{}); err != nil {
		s.t.Fatal(err)
	}
	if _, err := chromedp.Call(s.ctx, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: patterns}); err != nil {
		s.t.Fatal(err)
	}
}

// controls counts what a browser could submit by itself.
const controls = `document.querySelectorAll('form, input, button[type=submit]').length`

// Before the program runs, a sign-in page takes nothing that could go astray,
// and a link says at once that it signs in.
func TestSigningInBeforeTheProgramRuns(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	caller := startBrowser(t, microphone{}, nil).open("about:blank")
	caller.mayComplain("app.wasm")
	caller.mayComplain("ERR_BLOCKED_BY_CLIENT")
	caller.mayComplain("Failed to fetch")
	caller.withhold(&network.BlockPattern{URLPattern: "*://*:*/web/app.wasm*", Block: true})

	caller.goTo(srv.origin() + "/sign-in")
	caller.says("One moment…")
	if text := caller.text(); strings.Contains(text, "Signing in") {
		t.Errorf("without a link, the page says:\n%s", text)
	}
	caller.types(token(srv.callerLink))
	caller.types(kb.Enter)
	if n := evaluate[int](caller, controls); n != 0 {
		t.Errorf("%d things to submit before the program runs", n)
	}
	if at := caller.address(); at != srv.origin()+"/sign-in" {
		t.Errorf("the address became %s", at)
	}

	caller.goTo("about:blank")
	caller.goTo(srv.callerLink)
	caller.says("Signing in…")
	if text := caller.text(); strings.Contains(text, "Access token") || strings.Contains(text, "One moment") {
		t.Errorf("a link shows:\n%s", text)
	}
	caller.keep("signing-in")

	caller.withhold()
	caller.goTo("about:blank")
	caller.goTo(srv.callerLink)
	caller.says("Ready when you are")
	for what, log := range map[string]string{"log": srv.log.String(), "address": caller.address()} {
		if strings.Contains(log, token(srv.callerLink)) {
			t.Errorf("the token is in the %s", what)
		}
	}
}

// The form's own submission, without the program's hand in it, carries nothing
// and goes nowhere.
func TestNoFormSubmitsByItself(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	caller := startBrowser(t, microphone{}, nil).open(srv.origin() + "/sign-in")
	caller.mayComplain("CSP blocked form-action")
	caller.mayComplain("form-action")
	caller.says("Access token")
	evaluate[string](caller, `(() => { document.querySelector('#token').value = 'a.b.c'; document.querySelector('form').submit(); return ''; })()`)
	eventually(t, "the policy stops it", patience, func() (string, bool) {
		caller.mu.Lock()
		defer caller.mu.Unlock()
		said := strings.Join(caller.console, "\n")
		return said, strings.Contains(said, "form-action")
	})
	if at := caller.address(); at != srv.origin()+"/sign-in" {
		t.Errorf("the address became %s", at)
	}
}

// A token of the largest size signs in, and the browser keeps the cookie: what
// is in it has nothing to do with the token.
func TestTheLargestTokenStaysSignedIn(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	caller := startBrowser(t, microphone{}, nil).signIn(srv.origin() + "/sign-in#token=" + srv.mint(t, 8<<10))
	caller.goTo("about:blank")
	caller.goTo(srv.origin() + "/call")
	caller.says("Ready when you are")
}

// mint makes a token of a size, or of up to three bytes less, with the server's
// own secret.
func (s *server) mint(t *testing.T, size int) string {
	t.Helper()
	secret, err := os.ReadFile(filepath.Join(s.dataDir, "jwt-secret"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	for pad := size; pad > 0; pad-- {
		token := signHS256(strings.TrimSpace(string(secret)), fmt.Sprintf(
			`{"iss":"parley","aud":"parley","sub":"large","mode":"demo","iat":%d,"exp":%d,"pad":%q}`, now, now+3600, strings.Repeat("x", pad)))
		if len(token) <= size {
			return token
		}
	}
	t.Fatalf("no token of %d bytes", size)
	return ""
}

func signHS256(secret, payload string) string {
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(payload))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
