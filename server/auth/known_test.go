package auth_test

import (
	"errors"
	"fmt"
	"testing"

	"parley/server/auth"
	"parley/shared/rest"
)

func TestWhoWasMet(t *testing.T) {
	a := newAuth(t, func(c *auth.Config) { c.Mode = auth.Organization })
	in := func(sub, org string) string {
		return sign(header, fmt.Sprintf(`{"iss":"parley","aud":"parley","sub":%q,"iat":%d,"exp":%d,"mode":"organization","org":%q}`,
			sub, now.Unix(), now.Unix()+600, org))
	}
	if _, err := a.Verify(in("alice", "acme")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Verify(in("mallory", "acme") + "x"); err == nil || auth.RefusedOrg(err) != "acme" {
		t.Fatalf("a forged token is taken, or of %q: %v", auth.RefusedOrg(err), err)
	}
	// What a forged token says of an organization that nobody came from is made up.
	if _, err := a.Verify(in("mallory", "initech") + "x"); err == nil || auth.RefusedOrg(err) != "" || !errors.Is(err, auth.ErrUnauthorized) {
		t.Fatalf("a forged token is taken, or of %q: %v", auth.RefusedOrg(err), err)
	}
	for _, c := range []struct {
		org, sub string
		met      bool
	}{
		{"acme", "alice", true}, {"", "alice", true}, {"globex", "alice", false},
		{"acme", "Alice", false}, {"", "mallory", false}, {"acme", "", false},
	} {
		if a.HasMet(c.org, c.sub) != c.met {
			t.Errorf("%q of %q: not %v", c.sub, c.org, c.met)
		}
	}
}

// TestABlock refuses what is issued after it, too, until it is taken back; what
// else refuses the same person stays.
func TestABlock(t *testing.T) {
	a := newAuth(t, nil)
	token := sign(header, payload(""))
	block := rest.Revocation{UserKey: "alice", Block: true, Since: now.AddDate(-1, 0, 0)}
	a.PutRevocation(block)
	if _, err := a.Verify(token); err == nil {
		t.Error("a token issued after the block is good")
	}
	a.DeleteRevocation(rest.Revocation{UserKey: "alice"})
	if _, err := a.Verify(token); err == nil {
		t.Error("taking another revocation back lifts the block")
	}
	a.DeleteRevocation(block)
	if _, err := a.Verify(token); err != nil {
		t.Errorf("unblocked: %v", err)
	}
	a.RevokeUser("", "alice", now.AddDate(0, 0, 1))
	a.PutRevocation(block)
	a.DeleteRevocation(block)
	if _, err := a.Verify(token); err == nil {
		t.Error("unblocking takes a revocation back")
	}
}
