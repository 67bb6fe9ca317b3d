package admin

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/app/ui/chart"
	"parley/shared/quality"
	"parley/shared/rest"
)

const (
	// usualSpan is the time that the overview shows without a choice.
	usualSpan = "1h"
	// pastEvery is how often it is asked for anew: a bucket of an hour is a minute.
	pastEvery = 30 * time.Second
)

// past is how calls were over the time that was chosen, below what is now.
type past struct {
	monitor Monitor
	load    load.Resource
	filters load.Filters
	line    chart.Timeline
	history rest.History
	privacy rest.Privacy
	totals  rest.Totals
}

func newPast(m Monitor) *past {
	p := &past{monitor: m, filters: load.Filters{View: []string{ui.KeySince, ui.KeyFrom, ui.KeyTo}}}
	p.load = load.Resource{Name: "the past of calls", Every: pastEvery}
	if m != nil {
		p.load.Ask = p.ask
	}
	p.filters.OnChange = p.load.Reload
	return p
}

func (p *past) start(ctx app.Context) {
	p.filters.Read(ctx)
	p.load.Start(ctx)
}

func (p *past) follow(ctx app.Context) {
	if p.filters.Read(ctx) {
		p.load.Reload()
	}
}

func (p *past) ask() load.Question {
	from, to := ui.Range(&p.filters, usualSpan, time.Now())
	return func(ctx context.Context) (func(), error) {
		history, err := p.monitor.History(ctx, rest.HistoryQuery{From: from, To: to})
		if err != nil {
			return nil, err
		}
		privacy, err := p.monitor.Privacy(ctx)
		totals, errTotals := p.monitor.Totals(ctx, rest.TotalsQuery{Days: totalDays})
		return func() {
			p.history, p.privacy, p.totals = history, privacy, totals
			p.line.Extend(history.From, history.To)
		}, errors.Join(err, errTotals)
	}
}

// choice chooses the time.
func (p *past) choice() app.UI { return ui.TimeRange{Values: &p.filters, Usual: usualSpan}.UI() }

// isEmpty reports whether it is known that nobody called.
func (p *past) isEmpty() bool {
	if !p.load.Known() || len(p.history.Causes) > 0 {
		return false
	}
	for i := range p.history.Buckets {
		if p.history.Buckets[i].Started > 0 {
			return false
		}
	}
	return true
}

// trace is one line of a chart: what it shows of a bucket.
type trace struct {
	name  string
	of    func(*rest.HistoryBucket) float64
	level quality.Level // of an area
}

// drawing is one chart of the overview.
type drawing struct {
	id, title, unit string
	high            float64
	write           func(float64) string
	traces          []trace
	isStacked       bool
}

// levelTraces count the calls of each level, the worst at the bottom.
func levelTraces() []trace {
	var out []trace
	for _, l := range []quality.Level{quality.Poor, quality.Fair, quality.Good, quality.Excellent, quality.None} {
		out = append(out, trace{ui.LevelWord(l), func(b *rest.HistoryBucket) float64 { return float64(b.Calls[l]) }, l})
	}
	return out
}

func whole(v float64) string { return ui.Count(int64(math.Round(v))) }

func waited(of func(*rest.FirstWord) float64) func(*rest.HistoryBucket) float64 {
	return func(b *rest.HistoryBucket) float64 {
		if b.First == nil {
			return math.NaN()
		}
		return of(b.First)
	}
}

func tally(of func(*rest.HistoryBucket) *int64) func(*rest.HistoryBucket) float64 {
	return func(b *rest.HistoryBucket) float64 {
		if n := of(b); n != nil {
			return float64(*n)
		}
		return math.NaN()
	}
}

// drawings are the charts.
func drawings() []drawing {
	return []drawing{
		{id: "past-quality", title: "Calls by quality, stacked", unit: "calls", high: 4, write: whole, isStacked: true, traces: levelTraces()},
		{id: "past-word", title: "Time to first word", unit: "ms", high: 1000, write: ui.Millis, traces: []trace{
			{name: "p50", of: waited(func(w *rest.FirstWord) float64 { return w.P50MS })},
			{name: "p95", of: waited(func(w *rest.FirstWord) float64 { return w.P95MS })},
		}},
		{id: "past-setup", title: "Setup", unit: "calls", high: 4, write: whole, traces: []trace{
			{name: "Begun", of: func(b *rest.HistoryBucket) float64 { return float64(b.Started) }},
			{name: "Failed", of: func(b *rest.HistoryBucket) float64 { return float64(b.Failed) }},
		}},
		{id: "past-requests", title: "Requests and errors", high: 4, write: whole, traces: []trace{
			{name: "Requests", of: tally(func(b *rest.HistoryBucket) *int64 { return b.Requests })},
			{name: "Errors", of: tally(func(b *rest.HistoryBucket) *int64 { return b.Errors })},
		}},
	}
}

