package main

import (
	"context"
	"time"

	"parley/server/alert"
	"parley/server/privacy"
	"parley/server/store"
	"parley/shared/rest"
)

// alerting answers the HTTP interface about alerts, in its words, and makes each
// change of one together with its audit line.
type alerting struct {
	alerts  *alert.Alerts
	audit   *auditLog
	store   *store.Store
	privacy *privacy.Privacy
}

// Alerts implements api.Alerts.
func (a *alerting) Alerts(_ context.Context, q rest.AlertQuery) ([]rest.Alert, string, error) {
	items, next, err := a.alerts.List(q)
	return items, next, err
}

// Alert implements api.Alerts.
func (a *alerting) Alert(ctx context.Context, id string) (rest.Alert, error) {
	// One that has just been raised is not in the store yet.
	if item, err := a.alerts.Alert(id, ""); err == nil {
		return item, nil
	}
	item, err := a.store.Alert(ctx, id)
	return item, err
}

// Acknowledge implements api.Alerts.
func (a *alerting) Acknowledge(ctx context.Context, id string, by rest.AuditEntry) (rest.Alert, error) {
	item, err := a.alerts.Acknowledge(ctx, id, "", a.privacy.Person(by.Actor), a.put(by))
	return item, err
}

// Silence implements api.Alerts.
func (a *alerting) Silence(ctx context.Context, id string, until time.Time, by rest.AuditEntry) (rest.Alert, error) {
	minutes := int(time.Until(until).Round(time.Minute).Minutes())
	item, err := a.alerts.Silence(ctx, id, "", minutes, a.put(by))
	return item, err
}

func (a *alerting) put(by rest.AuditEntry) alert.Put {
	return func(ctx context.Context, changed rest.Alert) error {
		return a.audit.Change(ctx, by, func(tx *store.Tx) error { return tx.PutAlert(changed) })
	}
}

// Rules implements api.Rules.
func (a *alerting) Rules(context.Context) (rest.AlertRules, error) { return a.alerts.Rules(), nil }

// SetRules implements api.Rules.
func (a *alerting) SetRules(ctx context.Context, rules rest.AlertRules, ifVersion int64, by rest.AuditEntry) (rest.AlertRules, error) {
	rules.Version = ifVersion
	now, err := a.alerts.Change(ctx, rules, func(ctx context.Context, ifVersion int64, rules []rest.AlertRule, hooks []rest.Webhook) (version int64, err error) {
		err = a.audit.Change(ctx, by, func(tx *store.Tx) (err error) {
			version, err = tx.PutAlertRules(ifVersion, rules, hooks)
			return err
		})
		return version, err
	})
	return now, err
}
