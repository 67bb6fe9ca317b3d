package store

import (
	"context"
	"database/sql"

	"parley/shared/rest"
)

// MaxActivities is how many activities are kept.
const MaxActivities = 1000

// AppendActivities adds activities in one transaction, and lets the oldest go.
func (s *Store) AppendActivities(ctx context.Context, activities []rest.Activity) error {
	if len(activities) == 0 {
		return nil
	}
	return s.telemetry.write(ctx, "adding activities", func(ctx context.Context, tx *sql.Tx) error {
		for _, a := range activities {
			_, err := tx.ExecContext(ctx, `INSERT INTO activity (id, t, kind, what, user_shown, name, phone, email, remote, org, session, detail)
				VALUES (`+placeholders(12)+`)`,
				s.ids.next(), ms(a.At), a.Kind, a.What, a.User, a.Name, a.Phone, a.Email, a.Remote, a.Org, a.Session, a.Detail)
			if err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM activity WHERE id <= (SELECT id FROM activity ORDER BY id DESC LIMIT 1 OFFSET ?)", MaxActivities)
		return err
	})
}

// Activities gives a page of activities and the cursor of the next.
func (s *Store) Activities(ctx context.Context, q rest.ActivityQuery) ([]rest.Activity, string, error) {
	var f filter
	ids, err := f.between("activity.t", q.From, q.To, q.Cursor)
	if err != nil {
		return nil, "", err
	}
	f.is("activity.user_shown", q.User)
	f.is("activity.session", q.Session)
	f.is("activity.org", q.Org)
	activities := make([]rest.Activity, 0, limit(q.Limit))
	next, err := queryTable{s.telemetry, "activity", `SELECT activity.id, activity.t, activity.kind, activity.what, activity.user_shown,
		activity.name, activity.phone, activity.email, activity.remote, activity.org, activity.session, activity.detail FROM activity`}.page(ctx, &f, ids, limit(q.Limit),
		func(r rowScanner) (id int64, err error) {
			var a rest.Activity
			var t int64
			err = r.Scan(&id, &t, &a.Kind, &a.What, &a.User, &a.Name, &a.Phone, &a.Email, &a.Remote, &a.Org, &a.Session, &a.Detail)
			a.At = fromMS(t)
			maskActivity(s.mask, &a)
			if err == nil && !q.Passes(&a) { // there are so few that no index has to help
				return id, errUnseen
			}
			activities = append(activities, a)
			return id, err
		})
	return activities, next, err
}
