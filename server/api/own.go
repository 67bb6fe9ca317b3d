package api

import (
	"context"
	"time"

	"parley/server/accesslog"
	"parley/server/auth"
	"parley/server/fault"
	"parley/shared/rest"
)

type ownInput struct {
	PageQuery
	From time.Time `query:"from" doc:"RFC 3339; sessions that began at or after it"`
	To   time.Time `query:"to" doc:"RFC 3339; sessions that began before it"`
}

// ownSessions lists the caller's sessions, the last begun first.
func (a *API) ownSessions(ctx context.Context, in *ownInput) (*recordsOutput, error) {
	if err := checkSpan(in.From, in.To); err != nil {
		return nil, err
	}
	q := rest.SessionQuery{UserKey: a.Privacy.UserKey(caller(ctx).Subject), Cursor: in.Cursor, Limit: in.Limit}
	q.From, q.To = clampRange(in.From, in.To)
	if a.Auth.Mode() == auth.Organization { // where each has one
		q.Org = caller(ctx).Org
	}
	found, next, err := a.Record.Sessions(ctx, q)
	a.fillLive(found)
	a.fillReceipts(found)
	return &recordsOutput{rest.Page[rest.SessionRecord]{Items: found, NextCursor: next}}, err
}

type oneInput struct {
	ID string `path:"id" maxLength:"128"`
}

type ownOutput struct{ Body rest.OwnSession }

func (a *API) ownSession(ctx context.Context, in *oneInput) (*ownOutput, error) {
	record, err := a.ownRecord(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	used, err := a.Usage.SessionUsage(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	used.CostMicros, used.Currency = 0, ""
	found := []rest.SessionRecord{record}
	a.fillLive(found)
	a.fillReceipts(found)
	out := &ownOutput{rest.OwnSession{SessionRecord: found[0]}}
	if used != (rest.Usage{}) {
		out.Body.Usage = &used
	}
	return out, nil
}

// ownRecord is a session of the caller's own, live or ended; any other is unknown.
func (a *API) ownRecord(ctx context.Context, id string) (rest.SessionRecord, error) {
	accesslog.LineOf(ctx).Session(id)
	record, err := a.Record.Session(ctx, id)
	if err == nil && !a.owns(ctx, owned{key: record.UserKey, org: record.Org}) {
		err = fault.NotFound
	}
	return record, err
}

// fillReceipts says how long the lines of the access log are kept, as retention stands.
func (a *API) fillReceipts(found []rest.SessionRecord) {
	days, ok := a.Settings.Get().Settings[rest.SettingLogRetention].Value.(int)
	if !ok {
		return
	}
	for i := range found {
		if r := &found[i]; r.EndedAt != nil && r.Receipt.LogDeletedAt == nil {
			until := r.EndedAt.AddDate(0, 0, days)
			r.Receipt.LogKeptUntil = &until
		}
	}
}

type rateInput struct {
	ID   string `path:"id" maxLength:"128"`
	Body rest.Rating
}

// rateOwn keeps what the caller thought of a session of theirs.
func (a *API) rateOwn(ctx context.Context, in *rateInput) (*nothing, error) {
	if _, err := a.ownRecord(ctx, in.ID); err != nil {
		return nil, err
	}
	return nil, a.Ratings.RateSession(ctx, in.ID, in.Body)
}

// endOwn ends a session of the caller's own: on a device that is out of reach, or
// in a page that hangs. It is on record when it is answered.
func (a *API) endOwn(ctx context.Context, in *oneInput) (*nothing, error) {
	accesslog.LineOf(ctx).Session(in.ID)
	user, org, isHere := a.Sessions.Owner(in.ID)
	if !isHere { // another node of a cluster may hold it
		record, err := a.ownRecord(ctx, in.ID)
		if err == nil && record.EndedAt != nil {
			err = fault.NotFound
		}
		if err != nil {
			return nil, err
		}
	} else if !a.owns(ctx, owned{user: user, org: org}) {
		return nil, fault.NotFound
	}
	return nil, a.Sessions.EndSession(ctx, in.ID)
}
