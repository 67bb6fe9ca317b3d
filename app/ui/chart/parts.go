package chart

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
)

// seriesClass is the colour and the dashes of the nth line.
func seriesClass(n int) string { return "s" + strconv.Itoa(n%MaxSeries+1) }

// percent writes a share as a coordinate of an element that has no viewBox, so
// that text in it keeps its shape however wide it is.
func percent(share float64) string { return strconv.FormatFloat(share*100, 'f', 2, 64) + "%" }

// plotUI is where time runs from left to right.
func plotUI(layers ...app.UI) app.UI {
	return ui.SVG("svg").Class("chart-plot").
		Attr("viewBox", "0 0 "+strconv.Itoa(plotWidth)+" "+strconv.Itoa(plotHeight)).
		Attr("preserveAspectRatio", "none").
		Aria("hidden", true).Attr("focusable", "false").
		Body(layers...)
}

// cursorUI is what pointer and keys move: go-app draws it once and never again.
func cursorUI() []app.UI {
	return []app.UI{
		ui.SVG("rect").Class("chart-brush").Attr("y", 0).Attr("height", plotHeight),
		ui.SVG("g").Class("chart-cursor").Body(
			ui.Path("chart-hair", "M0 0V"+strconv.Itoa(plotHeight)),
			ui.SVG("path").Class("chart-dots"),
		),
	}
}

// showDots draws the marks under the cursor.
func (f *figure) showDots(d string) {
	if dots := f.part("chart-dots"); dots.Truthy() {
		dots.Call("setAttribute", "d", d)
	}
}

// axisUI is the vertical axis; its uppermost tick has the unit.
func axisUI(a axis, unit string) app.UI {
	ticks := a.ticks()
	out := make([]app.UI, len(ticks))
	for i, v := range ticks {
		text := a.label(v)
		if i == len(ticks)-1 && unit != "" {
			text += "\u202f" + unit
		}
		out[i] = ui.SVG("text").Class("chart-tick").Attr("x", "100%").Attr("text-anchor", "end").
			Attr("y", percent(a.share(v))).Attr("dy", "0.35em").Text(text)
	}
	return ui.SVG("svg").Class("chart-axis").Aria("hidden", true).Body(out...)
}

// timeTickWidth is how much room a tick of the time axis needs, in pixels.
const timeTickWidth = 64

// timeAxis is the time below a plot that is so many pixels wide.
func timeAxis(over Span, width int) app.UI {
	out := []app.UI{}
	if !over.IsEmpty() {
		at, step := timeTicks(over, min(max(width/timeTickWidth, 2), maxTicks), zoneOffset(over.From))
		for _, t := range at {
			share := over.Share(t)
			anchor := "middle"
			switch {
			case share < 0.05:
				anchor = "start"
			case share > 0.95:
				anchor = "end"
			}
			out = append(out, ui.SVG("text").Class("chart-tick").Attr("text-anchor", anchor).
				Attr("x", percent(share)).Attr("y", "1em").Text(timeLabel(t, step)))
		}
	}
	return ui.SVG("svg").Class("chart-times").Aria("hidden", true).Body(out...)
}

// eventHeight is how far an event's tick reaches into the plot.
const eventHeight = 85

func eventPath(p *path, events []Event, over Span, grave bool) string {
	p.reset()
	for _, e := range events {
		if e.Grave == grave && over.Contains(e.At) {
			p.to('M', xOf(over, e.At), 0)
			p.by('v', eventHeight)
		}
	}
	return p.String()
}

// eventReach is how near to an event, as a share of what is shown, the cursor
// tells of it.
const eventReach = 0.01

// eventNear finds the event nearest to a moment.
func eventNear(events []Event, at int64, over Span) (Event, bool) {
	best, found := Event{}, false
	reach := max(int64(eventReach*float64(over.Len())), 1000)
	for _, e := range events {
		if d := distance(e.At, at); d <= reach {
			best, found, reach = e, true, d
		}
	}
	return best, found
}

func distance(a, b int64) int64 { return max(a-b, b-a) }
