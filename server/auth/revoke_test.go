package auth_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/auth"
	"parley/shared/rest"
)

// memoryStore is one in memory that can fail, as a full disk does.
type memoryStore struct {
	mu      sync.Mutex
	tokens  map[string]time.Time
	signIns []keptSignIn
	fails   error
	hangs   bool
}

type keptSignIn struct {
	hash, userKey, sealed string
	expires               time.Time
}

func (l *memoryStore) RevokeToken(ctx context.Context, id string, until time.Time) error {
	return l.write(ctx, func() { l.tokens[id] = until })
}

func (l *memoryStore) PutSignIn(ctx context.Context, hash, userKey, sealed string, expires time.Time) error {
	return l.write(ctx, func() { l.signIns = append(l.signIns, keptSignIn{hash, userKey, sealed, expires}) })
}

func (l *memoryStore) DeleteSignIn(ctx context.Context, hash string) error {
	return l.write(ctx, func() {
		l.signIns = slices.DeleteFunc(l.signIns, func(s keptSignIn) bool { return s.hash == hash })
	})
}

func (l *memoryStore) SignIns(_ context.Context, yield func(hash, userKey, sealed string, expires time.Time)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.signIns {
		yield(s.hash, s.userKey, s.sealed, s.expires)
	}
	return nil
}

func (l *memoryStore) write(ctx context.Context, change func()) error {
	if l.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails == nil {
		change()
	}
	return l.fails
}

// signOut is what a browser without a cookie would ask for.
func signOut(ctx context.Context, a *auth.Auth, id auth.Identity) error {
	r := httptest.NewRequestWithContext(ctx, "DELETE", "http://parley.test/", nil)
	return a.SignOut(httptest.NewRecorder(), r, id)
}

// holding is what a server finds that starts with l and these users.
func (l *memoryStore) holding(users map[string]time.Time) func(*auth.Config) {
	return func(c *auth.Config) {
		c.SignInStore = l
		for key, before := range users {
			c.Revocations = append(c.Revocations, rest.Revocation{UserKey: key, Since: before})
		}
		c.RevokedTokens = maps.Clone(l.tokens)
		c.UserKey = func(sub string) string { return "key of " + sub }
	}
}

func TestRevoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := auth.New(auth.Config{Secret: testSecret})
		if err != nil {
			t.Fatal(err)
		}
		first, _ := a.Mint(auth.Claims{Subject: "alice"}, time.Hour)
		second, _ := a.Mint(auth.Claims{Subject: "alice"}, time.Hour)
		id, err := a.Verify(first)
		if err != nil {
			t.Fatal(err)
		}
		a.Revoke(id.ID, id.ExpiresAt)
		if _, err := a.Verify(first); !errors.Is(err, auth.ErrUnauthorized) {
			t.Fatalf("revoked, yet %v", err)
		}
		if _, err := a.Verify(second); err != nil {
			t.Fatalf("another token of the same user: %v", err)
		}
		time.Sleep(time.Hour + auth.Leeway - time.Nanosecond)
		a.Revoke("other", time.Now()) // sweeps
		if _, err := a.Verify(first); !errors.Is(err, auth.ErrUnauthorized) {
			t.Fatalf("within the leeway a revoked token is good again: %v", err)
		}
	})
}

func TestRevokeWithoutJTI(t *testing.T) {
	a := newAuth(t, nil)
	token := sign(header, payload(""))
	id, err := a.Verify(token)
	if err != nil {
		t.Fatal(err)
	}
	a.Revoke(id.ID, id.ExpiresAt)
	if _, err := a.Verify(token); !errors.Is(err, auth.ErrUnauthorized) {
		t.Fatalf("revoked, yet %v", err)
	}
	if _, err := a.Verify(sign(header, payload(`,"name":"x"`))); err != nil {
		t.Fatalf("another token: %v", err)
	}
}

