package chart

import (
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
)

// Block is a stretch of one lane.
type Block struct {
	From, To int64
	Level    quality.Level // how good it was, where the lane says
	Text     string        // what it is, for the readout
}

// Ribbon draws a whole call in lanes on one time axis: who spoke, with the wait
// for the first word tinted by its length, how the line was, and whose fault it
// was where it was poor. Low bars of the line are good ones: trouble stands out.
// A drag zooms the timeline.
type Ribbon struct {
	app.Compo

	Label  string // the sentence for those who don't see it
	You    []Block
	Agent  []Block
	Waits  []Block // from the end of the caller's speech to the first of the agent's
	Line   []Block
	Owners []Block // of what was poor
	Events []Event
	Beside app.UI // at the right of the readout, such as the way to a list
	Time   *Timeline

	figure figure
	path   path
}

// Where the lanes are, of the plot's height, from the top.
const (
	laneTop    = 100 // below the events
	laneHeight = 210
	laneStep   = 275
	ownerLane  = laneTop + 3*laneStep
	ownerHigh  = 60
)

// OnMount listens to pointer and keys.
func (r *Ribbon) OnMount(ctx app.Context) {
	r.figure.times = func() []int64 { return nil }
	r.figure.show = r.show
	ctx.Defer(func(ctx app.Context) { r.figure.mount(ctx, r.JSValue(), r.Time) })
}

// OnDismount stops listening.
func (r *Ribbon) OnDismount() { r.figure.dismount() }

// OnResize has the time axis fit.
func (r *Ribbon) OnResize(app.Context) { r.figure.resized() }

// OnUpdate follows the timeline that the page gave.
func (r *Ribbon) OnUpdate(app.Context) { r.figure.follow(r.Time) }

// Render draws the lanes.
func (r *Ribbon) Render() app.UI {
	if r.Time != nil {
		r.Time.askFrame()
	}
	return app.Div().Class("chart ribbon-whole").Body(
		app.Div().Class("ribbon-head").Body(
			app.P().Class("chart-readout").Aria("hidden", true).Body(
				app.Span().Class("chart-when num"), app.Span().Class("ribbon-says"), app.Span().Class("chart-note")),
			r.Beside),
		app.Div().Class("ribbon-stage").Body(
			app.Div().Class("ribbon-names").Aria("hidden", true).Body(
				app.Span().Text("Caller"), app.Span().Text("Agent"), app.Span().Text("Line"), app.Span().Text("Fault")),
			app.Div().Class("ribbon-drawing").Role("img").Aria("label", r.Label).Body(plotUI(r.layers()...)),
			timeAxis(r.shown(), r.figure.pixels()),
		),
	)
}

func (r *Ribbon) shown() Span {
	if r.Time == nil {
		return Span{}
	}
	return r.Time.window.shown
}

func (r *Ribbon) layers() []app.UI {
	out := []app.UI{}
	r.path.reset()
	for lane := range 3 {
		r.path.to('M', 0, laneTop+lane*laneStep+laneHeight)
		r.path.by('h', plotWidth)
	}
	out = append(out, ui.Path("ribbon-base", r.path.String()),
		ui.Path("ribbon-you", r.blocks(r.You, 0, laneHeight, nil)),
		ui.Path("ribbon-agent", r.blocks(r.Agent, 1, laneHeight, nil)))
	for _, level := range []quality.Level{quality.Excellent, quality.Good, quality.Fair, quality.Poor} {
		class := levelClass(level)
		has := func(b Block) bool { return b.Level == level }
		out = append(out,
			ui.Path("ribbon-wait "+class, r.blocks(r.Waits, 1, laneHeight/2, has)),
			ui.Path("ribbon-line "+class, r.blocks(r.Line, 2, lineHeight(level), has)))
	}
	out = append(out,
		ui.Path("ribbon-gap", r.blocks(r.Line, 2, lineHeight(quality.Excellent), func(b Block) bool { return levelClass(b.Level) == "q0" })),
		ui.Path("ribbon-owner", r.owners()))
	for _, grave := range [...]bool{false, true} {
		class := "chart-event"
		if grave {
			class = "chart-event chart-grave"
		}
		out = append(out, ui.Path(class, eventPath(&r.path, r.Events, r.shown(), grave)))
	}
	return append(out, cursorUI()...)
}

// blocks draws those of a lane that are wanted, as bars from its bottom.
func (r *Ribbon) blocks(all []Block, lane, height int, wanted func(Block) bool) string {
	r.path.reset()
	bottom := laneTop + lane*laneStep + laneHeight
	for _, b := range all {
		if wanted == nil || wanted(b) {
			r.box(b, bottom-height, height)
		}
	}
	return r.path.String()
}

func (r *Ribbon) owners() string {
	r.path.reset()
	for _, b := range r.Owners {
		r.box(b, ownerLane, ownerHigh)
	}
	return r.path.String()
}

// leastBlock is how narrow a block is drawn at least: a word of half a second in
// an hour's call is seen, too.
const leastBlock = 8

// box draws what is in sight of a block.
func (r *Ribbon) box(b Block, top, height int) {
	over := r.shown()
	if b.To < over.From || b.From > over.To || over.IsEmpty() {
		return
	}
	x := xOf(over, max(b.From, over.From))
	r.path.box(x, top, max(xOf(over, min(b.To, over.To))-x, leastBlock), height)
}

// show writes what there was at a moment.
func (r *Ribbon) show(at int64) {
	when, says, note := "", "", ""
	if over := r.shown(); at != 0 && over.Contains(at) {
		when = ui.Clock(time.UnixMilli(at))
		for _, lane := range [][]Block{r.You, r.Waits, r.Agent, r.Line, r.Owners} {
			if b, found := blockAt(lane, at); found && b.Text != "" {
				if says != "" {
					says += " · "
				}
				says += b.Text
			}
		}
		if e, found := eventNear(r.Events, at, over); found {
			note = e.Text
		}
	}
	if when == "" {
		says = r.faults()
	}
	setText(r.figure.part("chart-when"), when)
	setText(r.figure.part("ribbon-says"), says)
	setText(r.figure.part("chart-note"), note)
}

// faults name whose what was poor was, while nobody points at a moment.
func (r *Ribbon) faults() string {
	says := ""
	for _, b := range r.Owners {
		switch {
		case says == "":
			says = "Poor because of " + b.Text
		case !strings.Contains(says, b.Text):
			says += ", " + b.Text
		}
	}
	return says
}

func blockAt(lane []Block, at int64) (Block, bool) {
	for _, b := range lane {
		if b.From <= at && at < b.To {
			return b, true
		}
	}
	return Block{}, false
}

// levelClass sets the colour of a level: q4 excellent to q1 poor, q0 no data.
func levelClass(l quality.Level) string { return "q" + string(rune('0'+l.Bars())) }

func lineHeight(l quality.Level) int {
	switch l {
	case quality.Excellent:
		return laneHeight / 6
	case quality.Good:
		return laneHeight / 3
	case quality.Fair:
		return laneHeight * 2 / 3
	}
	return laneHeight
}
