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
	return s.inTransaction(ctx, "keeping a sign-in", func(tx *Tx) error {
		return tx.exec("INSERT INTO sign_in (hash, user_key, sealed, expires_at) VALUES (?, ?, ?, ?)",
			hash, userKey, sealed, ms(expires))
	})
}

// DeleteSignIn forgets one. There may be none.
func (s *Store) DeleteSignIn(ctx context.Context, hash string) error {
	return s.inTransaction(ctx, "forgetting a sign-in", func(tx *Tx) error {
		return tx.exec("DELETE FROM sign_in WHERE hash = ?", hash)
	})
}

// SignIn returns the one of a hash; ok is false where there is none.
func (s *Store) SignIn(ctx context.Context, hash string) (userKey, sealed string, expires time.Time, ok bool, err error) {
	err = s.control.read(ctx, "reading a sign-in", "SELECT user_key, sealed, expires_at FROM sign_in WHERE hash = ?", []any{hash},
		func(r rowScanner) error {
			var until int64
			err := r.Scan(&userKey, &sealed, &until)
			expires, ok = fromMS(until), err == nil
			return err
		})
	return userKey, sealed, expires, ok, err
}

// SignIns calls yield with every sign-in that is kept, in the order in which
// they expire.
func (s *Store) SignIns(ctx context.Context, yield func(hash, userKey, sealed string, expires time.Time)) error {
	return s.control.read(ctx, "reading sign-ins", "SELECT hash, user_key, sealed, expires_at FROM sign_in ORDER BY expires_at", nil,
		func(r rowScanner) error {
			var hash, userKey, sealed string
			var expires int64
			err := r.Scan(&hash, &userKey, &sealed, &expires)
			if err == nil {
				yield(hash, userKey, sealed, fromMS(expires))
			}
			return err
		})
}

// forgetSpent deletes what refuses or admits nobody anymore.
func forgetSpent(ctx context.Context, tx *sql.Tx, now time.Time) (err error) {
	for _, spent := range []struct {
		query  string
		before time.Time
	}{
		{"DELETE FROM revoked_token WHERE expires_at < ?", now.Add(-time.Hour)},
		{"DELETE FROM revocation WHERE blocks = 0 AND since < ?", now.Add(-tokenLife)},
		{"DELETE FROM sign_in WHERE expires_at < ?", now},
	} {
		_, failed := tx.ExecContext(ctx, spent.query, ms(spent.before))
		err = errors.Join(err, failed)
	}
	return err
}
