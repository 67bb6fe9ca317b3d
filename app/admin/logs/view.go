package logs

import (
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
)

// Render draws the page.
func (l *Log) Render() app.UI {
	return l.list.UI(load.Page{Title: l.kind.title, Class: l.kind.class, Beside: []app.UI{l.pill()}, View: load.View{
		Skeleton: ui.Skeleton(ui.SkeletonRows, 12), Count: len(l.lines), Empty: l.kind.empty, Items: l.kind.rows,
		Filters: &l.filters, Above: l.above(), Content: l.content,
	}})
}

// above is what stands over the lines whatever becomes of them.
func (l *Log) above() app.UI {
	return app.Div().Class("log-above").Body(
		app.P().Class("log-notes").Body(l.notes()...),
		load.Slot("log-chain", l.chainState()),
		&ui.FilterBar{Label: "Filter " + l.kind.what, Fields: l.fields(), Values: &l.filters,
			Time:   &ui.TimeRange{Values: &l.filters, Usual: usualSpan},
			Beside: l.tools()},
	)
}

// nodeFilter is of one server of a cluster. Most servers are alone: it is shown where it is set.
func nodeFilter() ui.Filter {
	return ui.Filter{Key: keyNode, Label: "Node", Kind: ui.FilterText, Max: 253}
}

// fields are the filters that are shown.
func (l *Log) fields() []ui.Filter {
	if last := len(l.kind.filters) - 1; l.filters.Get(keyNode) == "" {
		return l.kind.filters[:last]
	}
	return l.kind.filters
}

// notes say how long lines are kept, and what is masked in them.
func (l *Log) notes() []app.UI {
	var notes []app.UI
	if days, ok := l.settings.Settings[l.kind.kept].Value.(float64); ok {
		now := time.Now()
		notes = append(notes, app.Span().Text("Kept "+strconv.Itoa(int(days))+" days, since "+ui.Day(now.AddDate(0, 0, -int(days)), now)+". "))
	}
	if l.settings.Settings[rest.SettingPrivacy].Value == true {
		notes = append(notes, app.Span().Text("IP addresses and e-mail are masked before they're written. They can't be revealed here."))
	}
	return notes
}

// tools are the bar's end: the file and the command of this very view.
func (l *Log) tools() []app.UI {
	return append(ui.Export(l.exportPath), &ui.CopyButton{Label: "Copy curl", Said: "Command copied.", Text: l.curl})
}

// exportPath is where the whole of what is filtered comes as a file.
func (l *Log) exportPath(format string) string {
	q := url.Values{"format": {format}}
	for key := range l.asked {
		if key != keyLimit {
			q.Set(key, l.asked.Get(key))
		}
	}
	return rest.PathExport[:len(rest.PathExport)-len("{what}")] + l.kind.export + "?" + q.Encode()
}

// curl is the command that asks for what is shown.
func (l *Log) curl() string {
	return ui.Curl(app.Window().URL().Scheme+"://"+app.Window().URL().Host, l.kind.path+"?"+l.asked.Encode())
}

// content is the lines, and over them when they were.
func (l *Log) content() app.UI {
	rows := make([]ui.Row, len(l.lines))
	day := time.Now().Local().Format(dayLayout) // which goes without saying
	for i, one := range l.lines {
		rows[i] = ui.Row{ID: one.id, Name: one.name, Cells: one.cells(), Open: l.opened[one.id]}
		if of := one.at.Local().Format(dayLayout); of != day {
			rows[i].Day, day = of, of
		}
		if rows[i].Open {
			rows[i].Detail = l.detail(one)
		}
	}
	return app.Div().Class("log-lines").Body(
		l.histogram(),
		load.Slot("log-newer", l.newer()),
		ui.Table{Label: l.kind.title, Columns: l.kind.columns, Rows: rows, OnOpen: l.open}.UI(),
		ui.TableFoot{Name: l.kind.rows, Shown: len(l.lines), More: l.next != "", Busy: l.loading, Size: l.size(),
			OnMore: l.more, OnSize: func(size string) { l.filters.Set(keyLimit, size) }}.UI(),
	)
}

// histogram tells when the lines were: all of the time that is asked for. Until they
// are counted it is of those that are loaded.
func (l *Log) histogram() app.UI {
	from, to, found := l.counts.From, l.counts.To, []ui.HistogramBar{}
	for _, b := range l.counts.Bars {
		found = append(found, ui.HistogramBar{All: int(b.All), Errors: int(b.Errors)})
	}
	if len(found) == 0 {
		from, to = l.loadedSpan()
		found = bars(l.lines, from, to)
	}
	return &ui.Histogram{Name: l.kind.rows, From: from, To: to, Bars: found,
		OnBrush: func(from, to time.Time) {
			l.filters.Set(ui.KeySince, "", ui.KeyFrom, from.UTC().Format(time.RFC3339), ui.KeyTo, to.UTC().Format(time.RFC3339))
		}}
}

