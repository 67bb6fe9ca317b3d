package doctor_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/server/doctor"
	"parley/shared/wire"
)

// healthy is a configuration that nothing is wrong with, on ports that are free.
func healthy(t *testing.T) doctor.Config {
	t.Helper()
	return doctor.Config{
		HTTP: "127.0.0.1:0", Media: "127.0.0.1:0", TURN: true,
		Addresses:  func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("8.8.8.8")}, nil },
		ICEServers: func() ([]wire.ICEServer, error) { return nil, nil },
		DataDir:    filepath.Join(t.TempDir(), "data"), DiskReserve: 64 << 20, LogMaxSize: 1 << 30, ClockError: time.Minute,
		FreeSpace: func(string) (free, all int64, known bool) { return 10 << 30, 100 << 30, true },
		LookupIP: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		},
	}
}

// finds holds that a check comes to a result, says something, and what to do unless it
// is ok.
func finds(t *testing.T, c doctor.Config, check string, result doctor.Result, says string) {
	t.Helper()
	found := doctor.Examine(t.Context(), c)
	for _, f := range found {
		if f.Check == check && f.Result == result && strings.Contains(f.Says, says) {
			if (result == doctor.Fault || result == doctor.Warning) && f.Act == "" {
				t.Errorf("%q has nothing to do", f.Says)
			}
			return
		}
	}
	t.Errorf("no %s of %s with %q in %+v", result, check, says, found)
}

// with changes a healthy configuration.
func with(t *testing.T, change func(*doctor.Config)) doctor.Config {
	t.Helper()
	c := healthy(t)
	change(&c)
	return c
}

// issue makes a certificate, of an authority that is made for it or of itself.
func issue(t *testing.T, from, to time.Time, isSelfSigned bool) (pair *tls.Certificate, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test authority"}, NotBefore: time.Now().Add(-10000 * time.Hour),
		NotAfter: time.Now().Add(10000 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "leaf"}, DNSNames: []string{"voice.example.org"}, NotBefore: from, NotAfter: to}
	parent := root
	if isSelfSigned {
		parent = leaf
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, parent, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := x509.ParseCertificate(rootDER)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(authority)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
