package auth_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parley/server/auth"
)

func TestCheckSecret(t *testing.T) {
	for name, test := range map[string]struct {
		secret string
		ok     bool
	}{
		"random":               {"k7Qw2mZ9xVtR4bNc8JpLs3HdYf6GaE1u", true},
		"hex":                  {"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", true},
		"none":                 {"", false},
		"31 bytes":             {"k7Qw2mZ9xVtR4bNc8JpLs3HdYf6GaE1", false},
		"one letter":           {strings.Repeat("a", 64), false},
		"zero bytes":           {strings.Repeat("\x00", 32), false},
		"a word again":         {strings.Repeat("changeme", 4), false},
		"a word and a half":    {"secret-secret-secret-secret-secr", false},
		"halves":               {"k7Qw2mZ9xVtR4bNck7Qw2mZ9xVtR4bNc", false},
		"counting":             {"0123456789abcdefghijklmnopqrstuv", false},
		"counting down":        {"zyxwvutsrqponmlkjihgfedcba987654", false},
		"few letters":          {"abcabdabeabcabfabcabdabgabcabeab", false},
		"of a website":         {"a-string-secret-at-least-256-bits-long", false},
		"of a website, styled": {"A String Secret At Least 256 Bits Long!", false},
		"of a specification":   {"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow", false},
		"a public key":         {"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAk7Qw2mZ9xVtR4bNc8JpLs3HdYf6GaE1u", false},
		"a key of a set":       {`{"kty":"OKP","crv":"Ed25519","x":"k7Qw2mZ9xVtR4bNc8JpLs3HdYf6GaE1u"}`, false},
		"of a product":         {"your-super-secret-jwt-token-with-at-least-32-characters-long", false},
	} {
		t.Run(name, func(t *testing.T) {
			err := auth.CheckSecret([]byte(test.secret))
			if (err == nil) != test.ok {
				t.Fatalf("got %v", err)
			}
			if err != nil && test.secret != "" && strings.Contains(err.Error(), test.secret) {
				t.Fatalf("the refusal tells the secret: %v", err)
			}
		})
	}
}

func TestGeneratedSecretIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, err := auth.LoadOrGenerateSecret(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := auth.CheckSecret(first); err != nil {
		t.Fatalf("our own secret is refused: %v", err)
	}
	second, err := auth.LoadOrGenerateSecret(dir)
	if err != nil || !bytes.Equal(first, second) {
		t.Fatalf("the second time: %v, equal %v", err, bytes.Equal(first, second))
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("files left: %v, %v", entries, err)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, entries[0].Name()): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestTwoServersAtOnceShareOneSecret(t *testing.T) {
	dir := t.TempDir()
	secrets := make([]string, 8)
	var wg sync.WaitGroup
	for i := range secrets {
		wg.Go(func() {
			s, err := auth.LoadOrGenerateSecret(dir)
			if err != nil {
				t.Error(err)
			}
			secrets[i] = string(s)
		})
	}
	wg.Wait()
	for _, s := range secrets {
		if s != secrets[0] {
			t.Fatal("two secrets")
		}
	}
}

func TestReadableSecretIsRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := auth.LoadOrGenerateSecret(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "jwt-secret")
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.LoadOrGenerateSecret(dir); err == nil {
		t.Fatal("a secret that others can read was taken")
	}
}

// Whoever may read a file with a secret beside its owner, it is refused.
func TestReadPrivateFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]bool{
		0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o644: false, 0o620: false, 0o602: false, 0o610: false, 0o601: false, 0o444: false,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{path, link} {
			got, err := auth.ReadPrivateFile(p)
			if (err == nil) != want || want && string(got) != "secret" {
				t.Errorf("%s with %o: %q, %v", filepath.Base(p), mode, got, err)
			}
			if err != nil && (!strings.Contains(err.Error(), "chmod 600") || strings.Contains(err.Error(), "secret")) {
				t.Errorf("it says %v", err)
			}
		}
	}
	for mode, want := range map[os.FileMode]bool{0o600: true, 0o640: true, 0o440: true, 0o644: false, 0o604: false, 0o660: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := auth.ReadGroupFile(path); (err == nil) != want {
			t.Errorf("of a group, with %o: %v", mode, err)
		}
	}
	if _, err := auth.ReadPrivateFile(dir); err == nil {
		t.Error("a folder was read")
	}
	if err := errors.Join(os.Chmod(path, 0o600), os.Truncate(path, auth.MaxPrivateFile+1)); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.ReadPrivateFile(path); err == nil {
		t.Error("a megabyte and a byte was read")
	}
}

func TestReadSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	if err := os.WriteFile(path, append(testSecret, "\r\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := auth.ReadSecret(path)
	if err != nil || !bytes.Equal(got, testSecret) {
		t.Fatalf("got %q, %v", got, err)
	}
	if _, err := auth.ReadSecret(path + "x"); err == nil {
		t.Fatal("no error for a missing file")
	}
}
