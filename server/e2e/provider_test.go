package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
)

// providerPackage is an OpenID Connect provider that nobody here wrote, certified by the
// OpenID Foundation.
const providerPackage = "oidc-provider@8.8.1"

// providerSecret is the one of testdata/provider.mjs.
const providerSecret = "a secret of the test alone"

// identityProvider is testdata/provider.mjs, which runs until the test ends.
type identityProvider struct {
	t      *testing.T
	issuer string
	in     io.Writer
	out    *bufio.Scanner
}

// installProvider puts the package and our program into a folder, once for all tests.
var installProvider = sync.OnceValues(func() (dir string, err error) {
	if dir, err = filepath.Abs(filepath.Join(npmArchives, "oidc")); err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		install := exec.Command("npm", "install", "--no-save", "--no-audit", "--no-fund", "--prefix", dir, providerPackage)
		if out, err := install.CombinedOutput(); err != nil {
			return "", fmt.Errorf("npm install %s: %w\n%s", providerPackage, err, out)
		}
	}
	program, err := os.ReadFile("testdata/provider.mjs")
	if err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "provider.mjs"), program, 0o600)
})

func startIdentityProvider(t *testing.T) *identityProvider {
	t.Helper()
	dir, err := installProvider()
	if err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), "node", "provider.mjs")
	node.Dir = dir
	in, err := node.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := node.StdoutPipe()
	if err == nil {
		err = node.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Process.Kill(); _ = node.Wait() }) // its error is the kill
	p := &identityProvider{t: t, in: in, out: bufio.NewScanner(out)}
	p.issuer = p.reads()
	return p
}

// reads gives its next line, but for those by which it tells developers what to set.
func (p *identityProvider) reads() string {
	p.t.Helper()
	for p.out.Scan() {
		if line := p.out.Text(); !strings.HasPrefix(line, "oidc-provider ") {
			return line
		}
	}
	p.t.Fatalf("the identity provider ended: %v", p.out.Err())
	return ""
}

func (p *identityProvider) tells(line string) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		p.t.Fatal(err)
	}
}

// signsIn goes through the provider's own pages: a name, any password, and consent.
func (s *screen) signsIn(name string) {
	s.t.Helper()
	s.press("Sign in with Acme ID")
	s.says("Sign-in")
	evaluate[any](s, `document.querySelector('input[name=login]').focus()`)
	s.types(name + kb.Tab + "any" + kb.Enter)
	s.says("Authorize")
	s.press("Continue")
}

// People sign in with their company's accounts: a group makes an admin, another an auditor, a third refuses,
// and who signs out there has no call here any more.
func TestSigningInWithTheCompanysAccounts(t *testing.T) {
	t.Parallel()
	p := startIdentityProvider(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(providerSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	srv := startServer(t, nil, "--mode=production", "--media-private", "--agent=echo",
		"--oidc-issuer="+p.issuer, "--oidc-client-id=parley", "--oidc-client-secret-file="+secret,
		"--oidc-name=Acme ID", "--oidc-admin-groups=voice-admins", "--oidc-auditor-groups=voice-auditors", "--oidc-user-groups=staff")
	p.tells(srv.origin())
	b := startBrowser(t, microphone{}, nil)
	visit := func(path string) *screen {
		s := b.open("about:blank")
		// Who isn't signed in is told so by the status, too; the provider's pages ask for
		// a font of the internet's, and the browser for their icon.
		for _, of := range []string{"status of 401", "status of 403", "fonts.googleapis.com", "favicon.ico"} {
			s.mayComplain(of)
		}
		s.goTo(srv.origin() + path)
		return s
	}

	admin := visit("/admin/logs?status=4xx")
	admin.says("Sign in with Acme ID")
	admin.isAccessible("sign-in-provider")
	admin.pictures("sign-in-provider")
	admin.signsIn("ada")
	admin.says("Access logs")
	if at := admin.address(); !strings.HasSuffix(at, "/admin/logs?status=4xx") {
		t.Errorf("led on to %s", at)
	}

	auditor := visit("/admin/people")
	auditor.signsIn("otto")
	auditor.says("You may look at everything here, and change nothing.")
	auditor.says("Nobody's access is withdrawn.")
	if acts := evaluate[int](auditor, `[...document.querySelectorAll('.act')].filter(e => e.checkVisibility()).length`); acts > 0 {
		t.Errorf("an auditor is offered %d acts", acts)
	}
	auditor.isAccessible("people-read-only")
	auditor.keep("people-read-only")

	// Who signs out here is out at the provider, too: it asks for a name again.
	admin.press("Sign out")
	admin.says("Do you want to sign-out from")
	admin.press("Yes, sign me out")
	admin.says("Sign in with Acme ID")
	if at := admin.address(); !strings.Contains(at, srv.origin()+"/sign-in?state=") {
		t.Errorf("came back to %s", at)
	}
	admin.press("Sign in with Acme ID")
	admin.says("Sign-in")

	stranger := visit("/sign-in")
	stranger.signsIn("eve")
	stranger.says("Your account may not use this server. Ask whoever runs it.")
	stranger.keep("sign-in-provider-forbidden")

	caller := visit("/sign-in")
	caller.signsIn("bob")
	caller.says("Ready when you are")
	caller.goTo(srv.origin() + "/admin")
	caller.says("Admins only")
	caller.goTo(srv.origin() + "/call")
	caller.says("Ready when you are")
	caller.startCall()
	began := time.Now()
	p.tells("logout bob")
	if said := p.reads(); said != "logged out" {
		t.Errorf("the provider says %q", said)
	}
	caller.says("Your sign-in ended at the service that you sign in with.")
	t.Logf("ended %v after the provider's word", time.Since(began).Round(time.Millisecond))
	caller.keep("sign-in-provider-logout")
	caller.goTo(srv.origin() + "/call")
	caller.says("Sign in with Acme ID")
}
