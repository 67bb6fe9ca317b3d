package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// PutSignIn keeps a browser's sign-in until it expires: the hash of its cookie,
// whose it is, and what only that cookie opens.
func (s *Store) PutSignIn(ctx context.Context, hash, userKey, sealed string, expires time.Time) error {
	return s.change(ctx, "keeping a sign-in", func(tx *Tx) error {
		return tx.exec("INSERT INTO sign_in (hash, user_key, sealed, expires_at) VALUES (?, ?, ?, ?)",
			hash, userKey, sealed, ms(expires))
	})
}

// DeleteSignIn forgets one. There may be none.
func (s *Store) DeleteSignIn(ctx context.Context, hash string) error {
	return s.change(ctx, "forgetting a sign-in", func(tx *Tx) error {
		return tx.exec("DELETE FROM sign_in WHERE hash = ?", hash)
	})
}

// SignIns calls yield with every sign-in that is kept, in the order in which
// they expire.
func (s *Store) SignIns(ctx context.Context, yield func(hash, userKey, sealed string, expires time.Time)) error {
	return s.control.read(ctx, "reading sign-ins", "SELECT hash, user_key, sealed, expires_at FROM sign_in ORDER BY expires_at", nil,
		func(r row) error {
			var hash, userKey, sealed string
			var expires int64
			err := r.Scan(&hash, &userKey, &sealed, &expires)
			if err == nil {
				yield(hash, userKey, sealed, fromMS(expires))
			}
			return err
		})
}

// RevokeOrgUser refuses a person's tokens of one organization issued before a
// time. A later time wins.
func (t *Tx) RevokeOrgUser(org, userKey string, before time.Time) error {
	return t.exec(`INSERT INTO revoked_org_user (org, user_key, before) VALUES (?, ?, ?)
		ON CONFLICT (org, user_key) DO UPDATE SET before = excluded.before WHERE excluded.before > revoked_org_user.before`,
		org, userKey, ms(before))
}

// revokedOrgUsers gives them by organization and user key.
func (s *Store) revokedOrgUsers(ctx context.Context) (map[[2]string]time.Time, error) {
	users := map[[2]string]time.Time{}
	err := s.control.read(ctx, "reading revocations", "SELECT org, user_key, before FROM revoked_org_user", nil, func(r row) error {
		var org, key string
		var before int64
		err := r.Scan(&org, &key, &before)
		users[[2]string{org, key}] = fromMS(before)
		return err
	})
	return users, err
}

// forgetSpent deletes what refuses or admits nobody anymore.
func forgetSpent(ctx context.Context, tx *sql.Tx, now time.Time) (err error) {
	for _, spent := range []struct {
		query  string
		before time.Time
	}{
		{"DELETE FROM revoked_token WHERE expires_at < ?", now.Add(-time.Hour)},
		{"DELETE FROM revoked_user WHERE before < ?", now.Add(-tokenLife)},
		{"DELETE FROM revoked_org_user WHERE before < ?", now.Add(-tokenLife)},
		{"DELETE FROM sign_in WHERE expires_at < ?", now},
	} {
		_, failed := tx.ExecContext(ctx, spent.query, ms(spent.before))
		err = errors.Join(err, failed)
	}
	return err
}
