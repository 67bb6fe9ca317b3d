package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"parley/server/fault"
	"parley/shared/rest"
	"parley/shared/wire"
)

// The words of wire's closed sets that the store itself has to write.
const (
	stateEnded = wire.StateEnded
	// causeLost is how a session ended whose server died: nobody said goodbye.
	causeLost = wire.ConnectionLost
)

// SessionStarted keeps a session that has begun. UserKey says whose it is.
func (s *Store) SessionStarted(ctx context.Context, r rest.SessionRecord) error {
	return s.putSessions(ctx, "keeping a session's start", r)
}

// SessionEnded keeps how a session ended; the whole record, if its start could
// not be kept.
func (s *Store) SessionEnded(ctx context.Context, r rest.SessionRecord) error {
	if r.EndedAt == nil {
		return fmt.Errorf("session %s: ended without a time", r.ID)
	}
	return s.putSessions(ctx, "keeping a session's end", r)
}

// PutSessions keeps starts (no EndedAt) and ends, in this order, all or none.
func (s *Store) PutSessions(ctx context.Context, all []rest.SessionRecord) error {
	return s.putSessions(ctx, "keeping sessions", all...)
}

// sessionWriter keeps sessions by a statement that is prepared once: to compile it took a
// fourth of the time that one took.
type sessionWriter struct{ upsert *sql.Stmt }

// prepare: who, where from and since when stay as they were first written.
// An end stays, too, but for one that was written before the session had ended
// (Tx.EndSession), which has no level: the session's own end completes it. Of a node that
// was taken for dead the others wrote it, and what it says itself comes too late.
func (w *sessionWriter) prepare(ctx context.Context, d *database) error {
	return d.prepare(ctx, &w.upsert, upsertSession+
		"session.ended_at IS NULL OR session.level = '' AND session.end_cause <> 'node_lost' AND excluded.ended_at IS NOT NULL")
}

