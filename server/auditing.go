package main

import (
	"context"
	"errors"
	"time"

	"parley/server/api"
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
	return auditProblem(a.log.Record(ctx, e))
}

// Revoke implements api.Audit. What is kept holds from the next request on.
func (a *auditing) Revoke(ctx context.Context, e rest.AuditEntry, user string, before time.Time) error {
	err := a.log.Change(ctx, e, func(tx *store.Tx) error {
		return tx.RevokeUser(a.privacy.UserKey(user), before)
	})
	if err == nil {
		a.authority.RevokeUser(user, before)
	}
	return auditProblem(err)
}

// Audit implements api.Audit.
func (a *auditing) Audit(ctx context.Context, q api.AuditQuery) ([]rest.AuditEntry, string, error) {
	items, next, err := a.store.Audit(ctx, store.AuditQuery(q))
	return items, next, storeProblem(err)
}

// Chain implements api.Audit.
func (a *auditing) Chain() rest.Chain { return a.log.Chain() }

func auditProblem(err error) error {
	if errors.Is(err, audit.ErrUnavailable) {
		return errors.Join(api.ErrAudit, err)
	}
	return storeProblem(err)
}

// runtimeSettings answers the HTTP interface about settings, in its words.
type runtimeSettings struct{ *settings.Settings }

// Change implements api.Settings.
func (s runtimeSettings) Change(ctx context.Context, c api.SettingsChange) (rest.Settings, error) {
	now, err := s.Settings.Change(ctx, settings.Change(c))
	var field *settings.FieldError
	switch {
	case errors.As(err, &field):
		return now, &rest.Problem{Code: rest.CodeOutOfRange, Field: field.Field, Detail: field.Detail}
	case errors.Is(err, settings.ErrConflict):
		return now, errors.Join(api.ErrConflict, err)
	}
	return now, auditProblem(err)
}
