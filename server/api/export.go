package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/server/limit"
	"parley/shared/rest"
)

// Limits of an export.
const (
	// MaxOpenExports an admin: each holds a reader of the store for as long as the
	// client takes.
	MaxOpenExports = 2
	// exportPage is how many rows are in memory at a time.
	exportPage = 200
	// exportWriteTimeout is when a client that takes nothing of a page is given up:
	// a page of 100 kB passes in it at 30 kbit/s.
	exportWriteTimeout = 30 * time.Second
	retryExport        = 10 * time.Second
)

// exportRoot is what the paths of all exports begin with.
var exportRoot = strings.TrimSuffix(rest.PathExport, "{what}")

// ExportFormat is the form of an export.
type ExportFormat struct {
	Format string `query:"format" enum:"ndjson,csv,json" default:"ndjson"`
}

type (
	logsExport struct {
		ExportFormat
		rest.LogQuery
	}
	auditExport struct {
		ExportFormat
		rest.AuditQuery
	}
	sessionsExport struct {
		ExportFormat
		rest.SessionQuery
	}
	activeExport struct {
		ExportFormat
		rest.ActiveQuery
	}
	activitiesExport struct {
		ExportFormat
		rest.ActivityQuery
	}
)

func (a *API) exportRoutes() {
	on(a, http.MethodGet, exportRoot+"logs", admin, "Access log as a file, filtered like the list", a.exportLogs)
	on(a, http.MethodGet, exportRoot+"audit", admin, "Audit log as a file, filtered like the list", a.exportAudit)
	on(a, http.MethodGet, exportRoot+"sessions", admin, "Ended sessions as a file, filtered like the list", a.exportSessions)
	on(a, http.MethodGet, exportRoot+"active", admin, "Live sessions as a file, filtered like the list", a.exportActive)
	on(a, http.MethodGet, exportRoot+"activities", admin, "Activities as a file, filtered like the list", a.exportActivities)
	on(a, http.MethodGet, exportRoot+"usage", admin, "Usage as a file, filtered and grouped like the list", a.exportUsage)
}

// fileResponse describes a file in each form. The lines are those of the list that is
// filtered like it.
func fileResponse(what string) *huma.Response {
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	line := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
	return &huma.Response{Description: what, Content: map[string]*huma.MediaType{
		"application/x-ndjson": text,
		"text/csv":             text,
		"application/json":     {Schema: &huma.Schema{Type: huma.TypeArray, Items: line}},
	}}
}

func (a *API) exportLogs(ctx context.Context, in *logsExport) (*huma.StreamResponse, error) {
	q, err := a.narrowLogs(ctx, in.LogQuery, PageQuery{Limit: exportPage})
	if err != nil {
		return nil, err
	}
	return streamExport(ctx, a, "logs", in.Format, func(ctx context.Context, cursor string) ([]rest.LogEntry, string, error) {
		q.Cursor = cursor
		return a.Logs.Logs(ctx, q)
	})
}

func (a *API) exportAudit(ctx context.Context, in *auditExport) (*huma.StreamResponse, error) {
	q, err := a.narrowAudit(ctx, in.AuditQuery, PageQuery{Limit: exportPage / 4}) // its lines carry details of up to 256 KiB
	if err != nil {
		return nil, err
	}
	return streamExport(ctx, a, "audit", in.Format, func(ctx context.Context, cursor string) ([]rest.AuditEntry, string, error) {
		q.Cursor = cursor
		return a.Logs.Audit(ctx, q)
	})
}

func (a *API) exportSessions(ctx context.Context, in *sessionsExport) (*huma.StreamResponse, error) {
	q, err := a.narrowSessions(ctx, in.SessionQuery, PageQuery{Limit: exportPage})
	if err != nil {
		return nil, err
	}
	return streamExport(ctx, a, "sessions", in.Format, func(ctx context.Context, cursor string) ([]rest.SessionRecord, string, error) {
		q.Cursor = cursor
		return a.Record.Sessions(ctx, q)
	})
}

// exportActive has one page: there are no more live sessions than lines.
func (a *API) exportActive(ctx context.Context, in *activeExport) (*huma.StreamResponse, error) {
	return streamExport(ctx, a, "active", in.Format, func(ctx context.Context, _ string) ([]rest.Session, string, error) {
		return a.passing(ctx, &in.ActiveQuery), "", nil
	})
}

