package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/shared/rest"
	"parley/shared/wire"
)

// writeCertificate writes a self-signed certificate of that serial, and its key,
// as an ACME client does: aside, then renamed.
func writeCertificate(t *testing.T, dir string, serial int64) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	replaceFile(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	replaceFile(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	return certFile, keyFile
}

func replaceFile(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// shown is the serial of the certificate that a new connection is shown.
func (c *child) shown(t *testing.T) int64 {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(c.base, "https://"), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func (c *child) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// A renewed certificate is shown after SIGHUP, half a one never, and open
// connections stay.
func TestARenewedCertificateIsTakenUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir, 1)
	c := spawn(t, "--tls-cert="+cert, "--tls-key="+key)
	open, err := tls.Dial("tcp", strings.TrimPrefix(c.base, "https://"), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if got := open.ConnectionState().NegotiatedProtocol; got != "h2" {
		t.Errorf("the protocol is %q", got)
	}
	if got := c.shown(t); got != 1 {
		t.Fatalf("certificate %d", got)
	}
	writeCertificate(t, dir, 2)
	c.signal(t, syscall.SIGHUP)
	eventually(t, "the renewed certificate is shown", func() bool { return c.shown(t) == 2 })

	replaceFile(t, cert, []byte("no certificate"))
	c.signal(t, syscall.SIGHUP)
	eventually(t, "the log tells of it", func() bool { return strings.Contains(c.logs.String(), "can't be used") })
	if got := c.shown(t); got != 2 {
		t.Errorf("certificate %d", got)
	}
	writeCertificate(t, dir, 3)
	c.signal(t, syscall.SIGHUP)
	eventually(t, "the next one is shown", func() bool { return c.shown(t) == 3 })
	_ = open.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	for buf := make([]byte, 512); ; { // the server's first frames, then nothing
		if _, err := open.Read(buf); err != nil {
			if !os.IsTimeout(err) {
				t.Errorf("an open connection ended: %v", err)
			}
			break
		}
	}
}

// A changed secret holds after SIGHUP, and no call ends by it; tokens of the one
// before are refused from then on.
func TestAChangedSecretIsTakenUp(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	const first, second = "q8Zr2LmT5vXb9NcK4wPs7HdYf3JgEa6U", "m3Vt9KcX6zRb2QnL8wFs5HdYj4PgUa7E"
	replaceFile(t, file, []byte(first))
	c := spawn(t, "--jwt-secret-file="+file)
	old := c.mint(t, "--sub=ann", "--jwt-secret-file="+file)
	call, _ := c.open(t, old)
	replaceFile(t, file, []byte("short"))
	c.signal(t, syscall.SIGHUP)
	eventually(t, "the log tells of it", func() bool { return strings.Contains(c.logs.String(), "can't be used") })
	if res := c.send(t, old, http.MethodGet, rest.PathMe, nil); res.StatusCode != http.StatusOK {
		t.Errorf("a short secret changed something: %s", res.Status)
	}
	replaceFile(t, file, []byte(second))
	fresh := c.mint(t, "--sub=bob", "--jwt-secret-file="+file)
	c.signal(t, syscall.SIGHUP)
	eventually(t, "a token of the new secret is good", func() bool {
		return c.send(t, fresh, http.MethodGet, rest.PathMe, nil).StatusCode == http.StatusOK
	})
	if res := c.send(t, old, http.MethodGet, rest.PathMe, nil); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a token of the old secret gets %s", res.Status)
	}
	call.say(wire.Ping{ID: 7})
	if got := receive[wire.Pong](call); got.ID != 7 {
		t.Errorf("the call answers %v", got)
	}
}

// Who asks a second time is not made to wait for the calls.
func TestASecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		c := spawn(t, "--drain-timeout=60s")
		c.open(t, c.token(t, "ann"))
		c.signal(t, s)
		eventually(t, "the server drains", func() bool { return strings.Contains(c.logs.String(), "draining") })
		c.signal(t, syscall.SIGHUP) // nor does this end it
		select {
		case <-c.exited:
			t.Fatalf("%v: it did not wait for the call", s)
		case <-time.After(300 * time.Millisecond):
		}
		c.killed = true // its end is no orderly one
		c.signal(t, s)
		select {
		case <-c.exited:
		case <-time.After(patience):
			t.Errorf("%v twice: still running", s)
			_ = c.cmd.Process.Kill()
		}
	}
}

// An address that no caller can reach is told by the flag that named it, in one
// sentence that says what to write.
func TestAPublicAddressThatIsNoneIsTold(t *testing.T) {
	t.Parallel()
	for _, ip := range []string{"203.0.113.7", "127.0.0.1", "10.0.0.1", "0.0.0.0", "224.0.0.1", "::1"} {
		err := run(t.Context(), []string{"serve", "--http=127.0.0.1:0", "--media-addr=127.0.0.1:0", "--data-dir=" + t.TempDir(), "--public-ip=" + ip}, io.Discard, io.Discard, nil)
		if exitCode(err) != exitUsage || !strings.HasPrefix(err.Error(), "--public-ip "+ip+": ") || !strings.Contains(err.Error(), "write the public address") {
			t.Errorf("%s: %v", ip, err)
		}
	}
}
