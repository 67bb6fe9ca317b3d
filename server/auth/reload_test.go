package auth_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"parley/server/auth"
)

func TestReloadSecret(t *testing.T) {
	const first, second = "q8Zr2LmT5vXb9NcK4wPs7HdYf3JgEa6U", "m3Vt9KcX6zRb2QnL8wFs5HdYj4PgUa7E"
	file := filepath.Join(t.TempDir(), "secret")
	a, err := auth.New(auth.Config{Mode: auth.Production, Secret: []byte(first), Issuer: "parley", Audience: "parley"})
	if err != nil {
		t.Fatal(err)
	}
	mint := func() string {
		token, err := a.Mint(auth.Claims{Subject: "ann"}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	old := mint()
	for _, step := range []struct {
		name, content           string
		changed, fails, isOldOK bool
	}{
		{"the same", first, false, false, true},
		{"too short", "short", false, true, true},
		{"another", second, true, false, false},
		{"the other again", second, false, false, false},
	} {
		if err := os.WriteFile(file, []byte(step.content), 0o600); err != nil {
			t.Fatal(err)
		}
		changed, err := a.ReloadSecrets(file)
		if changed != step.changed || (err != nil) != step.fails {
			t.Errorf("%s: changed %t, %v", step.name, changed, err)
		}
		if _, err := a.Verify(old); (err == nil) != step.isOldOK {
			t.Errorf("%s: a token of the first secret: %v", step.name, err)
		}
	}
	if changed, err := a.ReloadSecrets(file + ".gone"); changed || err == nil {
		t.Errorf("no file: changed %t, %v", changed, err)
	}
	if _, err := a.Verify(mint()); err != nil {
		t.Errorf("a token of the second secret: %v", err)
	}
}
