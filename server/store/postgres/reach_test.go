//go:build linux

package postgres_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/server/store/postgres"
	"parley/server/store/postgres/postgrestest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// freePort is one that nobody listens on just now: PostgreSQL takes no 0.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// writeCertificate writes one for 127.0.0.1 that is its own authority.
func writeCertificate(t *testing.T, cert, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &secret.PublicKey, secret)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(secret)
	must(t, err)
	must(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
	must(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}

// TestHowADatabaseIsReached: over TLS with a certificate that fits, or not at all; and the
// primary, whichever of several hosts that is.
func TestHowADatabaseIsReached(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	primary, err := postgrestest.Start("listen_addresses=127.0.0.1", "port="+port)
	must(t, err)
	defer func() { must(t, primary.Close()) }()
	standby, err := postgrestest.StartStandby(primary)
	must(t, err)
	defer func() { must(t, standby.Close()) }()
	says := func(part, address string) {
		t.Helper()
		a, err := postgres.ParseAddress(address)
		must(t, err)
		err = a.Check(t.Context())
		if part == "" && err != nil || part != "" && (err == nil || !strings.Contains(err.Error(), part)) {
			t.Errorf("%s: %v, want %q", address, err, part)
		}
		if err != nil && postgres.IsStarting(err) {
			t.Errorf("%s: waiting mends %v", address, err)
		}
	}
	overTCP := "postgres://parley@127.0.0.1:" + port + "/postgres?sslmode="
	says("certificate that fits", overTCP+"verify-full")
	says("is a standby", standby.Address("postgres"))
	folder := func(c *postgrestest.Cluster) string { return filepath.Dir(filepath.Dir(c.TableFiles())) }
	says("", "postgres://parley@/postgres?host="+folder(standby)+","+folder(primary)+"&port=5432,"+port)

	data := filepath.Dir(primary.TableFiles()) // where it looks for both by itself
	cert, key := filepath.Join(data, "server.crt"), filepath.Join(data, "server.key")
	writeCertificate(t, cert, key)
	must(t, primary.Give(cert))
	must(t, primary.Give(key))
	must(t, primary.Do("postgres", "ALTER SYSTEM SET ssl = on"))
	must(t, primary.Stop(false))
	must(t, primary.Resume())
	root := filepath.Join(t.TempDir(), "root.crt")
	text, err := os.ReadFile(cert)
	must(t, err)
	must(t, os.WriteFile(root, text, 0o600))
	says("", overTCP+"verify-full&sslrootcert="+root)
	says("certificate that fits", overTCP+"verify-full")
	says("certificate that fits", strings.Replace(overTCP, "127.0.0.1", "localhost", 1)+"verify-full&sslrootcert="+root)
}
