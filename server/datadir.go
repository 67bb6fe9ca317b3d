package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"parley/server/auth"
	"parley/server/backup"
	"parley/server/privacy"
)

// dataDir is the one folder that the server writes to, held by a lock so that
// a second server on it refuses to start.
type dataDir struct {
	path string
	lock *os.File
}

// openDataDir opens the folder for a server.
func openDataDir(path string) (*dataDir, error) {
	d, err := lockDataDir(path)
	if err != nil {
		return nil, err
	}
	if err := backup.CheckFinished(path); err != nil {
		return nil, errors.Join(fmt.Errorf("--data-dir: %w", err), d.Close())
	}
	return d, nil
}

// lockDataDir makes the folder (0700) where needed and takes its lock.
func lockDataDir(path string) (*dataDir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, mistakenDirectory(err)
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return nil, mistakenDirectory(err)
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, mistakenDirectory(err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("--data-dir: another server already uses %s: end it, or write another directory", path)
		}
		return nil, mistakenDirectory(err)
	}
	return &dataDir{path: path, lock: lock}, nil
}

// Close gives the lock back.
func (d *dataDir) Close() error { return d.lock.Close() }

// userKeyFile holds the key of the keyed hashes that users are found by.
const userKeyFile = "user-key"

// userKey reads the key, or makes it the first time. Who loses it can't find
// what was kept of a user any more; who steals it can test guesses.
func (d *dataDir) userKey() ([]byte, error) {
	path := filepath.Join(d.path, userKeyFile)
	key, err := auth.ReadPrivateFile(path)
	if err == nil && len(key) != privacy.MinKey {
		return nil, fmt.Errorf("--data-dir: %s has %d bytes instead of %d: put its backup back", path, len(key), privacy.MinKey)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return key, err
	}
	key = make([]byte, privacy.MinKey)
	rand.Read(key) // never fails, by its contract
	return key, os.WriteFile(path, key, 0o600)
}

// hostname names this server where nobody did.
func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "parley"
	}
	return name
}
