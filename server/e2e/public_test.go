package e2e_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"

	"parley/server/e2e/authority"
)

// publicName is the server's name on its internet.
const publicName = "voice.example.test"

// overTLSOnly has the page's connections use nothing but relays that are reached by TLS.
const overTLSOnly = `(() => {
  const real = window.RTCPeerConnection;
  const isTLS = s => [s.urls].flat().every(u => u.startsWith('turns:'));
  window.RTCPeerConnection = new Proxy(real, { construct(target, [config, ...more]) {
    const iceServers = config.iceServers.flatMap(s => [s.urls].flat().map(urls => ({ ...s, urls }))).filter(isTLS);
    return new target({ ...config, iceServers, iceTransportPolicy: 'relay' }, ...more);
  } });
})()`

// startPublicServer starts one in an empty folder by what its operator is told to write:
// its name, the authority that it has its certificate from, and the company's provider.
func startPublicServer(t *testing.T, a *authority.Authority, p *identityProvider, origin string, httpPort, httpsPort int) *server {
	t.Helper()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte(providerSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, binary: parleyBinary, dataDir: filepath.Join(dir, "data"), tempDir: t.TempDir(), flags: []string{
		"--mode=production", "--media-private", "--agent=echo",
		"--domain=" + publicName, "--acme-email=ops@example.test", "--acme-ca=" + a.Directory, "--acme-ca-root=" + a.RootFile,
		"--http-redirect=127.0.0.1:" + strconv.Itoa(httpPort),
		"--oidc-issuer=" + p.issuer, "--oidc-client-id=parley", "--oidc-client-secret-file=" + secret,
		"--oidc-url=" + origin, // its port is none of the well-known ones here
		"--oidc-name=Acme ID", "--oidc-admin-groups=voice-admins", "--oidc-user-groups=staff",
	}}
	s.start("127.0.0.1:"+strconv.Itoa(httpsPort), "127.0.0.1:0")
	t.Cleanup(s.stop)
	return s
}

// From an empty folder to a call: the server has its certificate from a real authority,
// people sign in at a real provider, and who is let out by TLS alone talks.
func TestFromAnEmptyFolderToACall(t *testing.T) {
	t.Parallel()
	httpPort, httpsPort := authority.FreePort(t), authority.FreePort(t)
	a := authority.Start(t, authority.Config{HTTPPort: httpPort, TLSPort: httpsPort})
	p := startIdentityProvider(t)
	origin := "https://" + net.JoinHostPort(publicName, strconv.Itoa(httpsPort))
	startPublicServer(t, a, p, origin, httpPort, httpsPort)
	p.tells(origin)

	issuer := sha256.Sum256(a.Issuer.RawSubjectPublicKeyInfo)
	b := startBrowser(t, microphone{voice: voice(t)}, nil, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("host-resolver-rules", "MAP "+publicName+" 127.0.0.1"),
		chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(issuer[:])))
	caller := b.open("about:blank", overTLSOnly)
	for _, of := range []string{"status of 401", "fonts.googleapis.com", "favicon.ico"} {
		caller.mayComplain(of)
	}
	caller.goTo(origin + "/call")
	caller.signsIn("ada")
	caller.says("Ready when you are")
	caller.startCall()
	eventually(t, "the caller hears the echo", patience, func() (string, bool) {
		s := caller.sound()
		return fmt.Sprintf("%+v", s), s.Heard > 0.001
	})
	if way := evaluate[string](caller, selectedCandidate); way != "relay tls" {
		t.Errorf("the call goes by %q", way)
	}
	caller.keep("public")
	caller.press("End")
	caller.says("Call ended")
	caller.goTo(origin + "/admin/sessions")
	caller.says("ada")
}
