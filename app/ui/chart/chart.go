package chart

import (
	"math"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
)

// TimeChart draws lines over time: an axis with unit on the left, the time
// below, bands of levels behind, events above, names at the lines' ends.
type TimeChart struct {
	app.Compo

	ID     string // of the element; tells charts of a page apart
	Title  string // what is drawn: "Loss"
	Unit   string // of the axis: "ms"
	Series []Series
	// Stacked draws areas upon each other, the first series at the bottom. Readout and
	// table tell each one's own values.
	Stacked bool
	Bands   []Band
	Events  []Event
	// Low and High are values that the axis always has; equal ones ask for none.
	Low, High float64
	// Write writes a value with its unit, for readout and table.
	Write func(float64) string
	Time  *Timeline

	figure figure
	table  bool
	path   path
	says   int // counts what the cursor says, to tell the last to screen readers
}

// OnMount listens to pointer and keys.
func (c *TimeChart) OnMount(ctx app.Context) {
	c.figure.times = func() []int64 { return moments(c.Series) }
	c.figure.show = c.show
	c.figure.toggle = func(ctx app.Context) { c.toggleTable(ctx, app.Event{}) }
	ctx.Defer(func(ctx app.Context) {
		c.figure.mount(ctx, c.JSValue(), c.Time)
	})
}

// OnDismount stops listening.
func (c *TimeChart) OnDismount() { c.figure.dismount() }

// OnUpdate follows the timeline that the page gave.
func (c *TimeChart) OnUpdate(app.Context) { c.figure.follow(c.Time) }

// OnResize draws as many points as there are pixels.
func (c *TimeChart) OnResize(app.Context) { c.figure.resized() }

func (c *TimeChart) shown() Span {
	if c.Time == nil {
		return Span{}
	}
	return c.Time.window.shown
}

// Render draws the chart.
func (c *TimeChart) Render() app.UI {
	if c.Time != nil {
		c.Time.askFrame()
	}
	body := []app.UI{c.head()}
	if c.table {
		body = append(body, c.tableUI())
	} else {
		body = append(body, c.stage())
	}
	return app.Figure().ID(c.ID).Class("chart").Aria("label", c.Title+". "+c.sentence()).Body(body...)
}

// head has the title, the readout of each series, and the way to the table.
func (c *TimeChart) head() app.UI {
	keys := make([]app.UI, len(c.Series))
	for i, s := range c.Series {
		keys[i] = app.Span().Class("chart-key", c.class(i)).Body(
			ui.SVG("svg").Class("chart-sample").Attr("viewBox", "0 0 24 8").Aria("hidden", true).
				Body(ui.Path("chart-line", "M0 4H24")),
			app.Span().Class("chart-name").Text(s.Name),
			app.Span().Class("chart-value num"),
		)
	}
	label, icon := "Show as table", ui.IconList
	if c.table {
		label, icon = "Show as chart", ui.IconActivity
	}
	return app.Div().Class("chart-head").Body(
		app.H2().Class("chart-title").Text(c.Title),
		app.Span().Class("chart-when num"),
		ui.Button(ui.Quiet, icon, label).Class("chart-switch").Aria("label", label+": "+c.Title).OnClick(c.toggleTable),
		app.P().Class("chart-readout").Body(append(keys, app.Span().Class("chart-note"))...),
	)
}

func (c *TimeChart) toggleTable(ctx app.Context, _ app.Event) {
	c.table = !c.table
	ctx.Defer(func(app.Context) {
		what := "chart-stage"
		if c.table {
			what = "chart-table"
			ui.Announce(c.Title + " as a table.")
		}
		// Pressed by its key, what had the focus is gone.
		active := app.Window().Get("document").Get("activeElement")
		if part := c.figure.part(what); part.Truthy() && !c.figure.root.Call("contains", active).Truthy() {
			part.Call("focus")
		}
	})
}

// stage is the drawing, which takes the focus.
func (c *TimeChart) stage() app.UI {
	a := c.axis()
	return app.Div().Class("chart-stage").TabIndex(0).Role("slider").
		Aria("label", c.Title+": moment").
		Aria("valuemin", 0).Aria("valuemax", 100).Aria("valuenow", 100).
		Aria("keyshortcuts", "ArrowLeft ArrowRight Home End + - 0 T").
		Body(
			axisUI(a, c.Unit),
			plotUI(c.layers(a)...),
			c.ends(a),
			timeAxis(c.shown(), c.figure.pixels()),
		)
}

func (c *TimeChart) axis() axis {
	low, high := math.Inf(1), math.Inf(-1)
	if c.High > c.Low {
		low, high = c.Low, c.High
	}
	return newAxis(bounds(c.drawn(), c.shown(), low, high))
}

// drawn are the lines as they lie in the plot.
func (c *TimeChart) drawn() []Series {
	if c.Stacked {
		return stack(c.Series)
	}
	return c.Series
}

// class is how a series is coloured.
func (c *TimeChart) class(i int) string {
	if c.Stacked {
		return "chart-stacked " + levelClass(c.Series[i].Level)
	}
	return seriesClass(i)
}

// sparse is how far apart values may be without a gap between them, in milliseconds: a
// second that came late is none; what was not measured is a value of its own.
const sparse = 6000

// bucketWidth is how many pixels the lowest and the highest of a bucket share: a
// line is no wider, and a live page draws all of them each second.
const bucketWidth = 2

