package api

import (
	"context"
	"time"

	"parley/server/accesslog"
	"parley/server/auth"
	"parley/server/fault"
	"parley/shared/quality"
	"parley/shared/rest"
)

type ownInput struct {
	PageQuery
	From time.Time `query:"from" doc:"RFC 3339; sessions that began at or after it"`
	To   time.Time `query:"to" doc:"RFC 3339; sessions that began before it"`
}

type recordsOutput struct {
	Body rest.Page[rest.SessionRecord]
}

// ownSessions lists the caller's sessions, the last begun first.
func (a *API) ownSessions(ctx context.Context, in *ownInput) (*recordsOutput, error) {
	if err := checkSpan(in.From, in.To); err != nil {
		return nil, err
	}
	q := SessionQuery{UserKey: a.Privacy.UserKey(caller(ctx).Subject), Cursor: in.Cursor, Limit: in.Limit}
	q.From, q.To = reach(in.From, in.To)
	if a.Auth.Mode() == auth.Organization {
		q.Org = caller(ctx).Org
	}
	found, next, err := a.Record.Sessions(ctx, q)
	a.enliven(found)
	return &recordsOutput{rest.Page[rest.SessionRecord]{Items: found, NextCursor: next}}, err
}

type oneInput struct {
	ID string `path:"id" maxLength:"128"`
}

type recordOutput struct{ Body rest.SessionRecord }

func (a *API) ownSession(ctx context.Context, in *oneInput) (*recordOutput, error) {
	accesslog.Of(ctx).Session(in.ID)
	record, err := a.Record.Session(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if !a.owns(ctx, owned{key: record.UserKey, org: record.Org}) {
		return nil, fault.NotFound
	}
	found := []rest.SessionRecord{record}
	a.enliven(found)
	return &recordOutput{found[0]}, nil
}

// enliven gives live sessions the state and level that they have now: the
// record has those of their beginning.
func (a *API) enliven(found []rest.SessionRecord) {
	var live map[string]rest.Session
	for i := range found {
		r := &found[i]
		if r.EndedAt == nil && live == nil {
			live = make(map[string]rest.Session)
			for _, s := range a.Monitor.Active() {
				live[s.ID] = s
			}
		}
		if now, ok := live[r.ID]; ok && r.EndedAt == nil {
			r.State, r.Quality.Level = now.State, now.Quality.Level
		}
		if r.Quality.Level == "" {
			r.Quality.Level = quality.None
		}
	}
}

// SessionFilters are those of the ended sessions' list and its export.
type SessionFilters struct {
	User    string    `query:"user" maxLength:"128" doc:"whose: the subject, or as it is shown"`
	Cause   string    `query:"cause" pattern:"^[a-z_]{1,32}$" doc:"end cause"`
	Quality string    `query:"quality" enum:"none,poor,fair,good,excellent" doc:"the level it stood at longest"`
	Agent   string    `query:"agent" maxLength:"64"`
	From    time.Time `query:"from" doc:"RFC 3339; began at or after it"`
	To      time.Time `query:"to" doc:"RFC 3339; began before it"`
}

// query asks for what v administers.
func (f *SessionFilters) query(a *API, v visitor) (SessionQuery, error) {
	q := SessionQuery{
		User: f.User, Org: v.scope.Org, Cause: f.Cause, Level: quality.Level(f.Quality), Agent: f.Agent, Ended: true,
	}
	if f.User != "" {
		q.UserKey = a.Privacy.UserKey(f.User)
	}
	q.From, q.To = reach(f.From, f.To)
	return q, checkSpan(f.From, f.To)
}

type sessionsInput struct {
	PageQuery
	SessionFilters
}

func (a *API) sessions(ctx context.Context, in *sessionsInput) (*recordsOutput, error) {
	q, err := in.query(a, caller(ctx))
	if err != nil {
		return nil, err
	}
	q.Cursor, q.Limit = in.Cursor, in.Limit
	found, next, err := a.Record.Sessions(ctx, q)
	if err != nil {
		return nil, err
	}
	a.enliven(found)
	ids := each(found, func(r rest.SessionRecord) string { return r.ID })
	return &recordsOutput{rest.Page[rest.SessionRecord]{Items: found, NextCursor: next}},
		a.looked(ctx, look{resource: "sessions", rows: len(ids), ids: ids})
}

// The years that anything can have happened in. A filter beyond them asks for
// all there is on that side.
const firstYear, lastYear = 1970, 2200

// reach leaves out bounds that nothing lies beyond, such as the year 9999: time
// in ids doesn't go as far.
func reach(from, to time.Time) (time.Time, time.Time) {
	if from.Year() < firstYear {
		from = time.Time{}
	}
	if to.Year() > lastYear {
		to = time.Time{}
	}
	if last := time.Date(lastYear, 12, 31, 0, 0, 0, 0, time.UTC); from.After(last) {
		from = last
	}
	if !to.IsZero() && to.Year() < firstYear {
		to = time.Unix(0, 0)
	}
	return from, to
}
