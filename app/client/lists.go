package client

import (
	"context"
	"strings"

	"parley/shared/rest"
)

// OwnSessions asks for a page of the caller's own sessions, the last begun
// first. Of the query only time, cursor and limit count.
func (c *Client) OwnSessions(ctx context.Context, q rest.SessionQuery) (rest.Page[rest.SessionRecord], error) {
	q = rest.SessionQuery{From: q.From, To: q.To, Cursor: q.Cursor, Limit: q.Limit}
	return get[rest.Page[rest.SessionRecord]](ctx, c, withQuery(rest.PathOwnSessions, q))
}

// Sessions asks for a page of ended sessions, the last begun first.
func (c *Client) Sessions(ctx context.Context, q rest.SessionQuery) (rest.Page[rest.SessionRecord], error) {
	return get[rest.Page[rest.SessionRecord]](ctx, c, withQuery(rest.PathSessions, q))
}

// History asks how calls were over some time.
func (c *Client) History(ctx context.Context, q rest.HistoryQuery) (rest.History, error) {
	return get[rest.History](ctx, c, withQuery(rest.PathHistory, q))
}

// Totals asks what calls came to, of all time and by day.
func (c *Client) Totals(ctx context.Context, q rest.TotalsQuery) (rest.Totals, error) {
	return get[rest.Totals](ctx, c, withQuery(rest.PathTotals, q))
}

// Session asks for one session, live or ended, with what its agent used.
func (c *Client) Session(ctx context.Context, id string) (rest.OwnSession, error) {
	return get[rest.OwnSession](ctx, c, atPath(rest.PathSession, id))
}

// Logs asks for a page of the access log, newest first. A page may be short, or
// empty, before the end: only an empty cursor is the end.
func (c *Client) Logs(ctx context.Context, q rest.LogQuery) (rest.Page[rest.LogEntry], error) {
	return get[rest.Page[rest.LogEntry]](ctx, c, withQuery(rest.PathLogs, q))
}

// Activities asks for a page of activities, newest first.
func (c *Client) Activities(ctx context.Context, q rest.ActivityQuery) (rest.Page[rest.Activity], error) {
	return get[rest.Page[rest.Activity]](ctx, c, withQuery(rest.PathActivities, q))
}

// Audit asks for a page of the audit log, newest first, with the state of its
// chain.
func (c *Client) Audit(ctx context.Context, q rest.AuditQuery) (rest.AuditPage, error) {
	return get[rest.AuditPage](ctx, c, withQuery(rest.PathAudit, q))
}

// LogCounts asks how many lines that pass there were in equal parts of the query's
// time, which has a From.
func (c *Client) LogCounts(ctx context.Context, q rest.LogQuery) (rest.Counts, error) {
	return get[rest.Counts](ctx, c, withQuery(rest.PathLogCounts, q))
}

// AuditCounts is LogCounts for the audit log.
func (c *Client) AuditCounts(ctx context.Context, q rest.AuditQuery) (rest.Counts, error) {
	return get[rest.Counts](ctx, c, withQuery(rest.PathAuditCounts, q))
}

// Alerts asks for a page of alerts, the last raised first.
func (c *Client) Alerts(ctx context.Context, q rest.AlertQuery) (rest.Page[rest.Alert], error) {
	return get[rest.Page[rest.Alert]](ctx, c, withQuery(rest.PathAlerts, q))
}

// Revocations asks for a page of those whose tokens are refused, the last made
// first.
func (c *Client) Revocations(ctx context.Context, q rest.RevocationQuery) (rest.Page[rest.Revocation], error) {
	return get[rest.Page[rest.Revocation]](ctx, c, withQuery(rest.PathRevocations, q))
}

// Usage asks for a page of sums of what agents used, what began last first.
func (c *Client) Usage(ctx context.Context, q rest.UsageQuery) (rest.Page[rest.UsageRow], error) {
	return get[rest.Page[rest.UsageRow]](ctx, c, withQuery(rest.PathUsage, q))
}

// ExportPath is where a browser downloads a list as a file: what is logs, audit,
// sessions, activities or usage, format ndjson, csv or json, and query that of the list. A
// file has all pages.
func ExportPath(what, format string, query any) string {
	path := withQuery(strings.Replace(rest.PathExport, "{what}", what, 1), query)
	join := "?"
	if strings.Contains(path, "?") {
		join = "&"
	}
	return path + join + "format=" + format
}
