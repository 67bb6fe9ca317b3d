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

// Signing in by a form and by a link, before and after the program runs.
func TestSigningIn(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	caller := startBrowser(t, microphone{}, nil).open("about:blank")
	caller.signsInBeforeTheProgramRuns(srv)
	caller.hasNoTraceOf(srv)
	caller.staysSignedInByTheLargestToken(srv)
	caller.submitsNoFormByItself(srv)
}

// A demo is entered without a token: by anybody as a caller, who is no admin then, and as
// its admin by the passkey that it printed.
func TestEnteringADemo(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	b := startBrowser(t, microphone{}, nil)
	caller := b.open(srv.origin() + "/sign-in")
	caller.says("Admin rights here don't carry over to production.")
	caller.shoot("sign-in", "demo")
	caller.types(kb.Enter)
	caller.says("Ready when you are")
	caller.says("Visitor")
	caller.saysNot("Overview")
	caller.mayComplain("403")
	caller.goTo(srv.origin() + "/admin")
	caller.says("Admins only")

	admin := b.open(srv.origin() + "/sign-in?next=/admin/sessions")
	admin.mayComplain("401")
	admin.press("Enter as the demo admin")
	eventually(t, "the focus is where the passkey goes", patience, func() (string, bool) { return admin.focused(), admin.focused() == "Passkey" })
	admin.types("aaaa-bbbb-cccc-dddd")
	admin.types(kb.Enter)
	admin.says("That isn't this server's passkey.")
	admin.shoot("sign-in", "passkey")
	admin.set("document.querySelector('#passkey').select()")
	admin.types(strings.ToUpper(srv.passkey))
	admin.types(kb.Enter)
	admin.says("Demo admin")
	if at := admin.address(); !strings.HasPrefix(at, srv.origin()+"/admin/sessions") {
		t.Errorf("the admin is at %s", at)
	}
	if strings.Contains(srv.log.String(), srv.passkey) {
		t.Error("the log holds the passkey")
	}
}

// signsInBeforeTheProgramRuns: until then a sign-in page takes nothing that could go astray,
// and a link says at once that it signs in.
func (s *screen) signsInBeforeTheProgramRuns(srv *server) {
	t, caller := s.t, s
	t.Helper()
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
}

// hasNoTraceOf the token that signed in, but the cookie: neither has the server's log.
func (s *screen) hasNoTraceOf(srv *server) {
	s.t.Helper()
	secret := token(srv.callerLink)
	if address := s.address(); strings.Contains(address, "#") || strings.Contains(address, "token") {
		s.t.Errorf("the address bar still shows %s", address)
	}
	for _, store := range []string{"document.cookie", "JSON.stringify(localStorage)", "JSON.stringify(sessionStorage)", "document.documentElement.outerHTML"} {
		if strings.Contains(evaluate[string](s, store), secret) {
			s.t.Errorf("%s holds the token", store)
		}
	}
	if strings.Contains(srv.log.String(), secret) {
		s.t.Error("the server's log holds the token")
	}
	s.goTo(srv.origin() + "/call") // the cookie is what stays
	s.says("Ready when you are")
}

// staysSignedInByTheLargestToken: the browser keeps the cookie, for what is in it has
// nothing to do with the token.
func (s *screen) staysSignedInByTheLargestToken(srv *server) {
	s.t.Helper()
	s.press("Sign out")
	s.says("Access token")
	s.goTo("about:blank")
	s.goTo(srv.origin() + "/sign-in#token=" + srv.mint(s.t, 8<<10))
	s.says("Ready when you are")
	s.goTo("about:blank")
	s.goTo(srv.origin() + "/call")
	s.says("Ready when you are")
}

// submitsNoFormByItself: the form's own submission, without the program's hand in it,
// carries nothing and goes nowhere.
func (s *screen) submitsNoFormByItself(srv *server) {
	s.t.Helper()
	s.mayComplain("CSP blocked form-action")
	s.mayComplain("form-action")
	s.press("Sign out")
	s.says("Access token")
	at := s.address()
	evaluate[string](s, `(() => { document.querySelector('#token').value = 'a.b.c'; document.querySelector('form').submit(); return ''; })()`)
	eventually(s.t, "the policy stops it", patience, func() (string, bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		said := strings.Join(s.console, "\n")
		return said, strings.Contains(said, "form-action")
	})
	if now := s.address(); now != at || !strings.HasPrefix(at, srv.origin()+"/sign-in") {
		s.t.Errorf("the address became %s, was %s", now, at)
	}
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