func (a *API) exportActivities(ctx context.Context, in *activitiesExport) (*huma.StreamResponse, error) {
	q, err := a.narrowActivities(ctx, in.ActivityQuery, PageQuery{Limit: exportPage})
	if err != nil {
		return nil, err
	}
	return streamExport(ctx, a, "activities", in.Format, func(ctx context.Context, cursor string) ([]rest.Activity, string, error) {
		q.Cursor = cursor
		return a.Logs.Activities(ctx, q)
	})
}

// pages gives the page at a cursor and the cursor of the next.
type pages[T any] func(ctx context.Context, cursor string) ([]T, string, error)

// streamExport answers with all pages, one in memory at a time. Its start is on record
// before the first byte, and its end, with the rows, before the last page.
func streamExport[T any](ctx context.Context, a *API, what, format string, get pages[T]) (*huma.StreamResponse, error) {
	v := caller(ctx)
	if !a.exports.Enter(v.Account()) {
		return nil, &rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: limit.Seconds(retryExport)}
	}
	f := &file[T]{api: a, resource: what, format: formats[T](a, format), get: get, by: v}
	first, next, err := get(ctx, "")
	if err == nil {
		err = f.record(ctx, "", map[string]any{"stage": "begun"})
	}
	if err != nil {
		a.exports.Leave(v.Account())
		return nil, err
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		defer a.exports.Leave(v.Account())
		a.streams.Add(1)
		defer a.streams.Done()
		r, w := unwrap(c)
		f.serve(r, w, first, next)
	}}, nil
}

// file is one export under way.
type file[T any] struct {
	api      *API
	resource string
	format   rowFormat[T]
	get      pages[T]
	by       visitor
	rows     int
}

// serve writes the file. One that can't be finished is cut off, so that nobody
// takes a part of it for the whole.
func (f *file[T]) serve(r *http.Request, w http.ResponseWriter, rows []T, next string) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(f.api.closing, cancel)()
	name := fmt.Sprintf("parley-%s-%s.%s", f.resource, time.Now().UTC().Format("20060102T150405Z"), f.format.extension)
	w.Header().Set("Content-Type", f.format.contentType)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	if r.Method == http.MethodHead {
		return
	}
	if err := f.write(ctx, w, rows, next); err != nil {
		f.api.Log.InfoContext(ctx, "export cut off", "event", "export", "err", err)
		err = f.record(context.WithoutCancel(ctx), outcomeFailed, map[string]any{"stage": "cut off", "rows": f.rows})
		if err != nil {
			f.api.Log.ErrorContext(ctx, "end of an export not recorded", "event", "audit", "err", err)
		}
		panic(http.ErrAbortHandler)
	}
}

func (f *file[T]) write(ctx context.Context, w http.ResponseWriter, rows []T, next string) (err error) {
	var b bytes.Buffer
	f.format.header(&b)
	out := http.NewResponseController(w)
	for {
		for i, row := range rows {
			if f.rows+i > 0 {
				b.WriteString(f.format.between)
			}
			if err := f.format.row(&b, row); err != nil {
				return err
			}
		}
		f.rows += len(rows)
		if next == "" {
			break
		}
		if err := send(out, w, &b); err != nil {
			return err
		}
		if rows, next, err = f.get(ctx, next); err != nil {
			return errors.Join(err, ctx.Err())
		}
	}
	b.WriteString(f.format.foot)
	if err := f.record(ctx, "", map[string]any{"stage": "finished", "rows": f.rows}); err != nil {
		return err
	}
	return send(out, w, &b)
}

// send writes what there is, within a time of its own.
func send(out *http.ResponseController, w http.ResponseWriter, b *bytes.Buffer) error {
	if err := out.SetWriteDeadline(time.Now().Add(exportWriteTimeout)); err != nil {
		return fmt.Errorf("export without a deadline: %w", err)
	}
	if _, err := b.WriteTo(w); err != nil {
		return err
	}
	return out.Flush()
}

func (f *file[T]) record(ctx context.Context, outcome string, details map[string]any) error {
	details["format"] = f.format.extension
	if len(f.by.asked) > 0 {
		details["filters"] = f.by.asked
	}
	e := with(f.by.entry(rest.AuditExport, f.resource), "", details)
	e.Outcome = outcome
	return f.api.Audit.Record(ctx, e)
}
