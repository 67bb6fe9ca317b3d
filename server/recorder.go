package main

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"parley/server/store"
	"parley/shared/rest"
)

// How the recorder waits. Records are few: two a call.
const (
	recordRetry   = time.Second
	recordTimeout = 2 * time.Second
	// maxWaiting bounds what waits for a store that is away: the starts and ends
	// of every call that the largest server holds.
	maxWaiting = 20_000
)

// recorder keeps the starts and ends of sessions, in order and never in a
// session's way. What the store refuses is tried again.
type recorder struct {
	store   *store.Store
	log     *slog.Logger
	failing atomic.Bool

	mu      sync.Mutex
	waiting []rest.SessionRecord
	wake    chan struct{}
}

func newRecorder(s *store.Store, log *slog.Logger) *recorder {
	return &recorder{store: s, log: log, wake: make(chan struct{}, 1)}
}

// keep takes one start (no EndedAt) or end.
func (r *recorder) keep(s rest.SessionRecord) {
	r.mu.Lock()
	if len(r.waiting) < maxWaiting {
		r.waiting = append(r.waiting, s)
	} else {
		r.log.Error("a session's record is lost: too many wait for the store", "session", s.ID)
	}
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run writes until ctx is done, then what is left.
func (r *recorder) Run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-r.wake:
		case <-ctx.Done():
		}
		for !r.write(context.WithoutCancel(ctx)) && ctx.Err() == nil {
			select {
			case <-time.After(recordRetry):
			case <-ctx.Done():
			}
		}
	}
}

// write keeps what waits, oldest first, and says whether all of it is kept.
func (r *recorder) write(ctx context.Context) bool {
	for {
		s, ok := r.next()
		if !ok {
			r.failing.Store(false)
			return true
		}
		if err := r.put(ctx, s); err != nil {
			if !r.failing.Swap(true) {
				r.log.Error("a session's record waits for the store", "session", s.ID, "err", err)
			}
			return false
		}
		r.done()
	}
}

func (r *recorder) put(ctx context.Context, s rest.SessionRecord) error {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	if s.EndedAt == nil {
		return r.store.SessionStarted(ctx, s)
	}
	return r.store.SessionEnded(ctx, s)
}

func (r *recorder) next() (rest.SessionRecord, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) == 0 {
		return rest.SessionRecord{}, false
	}
	return r.waiting[0], true
}

func (r *recorder) done() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = r.waiting[1:]
	if len(r.waiting) == 0 {
		r.waiting = nil
	}
}
