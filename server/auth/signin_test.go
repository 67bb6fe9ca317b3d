package auth_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/auth"
)

// sessionOf signs in with a token and gives what the cookie holds.
func sessionOf(t testing.TB, a *auth.Auth, token string) string {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "http://parley.test/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	id, err := a.Bearer(r)
	if err == nil {
		err = a.StartSession(w, r, id)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w.Result().Cookies()[0].Value
}

// bySession asks who a cookie stands for.
func bySession(a *auth.Auth, value string) (auth.Identity, error) {
	return a.Authenticate(withSession(value))
}

func withSession(value string) *http.Request {
	r := httptest.NewRequest("DELETE", "http://parley.test/", nil)
	r.AddCookie(&http.Cookie{Name: "parley_session", Value: value})
	return r
}

func TestCookie(t *testing.T) {
	a := newAuth(t, nil)
	for name, test := range map[string]struct{ url, name, rest string }{
		"http":  {"http://parley.test/", "parley_session=", "; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict"},
		"https": {"https://parley.test/", "__Host-parley_session=", "; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Strict"},
	} {
		t.Run(name, func(t *testing.T) {
			r, w := httptest.NewRequest("POST", test.url, nil), httptest.NewRecorder()
			if err := a.StartSession(w, r, auth.Identity{Subject: "alice", ExpiresAt: now.Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
			set := w.Header().Get("Set-Cookie")
			value, isPrefixed := strings.CutPrefix(set, test.name)
			value, hasRest := strings.CutSuffix(value, test.rest)
			if raw, err := base64.RawURLEncoding.DecodeString(value); !isPrefixed || !hasRest || err != nil || len(raw) != 32 {
				t.Fatalf("got %s", set)
			}
			w = httptest.NewRecorder()
			if err := a.SignOut(w, r, auth.Identity{ID: "x"}); err != nil {
				t.Fatal(err)
			}
			if got := w.Header().Get("Set-Cookie"); !strings.HasPrefix(got, test.name+";") || !strings.Contains(got, "Max-Age=0") || !strings.Contains(got, "Path=/") {
				t.Fatalf("clear: %s", got)
			}
		})
	}
}

// TestLargestTokenSignsIn: what the cookie holds has nothing to do with the
// token's size, and browsers keep 4 KiB.
func TestLargestTokenSignsIn(t *testing.T) {
	a := newAuth(t, nil)
	pad := auth.MaxToken
	token := sign(header, payload(""))
	for len(token) != auth.MaxToken { // base64 makes steps
		if token = sign(header, payload(`,"pad":"`+strings.Repeat("x", pad)+`"`)); len(token) < auth.MaxToken-2 {
			break
		}
		pad--
	}
	value := sessionOf(t, a, token)
	if id, err := bySession(a, value); err != nil || id.Subject != "alice" || !id.ByCookie || len(value) > 64 {
		t.Fatalf("a token of %d bytes: %+v, %v", len(token), id, err)
	}
}

// TestSessionIsItsToken: the same user, rights and end, after a restart too.
func TestSessionIsItsToken(t *testing.T) {
	l := &memoryStore{tokens: map[string]time.Time{}}
	config := func(c *auth.Config) {
		l.holding(map[string]time.Time{})(c)
		c.Admins = []string{"boss@x.org"}
	}
	a := newAuth(t, config)
	token := sign(header, payload(`,"jti":"token-of-ann-0001","name":"Annabelle","email":"boss@x.org","phone":"+905551234","org":"acme","role":"x","email_verified":true`))
	want, err := a.Verify(token)
	if err != nil {
		t.Fatal(err)
	}
	value := sessionOf(t, a, token)
	if again := sessionOf(t, a, token); again == value {
		t.Fatal("two sign-ins have one session id")
	}
	for name, server := range map[string]*auth.Auth{"at once": a, "after a restart": newAuth(t, config)} {
		got, err := bySession(server, value)
		if err != nil || !got.ByCookie || !got.ServerAdmin || !server.Admin(got) || !got.ExpiresAt.Equal(want.ExpiresAt) || !got.IssuedAt.Equal(want.IssuedAt) {
			t.Fatalf("%s: %+v, %v", name, got, err)
		}
		got.ByCookie, got.ExpiresAt, got.IssuedAt = false, want.ExpiresAt, want.IssuedAt
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, want)
		}
	}
	for _, kept := range l.signIns {
		all := kept.hash + kept.sealed + kept.userKey
		if raw, _ := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(kept.sealed, "local:")); len(raw) > 0 {
			all += string(raw)
		}
		for _, secret := range []string{value, token, "boss@x.org", "+905551234", "Annabelle", "token-of-ann-0001"} {
			if strings.Contains(all, secret) {
				t.Errorf("the store keeps %q in the clear", secret)
			}
		}
	}
}

