package main

import (
	"context"
	"time"

	"parley/server/store"
)

// retain lets go of what is older than the settings allow. Sessions are kept as
// long as the audit log, which speaks of them.
func (h *house) retain(ctx context.Context, now time.Time) {
	v := h.settings.Values()
	deleted, err := h.store.Retain(ctx, store.Before{
		Logs: now.Add(-v.LogRetention), Sessions: now.Add(-v.AuditRetention),
	})
	if err != nil {
		h.log.Error("what is old could not be deleted", "event", "retention", "err", err)
		return
	}
	lines, err := h.audit.Retain(ctx, now.Add(-v.AuditRetention))
	if err != nil {
		h.log.Error("old audit lines could not be deleted", "event", "retention", "err", err)
		return
	}
	if deleted != (store.Deleted{}) || lines > 0 {
		h.log.Info("deleted what is old", "event", "retention", "logs", deleted.Logs, "quality", deleted.Quality,
			"activities", deleted.Activities, "sessions", deleted.Sessions, "audit", lines)
	}
}
