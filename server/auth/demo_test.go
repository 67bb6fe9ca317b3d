package auth_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"parley/server/auth"
)

func demo(c *auth.Config) { c.Mode = auth.Demo }

// TestVisitorsOfADemo are callers, each for themselves, and nobody's admin.
func TestVisitorsOfADemo(t *testing.T) {
	a := newAuth(t, demo)
	one, err := a.EnterDemo()
	other, err2 := a.EnterDemo()
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if one.Subject == other.Subject || one.ID == other.ID || !strings.HasPrefix(one.Subject, "visitor-") {
		t.Errorf("two visitors: %+v %+v", one, other)
	}
	if scope, isAdmin := a.Scope(one); isAdmin || scope != (auth.Scope{}) || one.ServerAdmin {
		t.Errorf("a visitor administers %+v", scope)
	}
	if life := one.ExpiresAt.Sub(one.IssuedAt); life != auth.MaxLife {
		t.Errorf("a visit of %v", life)
	}
}

// TestThePasskey lets the admin in however it is written, and nothing else does.
func TestThePasskey(t *testing.T) {
	a := newAuth(t, demo)
	key := a.DemoPasskey()
	if !regexp.MustCompile(`^([a-z2-7]{4}-){3}[a-z2-7]{4}$`).MatchString(key) || newAuth(t, demo).DemoPasskey() != key {
		t.Fatalf("the passkey %q", key)
	}
	for _, good := range []string{key, strings.ReplaceAll(key, "-", ""), strings.ToUpper(key), " " + strings.ReplaceAll(key, "-", " ") + "\n"} {
		id, err := a.EnterDemoAdmin(good)
		if scope, isAdmin := a.Scope(id); err != nil || !isAdmin || !scope.All || id.Subject != auth.DemoAdmin {
			t.Errorf("%q: %+v, %v", good, id, err)
		}
	}
	for _, bad := range []string{"", "-", key[:len(key)-1], key + "a", key[1:] + key[:1], string(testSecret)} {
		if id, err := a.EnterDemoAdmin(bad); !errors.Is(err, auth.ErrUnauthorized) || id.Subject != "" {
			t.Errorf("%q: %+v, %v", bad, id, err)
		}
	}
}

// TestThePasskeyFollowsTheSecret: a new one makes another, and the old one is good for as
// long as the old secret is.
func TestThePasskeyFollowsTheSecret(t *testing.T) {
	a := newAuth(t, demo)
	before, next := a.DemoPasskey(), []byte("p4Rt7yWq1LzVn9XkB3sCj6MhGd8FuE2a")
	enters := func(key string) bool { _, err := a.EnterDemoAdmin(key); return err == nil }
	if err := a.SetSecrets(next, testSecret); err != nil {
		t.Fatal(err)
	}
	if a.DemoPasskey() == before || !enters(before) || !enters(a.DemoPasskey()) {
		t.Error("a rotation isn't followed")
	}
	if err := a.SetSecrets(next, nil); err != nil {
		t.Fatal(err)
	}
	if enters(before) {
		t.Error("the passkey of a secret that is gone lets in")
	}
}

// TestNoOtherModeIsEntered, whatever is known of it.
func TestNoOtherModeIsEntered(t *testing.T) {
	key := newAuth(t, demo).DemoPasskey()
	for _, mode := range []auth.Mode{auth.Production, auth.Organization} {
		a := newAuth(t, func(c *auth.Config) { c.Mode, c.Admins = mode, []string{auth.DemoAdmin} })
		if got := a.DemoPasskey(); got != "" {
			t.Errorf("%s has the passkey %q", mode, got)
		}
		for _, enter := range []func() (auth.Identity, error){a.EnterDemo, func() (auth.Identity, error) { return a.EnterDemoAdmin(key) }} {
			if id, err := enter(); !errors.Is(err, auth.ErrUnauthorized) || id.Subject != "" {
				t.Errorf("%s lets in %+v, %v", mode, id, err)
			}
		}
	}
}
