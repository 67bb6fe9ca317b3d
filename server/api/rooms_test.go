package api_test

import (
	"context"
	"time"

	"parley/server/alert"
	"parley/server/audit"
	"parley/server/privacy"
	"parley/server/settings"
	"parley/server/store"
	"parley/shared/rest"
)

// The real rooms behind the interface's words, as the program has them.

type ledger struct {
	log   *audit.Log[*store.Tx]
	house *house
}

func (l *ledger) Record(ctx context.Context, e rest.AuditEntry) error {
	return l.log.Record(ctx, e)
}

func (l *ledger) Revoke(ctx context.Context, e rest.AuditEntry, user, org string, before time.Time) error {
	err := l.log.Change(ctx, e, func(tx *store.Tx) error {
		if org != "" {
			return tx.RevokeOrgUser(org, l.house.privacy.UserKey(user), before)
		}
		return tx.RevokeUser(l.house.privacy.UserKey(user), before)
	})
	if err == nil {
		l.house.auth.RevokeUser(org, user, before)
	}
	return err
}

func (l *ledger) Audit(ctx context.Context, q rest.AuditQuery) ([]rest.AuditEntry, string, error) {
	items, next, err := l.house.store.Audit(ctx, q)
	return items, next, err
}

func (l *ledger) Chain() rest.Chain { return l.log.Chain() }

type shelf struct{ *store.Store }

func (s shelf) Sessions(ctx context.Context, q rest.SessionQuery) ([]rest.SessionRecord, string, error) {
	items, next, err := s.Store.Sessions(ctx, q)
	return items, next, err
}

func (s shelf) Session(ctx context.Context, id string) (rest.SessionRecord, error) {
	item, err := s.Store.Session(ctx, id)
	return item, err
}

func (s shelf) Streams(ctx context.Context, id string, from, to time.Time, step time.Duration) ([]rest.StreamQuality, error) {
	streams, err := s.Store.Streams(ctx, id, from, to, step)
	return streams, err
}

func (s shelf) Logs(ctx context.Context, q rest.LogQuery) ([]rest.LogEntry, string, error) {
	items, next, err := s.Store.Logs(ctx, q)
	return items, next, err
}

func (s shelf) Activities(ctx context.Context, q rest.ActivityQuery) ([]rest.Activity, string, error) {
	items, next, err := s.Store.Activities(ctx, q)
	return items, next, err
}

type dials struct{ *settings.Settings }

func (d dials) Change(ctx context.Context, c rest.SettingsChange) (rest.Settings, error) {
	return d.Settings.Change(ctx, c)
}

type bells struct{ house *house }

func (b bells) Alerts(_ context.Context, q rest.AlertQuery) ([]rest.Alert, string, error) {
	items, next, err := b.house.alerts.List(q)
	return items, next, err
}

func (b bells) Alert(ctx context.Context, id string) (rest.Alert, error) {
	item, err := b.house.store.Alert(ctx, id)
	return item, err
}

func (b bells) put(by rest.AuditEntry) alert.Put {
	return func(ctx context.Context, changed rest.Alert) error {
		return b.house.audit.log.Change(ctx, by, func(tx *store.Tx) error { return tx.PutAlert(changed) })
	}
}

func (b bells) Acknowledge(ctx context.Context, id string, by rest.AuditEntry) (rest.Alert, error) {
	item, err := b.house.alerts.Acknowledge(ctx, id, "", by.Actor, b.put(by))
	return item, err
}

func (b bells) Silence(ctx context.Context, id string, until time.Time, by rest.AuditEntry) (rest.Alert, error) {
	item, err := b.house.alerts.Silence(ctx, id, "", int(time.Until(until).Round(time.Minute).Minutes()), b.put(by))
	return item, err
}

func (b bells) Rules(context.Context) (rest.AlertRules, error) { return b.house.alerts.Rules(), nil }

func (b bells) SetRules(ctx context.Context, rules rest.AlertRules, ifVersion int64, by rest.AuditEntry) (rest.AlertRules, error) {
	rules.Version = ifVersion
	now, err := b.house.alerts.Change(ctx, rules, func(ctx context.Context, ifVersion int64, rules []rest.AlertRule, hooks []rest.Webhook) (version int64, err error) {
		err = b.house.audit.log.Change(ctx, by, func(tx *store.Tx) (err error) {
			version, err = tx.PutAlertRules(ifVersion, rules, hooks)
			return err
		})
		return version, err
	})
	return now, err
}

// shield is the privacy room with what others fill in.
type shield struct{ *privacy.Privacy }

func (s shield) Status() rest.Privacy {
	status := s.Privacy.Status()
	status.LogRetentionDays, status.AuditRetentionDays, status.Confinement = 30, 365, "none"
	return status
}
