package auth_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parley/server/auth"
)

// rotatedAuth is an Auth whose secret comes from a file.
func rotatedAuth(t *testing.T) (a *auth.Auth, file string, rotate func()) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, testSecret, 0o600); err != nil {
		t.Fatal(err)
	}
	a = newAuth(t, nil)
	return a, file, func() {
		t.Helper()
		if err := auth.RotateSecret(file); err != nil {
			t.Fatal(err)
		}
		if changed, err := a.ReloadSecrets(file); err != nil || !changed {
			t.Fatalf("taken up: %t, %v", changed, err)
		}
	}
}

// TestARotationThrowsNobodyOut: what the secret before signed is good until the next.
func TestARotationThrowsNobodyOut(t *testing.T) {
	a, file, rotate := rotatedAuth(t)
	token := mint(t, a, "ann")
	cookie := sessionOf(t, a, token)
	check := func(when, token, cookie string, good bool) {
		t.Helper()
		if _, err := a.Verify(token); (err == nil) != good {
			t.Errorf("%s: the token: %v", when, err)
		}
		if _, err := bySession(a, cookie); (err == nil) != good {
			t.Errorf("%s: the cookie: %v", when, err)
		}
	}
	rotate()
	check("after one rotation", token, cookie, true)
	late := sessionOf(t, a, token) // a cookie is as good as the token that it was had for
	check("after one rotation", token, late, true)
	second := mint(t, a, "bob")
	secondCookie := sessionOf(t, a, second)
	if changed, err := a.ReloadSecrets(file); changed || err != nil {
		t.Errorf("the same files again: changed %t, %v", changed, err)
	}
	rotate()
	check("after two rotations", token, cookie, false)
	check("after two rotations, signed in between", token, late, false)
	check("after two rotations, of the second", second, secondCookie, true)
	rotate()
	check("after three rotations, of the second", second, secondCookie, false)
}

func TestRotateSecretReplacesFilesThatOnlyTheOwnerReads(t *testing.T) {
	_, file, rotate := rotatedAuth(t)
	rotate()
	current, previous, err := auth.ReadSecrets(file)
	if err != nil || string(previous) != string(testSecret) || string(current) == string(testSecret) || auth.CheckSecret(current) != nil {
		t.Fatalf("%q, %q, %v", current, previous, err)
	}
	names, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(names) != 2 {
		t.Errorf("%v, %v: want the secret and the one before", names, err)
	}
	for _, name := range names {
		if info, err := name.Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func TestRotateSecretRefusesWhatItCanNotReplace(t *testing.T) {
	for name, test := range map[string]struct {
		make func(t *testing.T, path string) error
		says string
	}{
		"no file":  {func(*testing.T, string) error { return nil }, "first start of a server makes one"},
		"a link":   {func(t *testing.T, path string) error { return os.Symlink(secretIn(t), path) }, "is a link"},
		"a weak":   {func(_ *testing.T, path string) error { return os.WriteFile(path, []byte("short"), 0o600) }, "at least 32"},
		"readable": {func(_ *testing.T, path string) error { return os.WriteFile(path, testSecret, 0o644) }, "chmod 600"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secret")
			if err := test.make(t, path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(path)
			if err := auth.RotateSecret(path); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v: want %q", err, test.says)
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Errorf("%q became %q", before, after)
			}
			if _, err := os.Lstat(auth.PreviousSecretFile(path)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a previous secret: %v", err)
			}
		})
	}
}

func secretIn(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.WriteFile(path, testSecret, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRotationsAtOnceFollowEachOther: the secret before is always one that was in use.
func TestRotationsAtOnceFollowEachOther(t *testing.T) {
	_, file, _ := rotatedAuth(t)
	var rotations sync.WaitGroup
	for range 8 {
		rotations.Go(func() {
			if err := auth.RotateSecret(file); err != nil {
				t.Error(err)
			}
		})
	}
	rotations.Wait()
	current, previous, err := auth.ReadSecrets(file)
	if err != nil || string(current) == string(previous) || string(previous) == string(testSecret) {
		t.Errorf("%q, %q, %v", current, previous, err)
	}
}

// TestAWeakPreviousSecretIsRefused: a key for all is no better for being old.
func TestAWeakPreviousSecretIsRefused(t *testing.T) {
	a, file, _ := rotatedAuth(t)
	token := mint(t, a, "ann")
	if err := os.WriteFile(auth.PreviousSecretFile(file), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if changed, err := a.ReloadSecrets(file); changed || err == nil || !strings.Contains(err.Error(), "previous") {
		t.Errorf("changed %t, %v", changed, err)
	}
	if _, err := a.Verify(token); err != nil {
		t.Errorf("the secrets before don't hold: %v", err)
	}
	if _, err := auth.New(auth.Config{Secret: testSecret, PreviousSecret: []byte("short")}); err == nil {
		t.Error("taken at the start")
	}
}
