package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"parley/server/store"
	"parley/shared/rest"
)

// A pageCase is one filter; ask makes a query with values of its own each time.
type pageCase struct {
	name string
	aim  time.Duration // of the p99; 0: no aim
	ask  func(r *rand.Rand, c *clock) rest.LogQuery
}

func randomSpan(r *rand.Rand, c *clock) (from, to time.Time) {
	from = c.at.Add(-time.Duration(r.Int64N(int64(logSpan))))
	return from, from.Add(time.Hour)
}

func pageCases() []pageCase {
	user := func(r *rand.Rand, q *rest.LogQuery) { _, q.UserKey = userOf(r.IntN(callerCount)) }
	fixed := func(q rest.LogQuery) func(*rand.Rand, *clock) rest.LogQuery {
		return func(*rand.Rand, *clock) rest.LogQuery { return q }
	}
	return []pageCase{
		{"newest", aimPage, fixed(rest.LogQuery{})},
		{"user", aimPage, func(r *rand.Rand, _ *clock) (q rest.LogQuery) { user(r, &q); return q }},
		{"user as shown", aimPage, func(r *rand.Rand, _ *clock) (q rest.LogQuery) { q.User, _ = userOf(r.IntN(callerCount)); return q }},
		{"session", aimPage, func(r *rand.Rand, _ *clock) rest.LogQuery {
			return rest.LogQuery{Session: sessionOf(r.IntN(sessionCount))}
		}},
		{"path", aimPage, func(r *rand.Rand, _ *clock) rest.LogQuery { return rest.LogQuery{Path: paths[r.IntN(len(paths)-1)]} }},
		{"path of one session", aimPage, func(r *rand.Rand, _ *clock) rest.LogQuery {
			return rest.LogQuery{Path: paths[len(paths)-1] + sessionOf(r.IntN(sessionCount))}
		}},
		{"path prefix", aimPage, fixed(rest.LogQuery{Path: "/api/v1/monitoring/*"})},
		{"method GET", aimPage, fixed(rest.LogQuery{Method: "GET"})},
		{"method DELETE", aimPage, fixed(rest.LogQuery{Method: "DELETE"})},
		{"status 200", aimPage, fixed(rest.LogQuery{Status: "200"})},
		{"status 500", aimPage, fixed(rest.LogQuery{Status: "500"})},
		{"status 4xx", aimPage, fixed(rest.LogQuery{Status: "4xx"})},
		{"status 3xx, of which there are none", aimPage, fixed(rest.LogQuery{Status: "3xx"})},
		{"kind ws", aimPage, fixed(rest.LogQuery{Kind: rest.LogSocket})},
		{"an hour of the past", aimPage, func(r *rand.Rand, c *clock) (q rest.LogQuery) { q.From, q.To = randomSpan(r, c); return q }},
		{"q, often found", aimPage, fixed(rest.LogQuery{Q: "Firefox"})},
		{"q, not found in an hour of the past", 300 * time.Millisecond, func(r *rand.Rand, c *clock) rest.LogQuery {
			q := rest.LogQuery{Q: "zzzzz"}
			q.From, q.To = randomSpan(r, c)
			return q
		}},
		{"q, not found: searched for a second", 0, fixed(rest.LogQuery{Q: "zzzzz"})},
		{"user and path", aimThree, func(r *rand.Rand, _ *clock) (q rest.LogQuery) {
			user(r, &q)
			q.Path = paths[r.IntN(len(paths)-1)]
			return q
		}},
		{"user, path and status 404", aimThree, func(r *rand.Rand, _ *clock) (q rest.LogQuery) {
			user(r, &q)
			q.Path, q.Status = paths[r.IntN(len(paths)-1)], "404"
			return q
		}},
		{"path and status 500", 0, func(r *rand.Rand, _ *clock) rest.LogQuery {
			return rest.LogQuery{Path: paths[r.IntN(len(paths)-1)], Status: "500"}
		}},
	}
}

// slowCase: a case that takes this long is asked less often.
const slowCase = 200 * time.Millisecond

func benchPages(ctx context.Context, engine string, p storePlan, s *store.Store, c *clock, t *results) error {
	lines := []line{{fmt.Sprintf("%spages of %d at %d rows", engine, rest.DefaultLimit, p.rows), "rows", "p50", "p99", "max", "aim (p99)", ""}}
	for _, pc := range pageCases() {
		r := rand.New(rand.NewPCG(p.seed, 2))
		var times durations
		found, pages := 0, 0
		for range p.queries {
			q := pc.ask(r, c)
			began := time.Now()
			items, next, err := s.Logs(ctx, q)
			if err != nil {
				return fmt.Errorf("%s: %w", pc.name, err)
			}
			times = append(times, time.Since(began))
			found, pages = found+len(items), pages+1
			if next != "" { // the next page is as likely
				q.Cursor = next
				began = time.Now()
				if _, _, err := s.Logs(ctx, q); err != nil {
					return fmt.Errorf("%s: %w", pc.name, err)
				}
				times = append(times, time.Since(began))
			}
			if times[0] > slowCase && len(times) >= p.queries/20 {
				break
			}
		}
		aim, holds := "", ""
		if pc.aim > 0 {
			aim, holds = fmt.Sprintf("≤ %.0f ms", pc.aim.Seconds()*1000), verdict(times.at(0.99) <= pc.aim)
		}
		lines = append(lines, line{pc.name, fmt.Sprintf("%.0f", float64(found)/float64(pages)), millis(times.at(0.5)), millis(times.at(0.99)),
			millis(times.at(1)), aim, holds})
	}
	return t.table(lines...)
}
