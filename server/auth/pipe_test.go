//go:build unix

package auth_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"parley/server/auth"
)

// TestKeysFromAPipe: opening one waits for whoever writes it, maybe for ever.
func TestKeysFromAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.New(auth.Config{Secret: testSecret, Keys: auth.KeySource{File: path}}); err == nil {
		t.Fatal("it was taken")
	}
}
