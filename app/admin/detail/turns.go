package detail

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/rest"
)

// turnParts are what a wait is made of, in the order in which it passes.
func turnParts() []struct {
	name string
	of   func(*rest.Turn) float64
} {
	return []struct {
		name string
		of   func(*rest.Turn) float64
	}{
		{"Silence", func(t *rest.Turn) float64 { return t.SilenceWindowMS }},
		{"Network", func(t *rest.Turn) float64 { return t.NetworkMS }},
		{"Tools", func(t *rest.Turn) float64 { return t.ToolsMS }},
		{"Model", func(t *rest.Turn) float64 { return t.ModelMS }},
	}
}

// turnsTab lists the turns, the newest last.
func (p *Page) turnsTab() app.UI {
	t := p.shown.quality.Turns
	body := []app.UI{app.Div().Class("tiles").Body(
		ui.Tile{Label: "First word, typical", Value: orMissing(t.FirstWord.Turns, t.FirstWord.P50MS), Note: ui.Plural(t.FirstWord.Turns, "turn")}.UI(),
		ui.Tile{Label: "First word, slowest 5 %", Value: orMissing(t.FirstWord.Turns, t.FirstWord.P95MS), Note: "of all turns"}.UI(),
		ui.Tile{Label: "Silent when interrupted", Value: orMissing(t.Silenced.Interruptions, t.Silenced.P50MS), Note: ui.Plural(t.Silenced.Interruptions, "interruption")}.UI(),
	)}
	switch {
	case len(t.Latest) > 0:
		body = append(body, p.turnsTable(t))
	case t.FirstWord.Turns > 0:
		body = append(body, app.P().Class("detail-note").Text("Of a call that is over, the summary of its turns is kept."))
	default:
		body = append(body, ui.EmptyState{Icon: ui.IconList, Title: "No turns yet.", Text: "A turn is counted when the agent answers."}.UI())
	}
	return app.Div().Class("detail-turns").Body(body...)
}

func orMissing(n int, ms float64) string {
	if n == 0 {
		return ui.Missing
	}
	return ui.Millis(ms)
}

func (p *Page) turnsTable(t rest.SessionTurns) app.UI {
	columns := []ui.Column{
		{Key: "n", Title: "Turn", Card: ui.PlaceLead}, {Key: "at", Title: "Started", Card: ui.PlaceLead},
		{Key: "you", Title: "Caller spoke", Number: true, Card: ui.PlaceMore},
		{Key: "wait", Title: "First word", Number: true, Card: ui.PlaceSide}, {Key: "parts", Title: "Made of", Card: ui.PlaceMore},
		{Key: "agent", Title: "Agent spoke", Number: true, Card: ui.PlaceMore}, {Key: "cut", Title: "Interrupted", Card: ui.PlaceMore},
	}
	longest := 1.0
	for _, turn := range t.Latest {
		longest = max(longest, turn.WaitMS)
	}
	rows := []ui.Row{}
	for i := range t.Latest {
		turn := &t.Latest[i]
		started := turn.EndOfSpeech
		if turn.Started != nil {
			started = *turn.Started
		}
		level := waitLevel(turn.WaitMS)
		rows = append(rows, ui.Row{ID: turn.EndOfSpeech.String(), Cells: []app.UI{
			app.Span().Class("num").Text(strconv.Itoa(turn.Number)),
			p.momentButton(started),
			ui.Number(turn.SpokeMS, ui.Seconds),
			app.Span().Class("num detail-wait", "q"+strconv.Itoa(level.Bars())).Title(ui.LevelWord(level)).Text(ui.Millis(turn.WaitMS)),
			partsBar(turn, longest),
			ui.Number(turn.AgentSpokeMS, ui.Seconds),
			interruption(t, i),
		}})
	}
	return app.Div().Body(legend(), ui.Table{Label: "Turns", Columns: columns, Rows: rows}.UI())
}

// legend names the parts of the bars.
func legend() app.UI {
	items := []app.UI{}
	for i, part := range turnParts() {
		items = append(items, app.Span().Class("chart-key").Body(
			ui.SVG("svg").Class("detail-swatch").Attr("viewBox", "0 0 10 10").Aria("hidden", true).Body(
				ui.Path("detail-part p"+strconv.Itoa(i+1), "M0 0h10v10h-10z")),
			app.Span().Text(part.name)))
	}
	return app.P().Class("detail-parts-legend").Body(items...)
}

// partsBar draws a wait as long as it was beside the longest of all.
func partsBar(t *rest.Turn, longest float64) app.UI {
	const width = 1000
	x, text := 0, ""
	out := []app.UI{}
	for i, part := range turnParts() {
		ms := part.of(t)
		w := int(ms / longest * width)
		if w <= 0 {
			continue
		}
		out = append(out, ui.Path("detail-part p"+strconv.Itoa(i+1), "M"+strconv.Itoa(x)+" 0h"+strconv.Itoa(w)+"v10h-"+strconv.Itoa(w)+"z"))
		x += w
		if text != "" {
			text += ", "
		}
		text += part.name + " " + ui.Millis(ms)
	}
	return ui.SVG("svg").Class("detail-bar").Attr("viewBox", "0 0 1000 10").Attr("preserveAspectRatio", "none").
		Role("img").Aria("label", text).Body(append(out, ui.SVG("title").Text(text))...)
}

// interruption is how the caller cut the answer of the ith turn short.
func interruption(t rest.SessionTurns, i int) app.UI {
	from := firstWordAt(t.Latest[i])
	for _, cut := range t.LatestInterruptions {
		if cut.At.Before(from) || i+1 < len(t.Latest) && cut.At.After(t.Latest[i+1].EndOfSpeech) {
			continue
		}
		text := "after " + ui.Millis(float64(cut.At.Sub(from).Milliseconds()))
		if cut.SilentMS != nil {
			text += ", silent in " + ui.Millis(*cut.SilentMS)
		}
		return app.Span().Class("num").Text(text)
	}
	if t.Latest[i].IsInterrupted {
		return app.Span().Text("yes")
	}
	return app.Span().Class("muted").Text("no")
}
