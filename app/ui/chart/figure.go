package chart

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
)

// figure is one element over a timeline: it follows pointer and keys and moves
// its cursor. A component has one; its parts are found by their classes:
// chart-plot is where time runs, chart-cursor and chart-brush are moved in it.
type figure struct {
	ctx    app.Context
	root   app.Value
	time   *Timeline
	times  func() []int64        // what the cursor steps through
	show   func(at int64)        // readout of a moment, 0 of the newest
	toggle func(ctx app.Context) // table or chart; nil: there is no table
	drag   struct{ from, to float64 }
	isDown bool
	width  int // of the plot, in pixels
	remove []func()
}

// dragsFrom is how much of the width a drag has to cover to be one.
const dragsFrom = 0.01

// mount begins to listen, once the element is there.
func (f *figure) mount(ctx app.Context, root app.Value, time *Timeline) {
	f.ctx, f.root, f.time = ctx, root, time
	if time == nil {
		return
	}
	time.add(f)
	if app.IsServer {
		return
	}
	for event, do := range map[string]func(app.Event){
		"pointermove": f.pointerMoved, "pointerdown": f.pointerPressed, "pointerup": f.pointerReleased,
		"pointerleave": f.pointerLeft, "pointercancel": f.pointerLeft,
		"dblclick": func(e app.Event) { f.ifInPlot(e, func(float64) { f.time.Reset() }) },
		"keydown":  f.keyPressed,
		"focusout": func(app.Event) { f.time.hold(false) },
	} {
		f.remove = append(f.remove, ui.Listen(root, event, do))
	}
	time.askFrame()
}

// usualWidth is how wide a plot is taken to be until it was measured.
const usualWidth = 600

// measure looks how many pixels there are to draw in.
func (f *figure) measure() {
	if f.root == nil || app.IsServer {
		return
	}
	plot := f.part("chart-plot")
	if !plot.Truthy() {
		return
	}
	width := int(plot.Call("getBoundingClientRect").Get("width").Float())
	if width != f.width && width > 0 {
		f.width = width
		f.ctx.Dispatch(func(app.Context) {}) // drawn again to fit
	}
}

// resized looks again how wide the plot is, once the browser has laid it out.
func (f *figure) resized() {
	if f.time != nil {
		f.time.askFrame()
	}
}

func (f *figure) pixels() int {
	if f.width <= 0 {
		return usualWidth
	}
	return f.width
}

// follow takes another timeline, where a component was given one.
func (f *figure) follow(time *Timeline) {
	if f.time == time || f.root == nil {
		return
	}
	if f.time != nil {
		f.time.remove(f)
	}
	if f.time = time; time != nil {
		time.add(f)
	}
}

func (f *figure) dismount() {
	for _, remove := range f.remove {
		remove()
	}
	f.remove = nil
	if f.time != nil {
		f.time.remove(f)
	}
	f.root = nil
}

func (f *figure) part(class string) app.Value { return f.root.Call("querySelector", "."+class) }

// ifInPlot calls do with the share of the width where an event happened.
func (f *figure) ifInPlot(e app.Event, do func(share float64)) {
	plot := f.part("chart-plot")
	if !plot.Truthy() {
		return
	}
	box := plot.Call("getBoundingClientRect")
	width := box.Get("width").Float()
	if width <= 0 || !plot.Call("contains", e.Get("target")).Truthy() && !f.isDown {
		return
	}
	do(min(max((e.Get("clientX").Float()-box.Get("left").Float())/width, 0), 1))
}

func (f *figure) pointerMoved(e app.Event) {
	f.ifInPlot(e, func(share float64) {
		if f.isDown {
			f.drag.to = share
			f.drawBrush()
		}
		f.time.hold(true)
		at := f.time.window.shown.At(share)
		if times := f.times(); len(times) > 0 {
			at = times[Series{At: times}.nearest(at)]
		}
		f.time.point(at)
	})
}

func (f *figure) pointerPressed(e app.Event) {
	if e.Get("button").Int() != 0 {
		return
	}
	f.ifInPlot(e, func(share float64) {
		f.isDown = true
		f.drag.from, f.drag.to = share, share
		f.part("chart-plot").Call("setPointerCapture", e.Get("pointerId"))
		f.pointerMoved(e)
	})
}

