package ui

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// PageSizes are how many rows may be asked for at once.
func PageSizes() []Option { return []Option{{"50", "50"}, {"100", "100"}, {"500", "500"}} }

// TableFoot stands below a table whose rows come page by page.
type TableFoot struct {
	Name   string // of the rows: "requests"
	Shown  int
	More   bool // there are more
	Busy   bool // they are on their way
	Size   int
	OnMore app.EventHandler
	OnSize func(size string)
}

// UI draws the foot.
func (f TableFoot) UI() app.UI {
	words := Count(int64(f.Shown)) + " " + f.Name + " shown."
	if !f.More {
		words = "All " + Count(int64(f.Shown)) + " " + f.Name + " shown."
	}
	body := []app.UI{app.Span().Class("table-count", "num").Text(words)}
	if f.More {
		body = append(body, Disabled(Button(Plain, "", "Load "+strconv.Itoa(f.Size)+" more").OnClick(f.OnMore), f.Busy))
	}
	size := Select("page-size", strconv.Itoa(f.Size), PageSizes()).OnChange(func(ctx app.Context, _ app.Event) {
		f.OnSize(ctx.JSSrc().Get("value").String())
	})
	return app.Div().Class("table-foot").Body(append(body,
		app.Label().Class("table-size").Body(app.Span().Text("Rows a page"), size))...)
}

// RowOpeners are what opens a row of a Table with OnOpen.
const RowOpeners = ".row-open"

// MoveRow moves the focus to the next row (step 1), or the one before (step -1); from
// outside of the table to the first, or the last. The selector names what has the focus in
// each row.
func MoveRow(selector string, step int) {
	if app.IsServer {
		return
	}
	document := app.Window().Get("document")
	rows := document.Call("querySelectorAll", selector)
	n, here := rows.Length(), -1
	row := document.Get("activeElement").Call("closest", "tr[data-id]")
	for i := range n {
		if row.Truthy() && rows.Index(i).Call("closest", "tr").Equal(row) {
			here = i
		}
	}
	next := here + step
	if here < 0 && step < 0 {
		next = n - 1
	}
	if next >= 0 && next < n {
		rows.Index(next).Call("focus")
		rows.Index(next).Call("scrollIntoView", map[string]any{"block": "nearest"})
	}
}
