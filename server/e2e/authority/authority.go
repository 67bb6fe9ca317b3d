// Package authority runs a real certificate authority for the tests: pebble, Let's
// Encrypt's own, with a name server that leads its names to loopback.
package authority

import (
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letsencrypt/challtestsrv"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
)

// Banned is a name that the authority issues nothing for.
const Banned = "banned.example.test"

// ShortLife is the profile whose certificates live for seconds.
const (
	ShortLife        = "seconds"
	shortLifeSeconds = 6
)

// startsWithin bounds how long the name server may take to listen.
const startsWithin = time.Minute

// behave has pebble neither make a client wait, nor repeat itself, nor prove too little, as
// it does on purpose: each test is to prove all, and soon.
var behave = sync.OnceValue(func() error {
	for name, value := range map[string]string{"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
})

// Authority is a pebble that looks for challenges on the ports of one server.
type Authority struct {
	Directory string            // the address of its ACME directory
	RootFile  string            // of its own HTTPS
	Issuer    *x509.Certificate // signs what it issues, and comes with it
	Roots     *x509.CertPool    // of what it issues

	Orders   atomic.Int32 // that were asked for
	IsBroken atomic.Bool  // it answers 503 to everything
}

// Config is how an authority is.
type Config struct {
	// HTTPPort and TLSPort of loopback are where it looks for the challenges HTTP-01 and
	// TLS-ALPN-01.
	HTTPPort, TLSPort int
	// HasShortLife has it offer that profile beside its 90 days; who names no profile may be
	// given any.
	HasShortLife bool
	// KeyID and Key are of an account that was made beforehand, without which it gives
	// none; the key in base64url. Empty: anybody may make one.
	KeyID, Key string
}

// Start runs one until the test ends.
func Start(t *testing.T, cfg Config) *Authority {
	t.Helper()
	if err := behave(); err != nil {
		t.Fatal(err)
	}
	a, quiet, store := new(Authority), log.New(io.Discard, "", 0), db.NewMemoryStore()
	if err := store.AddBlockedDomain(Banned); err != nil {
		t.Fatal(err)
	}
	if cfg.KeyID != "" {
		if err := store.AddExternalAccountKeyByID(cfg.KeyID, cfg.Key); err != nil {
			t.Fatal(err)
		}
	}
	profiles := map[string]ca.Profile{"default": {Description: "90 days"}}
	if cfg.HasShortLife {
		profiles[ShortLife] = ca.Profile{Description: "seconds", ValidityPeriod: shortLifeSeconds}
	}
	issuer := ca.New(quiet, store, "", "ecdsa", 0, 1, profiles)
	validator := va.New(quiet, cfg.HTTPPort, cfg.TLSPort, false, startNameServer(t), store)
	front := wfe.New(quiet, store, validator, issuer, []string{"pebble"}, false, cfg.KeyID != "", 0, 0)
	api := front.Handler()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case a.IsBroken.Load():
			http.Error(w, "broken", http.StatusServiceUnavailable)
			return
		case strings.HasPrefix(r.URL.Path, "/order-plz"):
			a.Orders.Add(1)
		}
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	a.Directory, a.RootFile = server.URL+"/dir", filepath.Join(t.TempDir(), "root.pem")
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(a.RootFile, root, 0o600); err != nil {
		t.Fatal(err)
	}
	a.Issuer, a.Roots = issuer.GetIntermediateCert(0).Cert, x509.NewCertPool()
	a.Roots.AddCert(issuer.GetRootCert(0).Cert)
	return a
}

// startNameServer returns the address of one that leads every name to this machine.
func startNameServer(t *testing.T) string {
	t.Helper()
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(FreePort(t)))
	names, err := challtestsrv.New(challtestsrv.Config{DNSAddrs: []string{addr}, Log: log.New(io.Discard, "", 0)})
	if err != nil {
		t.Fatal(err)
	}
	names.SetDefaultDNSIPv6("")
	go names.Run()
	t.Cleanup(names.Shutdown)
	for deadline := time.Now().Add(startsWithin); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return addr
		}
		if time.Now().After(deadline) {
			t.Fatal("the name server doesn't listen")
		}
	}
}

// FreePort is a port of loopback that nobody had a moment ago.
func FreePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
