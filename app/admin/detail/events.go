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
	// goesOn: it lasts yet.
	goesOn bool
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
		}
		key, begins := troubleOf(a)
		at, wasOpen := open[key]
		if wasOpen { // it is over, or has become another
			out[at].until = a.At
			delete(open, key)
		}
		if wasOpen && !begins {
			continue
		}
		if begins {
			open[key] = len(out)
		}
		out = append(out, event{at: a.At, tone: toneOf(a), text: eventText(a)})
	}
	for _, at := range open {
		if out[at].goesOn = p.record.EndedAt == nil; !out[at].goesOn {
			out[at].until = *p.record.EndedAt
		}
	}
	if end := p.record.EndedAt; end != nil {
		out = append(out, p.endEvent(*end))
	}
	slices.SortStableFunc(out, func(a, b event) int { return a.at.Compare(b.at) }) // a sign-in may come before the call
	return out
}

func (p picture) endEvent(at time.Time) event {
	text := "Call ended: " + ui.EndWord(string(p.record.EndCause))
	if p.record.EndReason != "" {
		text += " (" + p.record.EndReason + ")"
	}
	return event{at: at, tone: ui.ToneInfo, text: text}
}

// troubleOf names the trouble that an activity is of, and tells whether it begins one: a
// line that rises to fair only has another. "" is none.
func troubleOf(a rest.Activity) (key string, begins bool) {
	switch a.What {
	case rest.CallReconnecting:
		return rest.CallReconnecting, true
	case rest.CallResumed:
		return rest.CallReconnecting, false
	case rest.QualityFell:
		return rest.QualityFell, true
	case rest.QualityRose:
		return rest.QualityFell, quality.Level(a.Detail).Bars() <= quality.Fair.Bars()
	}
	return "", false
}

func toneOf(a rest.Activity) ui.Tone {
	switch {
	case a.What == rest.QualityFell && a.Detail == string(quality.Poor), a.Kind == rest.ActivityError:
		return ui.ToneDanger
	case a.Kind == rest.ActivityQuality && a.Detail == string(quality.Fair), a.What == rest.CallReconnecting:
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
	case rest.PersonRevealed:
		return "An admin looked at who calls"
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
			{Key: "at", Title: "Time", Card: ui.PlaceLead}, {Key: "level", Title: "Level", Card: ui.PlaceMore}, {Key: "what", Title: "What happened", Card: ui.PlaceLead},
			{Key: "long", Title: "For", Number: true, Card: ui.PlaceSide},
		}
		rows := []ui.Row{}
		for _, e := range p.shown.history() {
			long := app.UI(ui.Blank())
			switch {
			case e.goesOn:
				long = app.Span().Class("muted").Text("goes on")
			case !e.until.IsZero():
				long = ui.Timer(e.until.Sub(e.at))
			}
			rows = append(rows, ui.Row{ID: e.at.String() + e.text, Cells: []app.UI{
				p.momentButton(e.at), toneUI(e.tone), app.Span().Text(e.text),
				long,
			}})
		}
		return ui.Table{Label: "Events", Columns: columns, Rows: rows}.UI()
	}})
}

// toneUI is how grave an event is: by shape and word, and by colour.
func toneUI(t ui.Tone) app.UI {
	icon, word := ui.IconClock, "Info"
	switch t {
	case ui.ToneDanger:
		icon, word = ui.IconAlert, "Problem"
	case ui.ToneWarning:
		icon, word = ui.IconAlert, "Warning"
	case ui.ToneGood:
		icon, word = ui.IconCheck, "Good"
	}
	return app.Span().Class("detail-event", "tone-"+string(t)).Body(ui.Icon(icon), app.Span().Text(word))
}

// momentButton shows a time of day and leads the cursor there.
func (p *Page) momentButton(at time.Time) app.UI {
	return app.Button().Type("button").Class("detail-moment num").Title("Show "+ui.Clock(at)+" in the charts").
		OnClick(p.jump(at), app.EventScope(at.String())).Text(ui.Clock(at))
}
