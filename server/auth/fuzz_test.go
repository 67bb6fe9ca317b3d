package auth_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"parley/server/auth"
)

// FuzzVerify signs whatever it makes up, so that only the strict check stands
// between it and an identity.
func FuzzVerify(f *testing.F) {
	for _, seed := range [][2]string{
		{header, payload("")},
		{header, payload(`,"Sub":"root"`)},
		{header, payload(`,"s\u0075b":"root"`)},
		{`{"alg":"HS256","crit":["x"]}`, payload("")},
		{`{"alg":"none"}`, payload("")},
		{header, subject(`"a\r\nb"`)},
		{header, times(`"iat":"1","exp":1e300`)},
		{header, payload(`,"x":[[[{"a":[]}]]]`)},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Add(`{"alg":"RS256","kid":"rsa"}`, payload(""))
	f.Add(`{"alg":"HS256","kid":"rsa"}`, payload(`,"mode":"organization","org":"acme","role":"org_admin"`))
	subjects := regexp.MustCompile(`^[!-~]{1,255}$`)
	a := withKeys(f)
	f.Fuzz(func(t *testing.T, header, payload string) {
		token := sign(header, payload)
		id, err := a.Verify(token)
		if err != nil {
			if !errors.Is(err, auth.ErrUnauthorized) || !reflect.DeepEqual(id, auth.Identity{}) {
				t.Fatalf("refused as %v with %+v", err, id)
			}
			return
		}
		switch life := id.ExpiresAt.Sub(id.IssuedAt); {
		case !subjects.MatchString(id.Subject):
			t.Fatalf("subject %q", id.Subject)
		case life <= 0 || life > auth.MaxLife || id.ExpiresAt.Add(auth.Leeway).Before(now):
			t.Fatalf("life %s until %s", life, id.ExpiresAt)
		case len(token) > auth.MaxToken || !utf8.ValidString(payload):
			t.Fatalf("taken: %q", token)
		}
		var told struct{ Alg string }
		if err := json.Unmarshal([]byte(header), &told); err != nil || told.Alg != "HS256" || !id.Local {
			t.Fatalf("the secret signed, the header says %q: %+v", header, id)
		}
		if scope, ok := a.Scope(id); ok || scope != (auth.Scope{}) {
			t.Fatalf("claims alone made an admin: %+v", id)
		}
		var names map[string]any
		if err := json.Unmarshal([]byte(payload), &names); err != nil || names["sub"] != id.Subject {
			t.Fatalf("sub is %v, the identity says %q: %v", names["sub"], id.Subject, err)
		}
		for name := range names {
			if name != "sub" && strings.EqualFold(name, "sub") {
				t.Fatalf("a second subject: %q", name)
			}
		}
	})
}

// withKeys is a server with keys of each kind beside its secret. Nobody waits
// for keys that don't come.
func withKeys(t testing.TB) *auth.Auth {
	k := newKeys(t)
	return newAuth(t, func(c *auth.Config) {
		c.Keys = auth.KeySource{File: keyFile(t, k.usual(t)), Patience: time.Nanosecond}
	})
}

// FuzzVerifyRaw never has the secret or a private key: nothing may be let in.
func FuzzVerifyRaw(f *testing.F) {
	good := sign(header, payload(""))
	f.Add(good[:len(good)-1])
	f.Add("..")
	f.Add(strings.Repeat(".", 100))
	k := newKeys(f)
	for _, token := range []string{
		issue(f, jwt.SigningMethodRS256, k.rsa, byKid("rsa")),
		issue(f, jwt.SigningMethodES256, k.ec, byKid("ec")),
		issue(f, jwt.SigningMethodEdDSA, k.ed, byKid("ed")),
	} {
		f.Add(token[:len(token)-4])
		f.Add(strings.Replace(token, ".", "..", 1))
	}
	a := withKeys(f)
	f.Fuzz(func(t *testing.T, token string) {
		start := time.Now()
		if _, err := a.Verify(token); err == nil && token != good {
			t.Fatalf("let in: %q", token)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Fatalf("%d bytes took %s", len(token), took)
		}
	})
}
