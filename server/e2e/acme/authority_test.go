package acme_test

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
	"strings"
	"sync/atomic"
	"testing"

	"github.com/letsencrypt/challtestsrv"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
)

// domain is the name that all certificates of these tests are for; banned is one
// that the authority issues nothing for.
const (
	domain = "voice.example.test"
	banned = "banned.example.test"
)

// shortLife is the profile whose certificates live for seconds.
const (
	shortLife        = "seconds"
	shortLifeSeconds = 6
)

func TestMain(m *testing.M) {
	// Pebble makes a client wait, repeat itself and prove too little, on purpose:
	// each test here is to prove all, and soon.
	for name, value := range map[string]string{"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"} {
		if err := os.Setenv(name, value); err != nil {
			log.Fatal(err)
		}
	}
	os.Exit(m.Run())
}

// authority is a pebble that looks for challenges on the ports of one server.
type authority struct {
	directory string
	rootFile  string         // of its own HTTPS
	roots     *x509.CertPool // of what it issues

	orders   atomic.Int32 // that were asked for
	isBroken atomic.Bool  // it answers 503 to everything
}

func startAuthority(t *testing.T, httpPort, tlsPort int) *authority {
	t.Helper()
	a, quiet, store := new(authority), log.New(io.Discard, "", 0), db.NewMemoryStore()
	if err := store.AddBlockedDomain(banned); err != nil {
		t.Fatal(err)
	}
	issuer := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{
		"default": {Description: "90 days"}, shortLife: {Description: "seconds", ValidityPeriod: shortLifeSeconds},
	})
	validator := va.New(quiet, httpPort, tlsPort, false, startNameServer(t), store)
	front := wfe.New(quiet, store, validator, issuer, []string{"pebble"}, false, false, 0, 0)
	api := front.Handler()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case a.isBroken.Load():
			http.Error(w, "broken", http.StatusServiceUnavailable)
			return
		case strings.HasPrefix(r.URL.Path, "/order-plz"):
			a.orders.Add(1)
		}
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	a.directory, a.rootFile = server.URL+"/dir", filepath.Join(t.TempDir(), "root.pem")
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(a.rootFile, root, 0o600); err != nil {
		t.Fatal(err)
	}
	a.roots = x509.NewCertPool()
	a.roots.AddCert(issuer.GetRootCert(0).Cert)
	return a
}

// startNameServer returns the address of one that leads every name to this machine.
func startNameServer(t *testing.T) string {
	t.Helper()
	addr := net.JoinHostPort("127.0.0.1", port(freePort(t)))
	names, err := challtestsrv.New(challtestsrv.Config{DNSAddrs: []string{addr}, Log: log.New(io.Discard, "", 0)})
	if err != nil {
		t.Fatal(err)
	}
	names.SetDefaultDNSIPv6("")
	go names.Run()
	t.Cleanup(names.Shutdown)
	eventually(t, "the name server listens", func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return addr
}
