package store

import (
	"context"
	"database/sql"
	"time"

	"parley/shared/rest"
)

// The logs that are handed on to a collector. The tables themselves are what waits:
// beside them stands how far a collector has come, each in the file of its log.
const (
	accessExport = "access"
	auditExport  = "audit"
)

// lossStep is how many lines are counted in one transaction before they are deleted.
const lossStep = 20_000

// exportSettles is how old a line of the access log is before a cluster hands it on:
// another node may have numbered one before it, and be about to write it.
const exportSettles = 10 * time.Second

// UnsentLogs returns the oldest lines of the access log that no collector has confirmed,
// most at a time, as people see them.
func (s *Store) UnsentLogs(ctx context.Context, most int) ([]rest.LogEntry, error) {
	below := newestCursor
	if s.isShared {
		below = firstID(s.ids.now().Add(-exportSettles))
	}
	entries := make([]rest.LogEntry, 0, most)
	err := s.telemetry.read(ctx, "reading log lines to hand on",
		s.logTable().from+" WHERE log.id > coalesce((SELECT sent FROM log_export WHERE log = ?), 0) AND log.id < ? ORDER BY log.id LIMIT ?",
		[]any{accessExport, below, most}, func(r rowScanner) error {
			e, err := scanLog(r)
			maskLog(s.mask, &e)
			entries = append(entries, e)
			return err
		})
	return entries, err
}

// LogsSent notes that a collector has the lines up to an id.
func (s *Store) LogsSent(ctx context.Context, last int64) error {
	return noteSent(ctx, s.telemetry, accessExport, last)
}

// UnsentAudit is UnsentLogs of the audit log. Lines up to its anchor are gone.
func (s *Store) UnsentAudit(ctx context.Context, most int) ([]rest.AuditEntry, error) {
	entries := make([]rest.AuditEntry, 0, most)
	err := s.control.read(ctx, "reading audit lines to hand on", auditFrom+` WHERE audit.seq > (SELECT seq FROM audit_anchor)
		AND audit.seq > coalesce((SELECT sent FROM log_export WHERE log = ?), 0) ORDER BY audit.seq LIMIT ?`,
		[]any{auditExport, most}, func(r rowScanner) error {
			e, err := scanAudit(r)
			maskAudit(s.mask, &e)
			entries = append(entries, e)
			return err
		})
	return entries, err
}

// AuditSent notes that a collector has the lines up to a number.
func (s *Store) AuditSent(ctx context.Context, last int64) error {
	return noteSent(ctx, s.control, auditExport, last)
}

func noteSent(ctx context.Context, f *database, log string, last int64) error {
	return f.write(ctx, "noting what was handed on", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO log_export (log, sent) VALUES (?, ?)
			ON CONFLICT (log) DO UPDATE SET sent = CASE WHEN excluded.sent > log_export.sent THEN excluded.sent ELSE log_export.sent END`, log, last)
		return err
	})
}

// LostLines returns how many lines of each log retention deleted before a collector had
// them, of all times that lines were handed on.
func (s *Store) LostLines(ctx context.Context) (access, audit int64, err error) {
	for _, l := range []struct {
		database *database
		log      string
		lost     *int64
	}{{s.telemetry, accessExport, &access}, {s.control, auditExport, &audit}} {
		err := l.database.queryRow(ctx, "counting lost lines", "SELECT coalesce(sum(lost), 0) FROM log_export WHERE log = ?", []any{l.log}, l.lost)
		if err != nil {
			return 0, 0, err
		}
	}
	return access, audit, nil
}

// countUnsent counts lines of the access log below an id that no collector has, for they
// are about to be deleted, and passes over them.
func (s *Store) countUnsent(ctx context.Context, below int64) error {
	if !s.isExported {
		return nil
	}
	for {
		n, err := s.countUnsentStep(ctx, below)
		if err != nil || n < lossStep {
			return err
		}
	}
}

func (s *Store) countUnsentStep(ctx context.Context, below int64) (n int64, err error) {
	err = s.telemetry.write(ctx, "counting unsent lines", func(ctx context.Context, tx *sql.Tx) error {
		var last int64
		err := tx.QueryRowContext(ctx, `SELECT count(*), coalesce(max(id), 0) FROM (SELECT id FROM log
			WHERE id > coalesce((SELECT sent FROM log_export WHERE log = ?), 0) AND id < ? ORDER BY id LIMIT ?) AS unsent`,
			accessExport, below, lossStep).Scan(&n, &last)
		if err != nil || n == 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO log_export (log, sent, lost) VALUES (?, ?, ?)
			ON CONFLICT (log) DO UPDATE SET sent = excluded.sent, lost = log_export.lost + excluded.lost`, accessExport, last, n)
		return err
	})
	return n, err
}

// countUnsentAudit is countUnsent for a chain that will begin after seq.
func (s *Store) countUnsentAudit(ctx context.Context, tx *sql.Tx, seq int64) error {
	if !s.isExported {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO log_export (log, sent, lost)
		SELECT ?, ?, count(*) FROM audit WHERE seq <= ? AND seq > (SELECT seq FROM audit_anchor)
			AND seq > coalesce((SELECT sent FROM log_export WHERE log = ?), 0)
		ON CONFLICT (log) DO UPDATE SET sent = CASE WHEN excluded.sent > log_export.sent THEN excluded.sent ELSE log_export.sent END, lost = log_export.lost + excluded.lost`,
		auditExport, seq, seq, auditExport)
	return err
}
