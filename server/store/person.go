package store

import (
	"context"
	"database/sql"

	"parley/server/fault"
	"parley/shared/rest"
)

// sessionsAtOnce is how many sessions one erasing statement is about.
const sessionsAtOnce = 50

// ErasePerson deletes what telemetry has of a person, in small steps: the lines of
// requests, quality, turns and activities, of one organization only if who.Org isn't
// empty. Sessions are counted and still there to find it again, whatever becomes of this; Tx's
// ErasePerson takes them out.
func (s *Store) ErasePerson(ctx context.Context, who rest.PersonRef) (e rest.Erased, err error) {
	sessions, err := s.sessionsOf(ctx, who)
	if err != nil {
		return e, err
	}
	e.Sessions = int64(len(sessions))
	defer func() { s.deleted.setPending(s.telemetry, true, s.ids.now()) }()
	for len(sessions) > 0 {
		n := min(sessionsAtOnce, len(sessions))
		if err := s.eraseSessions(ctx, sessions[:n], &e); err != nil {
			return e, err
		}
		sessions = sessions[n:]
	}
	of, args := "person_id IN (SELECT id FROM person WHERE user_key = ?)", []any{who.UserKey}
	if who.Org != "" {
		of, args = of+" AND org = ?", append(args, who.Org)
	}
	n, err := s.sweep(ctx, s.telemetry, "log", of, args...)
	if e.Logs += n; err != nil {
		return e, err
	}
	if who.Shown != "" {
		n, err = s.sweep(ctx, s.telemetry, "activity", "user_shown = ? AND (? = '' OR org = ?)", who.Shown, who.Org, who.Org)
		if e.Activities += n; err != nil {
			return e, err
		}
	}
	return e, s.telemetry.write(ctx, "forgetting a person", func(ctx context.Context, tx *sql.Tx) error {
		s.persons.forget()
		_, err := tx.ExecContext(ctx, `DELETE FROM person WHERE user_key = ?
			AND NOT EXISTS (SELECT 1 FROM log WHERE log.person_id = person.id)`, who.UserKey)
		return err
	})
}

func (s *Store) eraseSessions(ctx context.Context, sessions []any, e *rest.Erased) error {
	for _, t := range []struct {
		name string
		n    *int64
	}{{"quality", &e.Quality}, {"turn", &e.Turns}, {"activity", &e.Activities}, {"log", &e.Logs}} {
		n, err := s.sweep(ctx, s.telemetry, t.name, "session IN ("+placeholders(len(sessions))+")", sessions...)
		if *t.n += n; err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) sessionsOf(ctx context.Context, who rest.PersonRef) (ids []any, err error) {
	err = s.control.read(ctx, "finding a person's sessions", "SELECT session FROM session WHERE user_key = ? AND (? = '' OR org = ?)",
		[]any{who.UserKey, who.Org, who.Org}, func(r rowScanner) error {
			var id string
			err := r.Scan(&id)
			ids = append(ids, id)
			return err
		})
	return ids, err
}

// IsInCall reports whether the record has a session of a person's that has not ended, on
// whichever node.
func (s *Store) IsInCall(ctx context.Context, who rest.PersonRef) (is bool, err error) {
	err = s.control.read(ctx, "looking for a person's calls", openSessions, []any{who.UserKey, who.Org, who.Org}, func(r rowScanner) error {
		var n int
		err := r.Scan(&n)
		is = n > 0
		return err
	})
	return is, err
}

const openSessions = "SELECT count(*) FROM session WHERE user_key = ? AND (? = '' OR org = ?) AND ended_at IS NULL"

// ErasePerson deletes a person's sessions, and takes the person out of what they used:
// sums of tokens and money stay what they were. fault.Conflict: they are in a call, whose
// end would be kept.
func (t *Tx) ErasePerson(who rest.PersonRef) (e rest.Erased, err error) {
	var open int
	if err := t.tx.QueryRowContext(t.ctx, openSessions, who.UserKey, who.Org, who.Org).Scan(&open); err != nil {
		return e, err
	}
	if open > 0 {
		return e, fault.Conflict
	}
	for _, step := range []struct {
		query string
		n     *int64
	}{
		{"DELETE FROM session WHERE user_key = ? AND (? = '' OR org = ?)", &e.Sessions},
		{"UPDATE usage SET user_key = '', user_shown = '', session = 'erased-' || id WHERE user_key = ? AND (? = '' OR org = ?)", &e.Usage},
	} {
		done, err := t.tx.ExecContext(t.ctx, step.query, who.UserKey, who.Org, who.Org)
		if err != nil {
			return e, err
		}
		if *step.n, err = done.RowsAffected(); err != nil {
			return e, err
		}
	}
	t.deleted()
	return e, nil
}