func TestSigningOutLasts(t *testing.T) {
	l := &memoryStore{tokens: map[string]time.Time{}}
	a := newAuth(t, l.holding(map[string]time.Time{}))
	token := sign(header, payload(`,"jti":"j1"`))
	id, err := a.Verify(token)
	if err != nil {
		t.Fatal(err)
	}
	// The page is closed before the answer comes.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := signOut(ctx, a, id); err != nil {
		t.Fatal(err)
	}
	next := newAuth(t, l.holding(map[string]time.Time{}))
	for name, server := range map[string]*auth.Auth{"at once": a, "after a restart": next} {
		if _, err := server.Verify(token); !errors.Is(err, auth.ErrUnauthorized) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if until := l.tokens["j1"]; !until.Equal(id.ExpiresAt.Add(auth.Leeway)) {
		t.Errorf("kept until %s, the token is good until %s", until, id.ExpiresAt.Add(auth.Leeway))
	}
}

func TestSigningOutWithoutADisk(t *testing.T) {
	full := errors.New("disk full")
	l := &memoryStore{tokens: map[string]time.Time{}, fails: full}
	a := newAuth(t, l.holding(map[string]time.Time{}))
	token := sign(header, payload(""))
	id, err := a.Verify(token)
	if err != nil {
		t.Fatal(err)
	}
	if err := signOut(t.Context(), a, id); !errors.Is(err, full) {
		t.Fatalf("a sign-out that doesn't last said %v", err)
	}
	if _, err := a.Verify(token); !errors.Is(err, auth.ErrUnauthorized) {
		t.Fatalf("refused in memory, at least? %v", err)
	}
}

func TestSigningOutOnASlowDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &memoryStore{tokens: map[string]time.Time{}, hangs: true}
		a := newAuth(t, l.holding(map[string]time.Time{}))
		start := time.Now()
		if err := signOut(t.Context(), a, auth.Identity{ID: "x", ExpiresAt: now}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Fatalf("it took %s", took)
		}
	})
}

func TestRevokeUser(t *testing.T) {
	issued := func(sub string, iat time.Time) string {
		return sign(header, fmt.Sprintf(`{"iss":"parley","aud":"parley","sub":%q,"iat":%d,"exp":%d}`,
			sub, iat.Unix(), iat.Add(time.Hour).Unix()))
	}
	moment := now.Add(-10*time.Minute + 500*time.Millisecond)
	byHand := newAuth(t, func(c *auth.Config) { c.UserKey = func(sub string) string { return "key of " + sub } })
	byHand.RevokeUser("", "alice", moment)
	byHand.RevokeUser("", "alice", moment.Add(-time.Hour)) // takes nothing back
	l := &memoryStore{tokens: map[string]time.Time{}}
	restarted := newAuth(t, l.holding(map[string]time.Time{"key of alice": moment}))
	for server, a := range map[string]*auth.Auth{"changed while it runs": byHand, "loaded at the start": restarted} {
		for name, test := range map[string]struct {
			token string
			ok    bool
		}{
			"long before":        {issued("alice", moment.Add(-30*time.Minute)), false},
			"a second before":    {issued("alice", moment.Add(-time.Second)), false},
			"in the same second": {issued("alice", moment), false},
			"a second after":     {issued("alice", moment.Add(time.Second)), true},
			"another user":       {issued("bob", moment.Add(-time.Second)), true},
			"another case":       {issued("Alice", moment.Add(-time.Second)), true},
			"a key for a name":   {issued("key", moment.Add(-time.Second)), true},
		} {
			t.Run(server+"/"+name, func(t *testing.T) {
				if _, err := a.Verify(test.token); (err == nil) != test.ok {
					t.Fatalf("got %v", err)
				}
			})
		}
	}
}

