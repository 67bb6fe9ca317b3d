package store

import (
	"context"
	"database/sql"

	"parley/server/anomaly"
)

// AddBaselines adds what hours came to, beside what other servers on this database
// added, and then deletes what isn't learned from anymore; a Forgotten without a series is
// of all.
func (s *Store) AddBaselines(ctx context.Context, hours []anomaly.Hour, forgotten []anomaly.Forgotten) error {
	return s.telemetry.write(ctx, "keeping what is usual", func(ctx context.Context, tx *sql.Tx) error {
		for _, h := range hours {
			_, err := tx.ExecContext(ctx, `INSERT INTO baseline_hour (series, org, hour, weight, total, squares) VALUES (?, ?, ?, ?, ?, ?)
				ON CONFLICT (series, org, hour) DO UPDATE SET weight = baseline_hour.weight + excluded.weight,
				total = baseline_hour.total + excluded.total, squares = baseline_hour.squares + excluded.squares`,
				h.Series, h.Org, h.Hour, h.Weight, h.Total, h.Squares)
			if err != nil {
				return err
			}
		}
		for _, f := range forgotten {
			_, err := tx.ExecContext(ctx, "DELETE FROM baseline_hour WHERE hour < ? AND (? = '' OR series = ? AND org = ?)", f.Before, f.Series, f.Series, f.Org)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Baselines gives what the hours from one on came to.
func (s *Store) Baselines(ctx context.Context, from int64) (hours []anomaly.Hour, err error) {
	err = s.telemetry.read(ctx, "reading what is usual",
		"SELECT series, org, hour, weight, total, squares FROM baseline_hour WHERE hour >= ? ORDER BY hour, series, org", []any{from}, func(r rowScanner) error {
			var h anomaly.Hour
			err := r.Scan(&h.Series, &h.Org, &h.Hour, &h.Weight, &h.Total, &h.Squares)
			hours = append(hours, h)
			return err
		})
	return hours, err
}
