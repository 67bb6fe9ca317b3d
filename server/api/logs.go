package api

import (
	"context"
	"strconv"
	"strings"
	"time"

	"parley/shared/rest"
)

// LogFilters are those of the access log's list and its export.
type LogFilters struct {
	User    string    `query:"user" maxLength:"128" doc:"whose: the subject, or as it is shown"`
	Session string    `query:"session" maxLength:"128"`
	Path    string    `query:"path" maxLength:"300" pattern:"^/" doc:"exact, or its beginning and a *"`
	Method  string    `query:"method" pattern:"^[A-Z]{1,16}$"`
	Status  string    `query:"status" pattern:"^[1-5]([0-9][0-9]|xx)$" doc:"exact, or a class: 4xx"`
	Kind    string    `query:"kind" enum:"api,ws,stream,page"`
	From    time.Time `query:"from" doc:"RFC 3339; answered at or after it"`
	To      time.Time `query:"to" doc:"RFC 3339; answered before it"`
	Q       string    `query:"q" maxLength:"100" doc:"part of path, user, address, agent, request id or code"`
}

func (f *LogFilters) query(a *API, v visitor) (LogQuery, error) {
	q := LogQuery{
		User: f.User, Session: f.Session, Path: f.Path, Method: f.Method, Status: f.Status, Kind: rest.LogKind(f.Kind),
		Q: f.Q, Org: v.scope.Org,
	}
	if f.User != "" {
		q.UserKey = a.Privacy.UserKey(f.User)
	}
	q.From, q.To = reach(f.From, f.To)
	return q, checkSpan(f.From, f.To)
}

type logsInput struct {
	PageQuery
	LogFilters
}

type logsOutput struct{ Body rest.Page[rest.LogEntry] }

func (a *API) logs(ctx context.Context, in *logsInput) (*logsOutput, error) {
	q, err := in.query(a, caller(ctx))
	if err != nil {
		return nil, err
	}
	q.Cursor, q.Limit = in.Cursor, in.Limit
	found, next, err := a.Lines.Logs(ctx, q)
	if err != nil {
		return nil, err
	}
	ids := span(found, func(e rest.LogEntry) string { return strconv.FormatInt(e.ID, 10) })
	return &logsOutput{rest.Page[rest.LogEntry]{Items: found, NextCursor: next}},
		a.looked(ctx, look{resource: "logs", rows: len(found), ids: ids})
}

// ActivityFilters are those of the activities' list and its export.
type ActivityFilters struct {
	Kind    string    `query:"kind" enum:"sign_in,call,quality,timeout,admin,error"`
	User    string    `query:"user" maxLength:"128" doc:"whose: the subject, or as it is shown"`
	Session string    `query:"session" maxLength:"128"`
	From    time.Time `query:"from" doc:"RFC 3339; at or after it"`
	To      time.Time `query:"to" doc:"RFC 3339; before it"`
}

func (f *ActivityFilters) query(a *API, v visitor) (ActivityQuery, error) {
	q := ActivityQuery{Kind: f.Kind, User: a.shown(f.User), Session: f.Session, Org: v.scope.Org}
	q.From, q.To = reach(f.From, f.To)
	return q, checkSpan(f.From, f.To)
}

// shown is a subject as the record shows it now.
func (a *API) shown(user string) string {
	if user == "" {
		return ""
	}
	return a.Privacy.Person(user)
}

type activitiesInput struct {
	PageQuery
	ActivityFilters
}

type activitiesOutput struct{ Body rest.Page[rest.Activity] }

// activities gives the newest first; no more than the newest 1,000 are kept.
func (a *API) activities(ctx context.Context, in *activitiesInput) (*activitiesOutput, error) {
	q, err := in.query(a, caller(ctx))
	if err != nil {
		return nil, err
	}
	q.Cursor, q.Limit = in.Cursor, in.Limit
	found, next, err := a.Lines.Activities(ctx, q)
	if err != nil {
		return nil, err
	}
	when := span(found, func(e rest.Activity) string { return e.At.UTC().Format(timeFormat) })
	return &activitiesOutput{rest.Page[rest.Activity]{Items: found, NextCursor: next}},
		a.looked(ctx, look{resource: "activities", rows: len(found), ids: when})
}

// AuditFilters are those of the audit log's list and its export.
type AuditFilters struct {
	Actor   string    `query:"actor" maxLength:"128" doc:"who: the subject, or as it is shown"`
	Action  string    `query:"action" pattern:"^[a-z_]{1,32}$"`
	Target  string    `query:"target" maxLength:"300"`
	Outcome string    `query:"outcome" enum:"done,denied,failed"`
	From    time.Time `query:"from" doc:"RFC 3339; at or after it"`
	To      time.Time `query:"to" doc:"RFC 3339; before it"`
}

func (f *AuditFilters) query(a *API, v visitor) (AuditQuery, error) {
	q := AuditQuery{
		Actor: a.shown(f.Actor), Action: rest.AuditAction(f.Action), Target: a.target(f.Target), Outcome: f.Outcome,
		Org: v.scope.Org,
	}
	q.From, q.To = reach(f.From, f.To)
	return q, checkSpan(f.From, f.To)
}

// target is shown as its record is, but for paths, whose parts have masks of
// their own.
func (a *API) target(s string) string {
	if strings.HasPrefix(s, "/") {
		return s
	}
	return a.shown(s)
}

type auditInput struct {
	PageQuery
	AuditFilters
}

type auditOutput struct{ Body rest.AuditPage }

// audit gives a page of the log without the line of this very look, which is
// the newest of the next.
func (a *API) audit(ctx context.Context, in *auditInput) (*auditOutput, error) {
	q, err := in.query(a, caller(ctx))
	if err != nil {
		return nil, err
	}
	q.Cursor, q.Limit = in.Cursor, in.Limit
	found, next, err := a.Audit.Audit(ctx, q)
	if err != nil {
		return nil, err
	}
	ids := span(found, func(e rest.AuditEntry) string { return strconv.FormatInt(e.ID, 10) })
	return &auditOutput{rest.AuditPage{Items: found, NextCursor: next, Chain: a.Audit.Chain()}},
		a.looked(ctx, look{resource: "audit", rows: len(found), ids: ids})
}
