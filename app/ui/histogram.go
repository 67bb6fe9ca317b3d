package ui

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// HistogramBars is how many parts a histogram has.
const HistogramBars = 60

// The histogram's grid: a bar's pitch and the height of the highest.
const (
	barPitch, barWidth = 8, 6
	barHeight          = 48
)

// HistogramBar is how much there was in one part of the time.
type HistogramBar struct{ All, Errors int }

// Histogram shows how much there was when, with the errors at the foot of each
// bar. A range can be drawn over it, which is the brush; by keys, the time range
// beside it does the same.
type Histogram struct {
	app.Compo

	Name     string // of what is counted: "requests"
	From, To time.Time
	Bars     []HistogramBar
	OnBrush  func(from, to time.Time)

	down       bool
	start, end float64 // of the brush, as shares of the whole
}

// Render draws the bars.
func (h *Histogram) Render() app.UI {
	return app.Div().Class("histogram").Body(
		h.plot(),
		app.Div().Class("histogram-scale num").Aria("hidden", true).Body(
			app.Span().Text(momentShort(h.From)), app.Span().Text(h.Words()), app.Span().Text(momentShort(h.To))),
	)
}

// plot is the bars, and the brush over them.
func (h *Histogram) plot() app.UI {
	highest := 1
	for _, b := range h.Bars {
		highest = max(highest, b.All)
	}
	var all, errors pathBuilder
	for i, b := range h.Bars {
		high, low := height(b.All, highest), height(b.Errors, highest)
		all.bar(i*barPitch+1, barHeight-low, barWidth, high-low)
		errors.bar(i*barPitch+1, barHeight, barWidth, low)
	}
	layers := []app.UI{Path("histogram-all", all.String()), Path("histogram-errors", errors.String())}
	if h.down {
		var brush pathBuilder
		from, to := min(h.start, h.end), max(h.start, h.end)
		brush.bar(int(from*h.width()), barHeight, max(int((to-from)*h.width()), 1), barHeight)
		layers = append(layers, Path("histogram-brush", brush.String()))
	}
	return SVG("svg").Class("histogram-plot").Attr("viewBox", viewBox(int(h.width()), barHeight)).
		Attr("preserveAspectRatio", "none").Attr("role", "img").Attr("aria-label", h.Words()+" from "+Moment(h.From)+" to "+Moment(h.To)).
		On("pointerdown", h.press).On("pointermove", h.move).On("pointerup", h.release).On("pointercancel", h.cancel).
		Body(layers...)
}

func (h *Histogram) width() float64 { return float64(len(h.Bars) * barPitch) }

// height of a count; whatever there was can be seen.
func height(n, highest int) int {
	if n == 0 {
		return 0
	}
	return max(n*barHeight/highest, 2)
}

// Words say what the bars amount to.
func (h *Histogram) Words() string {
	all, errors := 0, 0
	for _, b := range h.Bars {
		all, errors = all+b.All, errors+b.Errors
	}
	words := Count(int64(all)) + " " + h.Name
	if errors > 0 {
		words += ", " + Count(int64(errors)) + " failed"
	}
	return words
}

func momentShort(at time.Time) string {
	if time.Since(at) > 20*time.Hour {
		return at.Local().Format("2 Jan 15:04")
	}
	return at.Local().Format("15:04:05")
}

// share is where on the plot an event is.
func share(ctx app.Context, e app.Event) float64 {
	box := ctx.JSSrc().Call("getBoundingClientRect")
	return min(max((e.Get("clientX").Float()-box.Get("left").Float())/max(box.Get("width").Float(), 1), 0), 1)
}

func (h *Histogram) press(ctx app.Context, e app.Event) {
	h.down = true
	h.start = share(ctx, e)
	h.end = h.start
	Call(ctx.JSSrc(), "setPointerCapture", e.Get("pointerId"))
}

func (h *Histogram) move(ctx app.Context, e app.Event) {
	if !h.down {
		ctx.PreventUpdate()
		return
	}
	h.end = share(ctx, e)
}

func (h *Histogram) cancel(app.Context, app.Event) { h.down = false }

// smallestBrush is what isn't just a press, as a share of the whole.
const smallestBrush = 0.01

func (h *Histogram) release(ctx app.Context, e app.Event) {
	h.move(ctx, e)
	was := h.down
	h.down = false
	from, to := min(h.start, h.end), max(h.start, h.end)
	if was && to-from >= smallestBrush {
		h.OnBrush(h.at(from), h.at(to))
	}
}

// at is the moment at a share of the whole.
func (h *Histogram) at(share float64) time.Time {
	return h.From.Add(time.Duration(share * float64(h.To.Sub(h.From))))
}