// layers are what is drawn in the plot, from the back to the front.
func (c *TimeChart) layers(a axis) []app.UI {
	over := c.shown()
	out := make([]app.UI, 0, len(c.Bands)+MaxSeries+8)
	for _, b := range c.Bands {
		c.path.reset()
		top, bottom := yOf(a, b.To), yOf(a, b.From)
		if bottom > top {
			c.path.box(0, top, plotWidth, bottom-top)
		}
		out = append(out, ui.Path("chart-band "+levelClass(b.Level), c.path.String()))
	}
	out = append(out, ui.Path("chart-grid", c.grid(a, over)))
	reach := max(3*step(c.Series), sparse)
	var below *Series
	for i, s := range c.drawn() {
		if c.Stacked {
			c.path.reset()
			c.path.area(s, below, over, a, reach)
			out = append(out, ui.Path("chart-area "+c.class(i), c.path.String()))
			below = &s
		}
		c.path.reset()
		c.path.line(s, over, a, c.figure.pixels()/bucketWidth, reach)
		out = append(out, ui.Path("chart-line "+c.class(i), c.path.String()))
	}
	for _, grave := range [...]bool{false, true} {
		class := "chart-event"
		if grave {
			class = "chart-event chart-grave"
		}
		out = append(out, ui.Path(class, eventPath(&c.path, c.Events, over, grave)))
	}
	return append(out, cursorUI()...)
}

func (c *TimeChart) grid(a axis, over Span) string {
	c.path.reset()
	for _, v := range a.ticks() {
		c.path.to('M', 0, yOf(a, v))
		c.path.by('h', plotWidth)
	}
	return c.path.String()
}

// ends are the names of the lines where they end, apart from each other.
func (c *TimeChart) ends(a axis) app.UI {
	over := c.shown()
	names, places := []int{}, []int{}
	below := 0.0
	for i, s := range c.drawn() {
		first, last := s.visible(over)
		v := (Series{Values: s.Values[first:last]}).latest()
		switch {
		case isGap(v), c.Stacked && v == below: // an area of nothing has no name
			continue
		case c.Stacked:
			v, below = (v+below)/2, v // in the middle of its area
		}
		names, places = append(names, i), append(places, yOf(a, v))
	}
	places = spread(places, endGap, plotHeight)
	out := make([]app.UI, len(names))
	for k, i := range names {
		out[k] = ui.SVG("text").Class("chart-end", c.class(i)).
			Attr("x", 6).Attr("y", percent(float64(places[k])/plotHeight)).Attr("dy", "0.35em").Text(c.Series[i].Name)
	}
	return ui.SVG("svg").Class("chart-ends").Aria("hidden", true).Body(out...)
}

// endGap is how far apart names are, in the plot's units: a line of small text.
const endGap = 110

// sentence says what the chart shows, for those who don't see it.
func (c *TimeChart) sentence() string {
	if c.Write == nil {
		return ""
	}
	text := ""
	for _, s := range c.Series {
		first, last := s.visible(c.shown())
		low, high := bounds([]Series{s}, c.shown(), math.Inf(1), math.Inf(-1))
		if isGap(low) {
			continue
		}
		text += s.Name + ": " + c.Write((Series{Values: s.Values[first:last]}).latest()) +
			", from " + c.Write(low) + " to " + c.Write(high) + ". "
	}
	if text == "" {
		return "Nothing was measured in this time."
	}
	return text
}

// show writes what there is at a moment, or the newest, into the line above the
// plot.
func (c *TimeChart) show(at int64) {
	over := c.shown()
	if at != 0 && !over.Contains(at) {
		at = 0
	}
	values := c.figure.root.Call("querySelectorAll", ".chart-value")
	reach, spoken := max(step(c.Series), 1000), ""
	for i, s := range c.Series {
		v := s.latest()
		if at != 0 {
			v = s.value(at, reach)
		}
		text := ui.Missing
		if !isGap(v) && c.Write != nil {
			text = c.Write(v)
		}
		setText(values.Index(i), text)
		spoken += ", " + s.Name + " " + text
	}
	when := "newest"
	if at != 0 {
		when = ui.Clock(time.UnixMilli(at))
	}
	setText(c.figure.part("chart-when"), when)
	note := ""
	if e, found := eventNear(c.Events, at, over); found && at != 0 {
		note = e.Text
	}
	setText(c.figure.part("chart-note"), note)
	c.figure.showDots(c.dots(at, reach))
	c.speak(at, over, when+spoken+" "+note)
}

// dots marks each line under the cursor.
func (c *TimeChart) dots(at, reach int64) string {
	c.path.reset()
	a := c.axis()
	for _, s := range c.drawn() {
		if v := s.value(at, reach); at != 0 && !isGap(v) {
			c.path.dot(0, yOf(a, v))
		}
	}
	return c.path.String()
}

// speaksAfter is how long the cursor rests before screen readers are told.
const speaksAfter = 400 * time.Millisecond

// speak gives the stage, a slider, its value in words once the cursor rests.
func (c *TimeChart) speak(at int64, over Span, text string) {
	c.says++
	mine := c.says
	c.figure.ctx.After(speaksAfter, func(ctx app.Context) {
		ctx.PreventUpdate()
		if mine != c.says || c.figure.root == nil {
			return
		}
		if stage := c.figure.part("chart-stage"); stage.Truthy() {
			share := 1.0
			if at != 0 {
				share = over.Share(at)
			}
			stage.Call("setAttribute", "aria-valuenow", int(share*100))
			stage.Call("setAttribute", "aria-valuetext", text)
		}
	})
}
