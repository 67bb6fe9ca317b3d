package admin

import (
	"context"

	"parley/server/alert"
	"parley/shared/rest"
)

// Acknowledge takes a firing alert on, of one organization only if org isn't
// empty.
func (a *Admin) Acknowledge(ctx context.Context, id, org string, by rest.AuditEntry) (rest.Alert, error) {
	by.Action, by.Target = rest.AuditAcknowledge, id
	return a.alerts.Acknowledge(ctx, id, org, a.mask.Person(by.Actor), a.putAlert(by))
}

// Silence keeps webhooks from being told of a firing alert for some minutes, of
// one organization only if org isn't empty.
func (a *Admin) Silence(ctx context.Context, id, org string, minutes int, by rest.AuditEntry) (rest.Alert, error) {
	by.Action, by.Target, by.Details = rest.AuditSilence, id, map[string]any{"minutes": minutes}
	return a.alerts.Silence(ctx, id, org, minutes, a.putAlert(by))
}

// putAlert keeps a changed alert with the line about it, which belongs to the
// organization of the alert.
func (a *Admin) putAlert(by rest.AuditEntry) alert.Put {
	return func(ctx context.Context, changed rest.Alert) error {
		if changed.Org != "" {
			by.Org = changed.Org
		}
		return a.commit(ctx, by, func(tx Tx) error { return tx.PutAlert(changed) })
	}
}

// SetAlertRules replaces rules and webhooks, if they still have rules.Version or
// that is rest.AnyVersion. Errors: fault.Conflict, a *fault.BadField, or the
// audit log's.
func (a *Admin) SetAlertRules(ctx context.Context, rules rest.AlertRules, by rest.AuditEntry) (rest.AlertRules, error) {
	by.Action = rest.AuditRules
	return a.alerts.Change(ctx, rules,
		func(ctx context.Context, ifVersion int64, rules []rest.AlertRule, hooks []rest.Webhook) (version int64, err error) {
			err = a.commit(ctx, by, func(tx Tx) (err error) {
				version, err = tx.PutAlertRules(ifVersion, rules, hooks)
				return err
			})
			return version, err
		})
}

// TestWebhooks sends a test to each webhook, on record before it is sent, and
// returns what came of it.
func (a *Admin) TestWebhooks(ctx context.Context, by rest.AuditEntry) ([]rest.WebhookDelivery, error) {
	by.Action = rest.AuditWebhookTest
	if err := a.commit(ctx, by, func(Tx) error { return nil }); err != nil {
		return nil, err
	}
	return a.alerts.TestWebhooks(ctx)
}
