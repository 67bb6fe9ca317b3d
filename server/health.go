package main

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"parley/server/accesslog"
	"parley/server/alert"
	"parley/server/api"
	"parley/server/audit"
	"parley/server/bridge"
	"parley/server/monitor"
	"parley/server/privacy"
	"parley/server/session"
	"parley/server/settings"
	"parley/server/store"
)

const (
	// upkeepEach is the rhythm of looking after the record: often enough that a
	// full disk is told of before an admin meets it.
	upkeepEach = 5 * time.Second
	// retainEach is how often what is old goes.
	retainEach = time.Hour
)

// upkeep looks whether the store and the guard of privacy are well, and lets go
// of what is too old.
type upkeep struct {
	*storage
	settings     *settings.Settings
	log          *slog.Logger
	logMaxSize   int64       // bytes
	storeFailing atomic.Bool // the newest look at the store failed
}

func (u *upkeep) run(ctx context.Context) {
	tick := time.NewTicker(upkeepEach)
	defer tick.Stop()
	var retained time.Time
	var last settings.Values
	for {
		u.storeFailing.Store(u.store.Healthy(ctx) != nil)
		if err := u.privacy.Validate(); err != nil {
			u.log.Error("calls are refused", "event", "privacy", "err", err)
		}
		now, v := time.Now(), u.settings.Values()
		lowered := v.LogRetention < last.LogRetention || v.AuditRetention < last.AuditRetention
		if last = v; lowered || now.Sub(retained) >= retainEach {
			retained = now
			u.retain(ctx, now)
		}
		u.keepToSize(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// retain lets go of what is older than the settings allow. Sessions are kept as
// long as the audit log, which speaks of them.
func (u *upkeep) retain(ctx context.Context, now time.Time) {
	v := u.settings.Values()
	deleted, err := u.store.Retain(ctx, store.Before{
		Logs: now.Add(-v.LogRetention), Sessions: now.Add(-v.AuditRetention),
	})
	if err != nil {
		u.log.Error("what is old could not be deleted", "event", "retention", "err", err)
		return
	}
	lines, err := u.audit.Retain(ctx, now.Add(-v.AuditRetention))
	if err != nil {
		u.log.Error("old audit lines could not be deleted", "event", "retention", "err", err)
		return
	}
	if deleted != (store.Deleted{}) || lines > 0 {
		u.log.Info("deleted what is old", "event", "retention", "logs", deleted.Logs, "quality", deleted.Quality,
			"activities", deleted.Activities, "sessions", deleted.Sessions, "audit", lines)
	}
}

// keepToSize keeps the access log to its size, and takes the bytes of what was
// deleted off the disk.
func (u *upkeep) keepToSize(ctx context.Context) {
	trimmed, err := u.store.TrimLogs(ctx, u.logMaxSize)
	if trimmed > 0 {
		u.log.Warn("the access log was full: its oldest lines went", "event", "retention", "logs", trimmed)
	}
	if err = errors.Join(err, u.store.EraseDeleted(ctx)); err != nil && ctx.Err() == nil {
		u.log.Error("what was deleted is not yet off the disk", "event", "retention", "err", err)
	}
}

// readiness is how fit the server is for new calls.
type readiness struct {
	*storage
	bridge       *bridge.Bridge
	accessLog    *accesslog.Log
	storeFailing *atomic.Bool
	hasKeySource bool // an issuer's keys are read again and again
	draining     atomic.Bool
}

func (r *readiness) check() api.Readiness {
	ready := api.Readiness{Draining: r.draining.Load()}
	for _, part := range []struct {
		name      string
		isFailing bool
	}{
		{"store", r.storeFailing.Load() || r.bridge.Failing()},
		{"access_log", r.accessLog.Failing()},
		{"privacy", r.privacy.Protected() != nil},
		{"keys", r.hasKeySource && !r.authority.KeyHealth().OK()},
		{"audit_chain", !r.audit.IsIntact()},
	} {
		if part.isFailing {
			ready.Degraded = append(ready.Degraded, part.name)
		}
	}
	return ready
}

// readings are what alerts look at.
type readings struct {
	audit          *audit.Log[*store.Tx]
	sessions       *session.Sessions
	monitor        *monitor.Monitor
	privacy        *privacy.Privacy
	accessLog      *accesslog.Log
	streamsRefused atomic.Int64
}

func (r *readings) countRefusedStream() { r.streamsRefused.Add(1) }

func (r *readings) read() alert.Readings {
	live, limit, _ := r.sessions.Capacity()
	began, failed := r.monitor.Setups()
	now := alert.Readings{
		Live: live, Cap: limit, Setups: began + failed, SetupFailures: failed,
		StorageAttempts: r.privacy.Refused(), LogFailures: r.accessLog.Dropped(), StreamsRefused: r.streamsRefused.Load(),
		IsAuditChainBroken: !r.audit.IsIntact(),
	}
	for _, c := range r.monitor.Ratings() {
		now.Calls = append(now.Calls, alert.Call{ID: c.ID, Org: c.Org, Level: c.Level, MOS: c.MOS})
	}
	return now
}
