package admin

import (
	"slices"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
)

// extra is a column that is shown when it is chosen, and the field of the interface
// that it shows.
type extra struct {
	ui.Column
	field string
	cell  func(*rest.Session) string // ui.Missing: there is none
}

// figure writes one figure of a direction.
func figure(d quality.Direction, of func(*rest.Metrics) *float64, write func(float64) string) func(*rest.Session) string {
	return func(r *rest.Session) string {
		m := r.Metrics[d]
		if v := of(&m); v != nil {
			return write(*v)
		}
		return ui.Missing
	}
}

// pathWords says how a caller's packets go.
func pathWords(p *rest.MediaPath) string {
	switch p.Kind() {
	case rest.PathRelay:
		return "relay, " + strings.ToUpper(p.Relay)
	case rest.PathDirect:
		return "direct, " + strings.ToUpper(p.Protocol)
	}
	return ui.Missing
}

func orMissing(text string) string {
	if text == "" {
		return ui.Missing
	}
	return text
}

// extras are all columns beside the usual ones.
func extras() []extra {
	gone := func(key, title string, number bool) ui.Column {
		return ui.Column{Key: key, Title: title, Number: number, Card: ui.PlaceGone}
	}
	jitter := func(m *rest.Metrics) *float64 { return m.JitterMS }
	delay := func(m *rest.Metrics) *float64 { return m.DelayMS }
	return []extra{
		{gone("agent", "Agent", false), "agent", func(r *rest.Session) string { return orMissing(r.Agent) }},
		{gone("node", "Node", false), "node", func(r *rest.Session) string { return orMissing(r.Node) }},
		{gone("delay_up", "Delay ↑", true), "metrics.to_agent.delay_ms", figure(quality.ToAgent, delay, ui.Millis)},
		{gone("delay_down", "Delay ↓", true), "metrics.to_caller.delay_ms", figure(quality.ToCaller, delay, ui.Millis)},
		{gone("jitter_up", "Jitter ↑", true), "metrics.to_agent.jitter_ms", figure(quality.ToAgent, jitter, ui.Millis)},
		{gone("jitter_down", "Jitter ↓", true), "metrics.to_caller.jitter_ms", figure(quality.ToCaller, jitter, ui.Millis)},
		{gone("buffer", "Buffer", true), "metrics.to_caller.buffer_ms", figure(quality.ToCaller, func(m *rest.Metrics) *float64 { return m.BufferMS }, ui.Millis)},
		{gone("concealed", "Concealed", true), "metrics.to_caller.concealed_ratio", figure(quality.ToCaller, func(m *rest.Metrics) *float64 { return m.ConcealedRatio }, ui.Ratio)},
		{gone("bitrate", "Bitrate ↑", true), "metrics.to_agent.bitrate_bps", figure(quality.ToAgent, func(m *rest.Metrics) *float64 { return m.BitrateBPS }, ui.Bitrate)},
		{gone("path", "Path", false), "path.relay", func(r *rest.Session) string { return pathWords(r.Path) }},
		{gone("remote", "Address", false), "remote", func(r *rest.Session) string { return orMissing(r.Remote) }},
		{gone("started", "Started", true), "started_at", func(r *rest.Session) string { return ui.Clock(r.StartedAt) }},
	}
}

// chosenExtras are those that are shown, in their order.
func (f filter) chosenExtras() (chosen []extra) {
	if f.columns == "" {
		return nil
	}
	named := strings.Split(f.columns, ",")
	for _, e := range extras() {
		if slices.Contains(named, e.Key) {
			chosen = append(chosen, e)
		}
	}
	return chosen
}

// allColumns are the usual ones and those that were chosen, before the actions.
func (f filter) allColumns() []ui.Column {
	all := columns()
	for _, e := range f.chosenExtras() {
		all = slices.Insert(all, len(all)-1, e.Column)
	}
	return all
}

// toggleColumn shows a column, or hides it again.
func (f filter) toggleColumn(key string) filter {
	var keys []string
	for _, e := range extras() {
		if shown := slices.Contains(strings.Split(f.columns, ","), e.Key); shown != (e.Key == key) {
			keys = append(keys, e.Key)
		}
	}
	f.columns = strings.Join(keys, ",")
	return f
}

// columnChooser offers more columns.
func (s *Sessions) columnChooser() app.UI {
	chosen := strings.Split(s.filter.columns, ",")
	items := []app.UI{}
	for _, e := range extras() {
		key := e.Key
		items = append(items, chip(e.Title, -1, slices.Contains(chosen, key)).OnClick(func(app.Context, app.Event) {
			s.refilter(s.filter.toggleColumn(key))
		}, app.EventScope("column", key)))
	}
	return app.Details().Class("column-chooser").Body(
		app.Summary().Class("button", "button-plain").Body(ui.Icon(ui.IconList), app.Span().Class("button-label").Text("Columns")),
		app.Div().Class("chips").Role("group").Aria("label", "More columns").Body(items...))
}
