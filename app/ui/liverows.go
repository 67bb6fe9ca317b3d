package ui

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// LiveText is what data-live calls an element's text. Its other words are names of
// attributes. An element with data-live has values that LiveRows writes.
const LiveText = "text"

// A LiveRow is one row of a table, or of another list, as the document has it: go-app draws it when its shape
// changes, LiveRows writes its values as they move on.
type LiveRow struct {
	values  []string // in the order in which data-live names them
	isDrawn bool     // by go-app, since they were written: what it skipped as known may be older
}

// Drawn tells that go-app drew the row.
func (r *LiveRow) Drawn() { r.isDrawn = true }

// IsDrawn reports whether go-app drew the row since its values were written.
func (r *LiveRow) IsDrawn() bool { return r.isDrawn }

// LiveRows collects the values of rows that have changed. All are written in one call,
// because each call out of the program costs more than what it does.
type LiveRows struct{ text []byte }

// What stands between rows, and between the parts of one.
const (
	rowEnd  = '\x1e'
	partEnd = '\x1f'
)

// Set takes the values that the row at that place of the table has now.
func (w *LiveRows) Set(place int, r *LiveRow, values []string) {
	hasPlace := false
	for i, v := range values {
		if !r.isDrawn && i < len(r.values) && r.values[i] == v {
			continue
		}
		if !hasPlace {
			hasPlace = true
			w.begin(place, r.isDrawn)
		}
		w.text = append(w.text, partEnd)
		w.text = strconv.AppendInt(w.text, int64(i), 10)
		w.text = append(w.text, partEnd)
		w.text = append(w.text, v...)
	}
	r.values, r.isDrawn = values, false
}

func (w *LiveRows) begin(place int, isDrawn bool) {
	if len(w.text) > 0 {
		w.text = append(w.text, rowEnd)
	}
	w.text = strconv.AppendInt(w.text, int64(place), 10)
	w.text = append(w.text, partEnd)
	if isDrawn {
		w.text = append(w.text, '1')
	}
}

// Write writes what has changed into the children of the element that the selector names.
// Without one it is kept.
func (w *LiveRows) Write(selector string) {
	if len(w.text) > 0 && Call(app.Window(), "parleyWriteRows", selector, string(w.text)).Value.Truthy() {
		w.text = w.text[:0]
	}
}

// RowsInSight tells which children of the element that the selector names are in the
// window, and margin more at each end: all, where that can't be told.
func RowsInSight(selector string, margin int) func(i int) bool {
	packed := -1
	if app.IsClient {
		if told := Call(app.Window(), "parleyRowsInSight", selector, margin).Value; told.Type() == app.TypeNumber {
			packed = told.Int()
		}
	}
	if packed < 0 {
		return func(int) bool { return true }
	}
	first, end := packed>>16, packed&0xffff
	return func(i int) bool { return first <= i && i < end }
}
