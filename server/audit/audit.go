// Package audit owns the record of what admins saw and changed: a log in which
// each line is hashed onto the one before. A line is masked first, and on the
// disk, together with the change that it records, before anybody is answered;
// what can't be recorded doesn't happen. It deletes nothing but by retention,
// which is a line itself, and it has no off switch.
package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"parley/server/fault"
	"parley/shared/rest"
)

// Defaults of Config.
const (
	// DefaultTimeout is within which an admin is told that nothing can be
	// recorded now.
	DefaultTimeout = 2 * time.Second
	// DefaultCheckEvery is how often lines that are new are checked.
	DefaultCheckEvery = time.Minute
	// DefaultVerifyEvery is how often the whole log is: at 50,000 lines a second,
	// a log of a million takes less than a hundredth of a core.
	DefaultVerifyEvery = time.Hour
)

// Outcomes of what was tried.
const (
	Done   = "done"
	Denied = "denied"
	Failed = "failed"
)

// Store keeps lines. Tx is what a change writes with, in the line's transaction.
type Store[Tx any] interface {
	AppendAudit(ctx context.Context, e rest.AuditEntry, seal func(prevHash string, e rest.AuditEntry) string,
		change func(Tx) error) (rest.AuditEntry, error)
	RetainAudit(ctx context.Context, before time.Time, e rest.AuditEntry,
		seal func(prevHash string, e rest.AuditEntry) string) (deleted int64, err error)
	Reader
}

// Config is what a Log needs. Store and Mask must be given.
type Config[Tx any] struct {
	Store Store[Tx]
	Mask  Mask
	Node  string
	Now   func() time.Time
	// Timeout is how long a caller of Record waits at most.
	Timeout time.Duration
	// CheckEvery and VerifyEvery are the rhythm of Run.
	CheckEvery, VerifyEvery time.Duration
	// Checkpoint is a head of the log that was saved elsewhere: it must still be there.
	Checkpoint Head
	// SaveCheckpoint keeps the newest head elsewhere, after each check that holds and in
	// Close. Without it, lines cut off the end of a log at rest aren't missed.
	SaveCheckpoint func(Head) error
	// Observe is told how long each commit took, and how it went; may be nil.
	Observe func(took time.Duration, err error)
	Logger  *slog.Logger
}

// Log records. It is safe for concurrent use.
type Log[Tx any] struct {
	cfg     Config[Tx]
	working sync.WaitGroup // commits, those that nobody waits for anymore too

	mu    sync.Mutex
	chain rest.Chain
	head  Head // the newest line that is known to have been there
	saved Head // by SaveCheckpoint
}

// New makes a Log. It reads nothing: the state of the chain is known from the
// first Verify, or once Run runs.
func New[Tx any](cfg Config[Tx]) *Log[Tx] {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.SaveCheckpoint == nil {
		cfg.SaveCheckpoint = func(Head) error { return nil }
	}
	if cfg.Observe == nil {
		cfg.Observe = func(time.Duration, error) {}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	for _, d := range []struct {
		value     *time.Duration
		otherwise time.Duration
	}{{&cfg.Timeout, DefaultTimeout}, {&cfg.CheckEvery, DefaultCheckEvery}, {&cfg.VerifyEvery, DefaultVerifyEvery}} {
		if *d.value <= 0 {
			*d.value = d.otherwise
		}
	}
	return &Log[Tx]{cfg: cfg, head: cfg.Checkpoint, saved: cfg.Checkpoint, chain: rest.Chain{Intact: true}}
}

// Record keeps a line about something that changes nothing, such as a look at
// people. It is on the disk when Record returns nil; else nobody may be
// answered. T, Node and Outcome (done) are filled in where they are empty.
func (l *Log[Tx]) Record(ctx context.Context, e rest.AuditEntry) error {
	return l.Change(ctx, e, nil)
}

// Change keeps a line together with the change that it records, or neither. An
// error of change comes back as it is; any other is fault.Unrecorded.
func (l *Log[Tx]) Change(ctx context.Context, e rest.AuditEntry, change func(Tx) error) error {
	e, err := l.prepare(e)
	if err != nil {
		return err
	}
	begun := time.Now()
	err = l.commit(ctx, e, change)
	l.cfg.Observe(time.Since(begun), err)
	return err
}

// attempt is one commit. It is abandoned when nobody waits for it anymore: what
// has not begun then must not begin.
type attempt struct {
	abandoned atomic.Bool
	failed    error // of the change
}

func guardChange[Tx any](a *attempt, change func(Tx) error) func(Tx) error {
	return func(tx Tx) error {
		if a.abandoned.Load() {
			return fault.Unrecorded
		}
		if change != nil {
			a.failed = change(tx)
		}
		return a.failed
	}
}

// commit waits for the store, but not for ever: it gives the store nine tenths
// of the time, so that one that can answer says how it ended, and goes without
// the answer of one that can't. Only a disk that hangs in the commit itself
// leaves open which it was.
func (l *Log[Tx]) commit(ctx context.Context, e rest.AuditEntry, change func(Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.Timeout*9/10)
	late := time.NewTimer(l.cfg.Timeout)
	defer late.Stop()
	a, done := new(attempt), make(chan error, 1)
	l.working.Go(func() {
		defer cancel()
		kept, err := l.cfg.Store.AppendAudit(ctx, e, Seal, guardChange(a, change))
		if err == nil {
			l.observeHead(Head{Seq: kept.Seq, Hash: kept.Hash})
		}
		done <- errorKind(err, a.failed)
	})
	select {
	case err := <-done:
		return err
	case <-late.C:
		a.abandoned.Store(true)
		return fmt.Errorf("%w: the store doesn't answer", fault.Unrecorded)
	}
}

// errorKind tells what the change refused from what the store couldn't do: a store
// that fails inside of a change gives another error than the change's own.
func errorKind(err, ofChange error) error {
	switch {
	case err == nil, errors.Is(err, fault.Unrecorded):
		return err
	case ofChange != nil && errors.Is(err, ofChange):
		return err
	}
	return fmt.Errorf("%w: %w", fault.Unrecorded, err)
}

// Retain deletes the lines from before a time by the store's own path, and keeps
// a line that says so and carries the anchor of the chain.
func (l *Log[Tx]) Retain(ctx context.Context, before time.Time) (deleted int64, err error) {
	e, err := l.prepare(rest.AuditEntry{Actor: "parley", Action: rest.AuditRetention, Target: "audit"})
	if err != nil {
		return 0, err
	}
	return l.cfg.Store.RetainAudit(ctx, before, e, Seal)
}

// Close waits for commits that nobody waited for, and notes the head. Nothing
// may be recorded anymore.
func (l *Log[Tx]) Close() error {
	l.working.Wait()
	return l.saveCheckpoint()
}