// loadedSpan is the time that is asked for, or where not all of its lines are loaded,
// that of those that are.
func (l *Log) loadedSpan() (from, to time.Time) {
	from, _ = time.Parse(timeLayout, l.asked.Get(ui.KeyFrom))
	to, _ = time.Parse(timeLayout, l.asked.Get(ui.KeyTo))
	if oldest := l.lines[len(l.lines)-1].at; l.next != "" || from.IsZero() {
		from = oldest
	}
	if newest := l.lines[0].at; to.Before(newest) {
		to = newest
	}
	return from, to
}

// bars counts lines in equal parts of the time.
func bars(lines []line, from, to time.Time) []ui.HistogramBar {
	found := make([]ui.HistogramBar, ui.HistogramBars)
	whole := max(to.Sub(from), 1)
	for _, one := range lines {
		i := int(int64(len(found)) * int64(one.at.Sub(from)/time.Millisecond) / max(int64(whole/time.Millisecond), 1))
		i = min(max(i, 0), len(found)-1)
		found[i].All++
		if one.isError {
			found[i].Errors++
		}
	}
	return found
}

// detail is what a line is opened for: its fields, what can be done with them,
// and the JSON.
func (l *Log) detail(one line) app.UI {
	rows := []app.UI{}
	for _, f := range ui.JSONFields(one.value) {
		if f.Value == "" || f.Value[0] == '{' {
			continue
		}
		rows = append(rows, app.Dt().Text(f.Name), app.Dd().Body(l.field(f)...))
	}
	body := []app.UI{app.Dl().Class("log-fields").Body(rows...)}
	if changes := changesOf(one.value); len(changes) > 0 {
		body = append(body, ui.Diff(changes))
	}
	acts := []app.UI{&ui.CopyButton{Label: "Copy link", Said: "Link copied.", Text: func() string {
		return app.Window().URL().Scheme + "://" + app.Window().URL().Host + l.kind.address + "?" + l.kind.link(one)
	}}}
	if one.session != "" {
		acts = append([]app.UI{load.Link("Open session", "/admin/sessions/"+url.PathEscape(one.session))}, acts...)
	}
	return app.Div().Class("log-detail").Body(
		app.Div().Class("log-detail-fields").Body(append(body, app.Div().Class("log-acts").Body(acts...))...),
		ui.JSONView{Value: one.value, Label: "line"}.UI())
}

// field is a field's value, with the button that filters on it.
func (l *Log) field(f ui.JSONField) []app.UI {
	value := []app.UI{app.Span().Class("log-value").Text(f.Value)}
	key, ok := l.kind.filterOn[f.Name]
	if !ok {
		return value
	}
	return append(value, ui.IconButton(ui.IconFilter, "Filter on "+f.Name+" "+f.Value).
		OnClick(func(app.Context, app.Event) { l.filters.Set(key, f.Value); ui.Focus(ui.FilterTextID) },
			app.EventScope("on", f.Name, f.Value)))
}

// changesOf finds old and new values among the details of a line.
func changesOf(value any) []ui.Change {
	e, ok := value.(rest.AuditEntry)
	if !ok {
		return nil
	}
	var changes []ui.Change
	for _, f := range ui.JSONFields(e.Details) {
		var change struct{ Old, New json.RawMessage }
		if json.Unmarshal([]byte(f.Value), &change) == nil && change.New != nil {
			changes = append(changes, ui.Change{Label: f.Name, Old: string(change.Old), New: string(change.New)})
		}
	}
	return changes
}

// chainState says whether the audit log's chain holds; nil where there is none.
func (l *Log) chainState() app.UI {
	if l.chain == nil {
		return nil
	}
	c := *l.chain
	verify := []app.UI{ui.Button(ui.Plain, ui.IconShield, "Verify").OnClick(func(app.Context, app.Event) { l.list.Reload() })}
	if !c.Intact {
		return ui.Banner{Tone: ui.ToneDanger, Text: "The audit chain is broken at entry " + ui.Count(c.BrokenAt) +
			". Lines after it can't be trusted.", Actions: verify}.UI()
	}
	text := "Chain intact to entry " + ui.Count(c.CheckedTo)
	if !c.CheckedAt.IsZero() {
		text += ", " + ui.Clock(c.CheckedAt)
	}
	return ui.Banner{Tone: ui.ToneGood, Text: text + ".", Actions: verify}.UI()
}
