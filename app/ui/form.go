package ui

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// InputKind is what a field of a form takes.
type InputKind string

// The kinds of input. A switch's value is "true" or "false".
const (
	InputText   InputKind = "text"
	InputNumber InputKind = "number" // a number; what else is typed stays, and is told
	InputSwitch InputKind = "switch"
	InputSelect InputKind = "select"
	InputSecret InputKind = "secret"
)

// FormField describes one field. Forms are slices of these.
type FormField struct {
	ID      string
	Label   string
	Kind    InputKind
	Value   string
	Unit    string // stands behind the field: min
	Hint    string // what it does
	Note    string // in small: its default, its range
	Problem string // what is wrong with the value, and what to use
	Changed bool   // it isn't what is saved
	Options []Option
	Max     int // characters; 0: no bound
}

// Form draws fields, and tells what is typed into them and when one is left.
type Form struct {
	Fields  []FormField
	OnEdit  func(ctx app.Context, id, value string)
	OnLeave func(ctx app.Context, id string) // may be nil
	// IsReadOnly has its fields show what they have, and take nothing else.
	IsReadOnly bool
}

// UI draws the fields, each with its label, below each other.
func (f Form) UI() app.UI {
	rows := make([]app.UI, len(f.Fields))
	for i, field := range f.Fields {
		rows[i] = f.Row(field)
	}
	return app.Div().Class("form").Body(rows...)
}

// Row draws one field with label, hint and problem.
func (f Form) Row(field FormField) app.UI {
	control := f.Control(field)
	if field.Kind == InputNumber { // the unit's place is kept, so that numbers stand below each other
		control = app.Div().Class("input-unit").Body(control, app.Span().Class("unit").Aria("hidden", true).Text(field.Unit))
	}
	row := app.Div().Class("form-row")
	if field.Changed {
		row = row.Class("is-changed")
	}
	if field.Kind == InputSwitch {
		row = row.Class("form-row-switch")
	}
	return row.Body(
		Field(field.ID, field.Label, field.Hint, field.Problem, control),
		app.P().Class("field-note").ID(field.ID+"-note").Text(field.Note))
}

// Control draws the field alone, with its label for screen readers: for a field
// within a sentence, and for one that stands below a label of its own.
func (f Form) Control(field FormField) app.UI {
	edit, leave, scope := f.edit(field.ID), f.leave(field.ID), app.EventScope("field", field.ID)
	switch field.Kind {
	case InputSelect:
		choice := Select(field.ID, field.Value, field.Options).Aria("label", f.name(field))
		if f.IsReadOnly {
			return choice.Disabled(true)
		}
		return choice.OnChange(edit, scope).OnBlur(leave, scope)
	case InputSwitch:
		box := app.Input().Type("checkbox").Class("check-box", "switch").ID(field.ID).Role("switch").
			Aria("label", f.name(field)).OnChange(f.toggle(field.ID), scope)
		if on := field.Value == "true"; on || app.IsClient { // prerendered, checked="false" would be checked
			box = box.Checked(on)
		}
		if f.IsReadOnly {
			return box.Disabled(true)
		}
		return box
	}
	input := app.Input().Class("input", "input-"+string(field.Kind)).ID(field.ID).Type("text").AutoComplete(false).
		Aria("label", f.name(field)).Aria("invalid", isTrue(field.Problem != "")).
		Value(field.Value).OnInput(edit, scope).OnBlur(leave, scope)
	if by := field.describedBy(); by != "" {
		input = input.Aria("describedby", by)
	}
	switch field.Kind {
	case InputNumber:
		input = input.Attr("inputmode", "decimal").MaxLength(12)
	case InputSecret:
		input = input.Type("password").Attr("autocomplete", "off")
	}
	if field.Max > 0 {
		input = input.MaxLength(field.Max)
	}
	if f.IsReadOnly { // it can still be read, and copied from
		return input.ReadOnly(true)
	}
	return input
}

// describedBy are the ids of what stands below the field.
func (f FormField) describedBy() string {
	ids := ""
	if f.Hint != "" {
		ids = f.ID + "-hint"
	}
	if f.Note != "" {
		ids += " " + f.ID + "-note"
	}
	if f.Problem != "" {
		ids += " " + f.ID + "-problem"
	}
	return strings.TrimSpace(ids)
}

// name is what screen readers call the field.
func (f Form) name(field FormField) string {
	if field.Unit == "" {
		return field.Label
	}
	return field.Label + ", in " + field.Unit
}

func (f Form) edit(id string) app.EventHandler {
	return func(ctx app.Context, _ app.Event) { f.OnEdit(ctx, id, ctx.JSSrc().Get("value").String()) }
}

func (f Form) toggle(id string) app.EventHandler {
	return func(ctx app.Context, _ app.Event) { f.OnEdit(ctx, id, isTrue(ctx.JSSrc().Get("checked").Bool())) }
}

func (f Form) leave(id string) app.EventHandler {
	return func(ctx app.Context, _ app.Event) {
		if f.OnLeave != nil {
			f.OnLeave(ctx, id)
		}
	}
}

func isTrue(on bool) string {
	if on {
		return "true"
	}
	return "false"
}

// ClearField empties a field: go-app takes an empty value for none, and leaves in
// the field what was typed.
func ClearField(id string) {
	if app.IsServer {
		return
	}
	if field := app.Window().GetElementByID(id); field.Truthy() {
		field.Set("value", "")
	}
}
