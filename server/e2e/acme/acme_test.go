package acme_test

import (
	"crypto/tls"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/server/e2e/authority"
)

// A server that is told a name has a certificate for it within seconds, by port 443
// alone; pages come by HTTP/2 with HSTS; a restart asks for nothing.
func TestTLSALPNChallenge(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.authority = authority.Start(t, authority.Config{HTTPPort: authority.FreePort(t), TLSPort: s.httpsPort})
	s.start(t, domain, "--acme-ca-root="+s.authority.RootFile, "--http-redirect=off")
	first := s.issued(t)
	res := s.send(t, http.MethodGet, "https://"+domain+"/")
	if res.ProtoMajor != 2 || res.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("the page: %s %s, %v", res.Proto, res.Status, res.Header)
	}
	if res := s.send(t, http.MethodGet, "https://"+domain+"/readyz"); res.StatusCode != http.StatusOK {
		t.Errorf("readiness: %s", res.Status)
	}
	keepsItsFilesToItself(t, filepath.Join(s.dataDir, "certificates"))

	s.stop(t)
	s.start(t, domain, "--acme-ca-root="+s.authority.RootFile, "--http-redirect=off")
	if again := s.issued(t); again.SerialNumber.Cmp(first.SerialNumber) != 0 {
		t.Errorf("after a restart the certificate is %v, not %v", again.SerialNumber, first.SerialNumber)
	}
	if n := s.authority.Orders.Load(); n != 1 {
		t.Errorf("%d certificates were ordered", n)
	}
}

// keepsItsFilesToItself: keys, account and certificates are nobody else's.
func keepsItsFilesToItself(t *testing.T, dir string) {
	t.Helper()
	keys := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		if strings.HasSuffix(path, ".key") {
			keys++
		}
		return err
	})
	if err != nil || keys != 2 { // the account's and the certificate's
		t.Errorf("%d keys were kept, %v", keys, err)
	}
}

// keyID and accountKey are of an account that was made beforehand.
const (
	keyID      = "customer-7"
	accountKey = "c2VjcmV0IG9mIGEgY3VzdG9tZXIgb2YgdGhlIGF1dGhvcml0eQ"
)

