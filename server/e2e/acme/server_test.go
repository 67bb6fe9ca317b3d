package acme_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"parley/server/e2e/authority"
	"parley/server/logtest"
)

// parleyBinary is what `make build` makes.
const parleyBinary = "../../../bin/parley"

// domain is the name that all certificates of these tests are for.
const domain = "voice.example.test"

// patience bounds every wait; a busy machine needs it.
const patience = time.Minute

// server is a bin/parley that gets its certificate from an authority.
type server struct {
	dataDir             string
	httpsPort, httpPort int
	authority           *authority.Authority
	log                 logtest.Buffer
	cmd                 *exec.Cmd
}

// newServer reserves ports, which the authority has to know, and starts none.
func newServer(t *testing.T) *server {
	t.Helper()
	return &server{dataDir: filepath.Join(t.TempDir(), "data"), httpsPort: authority.FreePort(t), httpPort: authority.FreePort(t)}
}

// start runs it with flags, for name. It ends with the test, at the latest.
func (s *server) start(t *testing.T, name string, flags ...string) {
	t.Helper()
	path, err := filepath.Abs(parleyBinary)
	if err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(path, append([]string{"serve", "--domain=" + name, "--acme-email=ops@example.org", "--acme-ca=" + s.authority.Directory,
		"--http=127.0.0.1:" + port(s.httpsPort), "--http-redirect=127.0.0.1:" + port(s.httpPort), "--media-addr=127.0.0.1:0",
		"--media-private", "--data-dir=" + s.dataDir, "--drain-timeout=1s", "--reload-interval=100ms", "--log-level=debug"}, flags...)...)
	s.cmd.Stderr = &s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("%v: run `make build` first", err)
	}
	t.Cleanup(func() {
		s.stop(t)
		if t.Failed() {
			t.Logf("the server's log:\n%s", s.log.String())
		}
	})
}

func (s *server) stop(t *testing.T) {
	t.Helper()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(patience, func() { s.cmd.Process.Kill() })
	defer kill.Stop()
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	s.cmd = nil
}

// tlsConfig trusts what the authority issues for domain, and nothing else.
func (s *server) tlsConfig() *tls.Config {
	return &tls.Config{RootCAs: s.authority.Roots, ServerName: domain}
}

// shown is the certificate that a new connection is shown; nil while there is none
// that is valid.
func (s *server) shown() *x509.Certificate {
	conn, err := tls.Dial("tcp", "127.0.0.1:"+port(s.httpsPort), s.tlsConfig())
	if err != nil {
		return nil
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0]
}

// issued waits for a certificate.
func (s *server) issued(t *testing.T) *x509.Certificate {
	t.Helper()
	var cert *x509.Certificate
	eventually(t, "a certificate is issued and shown", func() bool {
		cert = s.shown()
		return cert != nil
	})
	return cert
}

// get asks for a page at https://domain or http://domain, whichever port it has
// here, and follows no redirect.
func (s *server) send(t *testing.T, method, url string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	target := map[string]int{"http": s.httpPort, "https": s.httpsPort}[req.URL.Scheme]
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: s.tlsConfig()}
	defer transport.CloseIdleConnections()
	req.Host, req.URL.Host = req.URL.Host, "127.0.0.1:"+port(target)
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res
}

func port(n int) string { return strconv.Itoa(n) }

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