func (p *past) charts() []app.UI {
	at := make([]int64, len(p.history.Buckets))
	for i := range at {
		at[i] = p.history.Buckets[i].At.UnixMilli()
	}
	var out []app.UI
	for _, d := range drawings() {
		series := make([]chart.Series, len(d.traces))
		for i, t := range d.traces {
			series[i] = chart.Series{Name: t.name, Level: t.level, At: at, Values: make([]float64, len(at))}
			for j := range at {
				series[i].Values[j] = t.of(&p.history.Buckets[j])
			}
		}
		out = append(out, app.Div().Class("panel").Body(&chart.TimeChart{
			ID: d.id, Title: d.title, Unit: d.unit, Series: series, Stacked: d.isStacked, High: d.high, Write: d.write, Time: &p.line,
		}))
	}
	return out
}

// failures are why set-ups failed.
func (p *past) failures() app.UI {
	reasons := map[string]int64{}
	for i := range p.history.Buckets {
		for cause, n := range p.history.Buckets[i].FailedBy {
			reasons[string(cause)] += int64(n)
		}
	}
	return shares(byCount(reasons), ui.EndWord, "No call failed before it began.")
}

// agents are who answered, with how many of their calls were poor.
func (p *past) agents() app.UI {
	n := make(map[string]int64, len(p.history.Agents))
	for name, a := range p.history.Agents {
		n[name] = a.Calls
	}
	return shares(byCount(n), func(name string) string {
		if poor := p.history.Agents[name].Poor; poor > 0 {
			return name + ", " + ui.Count(poor) + " poor"
		}
		return name
	}, "No agent was called.")
}

// kept is what protects callers, in a line.
func (p *past) kept() app.UI {
	icon, text := ui.IconShield, "Privacy mode is on."
	if !p.privacy.PrivacyMode {
		icon, text = ui.IconAlert, "Privacy mode is off."
	}
	return app.P().Class("panel-empty").Body(ui.Icon(icon),
		app.A().Href("/admin/privacy").Text(text+" "+attempts(p.privacy)))
}

// attempts are those to keep audio; all of them are refused.
func attempts(p rest.Privacy) string {
	if p.Audio.Blocked == 0 {
		return "Nothing tried to keep audio."
	}
	return ui.Count(p.Audio.Blocked) + " " + verb(int(p.Audio.Blocked), "attempt", "attempts") + " to keep audio, all refused."
}

// wordTile is how long callers waited, in all of the time.
func (p *past) wordTile() app.UI {
	t := ui.Tile{Label: "First word p95", Value: ui.Missing, Href: "/admin/agents"}
	if p.load.Known() {
		t.Note = "no agent has answered in this time"
	}
	slowest, turns := 0.0, 0
	for i := range p.history.Buckets {
		if f := p.history.Buckets[i].First; f != nil {
			slowest, turns = max(slowest, f.P95MS), turns+f.Turns
		}
	}
	if turns > 0 {
		t.Value, t.Note = ui.Millis(slowest), "of "+ui.Plural(turns, "answer")+", p95 of the slowest moment"
		if slowest > quality.SlowFirstWordMS {
			t.Level = quality.Fair
		}
	}
	return t.UI()
}

// body is all of it, below the sentence.
func (p *past) body() app.UI {
	return p.load.Part(load.View{
		Skeleton: ui.Skeleton(ui.SkeletonCard, 4), Count: 1,
		Content: func() app.UI {
			return app.Div().Class("overview-past").Body(
				app.Div().Class("overview-charts").Body(p.charts()...),
				app.Div().Class("overview-lists").Body(
					panel("Failed setups", p.failures()),
					panel("Agents", p.agents()),
					panel("Privacy", p.kept()),
				),
			)
		},
	})
}
