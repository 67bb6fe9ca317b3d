package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"parley/server/fault"
	"parley/shared/quality"
	"parley/shared/rest"
)

const (
	// longestCall is how long before a time a call may have begun that was on in it: the
	// longest that a limit can be set to.
	longestCall = 12 * time.Hour
	// countTimeout is how long the requests of a time are counted: whoever asks for more
	// gets none, for a chart isn't worth a second of the disk.
	countTimeout = time.Second
)

// History counts the ended calls of a time, and its requests. Those that live are the
// monitor's.
func (s *Store) History(ctx context.Context, q rest.HistoryQuery) (*rest.HistoryCounter, error) {
	h := rest.NewHistory(q)
	f := filter{}
	f.add("session.ended_at >= ?", ms(q.From))
	f.add("session.started_at < ?", ms(q.To))
	f.is("session.org", q.Org)
	where, args := f.where("session.id", firstID(q.From.Add(-longestCall-clockSlack)), firstID(q.To.Add(clockSlack)))
	n := 0
	err := s.control.read(ctx, "counting sessions",
		"SELECT session.started_at, session.ended_at, session.end_cause, session.level, session.agent, session.quality FROM session"+where+" ORDER BY session.id DESC LIMIT ?",
		append(args, rest.MaxHistoryCalls+1), func(r rowScanner) error {
			c, err := scanHistoryCall(r)
			if n++; err != nil || n > rest.MaxHistoryCalls {
				h.IsPartial = err == nil
				return err
			}
			h.Add(c)
			return nil
		})
	if err != nil {
		return nil, err
	}
	return h, s.countRequests(ctx, q, h)
}

func scanHistoryCall(r rowScanner) (c rest.HistoryCall, err error) {
	var started int64
	var ended sql.NullInt64
	var level, kept string
	if err = r.Scan(&started, &ended, &c.Cause, &level, &c.Agent, &kept); err != nil {
		return c, err
	}
	c.StartedAt, c.EndedAt, c.Level = fromMS(started), fromNullMS(ended), quality.Level(level)
	if level == "" {
		c.Level = quality.None
	}
	var q struct {
		Turns struct {
			FirstWord rest.FirstWord `json:"first_word"`
		} `json:"turns"`
	}
	if err := json.Unmarshal([]byte(kept), &q); err != nil {
		return c, fmt.Errorf("%w: session quality: %w", fault.Unavailable, err)
	}
	c.FirstWord = q.Turns.FirstWord
	return c, nil
}

// countRequests counts the lines of the access log, if that is quick.
func (s *Store) countRequests(ctx context.Context, q rest.HistoryQuery, h *rest.HistoryCounter) error {
	limited, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	f := filter{}
	f.add("log.t >= ?", ms(q.From))
	f.add("log.t < ?", ms(q.To))
	f.is("log.org", q.Org)
	where, args := f.where("log.id", firstID(q.From.Add(-clockSlack)), firstID(q.To.Add(clockSlack)))
	counts := make(map[int64][2]int64)
	err := s.telemetry.read(limited, "counting requests",
		"SELECT (log.t - ?) / ?, SUM(CASE WHEN log.count > 0 THEN log.count ELSE 1 END), SUM(CASE WHEN log.status >= 500 THEN 1 ELSE 0 END) FROM log"+where+" GROUP BY 1",
		append([]any{ms(q.From), q.Step().Milliseconds()}, args...), func(r rowScanner) error {
			var i, requests, failed int64
			err := r.Scan(&i, &requests, &failed)
			counts[i] = [2]int64{requests, failed}
			return err
		})
	if err != nil {
		if errors.Is(limited.Err(), context.DeadlineExceeded) && ctx.Err() == nil {
			return nil
		}
		return err
	}
	for i := range h.Buckets {
		n := counts[int64(i)]
		h.Buckets[i].Requests, h.Buckets[i].Errors = &n[0], &n[1]
	}
	return nil
}