func (s *Store) putSessions(ctx context.Context, what string, all ...rest.SessionRecord) error {
	return s.control.write(ctx, what, func(ctx context.Context, tx *sql.Tx) error {
		calm := context.WithoutCancel(ctx)
		upsert := tx.StmtContext(calm, s.sessions.upsert)
		for i := range all {
			values, err := sessionValues(s.ids.next(), &all[i])
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				_, err = upsert.ExecContext(calm, values...)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// EndSession keeps that a session ends, before it does: its own end, with how
// the lines were, comes after. fault.NotFound if it has ended.
func (t *Tx) EndSession(r rest.SessionRecord) error {
	if r.EndedAt == nil {
		return fmt.Errorf("session %s: ended without a time", r.ID)
	}
	r.Quality = rest.RecordQuality{}
	values, err := sessionValues(t.ids.next(), &r)
	if err != nil {
		return err
	}
	result, err := t.tx.ExecContext(t.ctx, upsertSession+"session.ended_at IS NULL", values...)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		return fault.NotFound
	}
	return err
}

// upsertSession adds a session, or brings it up to date where what follows holds.
const upsertSession = `INSERT INTO session (id, session, user_key, user_shown, name, phone, email, org, remote, agent, node, state,
	started_at, ended_at, end_cause, end_reason, level, quality, audio_bytes, storage_attempts, audio_uses)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (session) DO UPDATE SET agent = excluded.agent, state = excluded.state,
	ended_at = excluded.ended_at, end_cause = excluded.end_cause, end_reason = excluded.end_reason,
	level = excluded.level, quality = excluded.quality, audio_bytes = excluded.audio_bytes,
	storage_attempts = excluded.storage_attempts, audio_uses = excluded.audio_uses WHERE `

// sessionValues are the parameters of upsertSession.
func sessionValues(id int64, r *rest.SessionRecord) ([]any, error) {
	q, err := json.Marshal(r.Quality)
	if err != nil {
		return nil, err
	}
	return []any{
		id, r.ID, r.UserKey, r.User, r.Name, r.Phone, r.Email, r.Org, r.Remote, r.Agent, r.Node, r.State,
		ms(r.StartedAt), nullMS(r.EndedAt), r.EndCause, r.EndReason, string(r.Quality.Level), string(q),
		r.Receipt.AudioBytesStored, r.Receipt.StorageAttempts, strings.Join(r.Receipt.Uses, " "),
	}, nil
}

// endAbandoned ends the sessions that a life before this one left open, at the last
// word of that life.
func (s *Store) endAbandoned(ctx context.Context, lastWord time.Time) error {
	var n int64
	err := s.control.write(ctx, "ending sessions of an older life", func(ctx context.Context, tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE session SET state = ?, end_cause = ?,
			ended_at = CASE WHEN started_at > ? THEN started_at ELSE ? END WHERE ended_at IS NULL`,
			stateEnded, causeLost, ms(lastWord), ms(lastWord))
		if err != nil {
			return err
		}
		n, err = r.RowsAffected()
		return err
	})
	if err == nil && n > 0 {
		s.log.Warn("ended sessions that an older life left open", "event", "ghosts", "cause", causeLost, "sessions", n)
	}
	return err
}

const sessionFrom = `SELECT session.id, session.session, session.user_key, session.user_shown, session.name,
	session.phone, session.email, session.org,
	session.remote, session.agent, session.node, session.state, session.started_at, session.ended_at, session.end_cause,
	session.end_reason, session.quality, session.audio_bytes, session.storage_attempts, session.audio_uses, session.log_deleted_at,
	session.rating, session.rating_tags FROM session`

// Sessions gives a page of sessions and the cursor of the next.
func (s *Store) Sessions(ctx context.Context, q rest.SessionQuery) ([]rest.SessionRecord, string, error) {
	var f filter
	ids, err := f.between("session.started_at", q.From, q.To, q.Cursor)
	if err != nil {
		return nil, "", err
	}
	switch {
	case q.UserKey != "" && q.User != "":
		f.add("(session.user_key = ? OR session.user_shown = ?)", q.UserKey, q.User)
	default:
		f.is("session.user_key", q.UserKey)
		f.is("session.user_shown", q.User)
	}
	f.is("session.org", q.Org)
	f.is("session.end_cause", q.Cause)
	f.is("session.level", string(q.Level))
	f.is("session.agent", q.Agent)
	if q.Ended {
		f.add("session.ended_at IS NOT NULL")
	}
	records := make([]rest.SessionRecord, 0, limit(q.Limit))
	next, err := queryTable{s.control, "session", sessionFrom}.page(ctx, &f, ids, limit(q.Limit), func(r rowScanner) (int64, error) {
		record, id, err := s.scanSession(r)
		records = append(records, record)
		return id, err
	})
	return records, next, err
}

// Session gives one session, or fault.NotFound.
func (s *Store) Session(ctx context.Context, id string) (record rest.SessionRecord, err error) {
	found := false
	err = s.control.read(ctx, "reading a session", sessionFrom+" WHERE session.session = ?", []any{id}, func(r rowScanner) (err error) {
		found = true
		record, _, err = s.scanSession(r)
		return err
	})
	if err == nil && !found {
		err = fault.NotFound
	}
	return record, err
}

func (s *Store) scanSession(r rowScanner) (v rest.SessionRecord, id int64, err error) {
	var started int64
	var ended, deleted, score sql.NullInt64
	var q, uses, tags string
	err = r.Scan(&id, &v.ID, &v.UserKey, &v.User, &v.Name, &v.Phone, &v.Email, &v.Org, &v.Remote, &v.Agent, &v.Node, &v.State, &started, &ended,
		&v.EndCause, &v.EndReason, &q, &v.Receipt.AudioBytesStored, &v.Receipt.StorageAttempts, &uses, &deleted, &score, &tags)
	if err != nil {
		return v, id, err
	}
	maskSession(s.mask, &v)
	if uses != "" {
		v.Receipt.Uses = strings.Fields(uses)
	}
	v.Rating = ratingOf(score, tags)
	v.StartedAt, v.EndedAt, v.Receipt.LogDeletedAt = fromMS(started), fromNullMS(ended), fromNullMS(deleted)
	until := s.ids.now()
	if v.EndedAt != nil {
		until = *v.EndedAt
	}
	v.DurationS = max(0, until.Sub(v.StartedAt).Seconds())
	if err := json.Unmarshal([]byte(q), &v.Quality); err != nil {
		return v, id, fmt.Errorf("%w: session quality: %w", fault.Unavailable, err)
	}
	return v, id, nil
}
