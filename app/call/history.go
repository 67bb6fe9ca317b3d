package call

import (
	"context"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
)

// History lists the caller's own calls, the last begun first.
type History struct {
	app.Compo

	Engine *Engine

	calls  []rest.SessionRecord
	cursor string // of the next page; "" is the end
	err    error
	loaded bool
	busy   bool
	stop   context.CancelFunc
}

// historyPage is how many calls are asked for at a time.
const historyPage = 50

// OnPreRender names the page.
func (h *History) OnPreRender(ctx app.Context) { ctx.Page().SetTitle("My calls · Parley") }

// OnMount asks for the first page.
func (h *History) OnMount(ctx app.Context) {
	ctx.Handle(ui.ZoneChanged, func(ctx app.Context, _ app.Action) { ctx.Update() })
	h.load(ctx)
}

// OnDismount gives up asking.
func (h *History) OnDismount() {
	if h.stop != nil {
		h.stop()
	}
}

func (h *History) load(ctx app.Context) {
	if h.Engine.client == nil || h.busy {
		return
	}
	asking, stop := context.WithCancel(ctx)
	h.stop, h.busy, h.err = stop, true, nil
	q := rest.SessionQuery{Cursor: h.cursor, Limit: historyPage}
	ctx.Async(func() {
		page, err := h.Engine.client.OwnSessions(asking, q)
		ctx.Dispatch(func(app.Context) {
			if asking.Err() != nil {
				return
			}
			h.busy, h.err = false, err
			if err == nil {
				h.calls, h.cursor, h.loaded = append(h.calls, page.Items...), page.NextCursor, true
			}
		})
	})
}

func (h *History) more(ctx app.Context, e app.Event) { h.load(ctx) }

// Render draws the list, or why there is none.
func (h *History) Render() app.UI {
	body := []app.UI{ui.PageHead("My calls")}
	switch {
	case h.err != nil && !h.loaded:
		body = append(body, loadFailure(h.err, "your calls", h.more))
	case !h.loaded:
		body = append(body, ui.Skeleton(ui.SkeletonRows, 6))
	case len(h.calls) == 0:
		w := ui.Copy("no_calls")
		body = append(body, ui.EmptyState{Icon: ui.IconPhone, Title: w.Title, Text: w.Text, Action: linkButton("/call", w.Action(0))}.UI())
	default:
		body = append(body, h.table())
	}
	return app.Div().Class("page", "history").Body(body...)
}

func (h *History) table() app.UI {
	rows := make([]ui.Row, len(h.calls))
	now := time.Now()
	for i, c := range h.calls {
		rows[i] = historyRow(c, agentTitle(h.Engine.Picture(), c.Agent), now)
	}
	body := []app.UI{ui.Table{Label: "My calls", Columns: historyColumns(), Rows: rows}.UI()}
	if h.err != nil {
		body = append(body, loadFailure(h.err, "more calls", h.more))
	} else if h.cursor != "" {
		body = append(body, ui.Disabled(ui.Button(ui.Plain, "", "Load more").OnClick(h.more), h.busy))
	}
	return app.Div().Class("history-list").Body(body...)
}

func historyColumns() []ui.Column {
	return []ui.Column{
		{Key: "date", Title: "Date", Card: ui.PlaceLead},
		{Key: "agent", Title: "Agent"},
		{Key: "length", Title: "Length", Number: true, Card: ui.PlaceSide},
		{Key: "quality", Title: "Quality"},
		{Key: "first", Title: "First word", Number: true},
		{Key: "ended", Title: "Ended because"},
	}
}

// historyRow is one call; its date leads to its summary.
func historyRow(c rest.SessionRecord, agent string, now time.Time) ui.Row {
	rating, because := app.UI(ui.NoData()), app.UI(ui.NoData())
	if c.Quality.Level != quality.None && c.Quality.Level != "" {
		rating = ui.Badge(quality.Verdict{Level: c.Quality.Level}, false)
	}
	when := dayOf(c.StartedAt, now) + " " + c.StartedAt.Local().Format("15:04")
	if c.EndedAt == nil {
		when += ", still going on"
	} else {
		because = app.Span().Text(ownEndWord(string(c.EndCause)))
	}
	first := app.UI(ui.NoData())
	if f := c.Quality.Turns.FirstWord; f.Turns > 0 {
		first = app.Span().Class("num").Text(ui.Seconds(f.P50MS))
	}
	return ui.Row{ID: c.ID, Cells: []app.UI{
		app.A().Class("row-link").Href(summaryPath(c.ID)).Text(when),
		app.Span().Text(agent),
		ui.Timer(time.Duration(c.DurationS * float64(time.Second))),
		rating, first, because,
	}}
}

// ownEndWord is an end cause as the caller reads it in a table.
func ownEndWord(cause string) string {
	if cause == "caller_left" {
		return "you ended"
	}
	return ui.EndWord(cause)
}
