package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// dataDir is the one folder that the server writes to, held by a lock so that
// a second server on it refuses to start.
type dataDir struct {
	path string
	lock *os.File
}

// openDataDir makes the folder (0700) where needed and takes its lock.
func openDataDir(path string) (*dataDir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another server already uses the data directory %s", path)
		}
		return nil, fmt.Errorf("data directory: %w", err)
	}
	return &dataDir{path: path, lock: lock}, nil
}

// Close gives the lock back.
func (d *dataDir) Close() error { return d.lock.Close() }
