package api

import (
	"bytes"
	"context"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/server/fault"
	"parley/server/limit"
	"parley/shared/rest"
)

type erasePersonInput struct {
	Sub  string `path:"sub" pattern:"^[!-~]{1,255}$"`
	Body *rest.EraseRequest
}

type erasedOutput struct{ Body rest.Erased }

// erasePerson deletes what is kept about somebody. What isn't: the audit log, whose
// lines hold each other, and revocations, which go on to hold.
func (a *API) erasePerson(ctx context.Context, in *erasePersonInput) (*erasedOutput, error) {
	who, err := a.findPerson(ctx, in.Sub)
	if err != nil {
		return nil, err
	}
	reason := ""
	if in.Body != nil {
		reason = visibleText(in.Body.Reason)
	}
	done, err := a.Operator.ErasePerson(ctx, who, reason, caller(ctx).entry("", in.Sub))
	return &erasedOutput{done}, err
}

// findPerson tells of whom something is kept, within what the visitor administers.
// fault.NotFound: nothing is.
func (a *API) findPerson(ctx context.Context, sub string) (rest.PersonRef, error) {
	scope := caller(ctx).scope
	who := rest.PersonRef{UserKey: a.Privacy.UserKey(sub), Org: scope.Org}
	if !scope.All && a.Auth.ListsAdmin(sub) {
		return who, fault.NotFound // nobody of theirs
	}
	if a.Privacy.Person(sub) == sub { // a mask may be somebody else's, too
		who.Shown = sub
	}
	known, err := a.hasRecordOf(ctx, who.UserKey, who.Org)
	if err == nil && !known {
		err = fault.NotFound
	}
	return who, err
}

// personRoute is described by the form of the whole: it is written list by list.
func (a *API) personRoute() {
	a.raw(http.MethodGet, rest.PathPersonData, admin, "Hand out all that is kept about one person", "application/json", a.handOutPerson)
	spec := a.huma.OpenAPI()
	get := spec.Paths[rest.PathPersonData].Get
	get.Parameters = []*huma.Param{{Name: "sub", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}}
	get.Responses["200"].Content["application/json"].Schema = spec.Components.Schemas.Schema(reflect.TypeFor[rest.PersonData](), true, "PersonData")
}

