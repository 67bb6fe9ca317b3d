package chart

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
)

// Tools are the buttons that zoom all charts of the timeline without a drag, and
// lead back to its live end, where there is one: isLive tells that time goes on.
func (t *Timeline) Tools(isLive bool) app.UI {
	return &tools{Time: t, Shown: t.window.shown, Live: isLive}
}

type tools struct {
	app.Compo

	Time  *Timeline
	Shown Span // draws it again as it changes
	Live  bool

	figure figure
}

// OnMount has the buttons follow the timeline.
func (t *tools) OnMount(ctx app.Context) {
	t.figure.show = func(int64) {}
	t.figure.times = func() []int64 { return nil }
	t.figure.ctx, t.figure.time = ctx, t.Time
	t.Time.add(&t.figure)
}

// OnDismount lets go of it.
func (t *tools) OnDismount() { t.figure.dismount() }

// OnUpdate follows the timeline that the page gave.
func (t *tools) OnUpdate(app.Context) { t.figure.time = t.Time }

// Render draws the buttons.
func (t *tools) Render() app.UI {
	zoom := func(label, sign string, factor float64) app.UI {
		return app.Button().Type("button").Class("button button-plain button-icon").Aria("label", label).Title(label).
			OnClick(func(app.Context, app.Event) { t.Time.ZoomBy(factor) }, app.EventScope(label)).
			Body(app.Span().Aria("hidden", true).Text(sign))
	}
	live := app.UI(app.Span().Class("is-empty"))
	if t.Live { // always there, so that hovering moves nothing
		live = ui.Disabled(ui.Button(ui.Plain, "", "Live ▸").OnClick(func(app.Context, app.Event) { t.Time.Live() }), !t.Time.window.isFrozen())
	}
	return app.Div().Class("chart-tools").Role("group").Aria("label", "Zoom all charts").Body(
		app.Span().Class("chart-range num").Text(rangeText(t.Time.window.shown)),
		live,
		zoom("Zoom out", "−", 2),
		zoom("Zoom in", "+", 0.5),
		ui.Button(ui.Plain, "", "Reset").OnClick(func(app.Context, app.Event) { t.Time.Reset() }),
	)
}

func rangeText(s Span) string {
	if s.IsEmpty() {
		return ""
	}
	return ui.Clock(time.UnixMilli(s.From)) + " – " + ui.Clock(time.UnixMilli(s.To))
}
