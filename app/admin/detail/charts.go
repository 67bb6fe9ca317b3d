package detail

import (
	"math"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/app/ui/chart"
	"parley/shared/quality"
	"parley/shared/rest"
)

// figure is one thing that is measured each second.
type figure struct {
	key, title, unit string
	pick             func(*rest.Metrics) *float64
	spread           func(*rest.Summary) *rest.Range // nil: nobody sums it up
	scale            float64                         // from the interface's unit to the axis'
	low, high        float64                         // that the axis always has
	edges            []float64
	write            func(float64) string
}

// figures are all there are; those of the quality tab come first.
func figures() []figure {
	return []figure{
		{"mos", "Estimated MOS", "", func(m *rest.Metrics) *float64 { return m.MOS }, func(s *rest.Summary) *rest.Range { return s.MOS }, 1, 1, 4.5, []float64{5, 4.02, 3.60, 3.10, 1}, ui.MOS},
		{"loss_ratio", "Loss", "%", func(m *rest.Metrics) *float64 { return m.LossRatio }, func(s *rest.Summary) *rest.Range { return s.LossRatio }, 100, 0, 5, []float64{0, 1, 3, 5, 100}, ui.Percent},
		{"jitter_ms", "Jitter", "ms", func(m *rest.Metrics) *float64 { return m.JitterMS }, func(s *rest.Summary) *rest.Range { return s.JitterMS }, 1, 0, 20, []float64{0, 10, 20, 30, 1e6}, ui.Millis},
		{"delay_ms", "Delay, mouth to ear", "ms", func(m *rest.Metrics) *float64 { return m.DelayMS }, func(s *rest.Summary) *rest.Range { return s.DelayMS }, 1, 0, 200, []float64{0, 150, 250, 400, 1e6}, ui.Millis},
		{"buffer_ms", "Buffer", "ms", func(m *rest.Metrics) *float64 { return m.BufferMS }, func(s *rest.Summary) *rest.Range { return s.BufferMS }, 1, 0, 100, []float64{0, 60, 120, 200, 1e6}, ui.Millis},
		{"concealed_ratio", "Concealed", "%", func(m *rest.Metrics) *float64 { return m.ConcealedRatio }, nil, 100, 0, 5, []float64{0, 1, 3, 7, 100}, ui.Percent},
		{"rtt_ms", "Round trip", "ms", func(m *rest.Metrics) *float64 { return m.RTTMS }, func(s *rest.Summary) *rest.Range { return s.RTTMS }, 1, 0, 100, nil, ui.Millis},
		{"bitrate_bps", "Bitrate", "kbit/s", func(m *rest.Metrics) *float64 { return m.BitrateBPS }, nil, 1e-3, 0, 40, nil,
			func(v float64) string { return ui.Bitrate(v * 1000) }},
		{"r", "Rating R", "", func(m *rest.Metrics) *float64 { return m.R }, func(s *rest.Summary) *rest.Range { return s.R }, 1, 0, 100, []float64{100, 80, 70, 60, 0}, func(v float64) string { return ui.Count(int64(math.Round(v))) }},
	}
}

// shownFirst is how many figures the quality tab draws.
const shownFirst = 6

// value is the figure in its own unit, NaN where it was not measured.
func (f figure) value(m *rest.Metrics) float64 {
	if v := f.pick(m); v != nil {
		return *v * f.scale
	}
	return math.NaN()
}

// bands are the levels behind the lines, of which the good ones need no colour.
func (f figure) bands() []chart.Band {
	if f.edges == nil {
		return nil
	}
	var out []chart.Band
	for i, level := range []quality.Level{quality.Excellent, quality.Good, quality.Fair, quality.Poor} {
		out = append(out, chart.Band{From: min(f.edges[i], f.edges[i+1]), To: max(f.edges[i], f.edges[i+1]), Level: level})
	}
	return out
}

// series are the lines of one figure; a line that has nothing of it is left out.
func (f figure) series(lines []line) []chart.Series {
	var out []chart.Series
	for _, l := range lines {
		s := chart.Series{Name: l.name, At: l.at, Values: make([]float64, len(l.points))}
		measured := false
		for i := range l.points {
			s.Values[i] = math.NaN()
			if !l.points[i].Gap {
				s.Values[i] = f.value(&l.points[i].Metrics)
			}
			measured = measured || !math.IsNaN(s.Values[i])
		}
		if measured {
			out = append(out, s)
		}
	}
	return out
}

// chart draws a figure.
func (f figure) chart(p *Page, series []chart.Series, marks []chart.Event) app.UI {
	return &chart.TimeChart{
		ID: "chart-" + f.key, Title: f.title, Unit: f.unit, Series: series, Bands: f.bands(), Events: marks,
		Low: f.low, High: f.high, Write: f.write, Time: &p.line,
	}
}

// qualityTab has the verdict and the charts.
func (p *Page) qualityTab() app.UI {
	lines, marks := p.shown.lines(), p.shown.marks()
	charts := []app.UI{}
	for _, f := range figures()[:shownFirst] {
		if s := f.series(lines); len(s) > 0 {
			charts = append(charts, app.Div().Class("panel").Body(f.chart(p, s, marks)))
		}
	}
	if len(charts) == 0 {
		return ui.EmptyState{Icon: ui.IconActivity, Title: "Nothing was measured.",
			Text: "Figures come with the first seconds of sound."}.UI()
	}
	return app.Div().Class("detail-quality").Body(
		app.Div().Class("detail-legend").Body(
			app.Span().Text("↑ towards the agent, ↓ towards the caller. Caller: between caller and server. Agent: between server and agent."),
			p.line.Tools(p.shown.isLive())),
		app.Div().Class("detail-charts").Body(charts...),
	)
}