// handOutPerson streams all that is kept about somebody. Its start is on record before
// the first byte, and its end before the last; one that can't be finished is cut off.
func (a *API) handOutPerson(w http.ResponseWriter, r *http.Request) {
	v, sub := caller(r.Context()), r.PathValue("sub")
	who, err := a.findPerson(r.Context(), sub)
	if err == nil && !a.exports.Enter(v.Account()) {
		err = &rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: limit.Seconds(retryExport)}
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	defer a.exports.Leave(v.Account())
	a.streams.Add(1)
	defer a.streams.Done()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(a.closing, cancel)()
	f := &personFile{api: a, who: who, out: w, by: v.entry(rest.AuditHandOut, sub), sessions: map[string]bool{}}
	if err := f.record(ctx, "", "begun"); err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="parley-person-`+time.Now().UTC().Format("20060102T150405Z")+`.json"`)
	if r.Method == http.MethodHead {
		return
	}
	if err := f.write(ctx, a.Privacy.Person(sub)); err != nil {
		a.Log.InfoContext(ctx, "hand-out cut off", "event", "export", "err", err)
		if err := f.record(context.WithoutCancel(ctx), outcomeFailed, "cut off"); err != nil {
			a.Log.ErrorContext(ctx, "end of a hand-out not recorded", "event", "audit", "err", err)
		}
		panic(http.ErrAbortHandler)
	}
}

// personFile is one hand-out under way.
type personFile struct {
	api      *API
	who      rest.PersonRef
	out      http.ResponseWriter
	by       rest.AuditEntry
	b        bytes.Buffer
	sessions map[string]bool // that were written
	rows     int
}

func (f *personFile) record(ctx context.Context, outcome, stage string) error {
	e := f.by
	e.Outcome, e.Details = outcome, map[string]any{"stage": stage, "rows": f.rows}
	return f.api.Audit.Record(ctx, e)
}

func (f *personFile) write(ctx context.Context, shown string) error {
	head, err := f.api.encoder.Encode(map[string]any{"user": shown, "org": f.who.Org, "made_at": time.Now()})
	if err != nil {
		return err
	}
	f.b.Write(bytes.TrimSuffix(head, []byte("}")))
	for _, list := range []func(context.Context) error{f.writeSessions, f.writeLogs, f.writeActivities, f.writeAlerts, f.writeRevocations, f.writeAudit} {
		if err := list(ctx); err != nil {
			return err
		}
	}
	if err := f.record(ctx, "", "finished"); err != nil {
		return err
	}
	f.b.WriteString(`,"complete":true}`)
	return f.send()
}

func (f *personFile) writeSessions(ctx context.Context) error {
	return writeRows(ctx, f, "sessions", f.sessionPage, nil)
}

func (f *personFile) writeLogs(ctx context.Context) error {
	return writeRows(ctx, f, "logs", func(ctx context.Context, cursor string) ([]rest.LogEntry, string, error) {
		return f.api.Logs.Logs(ctx, rest.LogQuery{UserKey: f.who.UserKey, Org: f.who.Org, Cursor: cursor, Limit: exportPage})
	}, nil)
}

func (f *personFile) writeActivities(ctx context.Context) error {
	return writeRows(ctx, f, "activities", func(ctx context.Context, cursor string) ([]rest.Activity, string, error) {
		return f.api.Logs.Activities(ctx, rest.ActivityQuery{Org: f.who.Org, Cursor: cursor, Limit: exportPage})
	}, func(e rest.Activity) bool { return f.sessions[e.Session] || f.isShown(e.User) })
}

func (f *personFile) writeAlerts(ctx context.Context) error {
	return writeRows(ctx, f, "alerts", func(_ context.Context, cursor string) ([]rest.Alert, string, error) {
		return f.api.Alerts.List(rest.AlertQuery{Org: f.who.Org, Cursor: cursor, Limit: exportPage})
	}, func(e rest.Alert) bool { return f.sessions[e.Session] })
}

func (f *personFile) writeRevocations(ctx context.Context) error {
	return writeRows(ctx, f, "revocations", func(ctx context.Context, cursor string) ([]rest.Revocation, string, error) {
		return f.api.Revocations.Revocations(ctx, rest.RevocationQuery{UserKey: f.who.UserKey, Org: f.who.Org, Cursor: cursor, Limit: exportPage})
	}, nil)
}

func (f *personFile) writeAudit(ctx context.Context) error {
	return writeRows(ctx, f, "audit", func(ctx context.Context, cursor string) ([]rest.AuditEntry, string, error) {
		return f.api.Logs.Audit(ctx, rest.AuditQuery{Org: f.who.Org, Cursor: cursor, Limit: exportPage / 4}) // its lines carry details of up to 256 KiB
	}, f.isAbout)
}

// sessionPage is a page of sessions with what is kept of each.
func (f *personFile) sessionPage(ctx context.Context, cursor string) ([]rest.PersonSession, string, error) {
	found, next, err := f.api.Record.Sessions(ctx, rest.SessionQuery{UserKey: f.who.UserKey, Org: f.who.Org, Cursor: cursor, Limit: sessionsAtOnce})
	if err != nil {
		return nil, "", err
	}
	page := make([]rest.PersonSession, len(found))
	for i, record := range found {
		f.sessions[record.ID] = true
		if page[i], err = f.whole(ctx, record); err != nil {
			return nil, "", err
		}
	}
	return page, next, nil
}

// sessionsAtOnce is how many whole sessions are in memory: one of an hour has 20,000
// figures of quality.
const sessionsAtOnce = 5

func (f *personFile) whole(ctx context.Context, record rest.SessionRecord) (s rest.PersonSession, err error) {
	s.SessionRecord = record
	if s.Usage, err = f.api.Usage.SessionUsage(ctx, record.ID); err != nil {
		return s, err
	}
	if s.Streams, err = f.api.Record.Streams(ctx, record.ID, time.Time{}, time.Time{}, time.Second); err != nil {
		return s, err
	}
	if s.Turns, s.Interruptions, err = f.api.Record.Turns(ctx, record.ID); err != nil {
		return s, err
	}
	s.ToolUses, err = f.api.Record.ToolUses(ctx, record.ID)
	return s, err
}

// isShown reports whether somebody who is shown so is surely the person.
func (f *personFile) isShown(user string) bool { return f.who.Shown != "" && f.who.Shown == user }

// isAbout tells the lines of the audit log that are about the person or their sessions.
func (f *personFile) isAbout(e rest.AuditEntry) bool {
	user, _ := e.Details["user"].(string)
	if f.isShown(e.Actor) || f.isShown(e.Target) || f.isShown(user) || f.sessions[e.Target] {
		return true
	}
	ids, _ := e.Details["ids"].([]any)
	return slices.ContainsFunc(ids, func(id any) bool {
		text, _ := id.(string)
		return f.sessions[text]
	})
}

// writeRows writes one list, a page in memory at a time; is tells the rows that belong
// in it, nil: all.
func writeRows[T any](ctx context.Context, f *personFile, name string, get pages[T], is func(T) bool) error {
	f.b.WriteString(`,"` + name + `":[`)
	first, cursor := true, ""
	for {
		rows, next, err := get(ctx, cursor)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if is != nil && !is(row) {
				continue
			}
			text, err := f.api.encoder.Encode(row)
			if err != nil {
				return err
			}
			if !first {
				f.b.WriteByte(',')
			}
			first = false
			f.b.Write(text)
			f.rows++
		}
		if err := f.send(); err != nil {
			return err
		}
		if cursor = next; cursor == "" {
			f.b.WriteByte(']')
			return ctx.Err()
		}
	}
}

func (f *personFile) send() error {
	return send(http.NewResponseController(f.out), f.out, &f.b)
}
