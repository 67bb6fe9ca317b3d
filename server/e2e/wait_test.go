package e2e_test

import (
	"testing"
	"time"
)

const (
	// patience is how long a page may take for what it does at once on a
	// machine that isn't busy.
	patience = 45 * time.Second
	// glance is how often a condition is looked at.
	glance = 50 * time.Millisecond
)

// eventually waits until look says true. What it saw last is told when it
// never does.
func eventually(t *testing.T, what string, limit time.Duration, look func() (seen string, ok bool)) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	for {
		seen, ok := look()
		if ok {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("%s: not within %v; last seen:\n%s", what, limit, seen)
		}
	}
}
