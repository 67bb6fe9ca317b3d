package main

import (
	"context"
	"time"

	"parley/server/audit"
	"parley/server/auth"
	"parley/server/privacy"
	"parley/server/settings"
	"parley/server/store"
	"parley/shared/rest"
)

// auditLog is the audit log over this server's store.
type auditLog = audit.Log[*store.Tx]

// auditing answers the HTTP interface about the audit log, in its words.
type auditing struct {
	log       *auditLog
	store     *store.Store
	authority *auth.Auth
	privacy   *privacy.Privacy
}

// Record implements api.Audit.
func (a *auditing) Record(ctx context.Context, e rest.AuditEntry) error {
	return a.log.Record(ctx, e)
}

// Revoke implements api.Audit. What is kept holds from the next request on.
func (a *auditing) Revoke(ctx context.Context, e rest.AuditEntry, user, org string, before time.Time) error {
	err := a.log.Change(ctx, e, func(tx *store.Tx) error {
		if org != "" {
			return tx.RevokeOrgUser(org, a.privacy.UserKey(user), before)
		}
		return tx.RevokeUser(a.privacy.UserKey(user), before)
	})
	if err == nil {
		a.authority.RevokeUser(org, user, before)
	}
	return err
}

// Audit implements api.Audit.
func (a *auditing) Audit(ctx context.Context, q rest.AuditQuery) ([]rest.AuditEntry, string, error) {
	items, next, err := a.store.Audit(ctx, q)
	return items, next, err
}

// Chain implements api.Audit.
func (a *auditing) Chain() rest.Chain { return a.log.Chain() }

// runtimeSettings answers the HTTP interface about settings, in its words.
type runtimeSettings struct{ *settings.Settings }

// Change implements api.Settings.
func (s runtimeSettings) Change(ctx context.Context, c rest.SettingsChange) (rest.Settings, error) {
	return s.Settings.Change(ctx, c)
}
