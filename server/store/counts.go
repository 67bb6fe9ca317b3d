package store

import (
	"context"
	"errors"
	"time"

	"parley/shared/rest"
)

// countedAtOnce is how many lines a search that counts reads in one go.
const countedAtOnce = 5000

// CountLogs counts the lines of the access log that pass, in equal parts of the query's
// time. Texts are looked for in what is shown, as in Logs, and for about a second.
func (s *Store) CountLogs(ctx context.Context, q rest.LogQuery, bars int) (rest.Counts, error) {
	c := newCounts(q.From, q.To, bars)
	var f filter
	ids, err := f.between("log.t", q.From, q.To, "")
	if err == nil {
		err = f.lines(q)
	}
	if err != nil {
		return c, err
	}
	if q.UserKey != "" || q.User != "" {
		if known, err := s.filterPerson(ctx, &f, q); err != nil || !known {
			return c, err
		}
	}
	if q.Q == "" && q.Path == "" {
		return c, s.telemetry.count(ctx, "log", "log.status >= 500", &f, ids, &c)
	}
	return c, s.logTable().countShown(ctx, &f, ids, &c, func(r rowScanner) (int64, error) {
		e, err := scanLog(r)
		if err != nil {
			return 0, err
		}
		if maskLog(s.mask, &e); isShown(&e, q) {
			c.Add(e.T, e.Status >= 500)
		}
		return e.ID, errUnseen
	})
}

// CountAudit is CountLogs for the audit log.
func (l *AuditReader) CountAudit(ctx context.Context, q rest.AuditQuery, bars int) (rest.Counts, error) {
	c := newCounts(q.From, q.To, bars)
	f, ids, err := auditFilter(q)
	if err != nil {
		return c, err
	}
	if q.Q == "" {
		return c, l.control.count(ctx, "audit", "audit.outcome <> 'done'", &f, ids, &c)
	}
	f.auditText(q.Q)
	table := queryTable{l.control, "audit", auditFrom}
	return c, table.countShown(ctx, &f, ids, &c, func(r rowScanner) (int64, error) {
		e, err := scanAudit(r)
		if err != nil {
			return 0, err
		}
		if maskAudit(l.mask, &e); q.Passes(&e) {
			c.Add(e.T, e.Outcome != "done")
		}
		return e.ID, errUnseen
	})
}

func newCounts(from, to time.Time, bars int) rest.Counts {
	return rest.Counts{From: from, To: to, Bars: make([]rest.CountBar, bars)}
}

// count has the engine count, if that is quick: bars of lines aren't worth a second of
// the disk.
func (d *database) count(ctx context.Context, table, isError string, where *filter, ids timeSpan, c *rest.Counts) error {
	limited, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	clause, args := where.where(table+".id", ids.from, ids.to)
	span, n := max(c.To.Sub(c.From).Milliseconds(), 1), int64(len(c.Bars))
	err := d.read(limited, "counting the "+table,
		"SELECT ("+table+".t - ?) * ? / ?, COUNT(*), SUM(CASE WHEN "+isError+" THEN 1 ELSE 0 END) FROM "+table+clause+" GROUP BY 1",
		append([]any{ms(c.From), n, span}, args...), func(r rowScanner) error {
			var i int64
			var bar rest.CountBar
			err := r.Scan(&i, &bar.All, &bar.Errors)
			c.Bars[min(max(i, 0), n-1)] = bar
			return err
		})
	if err != nil && errors.Is(limited.Err(), context.DeadlineExceeded) && ctx.Err() == nil {
		clear(c.Bars)
		c.IsPartial = true
		return nil
	}
	return err
}

// countShown reads the lines, the newest first, as far as a search goes.
func (t queryTable) countShown(ctx context.Context, f *filter, s timeSpan, c *rest.Counts, scan func(rowScanner) (int64, error)) error {
	rest, err := t.walk(ctx, f, s, countedAtOnce, scan)
	c.IsPartial = rest != ""
	return err
}
