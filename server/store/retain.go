package store

import (
	"context"
	"database/sql"
	"time"
)

// How retention keeps out of the writers' way: short steps, and after each a
// pause of several times its length.
const (
	sweepRows  = 250
	sweepPause = 3 // times what the step took
	leastPause = 2 * time.Millisecond
)

// tokenLife is longer than any token lives: what was revoked before that
// refuses nobody anymore.
const tokenLife = 25 * time.Hour

// Before says what retention deletes. A zero time keeps all.
type Before struct {
	Logs     time.Time // access log, quality, turns, activities
	Sessions time.Time // sessions that ended, what they used, and alerts that are resolved
}

// Deleted counts the rows that went.
type Deleted struct{ Logs, Quality, Turns, Activities, Persons, Sessions, Usage, Alerts int64 }

// Retain deletes what is older than it may be, in small steps, and notes in the
// receipts of sessions that their log lines went. Audit has RetainAudit.
func (s *Store) Retain(ctx context.Context, before Before) (Deleted, error) {
	var d Deleted
	if !before.Logs.IsZero() {
		old := firstID(before.Logs)
		if err := s.countUnsent(ctx, old); err != nil { // what is too old goes all the same
			s.log.Error("lines that no collector has could not be counted", "event", "log_export", "err", err)
		}
		for _, t := range []struct {
			name string
			n    *int64
		}{{"log", &d.Logs}, {"quality", &d.Quality}, {"turn", &d.Turns}, {"activity", &d.Activities}} {
			var err error
			if *t.n, err = s.deleteBelow(ctx, t.name, old); err != nil {
				return d, err
			}
		}
		var err error
		if d.Persons, err = s.forgetPersons(ctx); err != nil {
			return d, err
		}
		if err := s.stampReceipts(ctx, before.Logs); err != nil {
			return d, err
		}
	}
	err := s.retainControl(ctx, before, &d)
	if d.Logs+d.Quality+d.Turns+d.Activities+d.Persons > 0 {
		s.deleted.setPending(s.telemetry, true, s.ids.now())
	}
	if d.Sessions+d.Usage+d.Alerts > 0 {
		s.deleted.setPending(s.control, true, s.ids.now())
	}
	return d, err
}

func (s *Store) retainControl(ctx context.Context, before Before, d *Deleted) (err error) {
	if !before.Sessions.IsZero() {
		old, t := firstID(before.Sessions), ms(before.Sessions)
		if d.Sessions, err = s.sweep(ctx, s.control, "session", "id < ? AND ended_at < ?", old, t); err != nil {
			return err
		}
		if d.Usage, err = s.sweep(ctx, s.control, "usage", "id < ?", old); err != nil {
			return err
		}
		if d.Alerts, err = s.sweep(ctx, s.control, "alert", "id < ? AND state = 'resolved'", old); err != nil {
			return err
		}
	}
	now := s.ids.now()
	return s.control.write(ctx, "forgetting spent revocations and sign-ins", func(ctx context.Context, tx *sql.Tx) error {
		return forgetSpent(ctx, tx, now)
	})
}

// deleteBelow deletes the rows of a table of telemetry below an id: what the engine can
// drop at once, then what is left in small steps.
func (s *Store) deleteBelow(ctx context.Context, table string, id int64) (int64, error) {
	dropped, err := s.bulk.dropBelow(ctx, table, id)
	if err != nil {
		return dropped, err
	}
	swept, err := s.sweep(ctx, s.telemetry, table, "id < ?", id)
	return dropped + swept, err
}

// sweep deletes the rows of a condition. The condition must find them by an
// index, also when there are none: the writer waits for it.
func (s *Store) sweep(ctx context.Context, d *database, table, cond string, args ...any) (int64, error) {
	return s.deleteInSteps(ctx, d, "deleting from "+table, "DELETE FROM "+table+" WHERE id IN (SELECT id FROM "+table+
		" WHERE "+cond+" LIMIT ?)", append(args, d.stepRows)...)
}

// deleteInSteps runs a statement that changes at most sweepRows rows until it changes
// none.
func (s *Store) deleteInSteps(ctx context.Context, f *database, what, query string, args ...any) (total int64, err error) {
	for {
		start, n := time.Now(), int64(0)
		err := f.write(ctx, what, func(ctx context.Context, tx *sql.Tx) error {
			r, err := tx.ExecContext(ctx, query, args...)
			if err != nil {
				return err
			}
			n, err = r.RowsAffected()
			return err
		})
		if err == nil {
			total += n // what was not committed is still there
		}
		if err != nil || n == 0 {
			return total, err
		}
		select {
		case <-ctx.Done():
			return total, ctx.Err()
		case <-time.After(max(leastPause, sweepPause*time.Since(start))):
		}
	}
}

// forgetPersons deletes those whom no line names anymore. A number must not be
// remembered once its row is gone.
func (s *Store) forgetPersons(ctx context.Context) (total int64, err error) {
	for last := int64(0); ; {
		n := 0
		err := s.telemetry.write(ctx, "forgetting persons", func(ctx context.Context, tx *sql.Tx) error {
			s.persons.forget()
			rows, err := tx.QueryContext(ctx, `SELECT id, EXISTS (SELECT 1 FROM log WHERE log.person_id = person.id)
				FROM person WHERE id > ? ORDER BY id LIMIT ?`, last, sweepRows)
			if err != nil {
				return err
			}
			defer rows.Close()
			var gone []any
			for ; rows.Next(); n++ {
				var named bool
				if err := rows.Scan(&last, &named); err != nil {
					return err
				}
				if !named {
					gone = append(gone, last)
				}
			}
			if err := rows.Err(); err != nil || len(gone) == 0 {
				return err
			}
			total += int64(len(gone))
			_, err = tx.ExecContext(ctx, "DELETE FROM person WHERE id IN ("+placeholders(len(gone))+")", gone...)
			return err
		})
		if err != nil || n == 0 {
			return total, err
		}
	}
}

// stampReceipts notes when the log lines of a session that ended went.
func (s *Store) stampReceipts(ctx context.Context, before time.Time) error {
	_, err := s.deleteInSteps(ctx, s.control, "noting deletions", `UPDATE session SET log_deleted_at = ? WHERE id IN
		(SELECT id FROM session WHERE ended_at < ? AND log_deleted_at IS NULL LIMIT ?)`, ms(s.ids.now()), ms(before), sweepRows)
	return err
}
