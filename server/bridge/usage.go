package bridge

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"parley/shared/rest"
)

// usageRecorder keeps what sessions used, never in a call's way. What comes while
// the store is busy or away is added up, a sum for each session and day.
type usageRecorder struct {
	*writeLoop
	store   Store
	onKept  func(context.Context, rest.UsageEntry)
	log     *slog.Logger
	failing atomic.Bool

	mu      sync.Mutex
	waiting map[usageKey]rest.UsageEntry
}

type usageKey struct{ session, day string }

func newUsageRecorder(s Store, onKept func(context.Context, rest.UsageEntry), log *slog.Logger) *usageRecorder {
	r := &usageRecorder{store: s, onKept: onKept, log: log, waiting: map[usageKey]rest.UsageEntry{}}
	r.writeLoop = newWriteLoop(r.write)
	return r
}

// add takes what a session used more.
func (r *usageRecorder) add(e rest.UsageEntry) {
	r.mu.Lock()
	r.addLocked(e)
	r.mu.Unlock()
	r.notify()
}

// addLocked adds an entry to what waits. mu must be held.
func (r *usageRecorder) addLocked(e rest.UsageEntry) {
	key := usageKey{e.Session, e.Day}
	if before, ok := r.waiting[key]; ok {
		e.Usage.Add(before.Usage)
	}
	if _, ok := r.waiting[key]; !ok && len(r.waiting) >= maxWaiting {
		r.log.Error("a session's usage is lost: too many wait for the store", "session", e.Session)
		return
	}
	r.waiting[key] = e
}

// write keeps what waits, and reports whether all of it is kept.
func (r *usageRecorder) write(ctx context.Context) bool {
	for {
		e, ok := r.take()
		if !ok {
			r.failing.Store(false)
			return true
		}
		if err := r.put(ctx, e); err != nil {
			if !r.failing.Swap(true) {
				r.log.Error("a session's usage waits for the store", "session", e.Session, "err", err)
			}
			r.mu.Lock()
			r.addLocked(e)
			r.mu.Unlock()
			return false
		}
	}
}

func (r *usageRecorder) put(ctx context.Context, e rest.UsageEntry) error {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	err := r.store.AddUsage(ctx, e)
	if err == nil {
		r.onKept(ctx, e)
	}
	return err
}

// take returns one of those that wait.
func (r *usageRecorder) take() (e rest.UsageEntry, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, e := range r.waiting {
		delete(r.waiting, key)
		return e, true
	}
	return e, false
}
