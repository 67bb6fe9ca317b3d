package detail

import (
	"slices"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/app/ui/chart"
	"parley/shared/quality"
	"parley/shared/rest"
)

// event is one thing that happened in a session.
type event struct {
	at    time.Time
	tone  ui.Tone
	text  string
	until time.Time // of one that lasted: when it was over
}

// history are the events, oldest first: what the server remembers of them, a
// trouble and its end as one, and beginning and end in any case.
func (p picture) history() []event {
	out := []event{{at: p.record.StartedAt, tone: ui.ToneInfo, text: "Call started"}}
	open := map[string]int{} // what began a trouble: its place
	for i := len(p.activities) - 1; i >= 0; i-- {
		a := p.activities[i]
		switch a.What {
		case rest.CallStarted, rest.CallEnded, rest.CallTimedOut, rest.CallFailed:
			continue // of the record
		case rest.QualityRose, rest.CallResumed:
			key := closes(a.What)
			if at, is := open[key]; is {
				out[at].until = a.At
				delete(open, key)
				if a.What == rest.CallResumed || quality.Level(a.Detail).Bars() > quality.Fair.Bars() {
					continue
				}
			}
		}
		e := event{at: a.At, tone: toneOf(a), text: eventText(a)}
		if a.What == rest.QualityFell || a.What == rest.CallReconnecting {
			if at, is := open[a.What]; is { // it fell further
				out[at].until = a.At
			}
			open[a.What] = len(out)
		}
		out = append(out, e)
	}
	if end := p.record.EndedAt; end != nil {
		text := "Call ended: " + ui.EndWord(string(p.record.EndCause))
		if p.record.EndReason != "" {
			text += " (" + p.record.EndReason + ")"
		}
		out = append(out, event{at: *end, tone: ui.ToneInfo, text: text})
	}
	slices.SortStableFunc(out, func(a, b event) int { return a.at.Compare(b.at) }) // a sign-in may come before the call
	return out
}

// closes is what began the trouble that an activity ends.
func closes(what string) string {
	if what == rest.CallResumed {
		return rest.CallReconnecting
	}
	return rest.QualityFell
}

func toneOf(a rest.Activity) ui.Tone {
	switch {
	case a.What == rest.QualityFell && a.Detail == string(quality.Poor), a.Kind == rest.ActivityError:
		return ui.ToneDanger
	case a.What == rest.QualityFell && a.Detail == string(quality.Fair), a.What == rest.CallReconnecting:
		return ui.ToneWarning
	case a.What == rest.QualityRose, a.What == rest.CallResumed:
		return ui.ToneGood
	}
	return ui.ToneInfo
}

func eventText(a rest.Activity) string {
	switch a.What {
	case rest.QualityFell:
		return "Quality fell to " + a.Detail
	case rest.QualityRose:
		return "Quality rose to " + a.Detail
	case rest.CallReconnecting:
		return "Connection lost, reconnecting"
	case rest.CallResumed:
		return "Connection is back"
	case rest.AdminEndedCall:
		return "An admin ended the call: " + a.Detail
	}
	text := strings.ReplaceAll(a.What, "_", " ")
	if text == "" {
		return a.Kind
	}
	if a.Detail != "" {
		text += ": " + a.Detail
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// marks are the events for the charts.
func (p picture) marks() []chart.Event {
	var out []chart.Event
	for _, e := range p.history() {
		out = append(out, chart.Event{At: e.at.UnixMilli(), Text: e.text, Grave: e.tone == ui.ToneDanger})
	}
	return out
}

// eventsTab lists what happened.
func (p *Page) eventsTab() app.UI {
	return p.events.Part(load.View{Skeleton: ui.Skeleton(ui.SkeletonRows, 4), Count: 1, Content: func() app.UI {
		columns := []ui.Column{
			{Key: "at", Title: "Time", Card: ui.PlaceLead}, {Key: "what", Title: "What happened", Card: ui.PlaceLead},
			{Key: "long", Title: "For", Number: true, Card: ui.PlaceSide},
		}
		rows := []ui.Row{}
		for _, e := range p.shown.history() {
			long := app.UI(ui.Blank())
			if !e.until.IsZero() {
				long = ui.Timer(e.until.Sub(e.at))
			}
			rows = append(rows, ui.Row{ID: e.at.String() + e.text, Cells: []app.UI{
				p.momentButton(e.at),
				app.Span().Class("detail-event", "tone-"+string(e.tone)).Text(e.text),
				long,
			}})
		}
		return ui.Table{Label: "Events", Columns: columns, Rows: rows}.UI()
	}})
}

// momentButton shows a time of day and leads the cursor there.
func (p *Page) momentButton(at time.Time) app.UI {
	return app.Button().Type("button").Class("detail-moment num").Title("Show "+ui.Clock(at)+" in the charts").
		OnClick(p.jump(at), app.EventScope(at.String())).Text(ui.Clock(at))
}
