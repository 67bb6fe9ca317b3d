package auth_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

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
	subjects := regexp.MustCompile(`^[A-Za-z0-9._:@+|-]{1,128}$`)
	a := newAuth(f, nil)
	f.Fuzz(func(t *testing.T, header, payload string) {
		token := sign(header, payload)
		id, err := a.Verify(token)
		if err != nil {
			if !errors.Is(err, auth.ErrUnauthorized) || id != (auth.Identity{}) {
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

// FuzzVerifyRaw never has the secret: nothing may be let in.
func FuzzVerifyRaw(f *testing.F) {
	good := sign(header, payload(""))
	f.Add(good[:len(good)-1])
	f.Add("..")
	f.Add(strings.Repeat(".", 100))
	a := newAuth(f, nil)
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
