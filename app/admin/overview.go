package admin

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/wire"
)

// Overview says in five seconds whether calls are good right now, and if not,
// where.
type Overview struct {
	app.Compo

	monitor   Monitor
	feed      feed
	announced throttledText
	order     steadyOrder // of what needs attention
	past      *past
}

// NewOverview makes the page. Without a monitor it shows its skeleton.
func NewOverview(m Monitor) *Overview { return &Overview{monitor: m, past: newPast(m)} }

// OnMount starts the stream.
func (o *Overview) OnMount(ctx app.Context) {
	o.feed.start(ctx, o.monitor, o.changed)
	o.past.start(ctx)
	o.feed.keys(func(ctx app.Context, key string, _ app.Value) {
		if key == " " {
			o.feed.toggle(ctx)
		}
	})
}

// OnNav shows the time that the address names.
func (o *Overview) OnNav(ctx app.Context) { o.past.follow(ctx) }

// OnDismount stops it.
func (o *Overview) OnDismount() {
	o.feed.stop()
	o.past.load.Stop()
}

func (o *Overview) changed(app.Context) {
	o.order = o.order.follow(ids(attention(o.feed.shown, o.feed.clock())), o.feed.now)
	if !o.feed.shown.known {
		return
	}
	if next := o.announced.update(sentence(o.feed.shown), o.feed.now, sentenceEvery); next != o.announced {
		o.announced = next
		ui.Announce(next.text)
	}
}

func (o *Overview) pause(ctx app.Context, _ app.Event) { o.feed.toggle(ctx) }

// Render draws the page.
func (o *Overview) Render() app.UI {
	if o.feed.denied != nil {
		return app.Div().Class("page").Body(load.Refusal(o.feed.denied, "/admin"))
	}
	return app.Div().Class("page", "overview").Body(
		ui.PageHead("Overview", o.past.choice(), o.feed.asOf(), o.feed.live().Pill(o.feed.paused, o.feed.behind(), o.pause)),
		load.Slot("banner-slot", o.feed.live().Banner()),
		app.P().Class("overview-sentence").Text(o.summarySentence()), // keeps its place while it is empty
		o.body(),
	)
}

func (o *Overview) body() app.UI {
	p := o.feed.shown
	if !p.known {
		return app.Div().Body(o.feed.live().Placeholder("the overview", ui.Skeleton(ui.SkeletonTiles, 9)))
	}
	if o.noCallsEver() {
		return app.Div().Class(o.feed.dim("overview-data")).Body(ui.EmptyState{
			Icon: ui.IconPhone, Title: "No calls yet.", Text: "Start one to see it here.",
			Action: load.Link("Start a test call", "/call"),
		}.UI(), checklist(o.past.nodes))
	}
	return app.Div().Class(o.feed.dim("overview-data")).Body(
		app.Div().Class("tiles").Body(liveTile(p), qualityTile(p), o.past.wordTile(), problemsTile(p.alerts, o.past.nodes)),
		anomalies(p.stats.Anomalies, o.feed.clock()),
		app.Div().Class("overview-panels").Body(
			panel("Needs attention", attentionList(inOrder(o.order.ids, attention(p, o.feed.clock())))),
			panel("How calls ended", endCauses(o.causes())),
		),
		app.Div().Class("tiles").Body(o.endedTile(), refusedTile(p), totalsTile(o.past.totals, o.feed.clock()), o.past.privacyTile()),
		o.past.body(),
	)
}

// causes are why calls ended in the time that is shown; until it is known, since the
// server started.
func (o *Overview) causes() map[wire.EndCause]int64 {
	if o.past.load.Known() {
		return o.past.history.Causes
	}
	return o.feed.shown.stats.EndCauses
}

func (o *Overview) endedTile() app.UI {
	when := "since the server started"
	if o.past.load.Known() {
		when = "in this time"
	}
	return endedTile(o.causes(), when)
}

// checklist is what a new server needs until its first call.
func checklist(nodes cluster) app.UI {
	secure := true
	if app.IsClient {
		secure = app.Window().Get("isSecureContext").Bool()
	}
	items := []app.UI{}
	turn, isThrough := nodes.turn()
	for _, step := range []struct {
		text, undone string
		done         bool
	}{
		{"HTTPS: browsers give this page a microphone", "HTTPS: without it browsers give no microphone. Set --tls-cert and --tls-key", secure},
		{"TURN: reachable, for callers behind firewalls", turn, isThrough},
		{"First admin: you", "", true},
		{"", "First call: not yet", false},
	} {
		if !step.done && step.undone == "" {
			continue // nobody knows
		}
		icon, text := ui.IconCheck, step.text
		if !step.done {
			icon, text = ui.IconClock, step.undone
		}
		items = append(items, app.Li().Class("checklist-item").Body(ui.Icon(icon), app.Span().Text(text)))
	}
	return app.Ul().Class("checklist").Aria("label", "What this server needs").Body(items...)
}

// noCallsEver reports whether no call was ever made.
func (o *Overview) noCallsEver() bool {
	p := o.feed.shown
	return p.known && p.live() == 0 && p.stats.Started == 0 && o.past.isEmpty()
}

// summarySentence is what is seen, at once: it stands beside the figures that it is of.
// The ear gets it less often. The empty state says it itself.
func (o *Overview) summarySentence() string {
	if !o.feed.shown.known || o.noCallsEver() {
		return ""
	}
	return sentence(o.feed.shown)
}

func panel(title string, body app.UI) app.UI {
	return app.Section().Class("panel").Body(app.H2().Class("panel-title").Text(title), body)
}

// stacked are the levels from good to bad, as they lie in a bar.
func stacked() []quality.Level {
	return []quality.Level{quality.Excellent, quality.Good, quality.Fair, quality.Poor, quality.None}
}
