package api

import (
	"context"
	"time"

	"parley/server/accesslog"
	"parley/server/fault"
	"parley/shared/quality"
	"parley/shared/rest"
)

type recordsOutput struct {
	Body rest.Page[rest.SessionRecord]
}

// fillLive gives live sessions the state and level that they have now: the
// record has those of their beginning.
func (a *API) fillLive(found []rest.SessionRecord) {
	var live map[string]rest.Session
	for i := range found {
		r := &found[i]
		if r.EndedAt == nil && live == nil {
			live = make(map[string]rest.Session)
			for _, s := range a.Monitor.Active("") {
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

type sessionsInput struct {
	PageQuery
	rest.SessionQuery
}

// narrowSessions completes what was asked for of ended sessions, within what the
// visitor administers.
func (a *API) narrowSessions(ctx context.Context, q rest.SessionQuery, page PageQuery) (rest.SessionQuery, error) {
	q.Org, q.Ended, q.Cursor, q.Limit = caller(ctx).scope.Org, true, page.Cursor, page.Limit
	if q.User != "" {
		q.UserKey = a.Privacy.UserKey(q.User)
	}
	err := checkSpan(q.From, q.To)
	q.From, q.To = clampRange(q.From, q.To)
	return q, err
}

func (a *API) sessions(ctx context.Context, in *sessionsInput) (*recordsOutput, error) {
	q, err := a.narrowSessions(ctx, in.SessionQuery, in.PageQuery)
	if err != nil {
		return nil, err
	}
	found, next, err := a.Record.Sessions(ctx, q)
	if err != nil {
		return nil, err
	}
	a.fillLive(found)
	ids := idsOf(found, func(r rest.SessionRecord) string { return r.ID })
	return &recordsOutput{rest.Page[rest.SessionRecord]{Items: found, NextCursor: next}},
		a.recordView(ctx, auditView{resource: "sessions", rows: len(ids), ids: ids})
}

// session is one session of those that the visitor administers. To anyone else it
// is unknown.
func (a *API) session(ctx context.Context, in *oneInput) (*ownOutput, error) {
	accesslog.LineOf(ctx).Session(in.ID)
	record, err := a.Record.Session(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if !caller(ctx).scope.Covers(record.Org) {
		return nil, fault.NotFound
	}
	used, err := a.Usage.SessionUsage(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	found := []rest.SessionRecord{record}
	a.fillLive(found)
	a.fillReceipts(found)
	out := &ownOutput{rest.OwnSession{SessionRecord: found[0]}}
	if used != (rest.Usage{}) {
		out.Body.Usage = &used
	}
	if out.Body.ToolUses, err = a.Record.ToolUses(ctx, in.ID); err != nil {
		return nil, err
	}
	return out,
		a.recordView(ctx, auditView{resource: "session", target: in.ID, org: record.Org, rows: 1})
}

// The years that anything can have happened in. A filter beyond them asks for
// all there is on that side.
const firstYear, lastYear = 1970, 2200

// clampRange leaves out bounds that nothing lies beyond, such as the year 9999: time
// in ids doesn't go as far.
func clampRange(from, to time.Time) (time.Time, time.Time) {
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
