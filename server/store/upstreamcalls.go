package store

import (
	"context"
	"time"
)

// PutUpstreamCall keeps that a call of a session may be open at an agent's service,
// and what names it there: "" while the service has not told.
func (s *Store) PutUpstreamCall(ctx context.Context, session, agent, reference string, opened time.Time) error {
	return s.inTransaction(ctx, "keeping a call at a service", func(tx *Tx) error {
		return tx.exec(`INSERT INTO upstream_call (session, agent, reference, opened_at) VALUES (?, ?, ?, ?)
			ON CONFLICT (session) DO UPDATE SET reference = excluded.reference`, session, agent, reference, ms(opened))
	})
}

// DeleteUpstreamCall forgets a call that is over. There may be none.
func (s *Store) DeleteUpstreamCall(ctx context.Context, session string) error {
	return s.inTransaction(ctx, "forgetting a call at a service", func(tx *Tx) error {
		return tx.exec("DELETE FROM upstream_call WHERE session = ?", session)
	})
}

// UpstreamCalls calls yield with every call that may be open, the oldest first.
func (s *Store) UpstreamCalls(ctx context.Context, yield func(session, agent, reference string, opened time.Time)) error {
	return s.control.read(ctx, "reading calls at services", "SELECT session, agent, reference, opened_at FROM upstream_call ORDER BY opened_at, session", nil,
		func(r rowScanner) error {
			var session, agent, reference string
			var opened int64
			err := r.Scan(&session, &agent, &reference, &opened)
			if err == nil {
				yield(session, agent, reference, fromMS(opened))
			}
			return err
		})
}
