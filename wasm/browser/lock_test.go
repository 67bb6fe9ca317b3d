//go:build js

package browser

import (
	"context"
	"testing"
	"time"
)

func TestOnePageHoldsALock(t *testing.T) {
	unlock, ok := Lock(t.Context(), "test.lock")
	if !ok {
		t.Fatal("nobody has the lock, and it can't be had")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*lockRetry)
	defer cancel()
	within(t, "the second", func() {
		if _, ok := Lock(ctx, "test.lock"); ok {
			t.Error("two have the lock")
		}
	})
	other, ok := Lock(t.Context(), "test.other")
	if !ok {
		t.Error("another name is the same lock")
	}
	other()
	unlock()
	unlock()
	within(t, "the third", func() {
		again, ok := Lock(t.Context(), "test.lock")
		if !ok {
			t.Error("the lock stays held")
		}
		again()
	})
}

// Who waits gets the lock of a page that goes, as on a reload.
func TestALockIsWaitedFor(t *testing.T) {
	unlock, _ := Lock(t.Context(), "test.waited")
	got := make(chan bool, 1)
	go func() {
		unlock, ok := Lock(t.Context(), "test.waited")
		unlock()
		got <- ok
	}()
	time.AfterFunc(2*lockRetry, unlock)
	within(t, "Lock", func() {
		if !<-got {
			t.Error("it gave up")
		}
	})
}

// Without locks there is nobody to tell pages apart: the call goes on.
func TestABrowserWithoutLocks(t *testing.T) {
	for name, change := range map[string]string{
		"missing":   `value: undefined`,
		"forbidden": `get() { throw new DOMException('no', 'SecurityError') }`,
		"throws":    `value: { request() { throw new DOMException('no', 'SecurityError') } }`,
		"refuses":   `value: { request: () => Promise.reject(new DOMException('no', 'SecurityError')) }`,
		"half":      `value: {}`,
	} {
		t.Run(name, func(t *testing.T) {
			replace(t, navigatorObject, "locks", change)
			within(t, "Lock", func() {
				unlock, ok := Lock(t.Context(), "test.none")
				unlock()
				if !ok {
					t.Error("no lock is to be had")
				}
			})
		})
	}
}
