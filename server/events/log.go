// Package events owns one thing: a log of what happened, in memory, that any
// number of readers follow, each with a cursor of its own. Replay and live are
// the same call, and a reader who falls behind is told so. It never waits for
// a reader, keeps nothing about one, and knows nothing of what it holds.
package events

import (
	"context"
	"errors"
	"sync"
)

// ErrCursorLost says that what follows the cursor has been overwritten, or that the
// cursor is of another log: the reader has to start over.
var ErrCursorLost = errors.New("events: cursor is gone")

// Log is a ring of the newest entries. Each has a number, one more than that of
// the one before; a cursor is the number of the newest entry its reader has
// seen. It is safe for use by many goroutines.
type Log[T any] struct {
	mu       sync.Mutex
	buffer   []T
	first    uint64        // number before the first entry there ever was
	last     uint64        // number of the newest entry
	appended chan struct{} // closed with the next append; nil while nobody waits
}

// New makes a log of the newest size entries; size is at least 1.
func New[T any](size int) *Log[T] { return NewAfter[T](size, 0) }

// NewAfter makes a log whose first entry has the number after last: where logs
// come and go, cursors of one that went are then gone in the next.
func NewAfter[T any](size int, last uint64) *Log[T] {
	return &Log[T]{buffer: make([]T, max(size, 1)), first: last, last: last}
}

// Append adds an entry and gives its number. It never blocks on a reader.
func (l *Log[T]) Append(entry T) uint64 {
	return l.AppendWith(func(uint64) T { return entry })
}

// AppendWith adds the entry that entry makes of its own number. entry runs
// under the log's lock and must not call it.
func (l *Log[T]) AppendWith(entry func(seq uint64) T) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	l.buffer[l.last%uint64(len(l.buffer))] = entry(l.last)
	if l.appended != nil {
		close(l.appended)
		l.appended = nil
	}
	return l.last
}

// Forget empties the log: every cursor is gone, those of readers who wait, too.
func (l *Log[T]) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.buffer)
	l.last++
	l.first = l.last
	if l.appended != nil {
		close(l.appended)
		l.appended = nil
	}
}

// Last is the cursor after the newest entry: with it, Next gives what comes.
func (l *Log[T]) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// Next gives all entries after the cursor, oldest first, and the cursor after
// them. With none it waits for one, or until ctx is done. ErrCursorLost when some of
// them were overwritten.
func (l *Log[T]) Next(ctx context.Context, cursor uint64) ([]T, uint64, error) {
	for {
		entries, last, grown, err := l.entriesAfterLocked(cursor)
		if err != nil || len(entries) > 0 {
			return entries, last, err
		}
		select {
		case <-ctx.Done():
			return nil, cursor, context.Cause(ctx)
		case <-grown:
		}
	}
}

// entriesAfterLocked copies what follows the cursor, or gives what to wait on.
// mu must be held.
func (l *Log[T]) entriesAfterLocked(cursor uint64) ([]T, uint64, <-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	size := uint64(len(l.buffer))
	if cursor > l.last || cursor < l.first || l.last-cursor > size {
		return nil, cursor, nil, ErrCursorLost
	}
	if cursor == l.last {
		if l.appended == nil {
			l.appended = make(chan struct{})
		}
		return nil, cursor, l.appended, nil
	}
	entries := make([]T, 0, l.last-cursor)
	for n := cursor + 1; n <= l.last; n++ {
		entries = append(entries, l.buffer[n%size])
	}
	return entries, l.last, nil, nil
}
