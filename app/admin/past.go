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
	nodes   cluster
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
	now := time.Now()
	from, to := ui.Range(&p.filters, usualSpan, now)
	if to.IsZero() { // to the same second, so that no bucket is a part of one
		to = now
	}
	return func(ctx context.Context) (func(), error) {
		history, err := p.monitor.History(ctx, rest.HistoryQuery{From: from, To: to, StepS: stepOf(to.Sub(from))})
		if err != nil {
			return nil, err
		}
		privacy, err := p.monitor.Privacy(ctx)
		totals, errTotals := p.monitor.Totals(ctx, rest.TotalsQuery{Days: totalDays})
		nodes, errNodes := askCluster(ctx, p.monitor)
		return func() {
			p.history, p.privacy, p.totals, p.nodes = history, privacy, totals, nodes
			p.line.Extend(history.From, history.To)
		}, errors.Join(err, errTotals, errNodes)
	}
}

// mostBuckets is how many a chart has at most.
const mostBuckets = 72

// stepOf is how many seconds a bucket is long: a round time, so that "per 5 min" can be
// said of it.
func stepOf(span time.Duration) int {
	for _, minutes := range [...]float64{0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720} {
		if step := time.Duration(minutes * float64(time.Minute)); span <= mostBuckets*step {
			return int(step / time.Second)
		}
	}
	return 24 * 60 * 60
}

// per writes the length of a bucket: "per minute", "per 5 min".
func per(seconds float64) string {
	for _, u := range [...]struct {
		seconds   float64
		one, many string
	}{{86400, "day", "d"}, {3600, "hour", "h"}, {60, "minute", "min"}} {
		switch n := seconds / u.seconds; {
		case n == 1:
			return "per " + u.one
		case n > 1 && n == math.Trunc(n):
			return "per " + whole(n) + " " + u.many
		}
	}
	return "per " + whole(seconds) + " s"
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
	isTally         bool // counts what happened in each bucket
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
		{id: "past-setup", title: "Setups", unit: "calls", high: 4, write: whole, isTally: true, traces: []trace{
			{name: "Begun", of: func(b *rest.HistoryBucket) float64 { return float64(b.Started) }},
			{name: "Failed", of: func(b *rest.HistoryBucket) float64 { return float64(b.Failed) }},
		}},
		{id: "past-requests", title: "Requests and errors", unit: "req", high: 4, write: whole, isTally: true, traces: []trace{
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
		if d.isTally {
			d.title += " " + per(p.history.StepS)
		}
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

// privacyTile is what protects callers.
func (p *past) privacyTile() app.UI {
	t := ui.Tile{Label: "Privacy mode", Value: ui.Missing, Href: "/admin/privacy"}
	switch {
	case !p.load.Known():
	case p.privacy.PrivacyMode:
		t.Value, t.Note = "On", attempts(p.privacy)
	default:
		t.Value, t.Note, t.Level = "Off", attempts(p.privacy), quality.Fair
	}
	return t.UI()
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
	if first := p.history.First; first != nil && first.Turns > 0 {
		t.Value = ui.Millis(first.P95MS)
		t.Note = "half of " + ui.Plural(first.Turns, "answer") + " within " + ui.Millis(first.P50MS)
		if first.P95MS > quality.SlowFirstWordMS {
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
					p.nodes.panel(),
				),
			)
		},
	})
}
