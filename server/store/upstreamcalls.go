package store

import (
	"context"
	"time"
)

// PutUpstreamCall keeps that a call of a session may be open at an agent's service,
// and what names it there: "" while the service has not told.
func (s *Store) PutUpstreamCall(ctx context.Context, session, agent, reference string, opened time.Time) error {
	return s.inTransaction(ctx, "keeping a call at a service", func(tx *Tx) error {
		return tx.exec(`INSERT INTO upstream_call (session, agent, reference, opened_at, node) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (session) DO UPDATE SET reference = excluded.reference`, session, agent, reference, ms(opened), s.node)
	})
}

// DeleteUpstreamCall forgets a call that is over. There may be none.
func (s *Store) DeleteUpstreamCall(ctx context.Context, session string) error {
	return s.inTransaction(ctx, "forgetting a call at a service", func(tx *Tx) error {
		return tx.exec("DELETE FROM upstream_call WHERE session = ?", session)
	})
}

// UpstreamCalls calls yield with every call that may be open and that nobody is on
// anymore, the oldest first: of a server alone all that there are when it starts, of the
// nodes of a cluster those that dead ones left, and of this one's life before.
func (s *Store) UpstreamCalls(ctx context.Context, yield func(session, agent, reference string, opened time.Time)) error {
	where := ""
	if s.isShared {
		where = " WHERE NOT EXISTS (SELECT 1 FROM node WHERE node.name = upstream_call.node AND node.state IN ('live', 'lapsed'))"
	}
	return s.control.read(ctx, "reading calls at services", "SELECT session, agent, reference, opened_at FROM upstream_call"+where+" ORDER BY opened_at, session", nil,
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
