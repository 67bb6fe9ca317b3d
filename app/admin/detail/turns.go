package detail

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
)

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
		level := quality.FirstWordLevel(turn.WaitMS)
		rows = append(rows, ui.Row{ID: turn.EndOfSpeech.String(), Cells: []app.UI{
			app.Span().Class("num").Text(strconv.Itoa(turn.Number)),
			p.momentButton(started),
			ui.Number(turn.SpokeMS, ui.Seconds),
			app.Span().Class("num wait-ms", "q"+strconv.Itoa(level.Bars())).Title(ui.LevelWord(level)).Text(ui.Millis(turn.WaitMS)),
			ui.Wait{SilenceMS: turn.SilenceWindowMS, NetworkMS: turn.NetworkMS, ToolsMS: turn.ToolsMS, ModelMS: turn.ModelMS}.Bar(longest),
			ui.Number(turn.AgentSpokeMS, ui.Seconds),
			interruption(t, i),
		}})
	}
	return app.Div().Body(ui.WaitLegend(), ui.Table{Label: "Turns", Columns: columns, Rows: rows}.UI())
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
