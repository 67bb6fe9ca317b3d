package auth_test

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"parley/server/auth"
)

func TestKeysOfAnIssuer(t *testing.T) {
	k := newKeys(t)
	i := newIssuer(t, k.usual(t))
	a := keyed(t, i.source(), nil)
	for name, token := range map[string]string{
		"RS256":            issue(t, jwt.SigningMethodRS256, k.rsa, byKid("rsa")),
		"ES256":            issue(t, jwt.SigningMethodES256, k.ec, byKid("ec")),
		"EdDSA":            issue(t, jwt.SigningMethodEdDSA, k.ed, byKid("ed")),
		"the local secret": sign(header, payload("")),
	} {
		t.Run(name, func(t *testing.T) {
			id, err := a.Verify(token) // the first waits for the first load
			if err != nil || id.Subject != "alice" || id.Local != (name == "the local secret") {
				t.Fatalf("%+v, %v", id, err)
			}
		})
	}
	if h := a.KeyHealth(); !h.OK() || h.Keys != 3 {
		t.Fatalf("%+v", h)
	}
}

// TestKeyAttacks: whatever a token says of its key, only that kid's key with
// its one algorithm counts, and nothing is fetched or read but the set.
func TestKeyAttacks(t *testing.T) {
	k := newKeys(t)
	symmetric := member{"kty": "oct", "kid": "oct", "alg": "HS256", "k": b64([]byte("n3Zq8WvT5yLc2RkH7mXs9DfJ4bGp6AeU"))}
	i := newIssuer(t, set(t, rsaMember("rsa", &k.rsa.PublicKey), ecMember(t, "ec", &k.ec.PublicKey),
		edMember("ed", k.ed.Public()), symmetric, rsaMember("enc", &k.other.PublicKey).with("use", "enc")))
	evil := newIssuer(t, set(t, rsaMember("evil", &k.other.PublicKey)))
	dir := t.TempDir()
	a := keyed(t, i.source(), nil)
	until(t, "keys", func() bool { return a.KeyHealth().OK() })
	der, err := x509.MarshalPKIXPublicKey(&k.rsa.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	hmac := func(secret []byte, header map[string]any) string {
		return issue(t, jwt.SigningMethodHS256, secret, header)
	}
	asSecret := func(name string) []byte {
		raw, err := json.Marshal(rsaMember(name, &k.rsa.PublicKey))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	rs := func(header map[string]any) string { return issue(t, jwt.SigningMethodRS256, k.other, header) }
	own := issue(t, jwt.SigningMethodRS256, k.rsa, byKid("rsa"))
	for name, token := range map[string]string{
		"another's key":                rs(byKid("rsa")),
		"another's, without a kid":     rs(nil),
		"own key without a kid":        issue(t, jwt.SigningMethodRS256, k.rsa, nil),
		"own key by another kid":       issue(t, jwt.SigningMethodRS256, k.rsa, byKid("ec")),
		"kid empty":                    issue(t, jwt.SigningMethodRS256, k.rsa, byKid("")),
		"kid a number":                 issue(t, jwt.SigningMethodRS256, k.rsa, map[string]any{"kid": 1}),
		"kid a list":                   issue(t, jwt.SigningMethodRS256, k.rsa, map[string]any{"kid": []string{"rsa"}}),
		"kid in another case":          issue(t, jwt.SigningMethodRS256, k.rsa, byKid("RSA")),
		"kid with a space":             issue(t, jwt.SigningMethodRS256, k.rsa, byKid("rsa ")),
		"kid too long":                 rs(byKid(strings.Repeat("k", auth.MaxKid+1))),
		"kid a path":                   hmac(nil, byKid("../../../../dev/null")),
		"kid a path, RS256":            rs(byKid("../../../.." + filepath.Join(dir, "evil"))),
		"kid a URL":                    rs(byKid(evil.URL + keyPath)),
		"kid a query":                  rs(byKid("x' UNION SELECT 'k")),
		"kid cut by a zero":            issue(t, jwt.SigningMethodRS256, k.rsa, byKid("rsa\x00evil")),
		"kid of an encryption key":     rs(byKid("enc")),
		"kid of a secret in the set":   hmac([]byte("n3Zq8WvT5yLc2RkH7mXs9DfJ4bGp6AeU"), byKid("oct")),
		"jku":                          rs(map[string]any{"kid": "evil", "jku": evil.URL + keyPath}),
		"x5u":                          rs(map[string]any{"kid": "evil", "x5u": evil.URL + keyPath}),
		"jwk":                          rs(map[string]any{"kid": "evil", "jwk": rsaMember("evil", &k.other.PublicKey)}),
		"x5c":                          rs(map[string]any{"kid": "evil", "x5c": []string{base64.StdEncoding.EncodeToString(der)}}),
		"HS256 with the key as PEM":    hmac(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), byKid("rsa")),
		"HS256 with the key as DER":    hmac(der, byKid("rsa")),
		"HS256 with the key as PKCS 1": hmac(x509.MarshalPKCS1PublicKey(&k.rsa.PublicKey), byKid("rsa")),
		"HS256 with the key as JWK":    hmac(asSecret("rsa"), byKid("rsa")),
		"HS256 with the modulus":       hmac(k.rsa.N.Bytes(), byKid("rsa")),
		"HS256 with the Ed25519 key":   hmac(publicBytes(t, k.ed.Public()), byKid("ed")),
		"HS256 with the EC key":        hmac(publicBytes(t, k.ec.Public()), byKid("ec")),
		"HS256 with nothing":           hmac([]byte{}, byKid("rsa")),
		"HS384 with the secret":        issue(t, jwt.SigningMethodHS384, testSecret, byKid("rsa")),
		"none":                         issue(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, byKid("rsa")),
		"none with a signature":        issue(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, byKid("rsa")) + "AAAA",
		"RS512":                        issue(t, jwt.SigningMethodRS512, k.rsa, byKid("rsa")),
		"PS256":                        issue(t, jwt.SigningMethodPS256, k.rsa, byKid("rsa")),
		"ES256 by the RSA kid":         issue(t, jwt.SigningMethodES256, k.ec, byKid("rsa")),
		"EdDSA by the EC kid":          issue(t, jwt.SigningMethodEdDSA, k.ed, byKid("ec")),
		"another's claims":             spliced(own, issue(t, jwt.SigningMethodEdDSA, k.ed, byKid("ed"))),
		"alg twice":                    sign(`{"alg":"RS256","alg":"HS256","kid":"rsa"}`, payload("")),
		"kid twice":                    sign(`{"alg":"HS256","kid":"rsa","kid":"x"}`, payload("")),
	} {
		t.Run(name, func(t *testing.T) {
			if id, err := a.Verify(token); !errors.Is(err, auth.ErrUnauthorized) || !reflect.DeepEqual(id, auth.Identity{}) {
				t.Fatalf("got %+v, %v", id, err)
			}
		})
	}
	if _, err := a.Verify(own); err != nil {
		t.Errorf("the good token: %v", err)
	}
	if n := i.fetches.Load(); n != 1 || i.strays.Load() != 0 {
		t.Errorf("%d fetches, %d of something else", n, i.strays.Load())
	}
	if evil.fetches.Load()+evil.strays.Load() != 0 {
		t.Error("a token sent the server elsewhere")
	}
}

func publicBytes(t *testing.T, key crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// spliced is one token's content with another's signature.
func spliced(content, signature string) string {
	return content[:strings.LastIndex(content, ".")] + signature[strings.LastIndex(signature, "."):]
}

// TestLocalSecretBesideKeys: a secret counts where somebody gave it, and in demo
// mode, whose server mints its own links.
func TestLocalSecretBesideKeys(t *testing.T) {
	k := newKeys(t)
	for name, test := range map[string]struct {
		mode      auth.Mode
		secret    []byte
		generated bool
		keys      bool
		local     bool // the secret counts
		starts    bool
	}{
		"secret alone":                  {auth.Production, testSecret, false, false, true, true},
		"generated secret alone":        {auth.Production, testSecret, true, false, true, true},
		"nothing":                       {auth.Production, nil, false, false, false, false},
		"keys alone":                    {auth.Production, nil, false, true, false, true},
		"keys and a secret":             {auth.Production, testSecret, false, true, true, true},
		"keys and a generated secret":   {auth.Production, testSecret, true, true, false, true},
		"keys and a short secret":       {auth.Production, testSecret[:31], false, true, false, false},
		"organization, keys, generated": {auth.Organization, testSecret, true, true, false, true},
		"organization, keys, secret":    {auth.Organization, testSecret, false, true, true, true},
		"demo, keys, generated":         {auth.Demo, testSecret, true, true, true, true},
		"demo, keys alone":              {auth.Demo, nil, false, true, false, false},
		"demo, generated":               {auth.Demo, testSecret, true, false, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := auth.Config{Mode: test.mode, Secret: test.secret, Generated: test.generated, Now: func() time.Time { return now }}
			if test.keys {
				c.Keys.File = keyFile(t, k.usual(t))
			}
			a, err := auth.New(c)
			if (err == nil) != test.starts {
				t.Fatalf("New: %v", err)
			}
			if err != nil {
				return
			}
			claims := fmt.Sprintf(`,"mode":%q,"org":"acme"`, test.mode)
			if _, err := a.Verify(sign(header, payload(claims))); (err == nil) != test.local {
				t.Errorf("a token of the secret: %v", err)
			}
			if _, err := a.Mint(auth.Claims{Subject: "alice", Org: "acme"}, time.Hour); (err == nil) != test.local || err != nil && !errors.Is(err, auth.ErrNoSecret) {
				t.Errorf("Mint: %v", err)
			}
		})
	}
}
