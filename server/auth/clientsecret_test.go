package auth_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/auth"
	"parley/shared/rest"
)

// callWith asks for a call with a bearer.
func callWith(bearer string) *http.Request {
	r := httptest.NewRequest("POST", "http://parley.test/v1/realtime/calls", nil)
	r.Header.Set("Authorization", "Bearer "+bearer)
	return r
}

// secretFor gives a client secret for a token's user, and that user.
func secretFor(t testing.TB, a *auth.Auth, token string, life time.Duration) (string, auth.Identity) {
	t.Helper()
	id, err := a.Verify(token)
	if err != nil {
		t.Fatal(err)
	}
	value, _, err := a.IssueClientSecret(id, "parrot", life)
	if err != nil {
		t.Fatal(err)
	}
	return value, id
}

// A secret is its user's until it is spent, once, whoever else tries at the time.
func TestAClientSecretIsSpentOnce(t *testing.T) {
	a := newAuth(t, nil)
	value, want := secretFor(t, a, sign(header, payload(`,"jti":"j1","name":"Ann"`)), time.Minute)
	if len(value) < len("ek_")+26 || !strings.HasPrefix(value, "ek_") { // base32: 130 bits
		t.Fatalf("a secret of %d characters", len(value))
	}
	found, isOne, err := a.FindClientSecret(callWith(value))
	if err != nil || !isOne || !reflect.DeepEqual(found.Identity, want) || found.Agent != "parrot" {
		t.Fatalf("%+v, %v, %v", found, isOne, err)
	}
	var spent atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if a.SpendClientSecret(found) == nil {
				spent.Add(1)
			}
		})
	}
	all.Wait()
	if n := spent.Load(); n != 1 {
		t.Errorf("spent %d times", n)
	}
	if _, isOne, err := a.FindClientSecret(callWith(value)); !isOne || !errors.Is(err, auth.ErrUnauthorized) {
		t.Errorf("after that: %v, %v", isOne, err)
	}
}

func TestWhatIsNoClientSecret(t *testing.T) {
	a := newAuth(t, nil)
	token := sign(header, payload(`,"jti":"j1"`))
	value, _ := secretFor(t, a, token, time.Minute)
	for name, test := range map[string]struct {
		r     *http.Request
		isOne bool
	}{
		"a token":      {callWith(token), false},
		"nothing":      {httptest.NewRequest("POST", "http://parley.test/", nil), false},
		"made up":      {callWith("ek_abcdefghijklmnopqrstuvwxyz"), true},
		"in capitals":  {callWith("ek_" + strings.ToUpper(value[3:])), true},
		"and a letter": {callWith(value + "a"), true},
	} {
		if _, isOne, err := a.FindClientSecret(test.r); isOne != test.isOne || isOne != errors.Is(err, auth.ErrUnauthorized) {
			t.Errorf("%s: %v, %v", name, isOne, err)
		}
	}
	for name, r := range map[string]*http.Request{"a request": callWith(value), "a socket": socketWith(rest.TicketProtocol + value)} {
		if _, err := a.Authenticate(r); !errors.Is(err, auth.ErrUnauthorized) {
			t.Errorf("a secret opens %s like a token: %v", name, err)
		}
	}
}

// What ends the token ends its secrets, also between finding and spending.
func TestAClientSecretIsWorthItsToken(t *testing.T) {
	for name, end := range map[string]func(*auth.Auth){
		"signed out": func(a *auth.Auth) { a.Revoke("j1", now.Add(time.Hour)) },
		"revoked":    func(a *auth.Auth) { a.RevokeUser("", "alice", now.Add(time.Second)) },
	} {
		a := newAuth(t, nil)
		value, _ := secretFor(t, a, sign(header, payload(`,"jti":"j1"`)), time.Minute)
		found, _, err := a.FindClientSecret(callWith(value))
		if err != nil {
			t.Fatal(err)
		}
		end(a)
		if _, _, err := a.FindClientSecret(callWith(value)); !errors.Is(err, auth.ErrUnauthorized) {
			t.Errorf("%s: %v", name, err)
		}
		if err := a.SpendClientSecret(found); !errors.Is(err, auth.ErrUnauthorized) {
			t.Errorf("%s, spent: %v", name, err)
		}
	}
}

func TestClientSecretLife(t *testing.T) {
	for name, test := range map[string]struct{ asked, token, want time.Duration }{
		"asked for":             {time.Minute, time.Hour, time.Minute},
		"too long":              {2 * time.Hour, 3 * time.Hour, 10 * time.Minute},
		"too short":             {time.Second, time.Hour, 10 * time.Second},
		"longer than the token": {5 * time.Minute, 2 * time.Minute, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, err := auth.New(auth.Config{Secret: testSecret})
				if err != nil {
					t.Fatal(err)
				}
				token, _ := a.Mint(auth.Claims{Subject: "alice"}, test.token)
				value, _ := secretFor(t, a, token, test.asked)
				found, _, err := a.FindClientSecret(callWith(value))
				if got := time.Until(found.Expires); err != nil || got != test.want {
					t.Fatalf("%s, want %s; %v", got, test.want, err)
				}
				time.Sleep(test.want - time.Nanosecond)
				if _, _, err := a.FindClientSecret(callWith(value)); err != nil {
					t.Fatalf("a nanosecond before: %v", err)
				}
				time.Sleep(time.Nanosecond)
				if a.SpendClientSecret(found) == nil {
					t.Fatal("spent at its end")
				}
			})
		})
	}
}

func TestMaxClientSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := auth.New(auth.Config{Secret: testSecret})
		if err != nil {
			t.Fatal(err)
		}
		issue := func(user string) error {
			_, _, err := a.IssueClientSecret(auth.Identity{Subject: user, ExpiresAt: time.Now().Add(time.Hour)}, "", time.Hour)
			return err
		}
		for i := range auth.MaxClientSecrets {
			if err := issue(fmt.Sprint(i / auth.MaxUserClientSecrets)); err != nil {
				t.Fatalf("secret %d: %v", i+1, err)
			}
		}
		if err := issue("another"); !errors.Is(err, auth.ErrTooManyClientSecrets) {
			t.Fatalf("one more: %v", err)
		}
		time.Sleep(auth.MaxClientSecretLife)
		for range auth.MaxUserClientSecrets {
			if err := issue("another"); err != nil {
				t.Fatalf("after they expired: %v", err)
			}
		}
		if err := issue("another"); !errors.Is(err, auth.ErrTooManyClientSecrets) {
			t.Fatalf("one more of one user: %v", err)
		}
	})
}
