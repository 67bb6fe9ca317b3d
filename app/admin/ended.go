package admin

import (
	"context"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/client"
	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// The parameter of the address that says which sessions are shown.
const (
	keyTab   = "tab"
	tabEnded = "ended"
)

// endedSpan is the time of the ended sessions without a choice.
const endedSpan = "24h"

// endedList is the sessions that are over, from the record, a page at a time.
type endedList struct {
	monitor Monitor
	load    load.Resource
	filters load.Filters
	list    []rest.SessionRecord
	next    string // cursor of the page behind the list; "": there is none
	more    bool   // the next page is asked for, not the first
	copying ui.Copying
}

func newEnded(m Monitor) *endedList {
	e := &endedList{monitor: m, filters: load.Filters{
		Keys: []string{"user", "quality", "cause", "agent"}, View: []string{keyTab, ui.KeySince, ui.KeyFrom, ui.KeyTo},
	}}
	e.load = load.Resource{Name: "sessions"}
	if m != nil {
		e.load.Ask = e.ask
	}
	e.filters.OnChange = e.load.Reload
	return e
}

// query is what the filters ask for.
func (e *endedList) query() rest.SessionQuery {
	from, to := ui.Range(&e.filters, endedSpan, time.Now())
	return rest.SessionQuery{
		User: e.filters.Get("user"), Level: quality.Level(e.filters.Get("quality")), Cause: e.filters.Get("cause"), Agent: e.filters.Get("agent"),
		From: from, To: to,
	}
}

func (e *endedList) ask() load.Question {
	q, more := e.query(), e.more
	e.more = false
	if more {
		q.Cursor = e.next
	}
	return func(ctx context.Context) (func(), error) {
		page, err := e.monitor.Sessions(ctx, q)
		return func() {
			if !more {
				e.list = nil
			}
			e.list, e.next = append(e.list, page.Items...), page.NextCursor
		}, err
	}
}

func (e *endedList) loadMore(app.Context, app.Event) {
	e.more = true
	e.load.Reload()
}

// options are the choices of a filter, behind "any".
func options[S ~string](title string, all []S, word func(S) string) []ui.Option {
	out := []ui.Option{{Value: "", Label: title}}
	for _, v := range all {
		out = append(out, ui.Option{Value: string(v), Label: word(v)})
	}
	return out
}

func (e *endedList) bar() app.UI {
	return &ui.FilterBar{
		Label: "Filter ended sessions", Values: &e.filters, Time: &ui.TimeRange{Values: &e.filters, Usual: endedSpan},
		Fields: []ui.Filter{
			{Key: "user", Label: "User", Kind: ui.FilterText, Max: 128},
			{Key: "quality", Label: "Quality", Kind: ui.FilterSelect, Options: options("Any quality", filterLevels(), ui.LevelWord)},
			{Key: "cause", Label: "Cause", Kind: ui.FilterSelect, Options: options("Any end", wire.EndCauses(), func(c wire.EndCause) string { return ui.EndWord(string(c)) })},
			{Key: "agent", Label: "Agent", Kind: ui.FilterText, Max: 64},
		},
		Beside: append(ui.Export(e.exportPath), ui.Button(ui.Quiet, ui.IconCopy, "Copy curl").OnClick(e.copyCurl)),
	}
}

func (e *endedList) exportPath(format string) string {
	return client.ExportPath("sessions", format, e.query())
}

func (e *endedList) curl() string {
	return ui.Curl(app.Window().URL().Scheme+"://"+app.Window().URL().Host, e.exportPath("ndjson"))
}

func (e *endedList) copyCurl(ctx app.Context, _ app.Event) {
	e.copying.Start(ctx, e.curl(), "Command copied.")
}

// endedColumn is a column of the ended sessions, and the field of the interface that
// it shows.
type endedColumn struct {
	ui.Column
	field string
	cell  func(*rest.SessionRecord) app.UI
}

func text(class, s string) app.UI {
	if s == "" {
		return numberCell(ui.Missing)
	}
	return app.Span().Class(class).Text(s)
}

func endedColumns() []endedColumn {
	return []endedColumn{
		{ui.Column{Key: "session", Title: "Session", Card: ui.PlaceLead}, "id", func(r *rest.SessionRecord) app.UI {
			return app.A().Class("session-id").Href("/admin/sessions/" + r.ID).Title(r.ID).Body(app.Code().Text(ui.ShortID(r.ID)))
		}},
		{ui.Column{Key: "user", Title: "User", Card: ui.PlaceLead}, "user", func(r *rest.SessionRecord) app.UI {
			name := r.Name
			if name == "" {
				name = r.User
			}
			return app.Span().Class("session-user").Title(r.User).Text(name)
		}},
		{ui.Column{Key: "quality", Title: "Quality", Card: ui.PlaceSide}, "quality.level", func(r *rest.SessionRecord) app.UI {
			// The level at which it stood longest; the mean MOS is of both ways, and no measure of it.
			v := quality.Verdict{Level: r.Quality.Level}
			if mos := r.Quality.Summary.MOS; mos != nil {
				v.MOS = mos.Avg
			}
			return ui.Badge(v, false)
		}},
		{ui.Column{Key: "cause", Title: "How it ended"}, "end_cause", func(r *rest.SessionRecord) app.UI {
			return text("session-cause", endWords(rest.Session{EndCause: r.EndCause, EndReason: r.EndReason}))
		}},
		{ui.Column{Key: "agent", Title: "Agent"}, "agent", func(r *rest.SessionRecord) app.UI { return text("session-agent", r.Agent) }},
		{ui.Column{Key: "word", Title: "First word", Number: true}, "quality.turns.first_word.p50_ms", func(r *rest.SessionRecord) app.UI {
			if w := r.Quality.Turns.FirstWord; w.Turns > 0 {
				return numberCell(ui.Millis(w.P50MS))
			}
			return numberCell(ui.Missing)
		}},
		{ui.Column{Key: "loss", Title: "Loss", Number: true}, "quality.summary.loss_ratio.avg", func(r *rest.SessionRecord) app.UI {
			if l := r.Quality.Summary.LossRatio; l != nil {
				return numberCell(ui.Ratio(l.Avg))
			}
			return numberCell(ui.Missing)
		}},
		{ui.Column{Key: "length", Title: "Length", Number: true}, "duration_s", func(r *rest.SessionRecord) app.UI {
			return clock(time.Duration(r.DurationS * float64(time.Second)))
		}},
		{ui.Column{Key: "started", Title: "Started", Number: true}, "started_at", func(r *rest.SessionRecord) app.UI { // as the list is ordered
			return app.Time().Class("num").DateTime(r.StartedAt.UTC().Format(time.RFC3339)).Title(ui.Moment(r.StartedAt)).Text(ui.DayClock(r.StartedAt, time.Now()))
		}},
	}
}

func (e *endedList) table() app.UI {
	all := endedColumns()
	columns := make([]ui.Column, len(all))
	for i := range all {
		columns[i] = all[i].Column
	}
	rows := make([]ui.Row, len(e.list))
	for i := range e.list {
		rows[i].ID = e.list[i].ID
		for _, c := range all {
			rows[i].Cells = append(rows[i].Cells, c.cell(&e.list[i]))
		}
	}
	body := []app.UI{ui.Table{Label: "Ended sessions", Columns: columns, Rows: rows}.UI()}
	if e.next != "" {
		body = append(body, ui.Disabled(ui.Button(ui.Plain, "", "Load 100 more").OnClick(e.loadMore), e.load.Busy()))
	}
	return app.Div().Class("sessions-data", "is-ended").Body(body...)
}

func (e *endedList) ui() app.UI {
	return app.Div().Body(
		e.load.Part(load.View{
			Skeleton: ui.Skeleton(ui.SkeletonRows, 8), Count: len(e.list), Filters: &e.filters, Above: e.bar(),
			Empty:   ui.EmptyState{Icon: ui.IconPhone, Title: "No session ended in this time.", Text: "Choose a longer time, or look at the live ones.", Action: load.Link("See live sessions", "/admin/sessions")},
			Content: e.table,
		}),
		load.Slot("dialog-slot", e.copying.Fallback(e.copyText())),
	)
}

// copyText is the command, where there is a page to ask it of.
func (e *endedList) copyText() string {
	if app.IsServer {
		return ""
	}
	return e.curl()
}
