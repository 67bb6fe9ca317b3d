package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"parley/server/fault"
	"parley/shared/rest"
)

// inTransaction runs fn in a transaction that no audit line records.
func (s *Store) inTransaction(ctx context.Context, what string, fn func(*Tx) error) error {
	return s.control.write(ctx, what, func(ctx context.Context, tx *sql.Tx) error { return fn(s.newTx(ctx, tx)) })
}

func (s *Store) newTx(ctx context.Context, tx *sql.Tx) *Tx {
	return &Tx{ctx: ctx, tx: tx, ids: s.ids, deleted: func() { s.deleted.setPending(s.control, true, s.ids.now()) }}
}

// Settings gives the values that were changed at run time, and the version of
// them all: 0 while none was ever changed.
func (s *Store) Settings(ctx context.Context) (version int64, values map[string]json.RawMessage, err error) {
	values = map[string]json.RawMessage{}
	err = s.control.read(ctx, "reading the settings",
		`SELECT version.version, coalesce(setting.name, ''), coalesce(setting.value, '')
		FROM version LEFT JOIN setting ON 1 = 1 WHERE version.what = 'settings'`, nil, func(r rowScanner) error {
			var name, value string
			err := r.Scan(&version, &name, &value)
			if name != "" {
				values[name] = json.RawMessage(value)
			}
			return err
		})
	return version, values, err
}

// AlertRules gives rules and webhooks, with their secrets. Version is 0 and the
// lists are empty while none were ever put.
func (s *Store) AlertRules(ctx context.Context) (rest.AlertRules, error) {
	var rules keptAlertRules
	var version int64
	var body string
	err := s.control.queryRow(ctx, "reading the alert rules", `SELECT version.version, coalesce((SELECT body FROM alert_rules), '{}')
		FROM version WHERE version.what = 'alert_rules'`, nil, &version, &body)
	if err != nil {
		return rest.AlertRules{}, err
	}
	if err := json.Unmarshal([]byte(body), &rules); err != nil {
		return rest.AlertRules{}, fmt.Errorf("%w: alert rules: %w", fault.Unavailable, err)
	}
	rules.AlertRules.Version, rules.AlertRules.Edition = version, rules.Edition
	return rules.AlertRules, nil
}

// PutAlert keeps an alert as it is now, for what nobody did: raised, resolved.
func (s *Store) PutAlert(ctx context.Context, a rest.Alert) error {
	return s.inTransaction(ctx, "keeping an alert", func(tx *Tx) error { return tx.PutAlert(a) })
}

// Alerts gives a page of alerts and the cursor of the next.
func (s *Store) Alerts(ctx context.Context, q rest.AlertQuery) ([]rest.Alert, string, error) {
	var f filter
	ids, err := f.between("", time.Time{}, time.Time{}, q.Cursor)
	if err != nil {
		return nil, "", err
	}
	f.is("alert.state", q.State)
	f.is("alert.org", q.Org)
	alerts := make([]rest.Alert, 0, limit(q.Limit))
	next, err := queryTable{s.control, "alert", "SELECT alert.id, alert.body FROM alert"}.page(ctx, &f, ids, limit(q.Limit),
		func(r rowScanner) (id int64, err error) {
			a, err := s.scanAlert(r, &id)
			alerts = append(alerts, a)
			return id, err
		})
	return alerts, next, err
}

func (s *Store) scanAlert(r rowScanner, id *int64) (a rest.Alert, err error) {
	var body string
	if err := r.Scan(id, &body); err != nil {
		return a, err
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		return a, fmt.Errorf("%w: alert: %w", fault.Unavailable, err)
	}
	maskAlert(s.mask, &a)
	return a, nil
}

// RevokeToken refuses one token until it expires: somebody signed out.
func (s *Store) RevokeToken(ctx context.Context, jti string, expires time.Time) error {
	return s.inTransaction(ctx, "revoking a token", func(tx *Tx) error { return tx.RevokeToken(jti, expires) })
}
