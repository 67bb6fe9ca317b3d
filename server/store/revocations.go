package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"parley/server/fault"
	"parley/shared/rest"
)

const revocationFrom = `SELECT revocation.id, revocation.org, revocation.user_key, revocation.blocks, revocation.user_shown,
	revocation.since, revocation.by_shown, revocation.reason FROM revocation`

// PutRevocation keeps a revocation and gives its id. A person has one of each
// kind in an organization: a newer one takes its place, an older one changes
// nothing.
func (t *Tx) PutRevocation(v rest.Revocation) (id int64, err error) {
	err = t.exec(`INSERT INTO revocation (id, org, user_key, blocks, user_shown, since, by_shown, reason) VALUES (`+placeholders(8)+`)
		ON CONFLICT (org, user_key, blocks) DO UPDATE SET user_shown = excluded.user_shown, since = excluded.since,
		by_shown = excluded.by_shown, reason = excluded.reason WHERE excluded.since > revocation.since`,
		t.ids.next(), v.Org, v.UserKey, toBit(v.Block), v.User, ms(v.Since), v.By, v.Reason)
	if err == nil {
		err = t.tx.QueryRowContext(t.ctx, "SELECT id FROM revocation WHERE org = ? AND user_key = ? AND blocks = ?",
			v.Org, v.UserKey, toBit(v.Block)).Scan(&id)
	}
	return id, err
}

// DeleteRevocation takes one back, of an organization only if org isn't empty,
// and gives what it was. fault.NotFound: there is none.
func (t *Tx) DeleteRevocation(id int64, org string) (rest.Revocation, error) {
	v, err := scanRevocation(t.tx.QueryRowContext(t.ctx, revocationFrom+" WHERE id = ? AND (? = '' OR org = ?)", id, org, org))
	if errors.Is(err, sql.ErrNoRows) {
		return v, fault.NotFound
	}
	if err == nil {
		err = t.exec("DELETE FROM revocation WHERE id = ?", id)
	}
	return v, err
}

func toBit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func scanRevocation(r rowScanner) (v rest.Revocation, err error) {
	var since int64
	err = r.Scan(&v.ID, &v.Org, &v.UserKey, &v.Block, &v.User, &since, &v.By, &v.Reason)
	v.Since = fromMS(since)
	return v, err
}

// Revocations gives a page of them, the last made first, and the cursor of the
// next.
func (s *Store) Revocations(ctx context.Context, q rest.RevocationQuery) ([]rest.Revocation, string, error) {
	var f filter
	ids, err := f.between("", time.Time{}, time.Time{}, q.Cursor)
	if err != nil {
		return nil, "", err
	}
	f.is("revocation.org", q.Org)
	f.is("revocation.user_key", q.UserKey)
	found := make([]rest.Revocation, 0, limit(q.Limit))
	next, err := queryTable{s.control, "revocation", revocationFrom}.page(ctx, &f, ids, limit(q.Limit), func(r rowScanner) (int64, error) {
		v, err := scanRevocation(r)
		maskTexts(s.mask, &v.User, &v.Org, &v.By, &v.Reason)
		found = append(found, v)
		return v.ID, err
	})
	return found, next, err
}

// RevocationsInForce gives all of them, to be looked at in memory.
func (s *Store) RevocationsInForce(ctx context.Context) (found []rest.Revocation, err error) {
	err = s.control.read(ctx, "reading revocations", revocationFrom, nil, func(r rowScanner) error {
		v, err := scanRevocation(r)
		found = append(found, v)
		return err
	})
	return found, err
}

// RevokedTokens gives the tokens that were signed out, by their id, and until
// when each is refused.
func (s *Store) RevokedTokens(ctx context.Context) (map[string]time.Time, error) {
	tokens := map[string]time.Time{}
	err := s.control.read(ctx, "reading revoked tokens", "SELECT jti, expires_at FROM revoked_token", nil, func(r rowScanner) error {
		var id string
		var until int64
		err := r.Scan(&id, &until)
		tokens[id] = fromMS(until)
		return err
	})
	return tokens, err
}
