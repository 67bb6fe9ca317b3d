package postgres

import (
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	for address, part := range map[string]string{
		"mysql://parley@db/parley":                      "postgres://USER@HOST",
		"host=db user=parley":                           "postgres://USER@HOST",
		"postgres://parley@db:port/parley":              "postgres://USER@HOST",
		"postgres://parley@db/parley?sslmode=always":    "postgres://USER@HOST",
		"postgres://parley:s3cret@db/parley":            "PGPASSFILE",
		"postgres://parley@db/parley?password=s3cret":   "PGPASSFILE",
		"postgres://parley@db:99999999/parley?x=s3cret": "postgres://USER@HOST",
	} {
		_, err := ParseAddress(address)
		if err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// Beyond this machine nothing goes in the clear that wasn't asked to.
func TestCertificatesAreCheckedBeyondThisMachine(t *testing.T) {
	for address, want := range map[string]struct{ isTLS, isChecked, mayBePlain bool }{
		"postgres://parley@db.example.org/parley":                 {true, true, false},
		"postgres://parley@192.0.2.1/parley":                      {true, true, false},
		"postgres://parley@db.example.org/parley?sslmode=require": {true, false, false},
		"postgres://parley@db.example.org/parley?sslmode=disable": {false, false, false},
		"postgres://parley@127.0.0.1/parley":                      {true, false, true},
		"postgres://parley@localhost/parley?sslmode=disable":      {false, false, false},
		"postgres://parley@/parley?host=/var/run/postgresql":      {false, false, false},
	} {
		a, err := ParseAddress(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		tls := a.config.TLSConfig
		if (tls != nil) != want.isTLS || (tls != nil && !tls.InsecureSkipVerify) != want.isChecked || mayBePlain(a.config) != want.mayBePlain {
			t.Errorf("%s: TLS %v, %+v", address, tls != nil, want)
		}
	}
}

func TestParametersAreNumbered(t *testing.T) {
	for query, want := range map[string]string{
		"SELECT 1":                       "SELECT 1",
		"SELECT ? + ?":                   "SELECT $1 + $2",
		"DELETE FROM a WHERE b IN (?,?)": "DELETE FROM a WHERE b IN ($1,$2)",
	} {
		if got := numbered(query); got != want || numbered(query) != want {
			t.Errorf("%s: %s", query, got)
		}
	}
}

func TestTextsThatPostgreSQLCanNotKeep(t *testing.T) {
	for text, want := range map[string]string{"ü": "ü", "a\x00b": "a\uFFFDb", "\xff": "\uFFFD", "": ""} {
		if got := Storable(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