func (f *figure) pointerReleased(e app.Event) {
	if !f.isDown {
		return
	}
	f.isDown = false
	from, to := min(f.drag.from, f.drag.to), max(f.drag.from, f.drag.to)
	f.drag.from, f.drag.to = 0, 0
	f.drawBrush()
	if to-from >= dragsFrom {
		s := f.time.window.shown
		f.time.set(f.time.window.zoomTo(Span{s.At(from), s.At(to)}))
	}
}

// pointerLeft lets the time go on. A cursor stays: what a click or a link points
// at may be looked up elsewhere on the page.
func (f *figure) pointerLeft(app.Event) {
	f.isDown = false
	f.drag.from, f.drag.to = 0, 0
	f.drawBrush()
	f.time.hold(false)
}

// drawBrush shows what is being dragged over.
func (f *figure) drawBrush() {
	brush := f.part("chart-brush")
	if !brush.Truthy() {
		return
	}
	from, to := min(f.drag.from, f.drag.to), max(f.drag.from, f.drag.to)
	brush.Call("setAttribute", "x", int(from*plotWidth))
	brush.Call("setAttribute", "width", int((to-from)*plotWidth))
}

// keyPressed does what a key of the chart does.
func (f *figure) keyPressed(e app.Event) {
	if ui.Typing(e) {
		return
	}
	classes := e.Get("target").Get("classList")
	isStage := classes.Call("contains", "chart-stage").Truthy()
	act, known := actOf(e.Get("key").String(), e.Get("shiftKey").Truthy())
	switch {
	case !known, act.toggles && f.toggle == nil:
		return
	case !isStage && !(act.toggles && classes.Call("contains", "chart-table").Truthy()):
		return // arrows move a table
	}
	e.Call("preventDefault")
	f.perform(act)
}

// act is what a key does.
type act struct {
	steps   int // of the cursor, in samples
	end     int // -1: to the first sample in sight, 1: to the last
	zoom    float64
	resets  bool
	toggles bool
}

// actOf finds what a key does to a chart that has the focus.
func actOf(key string, shift bool) (act, bool) {
	steps := 1
	if shift {
		steps = 10
	}
	switch key {
	case "ArrowLeft":
		return act{steps: -steps}, true
	case "ArrowRight":
		return act{steps: steps}, true
	case "Home":
		return act{end: -1}, true
	case "End":
		return act{end: 1}, true
	case "+", "=":
		return act{zoom: 0.5}, true
	case "-", "−", "_":
		return act{zoom: 2}, true
	case "0", "Escape":
		return act{resets: true}, true
	case "t", "T":
		return act{toggles: true}, true
	}
	return act{}, false
}

func (f *figure) perform(a act) {
	t := f.time
	switch {
	case a.toggles:
		f.ctx.Dispatch(f.toggle)
	case a.resets:
		t.Reset()
	case a.zoom != 0:
		t.ZoomBy(a.zoom)
	default:
		t.hold(true)
		t.point(target(a, f.times(), t.cursor, t.window.shown))
	}
}

// target is where a key takes the cursor.
func target(a act, times []int64, cursor int64, shown Span) int64 {
	switch {
	case len(times) == 0:
		return cursor
	case a.end < 0:
		return moveCursor(times, 0, 1, shown)
	case a.end > 0:
		return moveCursor(times, 0, -1, shown)
	}
	return moveCursor(times, cursor, a.steps, shown)
}

// update moves the cursor to where it is by now and has the readout written.
func (f *figure) update() {
	if f.root == nil || !f.root.Truthy() {
		return
	}
	f.measure()
	at := f.time.cursor
	if cursor := f.part("chart-cursor"); cursor.Truthy() {
		where, seen := "", "hidden"
		if at != 0 && f.time.window.shown.Contains(at) {
			where, seen = "translate("+strconv.Itoa(xOf(f.time.window.shown, at))+" 0)", "visible"
		}
		cursor.Call("setAttribute", "transform", where)
		cursor.Call("setAttribute", "visibility", seen)
	}
	f.show(at)
}

// setText writes text where go-app writes none.
func setText(e app.Value, text string) {
	if e.Truthy() && e.Get("textContent").String() != text {
		e.Set("textContent", text)
	}
}
