package ui

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Place says where a cell stands when a narrow page turns rows into cards.
type Place string

// The places of a card. The zero value is PlaceMore.
const (
	PlaceLead Place = "lead" // first line, left
	PlaceSide Place = "side" // first line, right
	PlaceMore Place = "more" // second line, with its column's title
	PlaceGone Place = "gone" // not on a card
)

// Column is one column of a Table.
type Column struct {
	Key    string
	Title  string
	Number bool // right-aligned
	Sorts  bool // the header is a button
	Card   Place
	Hidden bool // the title is for screen readers only, as with actions
}

// Row is one row; Cells go with the columns. Every cell is one element.
type Row struct {
	ID    string
	Cells []app.UI
	Gone  bool // greyed: what it shows is over
	Mark  bool // drawn apart, as with a selected row
	Live  bool // its id is a live value: see LiveRows
	// Open tells that Detail is shown below the row; without Detail and with
	// Table.OnOpen it can be opened.
	Open   bool
	Detail app.UI
	Name   string // what the button that opens it is about: "GET /healthz, 14:02:11"
	Day    string // said above it, where another day begins
	// Line stands for the whole row instead of the rest: a component that renders
	// another Row by UI. In a table that changes each second, only the rows are
	// drawn again that go-app finds changed.
	Line app.UI
}

// Table shows rows that can be sorted, and cards where the page is narrow.
// Rows hold no state of their own: go-app matches them by their place.
type Table struct {
	Label   string // the table's name for screen readers
	Columns []Column
	Rows    []Row
	Sort    string // key of the sorted column
	Down    bool   // sorted from high to low
	OnSort  func(ctx app.Context, key string)
	// OnHold tells that pointer or focus has come in (true) or gone (false), so
	// that the page can keep the order of rows still meanwhile.
	OnHold func(ctx app.Context, held bool)
	// OnOpen opens a row, or closes it. With it, the first cell of each row has the
	// button for that; keys go from one to the next by MoveRow.
	OnOpen func(ctx app.Context, id string)
}

// UI draws the table.
func (t Table) UI() app.UI {
	heads := make([]app.UI, len(t.Columns))
	for i, c := range t.Columns {
		heads[i] = t.head(c)
	}
	rows := make([]app.UI, 0, len(t.Rows))
	for _, r := range t.Rows {
		rows = append(rows, t.row(r)...)
	}
	box := app.Div().Class("table-box").Role("region").Aria("label", t.Label).TabIndex(0).
		Body(app.Table().Class("table").Body(
			app.THead().Body(app.Tr().Body(heads...)),
			app.TBody().Body(rows...),
		))
	if t.OnHold == nil {
		return box
	}
	hold := func(held bool) app.EventHandler {
		return func(ctx app.Context, e app.Event) { t.OnHold(ctx, held) }
	}
	return box.
		OnMouseEnter(hold(true), app.EventScope("hold", true)).
		OnMouseLeave(hold(false), app.EventScope("hold", false)).
		On("focusin", hold(true), app.EventScope("hold", true)).
		On("focusout", hold(false), app.EventScope("hold", false))
}

// row is the row, and below it what it is opened for.
func (t Table) row(r Row) []app.UI {
	if r.Line != nil {
		return []app.UI{r.Line}
	}
	if t.OnOpen != nil && len(r.Cells) > 0 {
		r.Cells = append([]app.UI{t.opener(r)}, r.Cells[1:]...)
	}
	line := []app.UI{r.UI(t.Columns)}
	if r.Day != "" {
		line = []app.UI{app.Tr().Class("row-day").Body(app.Td().ColSpan(len(t.Columns)).Text(r.Day)), line[0]}
	}
	if r.Open && r.Detail != nil {
		line = append(line, app.Tr().Class("row-detail").Body(app.Td().ColSpan(len(t.Columns)).Body(r.Detail)))
	}
	return line
}

// opener is the first cell with the button that opens the row.
func (t Table) opener(r Row) app.UI {
	return app.Button().Type("button").Class("row-open").Aria("expanded", strconv.FormatBool(r.Open)).
		OnClick(func(ctx app.Context, _ app.Event) { t.OnOpen(ctx, r.ID) }, app.EventScope("open", r.ID)).
		Body(r.Cells[0], Icon(IconChevron), app.Span().Class("sr-only").Text("Details of "+r.Name))
}

func (t Table) head(c Column) app.UI {
	th := app.Th().Scope("col").Class(c.classes())
	if c.Hidden {
		return th.Body(app.Span().Class("sr-only").Text(c.Title))
	}
	if !c.Sorts || t.OnSort == nil {
		return th.Text(c.Title)
	}
	class := "sort"
	if c.Key == t.Sort {
		direction := "ascending"
		class = "sort sort-up"
		if t.Down {
			direction, class = "descending", "sort sort-down"
		}
		th = th.Aria("sort", direction)
	}
	return th.Body(app.Button().Type("button").Class(class).
		OnClick(func(ctx app.Context, e app.Event) { t.OnSort(ctx, c.Key) }, app.EventScope("sort", c.Key)).
		Body(app.Span().Text(c.Title), Icon(IconChevron)))
}

// Blank is a cell that has nothing to say. On a card it is left out, its title, too.
// (CSS finds empty elements by itself; then a browser that has :has looks through all
// that is around a text, each time it changes.)
func Blank() app.HTMLSpan { return app.Span().Class("is-blank") }

// UI draws the row under the columns of its table.
func (r Row) UI(columns []Column) app.UI {
	cells := make([]app.UI, 0, len(columns))
	for i, c := range columns {
		if i >= len(r.Cells) {
			break
		}
		if i == 0 {
			cells = append(cells, app.Th().Scope("row").Class(c.classes()).Body(r.Cells[i]))
			continue
		}
		td := app.Td().Class(c.classes())
		if c.Card == PlaceMore || c.Card == "" {
			td = td.DataSet("label", c.Title)
		}
		cells = append(cells, td.Body(r.Cells[i]))
	}
	tr := app.Tr().DataSet("id", r.ID)
	if r.Live {
		tr = tr.DataSet("live", "data-id")
	}
	if r.Gone {
		tr = tr.Class("row-gone")
	}
	if r.Mark {
		tr = tr.Class("row-mark")
	}
	return tr.Body(cells...)
}

func (c Column) classes() string {
	class := "at-more"
	if c.Card != "" {
		class = "at-" + string(c.Card)
	}
	if c.Number {
		class += " is-num"
	}
	return class
}