// TestUserRevocationsOutliveTheirTokens: a token as long-lived as any, issued
// just before, stays refused to its end, and the revocation is swept after it.
func TestUserRevocationsOutliveTheirTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := auth.New(auth.Config{Secret: testSecret})
		if err != nil {
			t.Fatal(err)
		}
		token, err := a.Mint(auth.Claims{Subject: "alice"}, auth.MaxLife)
		if err != nil {
			t.Fatal(err)
		}
		a.RevokeUser("", "alice", time.Now().Add(time.Nanosecond))
		time.Sleep(auth.MaxLife + auth.Leeway - time.Nanosecond)
		a.Revoke("other", time.Now()) // sweeps
		if _, err := a.Verify(token); !errors.Is(err, auth.ErrUnauthorized) {
			t.Fatalf("within the leeway a revoked token is good again: %v", err)
		}
	})
}

// TestWhatAnOrganizationRevokes holds for its own tokens, and not for an admin
// of the server, by whatever claim they are one.
func TestWhatAnOrganizationRevokes(t *testing.T) {
	l := &memoryStore{tokens: map[string]time.Time{}}
	config := func(c *auth.Config) {
		l.holding(map[string]time.Time{})(c)
		c.Mode, c.Admins = auth.Organization, []string{"root", "boss@x.org", "+90"}
	}
	byHand := newAuth(t, config)
	restarted := newAuth(t, func(c *auth.Config) {
		config(c)
		for _, sub := range []string{"alice", "root", "boss"} {
			c.Revocations = append(c.Revocations, rest.Revocation{Org: "acme", UserKey: "key of " + sub, Since: now.Add(time.Second)})
		}
	})
	for _, sub := range []string{"alice", "root", "boss"} {
		byHand.RevokeUser("acme", sub, now.Add(time.Second))
	}
	for server, a := range map[string]*auth.Auth{"changed while it runs": byHand, "loaded at the start": restarted} {
		for name, test := range map[string]struct {
			sub, more string
			ok        bool
		}{
			"a user of it":                {"alice", `,"org":"acme"`, false},
			"of another organization":     {"alice", `,"org":"globex"`, true},
			"of one spelled alike":        {"alice", `,"org":"Acme"`, true},
			"another user":                {"bob", `,"org":"acme"`, true},
			"the server's admin":          {"root", `,"org":"acme"`, true},
			"the server's, by e-mail":     {"boss", `,"org":"acme","email":"boss@x.org"`, true},
			"the server's, by phone":      {"boss", `,"org":"acme","phone":"+90"`, true},
			"the same, without the claim": {"boss", `,"org":"acme"`, false},
		} {
			t.Run(server+"/"+name, func(t *testing.T) {
				token := sign(header, fmt.Sprintf(`{"iss":"parley","aud":"parley","sub":%q,"iat":%d,"exp":%d,"mode":"organization"%s}`,
					test.sub, now.Unix(), now.Add(time.Hour).Unix(), test.more))
				if _, err := a.Verify(token); (err == nil) != test.ok {
					t.Fatalf("got %v", err)
				}
			})
		}
	}
	byHand.RevokeUser("", "root", now.Add(time.Second))
	if _, err := byHand.Verify(sign(header, strings.Replace(payload(`,"mode":"organization","org":"acme"`), "alice", "root", 1))); err == nil {
		t.Fatal("the server's own admins revoke each other")
	}
}

func TestASignInStoreNeedsItsContent(t *testing.T) {
	l := &memoryStore{tokens: map[string]time.Time{}}
	for name, change := range map[string]func(*auth.Config){
		"no user keys": func(c *auth.Config) { c.UserKey = nil },
		"no tokens":    func(c *auth.Config) { c.RevokedTokens = nil },
	} {
		t.Run(name, func(t *testing.T) {
			c := auth.Config{Secret: testSecret}
			l.holding(map[string]time.Time{})(&c)
			change(&c)
			if _, err := auth.New(c); err == nil {
				t.Fatal("it was taken")
			}
		})
	}
}

func TestRevokingWhileAsking(t *testing.T) {
	a := newAuth(t, nil)
	token := sign(header, payload(""))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 50 {
				a.Revoke(fmt.Sprint("other-", i, n), now.Add(time.Hour))
				a.RevokeUser("", fmt.Sprint("user-", i, n), now)
				if _, err := a.Verify(token); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
