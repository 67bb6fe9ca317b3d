// Package health looks after the server itself: it lets go of what is too old or too
// much, says how fit the server is for new calls, and reads what alerts look at.
package health

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"parley/server/settings"
	"parley/server/store"
)

const (
	// UpkeepInterval is the rhythm of looking after the record: often enough that a
	// full disk is told of before an admin meets it.
	UpkeepInterval = 5 * time.Second
	// RetainInterval is how often what is old goes.
	RetainInterval = time.Hour
)

// Store is the record, as far as it has to be looked after.
type Store interface {
	Healthy(context.Context) error
	Retain(context.Context, store.Before) (store.Deleted, error)
	TrimLogs(ctx context.Context, maxBytes int64) (deleted int64, err error)
	EraseDeleted(context.Context) error
}

// AuditLog is the audit log, which deletes its own lines.
type AuditLog interface {
	Retain(ctx context.Context, before time.Time) (deleted int64, err error)
}

// UpkeepConfig is what an Upkeep is made of. All of it must be given.
type UpkeepConfig struct {
	Store           Store
	Audit           AuditLog
	ValidatePrivacy func() error
	// IsLeader reports whether this server lets go of what is too old: one does for all.
	IsLeader   func() bool
	Settings   func() settings.Values
	LogMaxSize int64 // bytes
	Logger     *slog.Logger
}

// Upkeep looks whether the store and the guard of privacy are well, and lets go of
// what is too old.
type Upkeep struct {
	cfg            UpkeepConfig
	isStoreFailing atomic.Bool // the newest look at the store failed
	deletions      deletions
}

// NewUpkeep makes an Upkeep, which does nothing before Run.
func NewUpkeep(c UpkeepConfig) *Upkeep { return &Upkeep{cfg: c} }

// IsStoreFailing reports whether the store was not well when it was looked at last.
func (u *Upkeep) IsStoreFailing() bool { return u.isStoreFailing.Load() }

// Run looks at once and every UpkeepInterval, until ctx is over. What is old goes
// every RetainInterval, and as soon as a retention is shortened.
func (u *Upkeep) Run(ctx context.Context) {
	tick := time.NewTicker(UpkeepInterval)
	defer tick.Stop()
	var retained time.Time
	var last settings.Values
	for {
		u.isStoreFailing.Store(u.cfg.Store.Healthy(ctx) != nil)
		if err := u.cfg.ValidatePrivacy(); err != nil {
			u.cfg.Logger.Error("calls are refused", "event", "privacy", "err", err)
		}
		now, v := time.Now(), u.cfg.Settings()
		isLowered := v.LogRetention < last.LogRetention || v.AuditRetention < last.AuditRetention
		last = v
		if isLowered {
			retained = time.Time{}
		}
		if u.cfg.IsLeader() {
			if now.Sub(retained) >= RetainInterval {
				retained = now
				u.deleteOld(ctx, now)
			}
			u.trimToSize(ctx)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// deleteOld lets go of what is older than the settings allow. Sessions are kept as
// long as the audit log, which speaks of them.
func (u *Upkeep) deleteOld(ctx context.Context, now time.Time) {
	v := u.cfg.Settings()
	deleted, err := u.cfg.Store.Retain(ctx, store.Before{
		Logs: now.Add(-v.LogRetention), Sessions: now.Add(-v.AuditRetention),
	})
	if err != nil {
		u.cfg.Logger.Error("what is old could not be deleted", "event", "retention", "err", err)
		return
	}
	lines, err := u.cfg.Audit.Retain(ctx, now.Add(-v.AuditRetention))
	if err != nil {
		u.cfg.Logger.Error("old audit lines could not be deleted", "event", "retention", "err", err)
		return
	}
	u.deletions.add(now, deleted.Logs+lines)
	if deleted != (store.Deleted{}) || lines > 0 {
		u.cfg.Logger.Info("deleted what is old", "event", "retention", "logs", deleted.Logs, "quality", deleted.Quality,
			"activities", deleted.Activities, "sessions", deleted.Sessions, "audit", lines)
	}
}

// trimToSize keeps the access log to its size, and takes the bytes of what was
// deleted off the disk.
func (u *Upkeep) trimToSize(ctx context.Context) {
	trimmed, err := u.cfg.Store.TrimLogs(ctx, u.cfg.LogMaxSize)
	if trimmed > 0 {
		u.cfg.Logger.Warn("the access log was full: its oldest lines went", "event", "retention", "logs", trimmed)
	}
	if err = errors.Join(err, u.cfg.Store.EraseDeleted(ctx)); err != nil && ctx.Err() == nil {
		u.cfg.Logger.Error("what was deleted is not yet off the disk", "event", "retention", "err", err)
	}
}