func keyFile(t *testing.T, key string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Where only port 80 gets through, the challenge is answered there; all else on it
// is sent on to HTTPS, to the server's own name. The authority knows its customers.
func TestHTTPChallenge(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.authority = authority.Start(t, authority.Config{HTTPPort: s.httpPort, TLSPort: authority.FreePort(t), KeyID: keyID, Key: accountKey})
	s.start(t, domain, "--acme-ca-root="+s.authority.RootFile, "--acme-eab-kid="+keyID, "--acme-eab-key-file="+keyFile(t, accountKey))
	s.issued(t)
	for url, want := range map[string]string{
		"http://" + domain + "/history?day=2":              "https://" + domain + "/history?day=2",
		"http://elsewhere.example.test/":                   "https://" + domain + "/",
		"http://" + domain + "/.well-known/acme-challenge": "https://" + domain + "/.well-known/acme-challenge",
	} {
		res := s.send(t, http.MethodGet, url)
		if got := res.Header.Get("Location"); res.StatusCode != http.StatusMovedPermanently || got != want {
			t.Errorf("%s: %s to %q, want %q", url, res.Status, got, want)
		}
	}
	if res := s.send(t, http.MethodPost, "http://"+domain+"/api/v1/auth/session"); res.StatusCode != http.StatusForbidden {
		t.Errorf("what was sent in the clear: %s", res.Status)
	}
}

// A certificate is renewed before it ends, and open connections stay; one that
// can't be is shown until its end, and the log says so once.
func TestRenewal(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.authority = authority.Start(t, authority.Config{HTTPPort: s.httpPort, TLSPort: s.httpsPort, HasShortLife: true})
	s.start(t, domain, "--acme-ca-root="+s.authority.RootFile, "--acme-profile="+authority.ShortLife)
	first := s.issued(t)
	open, err := tls.Dial("tcp", "127.0.0.1:"+port(s.httpsPort), s.tlsConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	eventually(t, "the certificate is renewed while it is valid", func() bool {
		cert := s.shown()
		if cert == nil && time.Now().After(first.NotAfter) {
			t.Fatal("it ended before it was renewed")
		}
		return cert != nil && cert.SerialNumber.Cmp(first.SerialNumber) != 0
	})
	staysOpen(t, open)

	s.authority.IsBroken.Store(true)
	eventually(t, "the log tells that it can't be renewed", func() bool { return strings.Contains(s.log.String(), "no certificate could be had") })
	if res := s.plain(t); res.StatusCode != http.StatusMovedPermanently {
		t.Errorf("the server answers %s", res.Status)
	}
	if n := strings.Count(s.log.String(), "no certificate could be had"); n != 1 {
		t.Errorf("it was said %d times", n)
	}
}

func (s *server) plain(t *testing.T) *http.Response {
	t.Helper()
	return s.send(t, http.MethodGet, "http://"+domain+"/")
}

// staysOpen: nothing comes by it, and no end.
func staysOpen(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := conn.Read(make([]byte, 1)); !os.IsTimeout(err) {
		t.Errorf("an open connection ended: %v", err)
	}
}

// What keeps a certificate from being issued is said once, with what to do, and the
// server goes on without.
func TestRefusalsAreExplained(t *testing.T) {
	t.Parallel()
	closed := authority.FreePort(t)
	s := newServer(t)
	reachable, unreachable := authority.Start(t, authority.Config{HTTPPort: s.httpPort, TLSPort: s.httpsPort}), authority.Start(t, authority.Config{HTTPPort: closed, TLSPort: closed})
	exclusive := authority.Start(t, authority.Config{HTTPPort: closed, TLSPort: closed, KeyID: keyID, Key: accountKey})
	otherKey := keyFile(t, strings.Repeat("A", len(accountKey)))
	trust := func(a *authority.Authority, flags ...string) []string {
		return append(flags, "--acme-ca-root="+a.RootFile)
	}
	for name, test := range map[string]struct {
		authority *authority.Authority
		domain    string
		flags     []string
		want      string
	}{
		"the name leads to closed ports":   {unreachable, domain, trust(unreachable), "A and AAAA records point at this machine"},
		"the authority refuses the name":   {reachable, authority.Banned, trust(reachable), "does not issue for that name"},
		"there is no such profile":         {reachable, domain, trust(reachable, "--acme-profile=eternal"), "correct --acme-profile"},
		"the authority has customers":      {exclusive, domain, trust(exclusive), "--acme-eab-kid"},
		"the account's key is another":     {exclusive, domain, trust(exclusive, "--acme-eab-kid="+keyID, "--acme-eab-key-file="+otherKey), "correct --acme-eab-kid"},
		"the account is nobody's":          {exclusive, domain, trust(exclusive, "--acme-eab-kid=other", "--acme-eab-key-file="+otherKey), "correct --acme-eab-kid"},
		"the authority is not trusted":     {reachable, domain, nil, "--acme-ca-root"},
		"nobody is where it is said to be": {&authority.Authority{Directory: "https://127.0.0.1:" + port(closed) + "/dir"}, domain, nil, "can't be reached from this machine"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.authority = test.authority
			s.start(t, test.domain, test.flags...)
			eventually(t, "the log says what to do", func() bool { return strings.Contains(s.log.String(), test.want) })
			if res := s.plain(t); res.StatusCode != http.StatusMovedPermanently {
				t.Errorf("the server answers %s", res.Status)
			}
			if n := strings.Count(s.log.String(), "level=ERROR"); n != 1 {
				t.Errorf("%d errors in the log", n)
			}
		})
	}
}
