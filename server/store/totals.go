package store

import (
	"context"

	"parley/shared/rest"
)

// Totals sums up the ended calls, those of one organization if org isn't empty: of all
// time, and of each of the last days, the newest first. Retention takes nothing of them.
func (s *Store) Totals(ctx context.Context, org string, days int) (t rest.Totals, err error) {
	t.Days = []rest.DayTotal{}
	err = s.control.read(ctx, "reading totals", `SELECT day, SUM(calls), SUM(ms), SUM(users) FROM day_total
		WHERE ? = '' OR org = ? GROUP BY day ORDER BY day DESC`, []any{org, org}, func(r rowScanner) error {
		var d rest.DayTotal
		var ms int64
		err := r.Scan(&d.Day, &d.Calls, &ms, &d.Users)
		d.Minutes = float64(ms) / 60_000
		t.Since, t.Calls, t.Minutes = d.Day, t.Calls+d.Calls, t.Minutes+d.Minutes
		if len(t.Days) < days {
			t.Days = append(t.Days, d)
		}
		return err
	})
	return t, err
}
