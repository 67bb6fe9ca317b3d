package chart

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
)

// maxTableRows bounds the table that stands for a chart.
const maxTableRows = 60

// row is one stretch of time in the table.
type row struct {
	at    int64
	cells []string // one a series
}

// rows gather the visible samples into at most maxTableRows stretches of a round
// length, each with its average and, where they differ, lowest and highest.
func rows(all []Series, over Span, write func(float64) string) []row {
	if over.IsEmpty() {
		return nil
	}
	length := timeStep(over, maxTableRows-1)
	first := over.From / length * length
	var out []row
	for at := first; at < over.To; at += length {
		r := row{at: max(at, over.From), cells: make([]string, len(all))}
		measured := false
		for i, s := range all {
			mean, low, high, n := s.mean(Span{max(at, over.From), min(at+length, over.To+1)})
			r.cells[i] = ui.Missing
			if n > 0 {
				measured = true
				r.cells[i] = write(mean)
				if written, top := write(low), write(high); n > 1 && written != top {
					r.cells[i] += " (" + written + " – " + top + ")"
				}
			}
		}
		if measured {
			out = append(out, r)
		}
	}
	return out
}

// mean is what the samples of from ≤ at < to amount to.
func (s Series) mean(over Span) (mean, low, high float64, n int) {
	first, last := s.visible(over)
	sum := 0.0
	for i := first; i < last; i++ {
		v := s.Values[i]
		if isGap(v) || s.At[i] < over.From || s.At[i] >= over.To {
			continue
		}
		if n == 0 || v < low {
			low = v
		}
		if n == 0 || v > high {
			high = v
		}
		sum += v
		n++
	}
	if n > 0 {
		mean = sum / float64(n)
	}
	return mean, low, high, n
}

// tableUI is the chart in figures.
func (c *TimeChart) tableUI() app.UI {
	heads := []app.UI{app.Th().Scope("col").Text("Time")}
	for _, s := range c.Series {
		heads = append(heads, app.Th().Scope("col").Class("is-num").Text(s.Name))
	}
	lines := []app.UI{}
	for _, r := range rows(c.Series, c.shown(), c.Write) {
		cells := []app.UI{app.Th().Scope("row").Body(ui.ClockTime(time.UnixMilli(r.at)))}
		for _, text := range r.cells {
			cells = append(cells, app.Td().Class("is-num num").Text(text))
		}
		lines = append(lines, app.Tr().Body(cells...))
	}
	return app.Div().Class("chart-table").Role("region").Aria("label", c.Title+" as a table").TabIndex(0).Body(
		app.Table().Body(
			app.THead().Body(app.Tr().Body(heads...)),
			app.TBody().Body(lines...),
		))
}
