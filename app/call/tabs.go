package call

import (
	"context"
	"sync"
	"time"

	"parley/shared/rest"
)

// Locks are names that one page of this browser holds at a time (W3C Web Locks).
type Locks interface {
	// Lock waits for a lock until ctx ends; ok is false if another page has it.
	// What a page had that is gone is free.
	Lock(ctx context.Context, name string) (unlock func(), ok bool)
}

// lockWait is how long a page waits for the lock of its call: the page before a
// reload may not be quite gone.
const lockWait = 500 * time.Millisecond

// callLock is the lock of one call's place: a duplicated tab, which has a copy of
// all that this one stored, must not go on with the same call.
type callLock struct {
	locks Locks // nil: there is nobody to share the place with

	mu     sync.Mutex
	unlock func()
	done   bool
}

// take reports false if another page has the place.
func (l *callLock) take(ctx context.Context, sessionID string) bool {
	if l.locks == nil || l.isHeld() {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	unlock, ok := l.locks.Lock(ctx, placeKey+"."+sessionID)
	if !ok {
		return false
	}
	l.mu.Lock()
	isLate := l.done
	if !isLate {
		l.unlock = unlock
	}
	l.mu.Unlock()
	if isLate { // the call was over before it had its lock
		unlock()
	}
	return true
}

func (l *callLock) isHeld() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unlock != nil
}

// release gives the lock back, and one that is still to come.
func (l *callLock) release() {
	l.mu.Lock()
	unlock := l.unlock
	l.unlock, l.done = nil, true
	l.mu.Unlock()
	if unlock != nil {
		unlock()
	}
}

// applyHeldByTab is what a tab shows whose call is another tab's: it offers to
// move it here.
func applyHeldByTab(p Picture) Picture {
	p.Phase, p.Talk = Ready, Talk{}
	p.Refusal = &Refusal{Problem: rest.Problem{Code: rest.CodeUserCap}}
	return p
}
