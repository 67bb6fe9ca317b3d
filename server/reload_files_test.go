package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/shared/rest"
)

// issuer is somebody's identity provider with a key.
type issuer struct {
	kid     string
	private ed25519.PrivateKey
}

func newIssuer(t *testing.T, kid string) issuer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return issuer{kid, private}
}

// keySet is its public key as RFC 7517 and 8037 write it.
func (i issuer) keySet() []byte {
	x := base64.RawURLEncoding.EncodeToString(i.private.Public().(ed25519.PublicKey))
	return fmt.Appendf(nil, `{"keys":[{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":%q,"x":%q}]}`, i.kid, x)
}

func (i issuer) token(t *testing.T) string {
	t.Helper()
	encode := func(v map[string]any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	now := time.Now().Unix()
	signed := encode(map[string]any{"alg": "EdDSA", "kid": i.kid, "typ": "JWT"}) + "." +
		encode(map[string]any{"iss": "parley", "aud": "parley", "sub": "ann", "mode": "demo", "iat": now, "exp": now + 3600})
	return signed + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(i.private, []byte(signed)))
}

// changingFile is a file that the program is given, and what a request gets by
// what it holds: first, then what can't be used, then another.
type changingFile struct {
	flags                 func(t *testing.T, path string) []string
	first, broken, second []byte
	path                  string // asked for
	before, after         string // tokens that the first and the second open it to
}

// TestEveryFileIsTakenUpWhileTheServerRuns by SIGHUP and, without a word, by the
// clock; one that can't be used changes nothing. Certificates have a test of their
// own for the signal.
func TestEveryFileIsTakenUpWhileTheServerRuns(t *testing.T) {
	t.Parallel()
	one, two := newIssuer(t, "one"), newIssuer(t, "two")
	flag := func(name string) func(*testing.T, string) []string {
		return func(_ *testing.T, path string) []string { return []string{name + "=" + path} }
	}
	for name, f := range map[string]changingFile{
		"keys": {
			flag("--jwks-file"), one.keySet(), []byte(`{"keys":`), two.keySet(), rest.PathMe, one.token(t), two.token(t),
		},
		"metrics token": {
			flag("--metrics-token-file"), []byte("0123456789abcdef"), []byte("short"), []byte("fedcba9876543210\n"), rest.PathMetrics, "0123456789abcdef", "fedcba9876543210",
		},
	} {
		for _, way := range []string{"signal", "clock"} {
			t.Run(name+" by "+way, func(t *testing.T) {
				t.Parallel()
				file := filepath.Join(t.TempDir(), "file")
				replaceFile(t, file, f.first)
				interval := map[string]string{"signal": "1m", "clock": "100ms"}[way]
				c := spawn(t, append(f.flags(t, file), "--reload-interval="+interval)...)
				change := func(to []byte) {
					replaceFile(t, file, to)
					if way == "signal" {
						c.signal(t, syscall.SIGHUP)
					}
				}
				status := func(token string) int {
					res := c.send(t, token, http.MethodGet, f.path, nil)
					_ = res.Body.Close()
					return res.StatusCode
				}
				if got := status(f.before); got != http.StatusOK {
					t.Fatalf("at the start: %d", got)
				}
				if got := status(f.after); got != http.StatusUnauthorized {
					t.Fatalf("before its time: %d", got)
				}
				change(f.broken)
				eventually(t, "the log tells that it can't be used", func() bool {
					return strings.Contains(c.logs.String(), "can't be used") || strings.Contains(c.logs.String(), "can't be loaded")
				})
				if got := status(f.before); got != http.StatusOK {
					t.Errorf("after one that can't be used: %d", got)
				}
				change(f.second)
				eventually(t, "the second is in use", func() bool { return status(f.after) == http.StatusOK })
				eventually(t, "the first is not", func() bool { return status(f.before) == http.StatusUnauthorized })
			})
		}
	}
}

// TestCertificateAndSecretAreTakenUpByTheClock, without a signal.
func TestCertificateAndSecretAreTakenUpByTheClock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	replaceFile(t, secret, []byte("q8Zr2LmT5vXb9NcK4wPs7HdYf3JgEa6U"))
	cert, key := writeCertificate(t, dir, 1)
	secure := spawn(t, "--tls-cert="+cert, "--tls-key="+key, "--reload-interval=100ms")
	plain := spawn(t, "--jwt-secret-file="+secret, "--reload-interval=100ms")
	old := plain.mint(t, "--sub=ann", "--jwt-secret-file="+secret)
	writeCertificate(t, dir, 2)
	replaceFile(t, secret, []byte("m3Vt9KcX6zRb2QnL8wFs5HdYj4PgUa7E"))
	eventually(t, "the renewed certificate is shown", func() bool { return secure.shown(t) == 2 })
	eventually(t, "a token of the secret before is refused", func() bool {
		res := plain.send(t, old, http.MethodGet, rest.PathMe, nil)
		_ = res.Body.Close()
		return res.StatusCode == http.StatusUnauthorized
	})
}
