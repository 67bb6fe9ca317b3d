package detail

import (
	"net/url"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
	"parley/shared/rtcstats"
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
	var streams []app.UI
	for i, r := range rows {
		if i == 0 || rows[i-1].stream != r.stream {
			streams = append(streams, p.rawStream(rows[i:]))
		}
	}
	if len(rows) == 0 {
		return app.Div().Class("detail-raw").Body(append(body,
			ui.EmptyState{Icon: ui.IconSearch, Title: "No figures match this search."}.UI())...)
	}
	return app.Div().Class("detail-raw").Body(append(body, app.Div().Class("raw-streams").Body(streams...))...)
}

// rawStream lists the figures of the first row's stream, with what it counted.
func (p *Page) rawStream(rows []rawRow) app.UI {
	of := rows[0].stream
	columns := []ui.Column{
		{Key: "what", Title: "Figure", Card: ui.PlaceLead}, {Key: "now", Title: "Latest", Number: true, Card: ui.PlaceSide},
		{Key: "min", Title: "Lowest", Number: true, Card: ui.PlaceGone}, {Key: "avg", Title: "Average", Number: true, Card: ui.PlaceGone},
		{Key: "max", Title: "Highest", Number: true, Card: ui.PlaceGone},
	}
	var lines []ui.Row
	chosen := load.Slot("raw-chart", nil)
	for _, r := range rows {
		if r.stream != of {
			break
		}
		lines = append(lines, p.rawLine(r))
		if r.key == p.raw.chosen {
			chosen = load.Slot("raw-chart", r.figure.chart(p, r.figure.series([]line{lineOf(r)}), p.shown.marks()))
		}
	}
	return app.Section().Class("raw-stream").Body(
		app.H2().Class("panel-title").Text(streamName(of)),
		app.P().Class("detail-note num").Text(streamCounts(of)), chosen,
		ui.Table{Label: streamName(of), Columns: columns, Rows: lines}.UI())
}

// streamName says which way the audio goes, on which leg, and who measured it.
func streamName(s *rest.StreamQuality) string {
	by := "by the server"
	if s.MeasuredBy == rtcstats.ByClient {
		by = "by the browser"
	}
	leg := "caller's leg"
	if s.Leg == rtcstats.LegAgent {
		leg = "agent's leg"
	}
	return ui.DirectionShort(s.Direction) + ", " + leg + ", measured " + by
}

func streamCounts(s *rest.StreamQuality) string {
	return ui.Count(s.PacketsReceived) + " packets, " + ui.Count(s.PacketsLost) + " lost, " + ui.Bytes(s.Bytes)
}

func rawPath(id string) string {
	return strings.Replace(rest.PathConnection, "{id}", url.PathEscape(id), 1) + "?step_s=1"
}

func lineOf(r rawRow) line {
	name := "server"
	if r.stream.MeasuredBy == rtcstats.ByClient {
		name = "browser"
	}
	l := line{name: name, leg: r.stream.Leg, points: r.stream.Series}
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
	var low, mean, high *float64
	if r.figure.spread != nil {
		if of := r.figure.spread(&r.stream.Summary); of != nil {
			low, mean, high = &of.Min, &of.Avg, &of.Max
		}
	}
	cell := func(v *float64) app.UI {
		return app.Span().Class("num").Text(orNone(v, r.figure.scale, r.figure.write))
	}
	return ui.Row{ID: r.key, Mark: r.key == p.raw.chosen, Cells: []app.UI{
		app.Button().Type("button").Class("detail-moment").Attr("aria-pressed", pressed).Title("Draw "+r.figure.title).
			OnClick(func(app.Context, app.Event) { p.raw.choose(r.key) }, app.EventScope(r.key)).Text(r.figure.key),
		cell(r.figure.pick(&r.stream.Latest)), cell(low), cell(mean), cell(high),
	}}
}

func (r *raw) choose(key string) {
	if r.chosen == key {
		key = ""
	}
	r.chosen = key
}
