// Package demodata owns what a demo server shows to who just started it: a day of past
// calls with all that is kept of calls, and live ones that move. All of it goes the
// way of real ones: through sessions, monitor and store, by their own functions. It
// calls nobody, and its words say everywhere that it is made up.
//
// It has a record of its own, a folder in the data directory, which a server that
// wasn't asked for demo data removes: what is made up never lies among what isn't.
package demodata

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"parley/server/session"
	"parley/shared/rest"
)

// What is made up.
const (
	// Past is how far back the calls begin: a day has its quiet and its busy hours.
	Past = 24 * time.Hour
	// Live is how many calls there are at a time: more than a screen has rows.
	Live = 40
	// NodeID is whose rows those of the past are, in their ids, and Node in words.
	NodeID = 1023
	Node   = "demo"
	// Retention is how long a demo server keeps what it kept: the live calls make some
	// 200 MB a day, and nobody looks back further than the past goes.
	Retention = 2 * Past
)

// Store keeps the past.
type Store interface {
	SessionEnded(ctx context.Context, s rest.SessionRecord) error
	AppendQuality(ctx context.Context, chunks []rest.QualityChunk) error
	AppendTurns(ctx context.Context, turns []rest.TurnRecord) error
	AppendLogs(ctx context.Context, lines []rest.LogEntry) error
	AppendActivities(ctx context.Context, activities []rest.Activity) error
	AddUsage(ctx context.Context, e rest.UsageEntry) error
	PutAlert(ctx context.Context, a rest.Alert) error
	NewID() int64
}

// Audit records what admins did.
type Audit interface {
	Record(ctx context.Context, e rest.AuditEntry) error
}

// Sessions take callers. *session.Sessions is one.
type Sessions interface {
	Admit(c session.Caller) (*session.Session, error)
	Resume(c session.Caller, id, token string) (*session.Session, error)
}

// Mask takes people out of what is kept, as for real calls.
type Mask interface {
	Person(subject string) string
	UserKey(subject string) string
	Address(addr string) string
	Phone(number string) string
	Email(addr string) string
}

// Config is what a Demo needs.
type Config struct {
	Folder *Folder
	// Store and Audit are the record as it is written at the time that now tells.
	Store  func(now func() time.Time) Store
	Audit  func(now func() time.Time) Audit
	Mask   Mask
	Live   int // calls at a time; 0: Live
	Logger *slog.Logger
}

// Demo makes a demo server's data up.
type Demo struct {
	cfg      Config
	from, to time.Time // of the past that is to be filled
}

// New makes a Demo, for a past that ends now.
func New(cfg Config, now time.Time) *Demo {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.Live = cmp.Or(cfg.Live, Live)
	from := now.Add(-Past)
	if until := cfg.Folder.filledUntil(); until.After(from) {
		from = until
	}
	return &Demo{cfg: cfg, from: from, to: now}
}

// Run fills the past and keeps calls alive until ctx is done.
func (d *Demo) Run(ctx context.Context, sessions Sessions) {
	var running sync.WaitGroup
	running.Go(func() { d.fillUp(ctx) })
	running.Go(func() { d.callAll(ctx, sessions) })
	running.Wait()
}

// fillUp fills the past, and from then on notes that there is no gap.
func (d *Demo) fillUp(ctx context.Context) {
	began := time.Now()
	if err := d.fill(ctx); err != nil {
		if ctx.Err() == nil {
			d.cfg.Logger.Warn("demo data is not complete; the next start begins it anew", "event", "demo_data", "err", err)
		}
		return
	}
	d.cfg.Logger.Info("the past of the demo is filled", "event", "demo_data", "took", time.Since(began))
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for {
		if err := d.cfg.Folder.noteFilled(time.Now()); err != nil {
			d.cfg.Logger.Warn("demo data is not noted as filled", "event", "demo_data", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// noteEvery is how often it is noted until when there is no gap: the live calls fill
// what comes after.
const noteEvery = time.Minute