func TestSessionsThatAreNone(t *testing.T) {
	a := newAuth(t, nil)
	value := sessionOf(t, a, sign(header, payload("")))
	other := sessionOf(t, newAuth(t, nil), sign(header, payload("")))
	for name, bad := range map[string]string{
		"empty": "", "a token": sign(header, payload("")), "of another server": other,
		"cut": value[:len(value)-1], "longer": value + "A", "padded": value + "=", "random": strings.Repeat("A", 43),
		"another character": strings.Map(func(r rune) rune {
			if r == rune(value[0]) {
				return '_'
			}
			return r
		}, "-"+value[1:]),
	} {
		if id, err := bySession(a, bad); !errors.Is(err, auth.ErrUnauthorized) || !reflect.DeepEqual(id, auth.Identity{}) {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
	}
}

// TestSessionsOfAnotherConfiguration: a server that would refuse the token
// doesn't know its session, even from the same store.
func TestSessionsOfAnotherConfiguration(t *testing.T) {
	l := &memoryStore{tokens: map[string]time.Time{}}
	value := sessionOf(t, newAuth(t, l.holding(map[string]time.Time{})), sign(header, payload("")))
	for name, test := range map[string]struct {
		change func(*auth.Config)
		ok     bool
	}{
		"the same":         {func(*auth.Config) {}, true},
		"another admin":    {func(c *auth.Config) { c.Admins = []string{"bob"} }, true},
		"another mode":     {func(c *auth.Config) { c.Mode = auth.Demo }, false},
		"another issuer":   {func(c *auth.Config) { c.Issuer = "other" }, false},
		"another audience": {func(c *auth.Config) { c.Audience = "other" }, false},
		"another secret":   {func(c *auth.Config) { c.Secret = []byte("m3Lw8kQ5zXvTr9bNc2JpLs7HdYf1GaE4") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuth(t, func(c *auth.Config) {
				l.holding(map[string]time.Time{})(c)
				test.change(c)
			})
			if _, err := bySession(a, value); (err == nil) != test.ok {
				t.Fatalf("got %v", err)
			}
		})
	}
}

// TestWhatEndsASession: the token's revocation, the user's, signing out.
func TestWhatEndsASession(t *testing.T) {
	token := sign(header, payload(`,"jti":"j1"`))
	for name, end := range map[string]func(*auth.Auth, string) error{
		"the jti":  func(a *auth.Auth, _ string) error { a.Revoke("j1", now.Add(time.Hour)); return nil },
		"the user": func(a *auth.Auth, _ string) error { a.RevokeUser("", "alice", now.Add(time.Second)); return nil },
		"signing out": func(a *auth.Auth, value string) error {
			id, err := bySession(a, value)
			return errors.Join(err, a.SignOut(httptest.NewRecorder(), withSession(value), id))
		},
		"signing out by the token": func(a *auth.Auth, _ string) error {
			id, err := a.Verify(token)
			return errors.Join(err, signOut(t.Context(), a, id))
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := &memoryStore{tokens: map[string]time.Time{}}
			a := newAuth(t, l.holding(map[string]time.Time{}))
			value, twin := sessionOf(t, a, token), sessionOf(t, a, token)
			if err := end(a, value); err != nil {
				t.Fatal(err)
			}
			for _, v := range []string{value, twin} {
				if _, err := bySession(a, v); !errors.Is(err, auth.ErrUnauthorized) {
					t.Fatalf("still good: %v", err)
				}
			}
			if name == "signing out" && len(l.signIns) != 1 {
				t.Fatalf("the store keeps %d", len(l.signIns))
			}
		})
	}
}

func TestSessionExpiresWithItsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := auth.New(auth.Config{Secret: testSecret})
		if err != nil {
			t.Fatal(err)
		}
		token, _ := a.Mint(auth.Claims{Subject: "alice"}, time.Minute)
		value := sessionOf(t, a, token)
		time.Sleep(time.Minute + auth.Leeway - time.Nanosecond)
		if _, err := bySession(a, value); err != nil {
			t.Fatalf("a nanosecond before: %v", err)
		}
		time.Sleep(time.Nanosecond)
		if _, err := bySession(a, value); !errors.Is(err, auth.ErrUnauthorized) {
			t.Fatalf("at expiry: %v", err)
		}
	})
}

// TestMaxSignIns: one more signs the oldest out, of that user alone.
func TestMaxSignIns(t *testing.T) {
	l := &memoryStore{tokens: map[string]time.Time{}}
	config := l.holding(map[string]time.Time{})
	a := newAuth(t, config)
	bob := sessionOf(t, a, sign(header, subject(`"bob"`)))
	elsewhere := sessionOf(t, a, sign(header, payload(`,"org":"globex"`)))
	var values []string
	for range auth.MaxSignIns {
		values = append(values, sessionOf(t, a, sign(header, payload(""))))
	}
	if _, err := bySession(a, values[0]); err != nil {
		t.Fatalf("one of as many as may be: %v", err)
	}
	values = append(values, sessionOf(t, a, sign(header, payload(""))))
	for name, server := range map[string]*auth.Auth{"at once": a, "after a restart": newAuth(t, config)} {
		if _, err := bySession(server, values[0]); !errors.Is(err, auth.ErrUnauthorized) {
			t.Errorf("%s: the oldest of too many: %v", name, err)
		}
		for _, v := range slices.Concat(values[1:], []string{bob, elsewhere}) {
			if _, err := bySession(server, v); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestSigningInOnAFullDisk: what can't be kept isn't answered with a cookie.
func TestSigningInOnAFullDisk(t *testing.T) {
	l := &memoryStore{tokens: map[string]time.Time{}}
	a := newAuth(t, l.holding(map[string]time.Time{}))
	l.fails = errors.New("disk full")
	w := httptest.NewRecorder()
	err := a.StartSession(w, httptest.NewRequest("POST", "http://parley.test/", nil), auth.Identity{Subject: "alice", ExpiresAt: now})
	if !errors.Is(err, l.fails) || w.Header().Get("Set-Cookie") != "" {
		t.Fatalf("%v, %v", err, w.Header())
	}
}
