package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"parley/server/fault"
	"parley/shared/rest"
)

// Tx is what a change may write in the transaction of the audit line that
// records it.
type Tx struct {
	ctx context.Context
	tx  *sql.Tx
	ids *ids
	// deleted has the bytes of deleted rows taken off the disk.
	deleted func()
}

func (t *Tx) exec(query string, args ...any) error {
	_, err := t.tx.ExecContext(t.ctx, query, args...)
	return err
}

// nextVersion counts a version up, if it is still the one that was read.
func (t *Tx) nextVersion(what string, ifVersion int64) (version int64, err error) {
	err = t.tx.QueryRowContext(t.ctx,
		"UPDATE version SET version = version + 1 WHERE what = ? AND version = ? RETURNING version", what, ifVersion).Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fault.Conflict
	}
	return version, err
}

// PutSettings keeps values by name, beside those that are kept, if the settings
// still have the version that was read, and gives the new one. Else fault.Conflict.
func (t *Tx) PutSettings(ifVersion int64, values map[string]json.RawMessage) (version int64, err error) {
	if version, err = t.nextVersion("settings", ifVersion); err != nil {
		return 0, err
	}
	for name, value := range values {
		err := t.exec("INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
			name, string(value))
		if err != nil {
			return 0, err
		}
	}
	return version, nil
}

// ResetSettings forgets all kept values and gives the new version.
func (t *Tx) ResetSettings() (version int64, err error) {
	if err := t.exec("DELETE FROM setting"); err != nil {
		return 0, err
	}
	err = t.tx.QueryRowContext(t.ctx, "UPDATE version SET version = version + 1 WHERE what = 'settings' RETURNING version").Scan(&version)
	return version, err
}

// keptAlertRules are rules with the edition, which nobody else is told.
type keptAlertRules struct {
	rest.AlertRules
	Edition int `json:"edition"`
}

// PutAlertRules keeps rules and webhooks, if they still have the version that
// was read, and gives the new one. Else fault.Conflict.
func (t *Tx) PutAlertRules(ifVersion int64, rules []rest.AlertRule, webhooks []rest.Webhook) (version int64, err error) {
	body, err := json.Marshal(keptAlertRules{rest.AlertRules{Rules: rules, Webhooks: webhooks}, rest.AlertRulesEdition})
	if err != nil {
		return 0, err
	}
	if version, err = t.nextVersion("alert_rules", ifVersion); err != nil {
		return 0, err
	}
	return version, t.exec("INSERT INTO alert_rules (one, body) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET body = excluded.body", string(body))
}

// PutAlert keeps an alert as it is now.
func (t *Tx) PutAlert(a rest.Alert) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return t.exec(`INSERT INTO alert (id, alert, rule, org, state, raised_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (alert) DO UPDATE SET state = excluded.state, body = excluded.body`,
		t.ids.next(), a.ID, a.Rule, a.Org, a.State, ms(a.RaisedAt), string(body))
}

// RevokeToken refuses one token until it expires by itself.
func (t *Tx) RevokeToken(jti string, expires time.Time) error {
	return t.exec("INSERT INTO revoked_token (jti, expires_at) VALUES (?, ?) ON CONFLICT (jti) DO NOTHING", jti, ms(expires))
}
