package ui

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Wait is what a time to first word was made of, in milliseconds and in the order in which
// it passed.
type Wait struct{ SilenceMS, NetworkMS, ToolsMS, ModelMS float64 }

// waitNames name the parts.
var waitNames = [...]string{"Silence", "Network", "Tools", "Model"}

func (w Wait) parts() [len(waitNames)]float64 {
	return [...]float64{w.SilenceMS, w.NetworkMS, w.ToolsMS, w.ModelMS}
}

// WaitLegend names the parts of the bars.
func WaitLegend() app.UI {
	items := []app.UI{}
	for i, name := range waitNames {
		items = append(items, app.Span().Body(
			SVG("svg").Class("wait-swatch").Attr("viewBox", "0 0 10 10").Aria("hidden", true).Body(
				Path("wait-part p"+strconv.Itoa(i+1), "M0 0h10v10h-10z")),
			app.Span().Text(name)))
	}
	return app.P().Class("wait-legend").Body(items...)
}

// Bar draws a wait as long as it was beside the longest of all.
func (w Wait) Bar(longest float64) app.UI {
	const width = 1000
	x, text := 0, ""
	out := []app.UI{}
	for i, ms := range w.parts() {
		part := int(ms / max(longest, 1) * width)
		if part <= 0 {
			continue
		}
		out = append(out, Path("wait-part p"+strconv.Itoa(i+1), "M"+strconv.Itoa(x)+" 0h"+strconv.Itoa(part)+"v10h-"+strconv.Itoa(part)+"z"))
		x += part
		if text != "" {
			text += ", "
		}
		text += waitNames[i] + " " + Millis(ms)
	}
	return SVG("svg").Class("wait-bar").Attr("viewBox", "0 0 1000 10").Attr("preserveAspectRatio", "none").
		Role("img").Aria("label", text).Body(append(out, SVG("title").Text(text))...)
}
