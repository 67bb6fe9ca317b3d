package bridge

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"parley/server/fault"
	"parley/shared/rest"
)

const (
	// recordTimeout is how long one write may take. Records are few: two a call.
	recordTimeout = 2 * time.Second
	// maxWaiting bounds what waits for a store that is away: the starts and ends
	// of every call that the largest server holds.
	maxWaiting = 20_000
	// recordBatch bounds what one transaction keeps: where many calls begin or end at once,
	// most of what one of them costs the store is the transaction.
	recordBatch = 64
)

// Store keeps the record of sessions, and of what they used.
type Store interface {
	// PutSessions keeps starts (no EndedAt) and ends, in this order, all or none.
	PutSessions(ctx context.Context, all []rest.SessionRecord) error
	AddUsage(ctx context.Context, e rest.UsageEntry) error
	SpentOn(ctx context.Context, userKey, org, agent, day string) (micros int64, err error)
}

// recorder keeps the starts and ends of sessions, in order and never in a
// session's way. What the store refuses is tried again.
type recorder struct {
	*writeLoop
	store   Store
	log     *slog.Logger
	failing atomic.Bool

	mu      sync.Mutex
	waiting []rest.SessionRecord
	kept    int64         // how many records were ever taken
	written int64         // how many of them are on disk, or lost
	moved   chan struct{} // closed when written grows or the store fails; nil while nobody waits
}

func newRecorder(s Store, log *slog.Logger) *recorder {
	r := &recorder{store: s, log: log}
	r.writeLoop = newWriteLoop(r.write)
	return r
}

// keep takes one start (no EndedAt) or end.
func (r *recorder) keep(s rest.SessionRecord) {
	r.mu.Lock()
	if len(r.waiting) < maxWaiting {
		r.waiting = append(r.waiting, s)
		r.kept++
	} else {
		r.log.Error("a session's record is lost: too many wait for the store", "session", s.ID)
	}
	r.mu.Unlock()
	r.notify()
}

// write keeps what waits, oldest first, and says whether all of it is kept.
func (r *recorder) write(ctx context.Context) bool {
	for {
		batch := r.next()
		if len(batch) == 0 {
			r.failing.Store(false)
			return true
		}
		if err := r.put(ctx, batch); err != nil {
			r.fail(batch[0], err)
			return false
		}
		r.done(len(batch))
	}
}

func (r *recorder) put(ctx context.Context, batch []rest.SessionRecord) error {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	return r.store.PutSessions(ctx, batch)
}

// next returns the oldest that wait. Only the goroutine that writes takes from there.
func (r *recorder) next() []rest.SessionRecord {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waiting[:min(len(r.waiting), recordBatch)]
}

func (r *recorder) done(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.waiting[:n])
	r.waiting = r.waiting[n:]
	r.written += int64(n)
	r.tellLocked()
	if len(r.waiting) == 0 {
		r.waiting = nil
	}
}

func (r *recorder) fail(s rest.SessionRecord, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.failing.Swap(true) {
		r.log.Error("a session's record waits for the store", "session", s.ID, "err", err)
	}
	r.tellLocked()
}

// tellLocked wakes those who wait for the record. mu must be held.
func (r *recorder) tellLocked() {
	if r.moved != nil {
		close(r.moved)
		r.moved = nil
	}
}

// errNotRecorded says that the store doesn't take records just now.
var errNotRecorded = fmt.Errorf("bridge: the record of sessions waits for the store: %w", fault.Unavailable)

// flush waits until all that was kept before is on disk. It gives up when the
// store fails or ctx is done: the record goes on waiting.
func (r *recorder) flush(ctx context.Context) error {
	r.mu.Lock()
	upTo := r.kept
	r.mu.Unlock()
	for {
		moved, err := r.progress(upTo)
		if moved == nil {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return errNotRecorded
		}
	}
}

// progress returns what to wait for until upTo records are on disk; nil if they
// are, or if the store fails.
func (r *recorder) progress(upTo int64) (<-chan struct{}, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.written >= upTo:
		return nil, nil
	case r.failing.Load():
		return nil, errNotRecorded
	}
	if r.moved == nil {
		r.moved = make(chan struct{})
	}
	return r.moved, nil
}
