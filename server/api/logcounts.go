package api

import (
	"context"
	"time"

	"parley/server/fault"
	"parley/shared/rest"
)

type logCountsInput struct {
	rest.LogQuery
	rest.BarsQuery
}

type countsOutput struct{ Body rest.Counts }

// logCounts tells how many lines of the access log there were when.
func (a *API) logCounts(ctx context.Context, in *logCountsInput) (*countsOutput, error) {
	q, err := a.narrowLogs(ctx, in.LogQuery, PageQuery{})
	if err == nil {
		q.From, q.To, err = countedSpan(in.From, in.To)
	}
	if err != nil {
		return nil, err
	}
	counts, err := a.Logs.CountLogs(ctx, q, in.Bars)
	if err != nil {
		return nil, err
	}
	return &countsOutput{counts}, a.recordCounts(ctx, "log_counts", in.User+in.Session+in.Q+in.Path != "")
}

type auditCountsInput struct {
	rest.AuditQuery
	rest.BarsQuery
}

// auditCounts is like logCounts.
func (a *API) auditCounts(ctx context.Context, in *auditCountsInput) (*countsOutput, error) {
	q, err := a.narrowAudit(ctx, in.AuditQuery, PageQuery{})
	if err == nil {
		q.From, q.To, err = countedSpan(in.From, in.To)
	}
	if err != nil {
		return nil, err
	}
	counts, err := a.Logs.CountAudit(ctx, q, in.Bars)
	if err != nil {
		return nil, err
	}
	return &countsOutput{counts}, a.recordCounts(ctx, "audit_counts", in.Actor+in.Target+in.Q != "")
}

// countedSpan is the time that is counted: until now where no end is asked for.
func countedSpan(from, to time.Time) (time.Time, time.Time, error) {
	if from.IsZero() {
		return from, to, &fault.BadField{Field: "from", Detail: "say from when to count"}
	}
	if to.IsZero() {
		to = time.Now()
	}
	if !to.After(from) {
		return from, to, &fault.BadField{Field: "to", Detail: "use a time after from"}
	}
	from, to = clampRange(from, to)
	return from, to, nil
}

// recordCounts puts on record each count of what one person may have done. Others name
// nobody.
func (a *API) recordCounts(ctx context.Context, resource string, isAboutSomebody bool) error {
	if isAboutSomebody {
		return a.recordView(ctx, auditView{resource: resource})
	}
	a.countView(ctx, resource)
	return nil
}
