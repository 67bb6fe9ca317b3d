package store

import (
	"context"
	"database/sql"
	"strings"

	"parley/server/fault"
	"parley/shared/rest"
)

// RateSession keeps what a caller thought of a session, in place of what they thought
// before. fault.NotFound: there is no such session.
func (s *Store) RateSession(ctx context.Context, id string, rating rest.Rating) error {
	tags := make([]string, len(rating.Tags))
	for i, t := range rating.Tags {
		tags[i] = string(t)
	}
	return s.control.write(ctx, "keeping a rating", func(ctx context.Context, tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "UPDATE session SET rating = ?, rating_tags = ? WHERE session = ?", rating.Score, strings.Join(tags, " "), id)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		if err == nil && n == 0 {
			return fault.NotFound
		}
		return err
	})
}

// ratingOf reads a rating; nil where there is none.
func ratingOf(score sql.NullInt64, tags string) *rest.Rating {
	if !score.Valid {
		return nil
	}
	r := &rest.Rating{Score: int(score.Int64)}
	for _, t := range strings.Fields(tags) {
		r.Tags = append(r.Tags, rest.RatingTag(t))
	}
	return r
}
