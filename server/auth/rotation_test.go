package auth_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"parley/server/auth"
)

func TestRotation(t *testing.T) {
	k := newKeys(t)
	old := issue(t, jwt.SigningMethodRS256, k.rsa, byKid("2026-01"))
	young := issue(t, jwt.SigningMethodES256, k.ec, byKid("2026-02"))
	before := set(t, rsaMember("2026-01", &k.rsa.PublicKey))
	both := set(t, rsaMember("2026-01", &k.rsa.PublicKey), ecMember(t, "2026-02", &k.ec.PublicKey))
	after := set(t, ecMember(t, "2026-02", &k.ec.PublicKey))
	t.Run("an unknown kid fetches", func(t *testing.T) {
		i := newIssuer(t, before)
		source := i.source()
		source.Gap, source.Refresh = 20*time.Millisecond, time.Hour
		a := keyed(t, source, nil)
		until(t, "the old key", good(a, old))
		if _, err := a.Verify(young); err == nil {
			t.Fatal("a key that isn't there yet")
		}
		i.publish(both)
		until(t, "the new key", good(a, young))
		if _, err := a.Verify(old); err != nil {
			t.Fatalf("the old key while both are there: %v", err)
		}
	})
	t.Run("a withdrawn key ends with a refresh", func(t *testing.T) {
		i := newIssuer(t, both)
		source := i.source()
		source.Gap, source.Refresh = 10*time.Millisecond, 20*time.Millisecond
		a := keyed(t, source, nil)
		until(t, "the old key", good(a, old))
		i.publish(after)
		until(t, "the end of the old key", bad(a, old))
		if _, err := a.Verify(young); err != nil {
			t.Fatalf("the new key: %v", err)
		}
	})
	t.Run("a kid that changes its key", func(t *testing.T) {
		i := newIssuer(t, before)
		source := i.source()
		source.Gap, source.Refresh = 10*time.Millisecond, 20*time.Millisecond
		a := keyed(t, source, nil)
		until(t, "the old key", good(a, old))
		i.publish(set(t, ecMember(t, "2026-01", &k.ec.PublicKey)))
		until(t, "the end of the old key", bad(a, old))
		until(t, "the new key", good(a, issue(t, jwt.SigningMethodES256, k.ec, byKid("2026-01"))))
	})
}

// TestReplacedFile: keys by file change by replacing it, and a wrong one in its
// place changes nothing.
func TestReplacedFile(t *testing.T) {
	k := newKeys(t)
	path := keyFile(t, set(t, rsaMember("old", &k.rsa.PublicKey)))
	replace := func(body string) {
		t.Helper()
		if err := os.Rename(keyFile(t, body), path); err != nil {
			t.Fatal(err)
		}
	}
	a := keyed(t, auth.KeySource{File: path, Gap: 10 * time.Millisecond, Refresh: 20 * time.Millisecond}, nil)
	old := issue(t, jwt.SigningMethodRS256, k.rsa, byKid("old"))
	if _, err := a.Verify(old); err != nil {
		t.Fatal(err)
	}
	replace("{}")
	until(t, "a fault", func() bool { return !a.KeyHealth().OK() })
	if _, err := a.Verify(old); err != nil {
		t.Fatalf("the last good file: %v", err)
	}
	replace(k.usual(t))
	until(t, "the new keys", good(a, issue(t, jwt.SigningMethodEdDSA, k.ed, byKid("ed"))))
	until(t, "the end of the old", bad(a, old))
}

