package api

import (
	"context"
	"strconv"
	"strings"

	"parley/shared/rest"
)

type logsInput struct {
	PageQuery
	rest.LogQuery
}

// narrowLogs completes what was asked for, within what the visitor administers.
func (a *API) narrowLogs(ctx context.Context, q rest.LogQuery, page PageQuery) (rest.LogQuery, error) {
	q.Org, q.Cursor, q.Limit = caller(ctx).scope.Org, page.Cursor, page.Limit
	if q.User != "" {
		q.UserKey = a.Privacy.UserKey(q.User)
	}
	err := checkSpan(q.From, q.To)
	q.From, q.To = clampRange(q.From, q.To)
	return q, err
}

type logsOutput struct{ Body rest.Page[rest.LogEntry] }

func (a *API) logs(ctx context.Context, in *logsInput) (*logsOutput, error) {
	q, err := a.narrowLogs(ctx, in.LogQuery, in.PageQuery)
	if err != nil {
		return nil, err
	}
	found, next, err := a.Logs.Logs(ctx, q)
	if err != nil {
		return nil, err
	}
	ids := firstAndLast(found, func(e rest.LogEntry) string { return strconv.FormatInt(e.ID, 10) })
	return &logsOutput{rest.Page[rest.LogEntry]{Items: found, NextCursor: next}},
		a.recordView(ctx, auditView{resource: "logs", rows: len(found), ids: ids})
}

type activitiesInput struct {
	PageQuery
	rest.ActivityQuery
}

// narrowActivities is like narrowLogs.
func (a *API) narrowActivities(ctx context.Context, q rest.ActivityQuery, page PageQuery) (rest.ActivityQuery, error) {
	q.Org, q.Cursor, q.Limit = caller(ctx).scope.Org, page.Cursor, page.Limit
	q.User = a.shown(q.User)
	err := checkSpan(q.From, q.To)
	q.From, q.To = clampRange(q.From, q.To)
	return q, err
}

// shown is a subject as the record shows it now.
func (a *API) shown(user string) string {
	if user == "" {
		return ""
	}
	return a.Privacy.Person(user)
}

type activitiesOutput struct{ Body rest.Page[rest.Activity] }

// activities gives the newest first; no more than the newest 1,000 are kept.
func (a *API) activities(ctx context.Context, in *activitiesInput) (*activitiesOutput, error) {
	q, err := a.narrowActivities(ctx, in.ActivityQuery, in.PageQuery)
	if err != nil {
		return nil, err
	}
	found, next, err := a.Logs.Activities(ctx, q)
	if err != nil {
		return nil, err
	}
	when := firstAndLast(found, func(e rest.Activity) string { return e.At.UTC().Format(timeFormat) })
	return &activitiesOutput{rest.Page[rest.Activity]{Items: found, NextCursor: next}},
		a.recordView(ctx, auditView{resource: "activities", rows: len(found), ids: when})
}

type auditInput struct {
	PageQuery
	rest.AuditQuery
}

// narrowAudit is like narrowLogs.
func (a *API) narrowAudit(ctx context.Context, q rest.AuditQuery, page PageQuery) (rest.AuditQuery, error) {
	q.Org, q.Cursor, q.Limit = caller(ctx).scope.Org, page.Cursor, page.Limit
	q.Actor, q.Target = a.shown(q.Actor), a.target(q.Target)
	err := checkSpan(q.From, q.To)
	q.From, q.To = clampRange(q.From, q.To)
	return q, err
}

// target is shown as its record is, but for paths, whose parts have masks of
// their own.
func (a *API) target(s string) string {
	if strings.HasPrefix(s, "/") {
		return s
	}
	return a.shown(s)
}

type auditOutput struct{ Body rest.AuditPage }

// audit gives a page of the log without the line of this very look, which is
// the newest of the next.
func (a *API) audit(ctx context.Context, in *auditInput) (*auditOutput, error) {
	q, err := a.narrowAudit(ctx, in.AuditQuery, in.PageQuery)
	if err != nil {
		return nil, err
	}
	found, next, err := a.Logs.Audit(ctx, q)
	if err != nil {
		return nil, err
	}
	ids := firstAndLast(found, func(e rest.AuditEntry) string { return strconv.FormatInt(e.ID, 10) })
	return &auditOutput{rest.AuditPage{Items: found, NextCursor: next, Chain: a.Audit.Chain()}},
		a.recordView(ctx, auditView{resource: "audit", rows: len(found), ids: ids})
}
