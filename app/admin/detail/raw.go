package detail

import (
	"net/url"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/rest"
)

// raw is what is chosen of the raw stats.
type raw struct {
	search string
	chosen string // the row whose chart is shown
}

// rawRow is one figure of one stream as one end measured it.
type rawRow struct {
	key    string
	figure figure
	stream *rest.StreamQuality
}

// rawRows are the figures whose name has all words of a search.
func (p picture) rawRows(search string) []rawRow {
	var out []rawRow
	words := strings.Fields(strings.ToLower(search))
	for i := range p.quality.Streams {
		s := &p.quality.Streams[i]
		for _, f := range figures() {
			r := rawRow{string(s.Leg) + " · " + string(s.Direction) + " · " + string(s.MeasuredBy) + " · " + f.key, f, s}
			if hasAll(strings.ToLower(r.key+" "+f.title), words) {
				out = append(out, r)
			}
		}
	}
	return out
}

func hasAll(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// rawTab lists every figure of every stream, and draws the one that is chosen.
func (p *Page) rawTab() app.UI {
	rows := p.shown.rawRows(p.raw.search)
	search := app.Input().Class("input filter-text").Type("search").ID("raw-search").Placeholder("Search figures…").
		Aria("label", "Search figures").AutoComplete(false).Attr("value", p.raw.search).
		OnInput(func(ctx app.Context, _ app.Event) { p.raw.search = ctx.JSSrc().Get("value").String() })
	body := []app.UI{app.Div().Class("filter-bar").Body(
		app.Div().Class("filter-field").Body(ui.Icon(ui.IconSearch), search),
		app.A().Class("button button-plain").Href(rawPath(p.id)).Download(p.id+".json").
			Body(ui.Icon(ui.IconDownload), app.Span().Class("button-label").Text("Download JSON")),
	)}
	chosen := app.UI(app.Div().Class("is-empty"))
	lines := []ui.Row{}
	for _, r := range rows {
		if r.key == p.raw.chosen {
			chosen = app.Div().Class("panel").Body(r.figure.chart(p, r.figure.series([]line{lineOf(r)}), p.shown.marks()))
		}
		lines = append(lines, p.rawLine(r))
	}
	body = append(body, chosen)
	if len(rows) == 0 {
		return app.Div().Class("detail-raw").Body(append(body,
			ui.EmptyState{Icon: ui.IconSearch, Title: "No figures match this search."}.UI())...)
	}
	columns := []ui.Column{
		{Key: "what", Title: "Figure", Card: ui.PlaceLead}, {Key: "now", Title: "Latest", Number: true, Card: ui.PlaceSide},
		{Key: "n", Title: "Leg, direction, measured by", Card: ui.PlaceMore},
	}
	return app.Div().Class("detail-raw").Body(append(body, ui.Table{Label: "Raw stats", Columns: columns, Rows: lines}.UI())...)
}

func rawPath(id string) string {
	return strings.Replace(rest.PathConnection, "{id}", url.PathEscape(id), 1) + "?step_s=1"
}

func lineOf(r rawRow) line {
	l := line{name: string(r.stream.MeasuredBy), leg: r.stream.Leg, points: r.stream.Series}
	for i := range l.points {
		l.at = append(l.at, l.points[i].At.UnixMilli())
	}
	return l
}

func (p *Page) rawLine(r rawRow) ui.Row {
	pressed := "false"
	if r.key == p.raw.chosen {
		pressed = "true"
	}
	return ui.Row{ID: r.key, Mark: r.key == p.raw.chosen, Cells: []app.UI{
		app.Button().Type("button").Class("detail-moment").Attr("aria-pressed", pressed).Title("Draw "+r.figure.title).
			OnClick(func(app.Context, app.Event) { p.raw.choose(r.key) }, app.EventScope(r.key)).Text(r.figure.key),
		app.Span().Class("num").Text(latestText(r)),
		app.Span().Class("muted").Text(string(r.stream.Leg) + " · " + string(r.stream.Direction) + " · " + string(r.stream.MeasuredBy)),
	}}
}

func (r *raw) choose(key string) {
	if r.chosen == key {
		key = ""
	}
	r.chosen = key
}

func latestText(r rawRow) string {
	if v := r.figure.pick(&r.stream.Latest); v != nil {
		return r.figure.write(*v * r.figure.scale)
	}
	return ui.Missing
}