// TestRightsOfAnIssuersTokens: modes, scopes and revocations are the same for
// whoever signed.
func TestRightsOfAnIssuersTokens(t *testing.T) {
	k := newKeys(t)
	a := newAuth(t, func(c *auth.Config) {
		c.Mode, c.Secret, c.Keys.File = auth.Organization, nil, keyFile(t, k.usual(t))
		c.Keys.Patience = time.Nanosecond
	})
	token := func(claims jwt.MapClaims) string {
		all := jwt.MapClaims{"iss": "parley", "aud": "parley", "sub": "alice", "iat": now.Unix(), "exp": now.Unix() + 600}
		maps.Copy(all, claims)
		made := jwt.NewWithClaims(jwt.SigningMethodES256, all)
		made.Header["kid"] = "ec"
		signed, err := made.SignedString(k.ec)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	admin := token(jwt.MapClaims{"mode": "organization", "org": "acme", "role": "org_admin"})
	id, err := a.Verify(admin)
	if err != nil {
		t.Fatal(err)
	}
	if scope, ok := a.Scope(id); !ok || scope != (auth.Scope{Org: "acme"}) {
		t.Fatalf("%+v, %v", scope, ok)
	}
	for name, claims := range map[string]jwt.MapClaims{
		"no mode":           {"org": "acme"},
		"another mode":      {"mode": "production", "org": "acme"},
		"no organization":   {"mode": "organization"},
		"another issuer":    {"mode": "organization", "org": "acme", "iss": "other"},
		"another audience":  {"mode": "organization", "org": "acme", "aud": "other"},
		"a life of a year":  {"mode": "organization", "org": "acme", "exp": now.Unix() + 365*86400},
		"an exp in quotes":  {"mode": "organization", "org": "acme", "exp": fmt.Sprint(now.Unix() + 600)},
		"a Sub beside":      {"mode": "organization", "org": "acme", "Sub": "root"},
		"a subject to fold": {"mode": "organization", "org": "acme", "sub": "al\u200bice"},
	} {
		if _, err := a.Verify(token(claims)); !errors.Is(err, auth.ErrUnauthorized) {
			t.Errorf("%s: %v", name, err)
		}
	}
	a.RevokeUser("", "alice", now.Add(time.Second))
	if _, err := a.Verify(admin); !errors.Is(err, auth.ErrUnauthorized) {
		t.Errorf("revoked, yet %v", err)
	}
}

// inBubble is a server whose issuer is asked without a network, so that time is
// the bubble's.
func inBubble(t *testing.T, answer func(fetch int) (int, string)) (a *auth.Auth, fetches *atomic.Int64) {
	t.Helper()
	fetches = new(atomic.Int64)
	a = newAuth(t, func(c *auth.Config) {
		c.Keys = auth.KeySource{URL: "https://id.example/jwks", Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			status, body := answer(int(fetches.Add(1)))
			w := httptest.NewRecorder()
			w.WriteHeader(status)
			_, err := w.WriteString(body)
			return w.Result(), err
		})}
	})
	return a, fetches
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestFloodOfUnknownKids: to the nanosecond, one fetch a gap.
func TestFloodOfUnknownKids(t *testing.T) {
	k := newKeys(t)
	tokens := make([]string, 500)
	for n := range tokens {
		tokens[n] = issue(t, jwt.SigningMethodEdDSA, k.ed, byKid(fmt.Sprint("made-up-", n)))
	}
	known := issue(t, jwt.SigningMethodEdDSA, k.ed, byKid("ed"))
	body := k.usual(t)
	synctest.Test(t, func(t *testing.T) {
		a, fetches := inBubble(t, func(int) (int, string) { return http.StatusOK, body })
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { a.Run(ctx) })
		synctest.Wait()
		flood := func(want int64) {
			t.Helper()
			start := time.Now()
			var wg sync.WaitGroup
			for _, token := range tokens {
				wg.Go(func() {
					if _, err := a.Verify(token); !errors.Is(err, auth.ErrUnauthorized) {
						t.Errorf("got %v", err)
					}
				})
			}
			wg.Wait()
			if took := time.Since(start); took > auth.KeyPatience {
				t.Errorf("an answer took %s", took)
			}
			if got := fetches.Load(); got != want {
				t.Fatalf("%d fetches, want %d", got, want)
			}
			if _, err := a.Verify(known); err != nil {
				t.Fatalf("a known kid in the flood: %v", err)
			}
		}
		flood(1)
		time.Sleep(auth.KeyGap - time.Nanosecond)
		flood(1)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		flood(2)
		flood(2)
		for gap := int64(3); gap < 13; gap++ {
			time.Sleep(auth.KeyGap)
			synctest.Wait()
			flood(gap)
		}
		cancel()
		running.Wait()
	})
}

// TestARequestWaitsForTheLoad, no shorter and no longer.
func TestARequestWaitsForTheLoad(t *testing.T) {
	k := newKeys(t)
	token, body := issue(t, jwt.SigningMethodEdDSA, k.ed, byKid("ed")), k.usual(t)
	synctest.Test(t, func(t *testing.T) {
		const load = 300 * time.Millisecond
		a, _ := inBubble(t, func(int) (int, string) {
			time.Sleep(load)
			return http.StatusOK, body
		})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { a.Run(ctx) })
		start := time.Now()
		if _, err := a.Verify(token); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != load {
			t.Errorf("it took %s", took)
		}
		cancel()
		running.Wait()
	})
}

// TestQuietIssuer: without a question, a fetch a refresh; after a failed one, a
// fetch a gap.
func TestQuietIssuer(t *testing.T) {
	body := newKeys(t).usual(t)
	synctest.Test(t, func(t *testing.T) {
		a, fetches := inBubble(t, func(n int) (int, string) {
			if n == 3 || n == 4 {
				return http.StatusServiceUnavailable, ""
			}
			return http.StatusOK, body
		})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { a.Run(ctx) })
		for n, wait := range []time.Duration{0, auth.KeyRefresh, auth.KeyRefresh, auth.KeyGap, auth.KeyGap, auth.KeyRefresh} {
			if wait > 0 {
				time.Sleep(wait - time.Nanosecond)
				synctest.Wait()
				if got := fetches.Load(); got != int64(n) {
					t.Fatalf("fetch %d came early: %d", n+1, got)
				}
				time.Sleep(time.Nanosecond)
			}
			synctest.Wait()
			if got := fetches.Load(); got != int64(n+1) {
				t.Fatalf("after %s: %d fetches, want %d", wait, got, n+1)
			}
			if h, failing := a.KeyHealth(), n == 2 || n == 3; h.OK() == failing || h.Keys != 3 {
				t.Fatalf("fetch %d: %+v", n+1, h)
			}
		}
		cancel()
		running.Wait()
	})
}
