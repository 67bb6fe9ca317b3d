package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"parley/server/auth"
)

// keys are real ones, of every kind that is taken, and a second RSA key for
// whoever isn't the issuer.
type keys struct {
	rsa, other *rsa.PrivateKey
	ec         *ecdsa.PrivateKey
	ed         ed25519.PrivateKey
}

// newKeys makes them once: RSA takes its time.
func newKeys(t testing.TB) keys {
	t.Helper()
	k, err := madeKeys()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var madeKeys = sync.OnceValues(func() (k keys, err error) {
	if k.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return k, err
	}
	if k.other, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return k, err
	}
	if k.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return k, err
	}
	_, k.ed, err = ed25519.GenerateKey(rand.Reader)
	return k, err
})

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// member is one key of a set, with members of your own over its usual ones; a
// nil takes one away.
type member map[string]any

func (m member) with(name string, value any) member {
	out := member{}
	for k, v := range m {
		out[k] = v
	}
	if out[name] = value; value == nil {
		delete(out, name)
	}
	return out
}

func rsaMember(kid string, key *rsa.PublicKey) member {
	return member{"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256",
		"n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}
}

func ecMember(t testing.TB, kid string, key *ecdsa.PublicKey) member {
	t.Helper()
	point, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	half := (len(point) - 1) / 2
	return member{"kty": "EC", "kid": kid, "use": "sig", "alg": "ES256", "crv": key.Curve.Params().Name,
		"x": b64(point[1 : 1+half]), "y": b64(point[1+half:])}
}

func edMember(kid string, key crypto.PublicKey) member {
	public, _ := key.(ed25519.PublicKey)
	return member{"kty": "OKP", "kid": kid, "use": "sig", "alg": "EdDSA", "crv": "Ed25519", "x": b64(public)}
}

// set is a JWK Set of these keys.
func set(t testing.TB, members ...member) string {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"keys": members})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// usual is the set with a key of each kind.
func (k keys) usual(t testing.TB) string {
	return set(t, rsaMember("rsa", &k.rsa.PublicKey), ecMember(t, "ec", &k.ec.PublicKey), edMember("ed", k.ed.Public()))
}

// issue makes a good token with any method, key and header.
func issue(t testing.TB, method jwt.SigningMethod, key any, header map[string]any) string {
	t.Helper()
	return signedBy(t, method, key, jwt.MapClaims{
		"iss": "parley", "aud": "parley", "sub": "alice", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}, header)
}

// signedBy makes a token of any claims.
func signedBy(t testing.TB, method jwt.SigningMethod, key any, claims jwt.MapClaims, header map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	for name, value := range header {
		token.Header[name] = value
	}
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func byKid(kid string) map[string]any { return map[string]any{"kid": kid} }

// issuer serves a set that can change, and counts who comes for it.
type issuer struct {
	*httptest.Server
	set     atomic.Pointer[string]
	handler atomic.Pointer[http.HandlerFunc] // instead of the set
	fetches atomic.Int64
	strays  atomic.Int64 // requests for anything else
}

// keyPath has a key of its own, as some issuers want, to be kept out of logs.
const keyPath = "/realms/parley/jwks.json?key=hush"

func newIssuer(t testing.TB, body string) *issuer {
	t.Helper()
	i := &issuer{}
	i.publish(body)
	i.Server = httptest.NewServer(i)
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || r.RequestURI != keyPath {
		i.strays.Add(1)
		http.NotFound(w, r)
		return
	}
	i.fetches.Add(1)
	if h := i.handler.Load(); h != nil {
		(*h)(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	_, _ = w.Write([]byte(*i.set.Load()))
}

func (i *issuer) publish(body string) {
	i.set.Store(&body)
	i.handler.Store(nil)
}

func (i *issuer) instead(h http.HandlerFunc) { i.handler.Store(&h) }

func (i *issuer) source() auth.KeySource { return auth.KeySource{URL: i.URL + keyPath} }

// keyed is a server with that source, running until the test is over.
func keyed(t testing.TB, source auth.KeySource, change func(*auth.Config)) *auth.Auth {
	t.Helper()
	a := newAuth(t, func(c *auth.Config) {
		c.Keys = source
		if change != nil {
			change(c)
		}
	})
	running(t, a)
	return a
}

func running(t testing.TB, a *auth.Auth) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() { a.Run(t.Context()) })
	t.Cleanup(wg.Wait) // after the context, which ends first
}

// until waits for a condition. Its pause only keeps the loop from spinning.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	pause := time.NewTicker(2 * time.Millisecond)
	defer pause.Stop()
	for !ok() {
		select {
		case <-pause.C:
		case <-deadline.C:
			t.Fatalf("never: %s", what)
		}
	}
}

func good(a *auth.Auth, token string) func() bool {
	return func() bool { _, err := a.Verify(token); return err == nil }
}

func bad(a *auth.Auth, token string) func() bool {
	return func() bool { _, err := a.Verify(token); return err != nil }
}

// pad makes a set that long.
func pad(body string, size int) string { return body + strings.Repeat(" ", size-len(body)) }
