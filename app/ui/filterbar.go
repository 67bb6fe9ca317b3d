package ui

import (
	"slices"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// FilterTextID is the id of a page's text filter: the key / goes there.
const FilterTextID = "filter-text"

// FilterKind is how a filter is chosen.
type FilterKind string

// The kinds of filter.
const (
	FilterText   FilterKind = "text"   // free text
	FilterSelect FilterKind = "select" // one of Options; the first stands for any
	FilterChips  FilterKind = "chips"  // one of Options, or none
	FilterMany   FilterKind = "many"   // some of Options, kept with commas between
)

// Filter describes one filter. Filter bars are slices of these.
type Filter struct {
	Key     string // of the parameter in the address
	Label   string
	Kind    FilterKind
	Options []Option
	Max     int // characters of a text; 0: no bound
}

// FilterValues are the filters' values: "" for one that is not set. Set takes
// key, value, key, value.
type FilterValues interface {
	Get(key string) string
	Set(pairs ...string)
}

// FilterBar draws a page's filters. The first text filter is the one of the key
// /. On a phone the filters but that one are folded behind a button.
type FilterBar struct {
	app.Compo

	Label  string // "Filter access logs"
	Fields []Filter
	Values FilterValues
	Time   *TimeRange // nil for none
	Beside []app.UI   // at the bar's end: live, export, copy

	open bool
}

// OnUpdate has the fields show what is set: what was typed or chosen stays in a
// field whatever its attributes say by then.
func (b *FilterBar) OnUpdate(app.Context) {
	for _, f := range b.Fields {
		switch value := b.Values.Get(f.Key); f.Kind {
		case FilterText:
			showValue(b.id(f), value)
		case FilterSelect:
			showChoice(b.id(f), slices.IndexFunc(f.Options, func(o Option) bool { return o.Value == value }))
		}
	}
	if b.Time != nil {
		showValue(timeRangeID, b.Time.chosen())
		showValue("time-"+KeyFrom, localMoment(b.Values.Get(KeyFrom)))
		showValue("time-"+KeyTo, localMoment(b.Values.Get(KeyTo)))
	}
}

func (b *FilterBar) id(f Filter) string {
	if f.Kind == FilterText && f.Key == b.Fields[0].Key {
		return FilterTextID
	}
	return "filter-" + f.Key
}

// showValue puts a value into a field, unless it is the one that was just typed.
func showValue(id, value string) {
	if app.IsServer {
		return
	}
	field := app.Window().GetElementByID(id)
	if !field.Truthy() || Chosen(field) == value {
		return
	}
	if value == "" && field.Get("options").Truthy() {
		value = noValue
	}
	field.Set("value", value)
}

// showChoice chooses the option of that index. It goes by that because go-app
// writes no empty value, so that the first option's is its label.
func showChoice(id string, i int) {
	if field := app.Window().GetElementByID(id); app.IsClient && field.Truthy() && field.Get("selectedIndex").Int() != i {
		field.Set("selectedIndex", i)
	}
}

// Render draws the bar.
func (b *FilterBar) Render() app.UI {
	first, others, set := []app.UI{}, []app.UI{}, 0
	for i, f := range b.Fields {
		if i == 0 && f.Kind == FilterText {
			first = append(first, b.search(f))
			continue
		}
		if b.Values.Get(f.Key) != "" {
			set++
		}
		others = append(others, b.field(f)...)
	}
	if b.Time != nil {
		others = append(others, b.Time.UI())
	}
	fold, more := Fold(&b.open, set, others...)
	return app.Div().Class("filter-bar").Role("search").Aria("label", b.Label).Body(
		append(first, fold, app.Div().Class("filter-beside").Body(b.Beside...), more)...)
}

// Fold is a button that a narrow page has in the place of filters, with how many of them
// are set, and those filters.
func Fold(isOpen *bool, set int, filters ...app.UI) (button app.HTMLButton, more app.HTMLDiv) {
	class, label := "filter-more", "Filters"
	if *isOpen {
		class = "filter-more is-open"
	}
	if set > 0 {
		label += " · " + strconv.Itoa(set)
	}
	button = Button(Plain, IconFilter, label).Class("filter-fold").Aria("expanded", strconv.FormatBool(*isOpen)).
		OnClick(func(app.Context, app.Event) { *isOpen = !*isOpen })
	return button, app.Div().Class(class).Body(filters...)
}

// search is the text filter with a glass.
func (b *FilterBar) search(f Filter) app.UI {
	return app.Div().Class("filter-field").Body(Icon(IconSearch), b.text(f).Class("filter-text").Aria("keyshortcuts", "/"))
}

func (b *FilterBar) text(f Filter) app.HTMLInput {
	input := app.Input().Class("input", "filter-input").ID(b.id(f)).Type("search").Placeholder(f.Label).Aria("label", f.Label).
		AutoComplete(false).Spellcheck(false).Value(b.Values.Get(f.Key)).
		OnInput(b.change(f.Key), app.EventScope("filter", f.Key))
	if f.Max > 0 {
		input = input.MaxLength(f.Max)
	}
	return input
}

func (b *FilterBar) field(f Filter) []app.UI {
	value := b.Values.Get(f.Key)
	switch f.Kind {
	case FilterSelect:
		field := Select(b.id(f), value, f.Options).Class("filter-select").Aria("label", f.Label).
			OnChange(b.choose(f), app.EventScope("filter", f.Key))
		if value != "" {
			field = field.Class("is-set")
		}
		return []app.UI{field}
	case FilterChips, FilterMany:
		chips := make([]app.UI, len(f.Options))
		for i, o := range f.Options {
			chips[i] = b.chip(f, o, value)
		}
		return []app.UI{app.Div().Class("chips").Role("group").Aria("label", f.Label).Body(chips...)}
	}
	return []app.UI{b.text(f)}
}

func (b *FilterBar) chip(f Filter, o Option, value string) app.UI {
	chosen := fields(value)
	on := slices.Contains(chosen, o.Value)
	return app.Button().Type("button").Class("chip").Attr("aria-pressed", strconv.FormatBool(on)).Text(o.Label).
		OnClick(func(app.Context, app.Event) { b.Values.Set(f.Key, pressed(f.Kind, chosen, o.Value)) },
			app.EventScope("chip", f.Key, o.Value, value))
}

// pressed is a filter's value after one of its chips was pressed.
func pressed(kind FilterKind, chosen []string, value string) string {
	i := slices.Index(chosen, value)
	switch {
	case i >= 0:
		return strings.Join(slices.Delete(slices.Clone(chosen), i, i+1), ",")
	case kind == FilterMany:
		return strings.Join(append(slices.Clone(chosen), value), ",")
	}
	return value
}

func (b *FilterBar) change(key string) app.EventHandler {
	return func(ctx app.Context, _ app.Event) {
		b.Values.Set(key, Chosen(ctx.JSSrc()))
	}
}

func (b *FilterBar) choose(f Filter) app.EventHandler {
	return func(ctx app.Context, _ app.Event) {
		if i := ctx.JSSrc().Get("selectedIndex").Int(); i >= 0 && i < len(f.Options) {
			b.Values.Set(f.Key, f.Options[i].Value)
		}
	}
}

// fields are the values of a filter that takes several.
func fields(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ',' })
}
