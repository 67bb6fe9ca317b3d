package logs

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/rest"
)

// accessLog describes the access log.
func accessLog() kind {
	return kind{
		title: "Access logs", what: "access logs", rows: "requests", address: "/admin/logs",
		path: rest.PathLogs, export: "logs", class: "log-access", kept: rest.SettingLogRetention,
		empty: ui.EmptyState{Icon: ui.IconList, Title: "No requests in this time."},
		filters: []ui.Filter{
			{Key: "q", Label: "Path, id, user, address…", Kind: ui.FilterText, Max: 100},
			{Key: "method", Label: "Method", Kind: ui.FilterSelect, Options: []ui.Option{{Label: "Any method"},
				{Value: "GET", Label: "GET"}, {Value: "POST", Label: "POST"}, {Value: "PUT", Label: "PUT"},
				{Value: "PATCH", Label: "PATCH"}, {Value: "DELETE", Label: "DELETE"}}},
			{Key: "status", Label: "Status", Kind: ui.FilterSelect, Options: []ui.Option{{Label: "Any status"},
				{Value: "2xx", Label: "2xx success"}, {Value: "3xx", Label: "3xx elsewhere"}, {Value: "4xx", Label: "4xx refused"}, {Value: "5xx", Label: "5xx failed"}}},
			{Key: "kind", Label: "Kind", Kind: ui.FilterSelect, Options: []ui.Option{{Label: "Any kind"},
				{Value: string(rest.LogAPI), Label: "API"}, {Value: string(rest.LogStream), Label: "Stream"}, {Value: string(rest.LogSocket), Label: "Call"},
				{Value: string(rest.LogPage), Label: "Page"}, {Value: string(rest.LogCounted), Label: "Counted"}}},
			{Key: "least_ms", Label: "Duration", Kind: ui.FilterSelect, Options: []ui.Option{{Label: "Any duration"},
				{Value: "100", Label: "> 100 ms"}, {Value: "1000", Label: "> 1 s"}, {Value: "10000", Label: "> 10 s"}, {Value: "60000", Label: "> 1 min"}}},
			{Key: "path", Label: "Path", Kind: ui.FilterText, Max: 300},
			{Key: "user", Label: "User", Kind: ui.FilterText, Max: 128},
			{Key: "session", Label: "Session", Kind: ui.FilterText, Max: 128},
			nodeFilter(),
		},
		columns: []ui.Column{
			{Key: "t", Title: "Time", Card: ui.PlaceMore},
			{Key: "status", Title: "Status", Card: ui.PlaceLead},
			{Key: "method", Title: "Method", Card: ui.PlaceLead},
			{Key: "path", Title: "Path", Card: ui.PlaceLead},
			{Key: "duration_ms", Title: "Duration", Number: true, Card: ui.PlaceSide},
			{Key: "user", Title: "User", Card: ui.PlaceMore},
			{Key: "remote", Title: "IP", Card: ui.PlaceGone},
			{Key: "request_id", Title: "Request", Card: ui.PlaceMore},
		},
		filterOn: map[string]string{"node": keyNode, "status": "status", "method": "method", "path": "path", "kind": "kind", "user": "user",
			"session": "session", "remote": "q", "code": "q", "user_agent": "q", "request_id": "q"},
		list: listAccess,
		count: func(ctx context.Context, s Server, q url.Values) (rest.Counts, error) {
			return s.LogCounts(ctx, accessQuery(q))
		},
		link: func(l line) string { return keyID + "=" + url.QueryEscape(l.key) },
	}
}

// accessQuery is what is asked for, in the interface's words.
func accessQuery(q url.Values) rest.LogQuery {
	return rest.LogQuery{
		User: q.Get("user"), Session: q.Get("session"), Path: q.Get("path"), Method: q.Get("method"), Status: q.Get("status"),
		Kind: rest.LogKind(q.Get("kind")), Q: q.Get("q"), From: moment(q, ui.KeyFrom), To: moment(q, ui.KeyTo),
		Cursor: q.Get("cursor"), Limit: number(q, keyLimit), LeastMS: number(q, "least_ms"), Node: q.Get(keyNode),
	}
}

func listAccess(ctx context.Context, s Server, q url.Values) (batch, error) {
	page, err := s.Logs(ctx, accessQuery(q))
	got := batch{next: page.NextCursor}
	for _, e := range page.Items {
		got.lines = append(got.lines, line{
			id: strconv.FormatInt(e.ID, 10), key: e.RequestID, at: e.T, isError: e.Status >= 500, session: e.Session, value: e,
			name: e.Method + " " + e.Path + ", " + ui.Clock(e.T),
			cells: func() []app.UI {
				return []app.UI{timeCell(e.T), statusCell(e.Status), app.Code().Text(e.Method), pathCell(e),
					app.Span().Class("num").Text(durationText(e.DurationMS)), textCell(e.User), textCell(e.Remote), idCell(e.RequestID)}
			},
		})
	}
	return got, err
}

func moment(q url.Values, key string) time.Time {
	at, _ := time.Parse(time.RFC3339, q.Get(key))
	return at
}

func number(q url.Values, key string) int {
	n, _ := strconv.Atoi(q.Get(key))
	return n
}

// timeCell has milliseconds, because lines of one second have an order.
func timeCell(t time.Time) app.UI { return ui.TimeElement(t, t.Local().Format("15:04:05.000")) }

// durationText is the time that an answer took: most take less than what Millis tells.
func durationText(ms float64) string {
	if ms > 0 && ms < 1 {
		return "< " + ui.Millis(1)
	}
	return ui.Millis(ms)
}

// statusWords are said after the number.
var statusWords = map[int]string{101: "Switching Protocols", 200: "OK", 201: "Created", 204: "No Content", 304: "Not Modified",
	400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict",
	413: "Too Large", 415: "Media Type", 422: "Unprocessable", 429: "Too Many Requests", 499: "Gone", 500: "Server Error", 503: "Unavailable"}

// statusCell tells the class by shape, too.
func statusCell(status int) app.UI {
	class := min(max(status/100, 1), 5)
	shape := [...]string{"", "↑", "✓", "→", "!", "✕"}[class]
	return app.Span().Class("log-status", "log-status-"+strconv.Itoa(class)).Title(statusWords[status]).Body(
		app.Span().Class("log-shape").Aria("hidden", true).Text(shape),
		app.Span().Class("num").Text(strconv.Itoa(status)),
		app.Span().Class("sr-only").Text(" "+statusWords[status]))
}

func pathCell(e rest.LogEntry) app.UI {
	text := e.Path
	if e.Kind == rest.LogCounted {
		text = ui.Count(e.Count) + " requests without a valid token"
	}
	return app.Span().Class("log-path").Title(text).Text(text)
}

func textCell(text string) app.UI {
	if text == "" {
		return ui.NoData()
	}
	return app.Span().Class("log-text").Title(text).Text(text)
}

func idCell(id string) app.UI { return app.Code().Class("log-id").Title(id).Text(ui.ShortID(id)) }
