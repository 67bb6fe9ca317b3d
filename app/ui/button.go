package ui

import (
	"cmp"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Kind is the weight of a button.
type Kind string

// The kinds.
const (
	Primary Kind = "primary" // one a view
	Plain   Kind = "plain"   // bordered
	Quiet   Kind = "quiet"   // text only
	Danger  Kind = "danger"
)

// Button is a button with text and, unless "", an icon before it. Add OnClick
// to it, with an app.EventScope inside a loop.
func Button(kind Kind, icon IconName, label string) app.HTMLButton {
	body := []app.UI{}
	if icon != "" {
		body = append(body, Icon(icon))
	}
	body = append(body, app.Span().Class("button-label").Text(label))
	return app.Button().Type("button").Class("button", "button-"+string(kind)).Body(body...)
}

// Act marks a button that changes something on the server: who may change nothing
// doesn't see it (ReadOnlyClass).
func Act(b app.HTMLButton) app.HTMLButton { return b.Class("act") }

// ReadOnlyClass is that of the page of somebody who may change nothing.
const ReadOnlyClass = "is-read-only"

// IsReadOnly reports whether the page is one of somebody who may change nothing.
func IsReadOnly() bool {
	return !app.IsServer && app.Window().Get("document").Call("querySelector", "."+ReadOnlyClass).Truthy()
}

// IconButton is a button of an icon alone; label is its name and its tooltip,
// and must be our own words.
func IconButton(icon IconName, label string) app.HTMLButton {
	return app.Button().Type("button").Class("button", "button-quiet", "button-icon").
		Aria("label", label).Title(label).
		Body(Icon(icon))
}

// Key shows a key of the keyboard.
func Key(name string) app.UI { return app.Kbd().Class("key").Text(name) }

// Field is a labelled control. id is the control's; hint and problem may be
// empty, and are linked by the ids "<id>-hint" and "<id>-problem".
func Field(id, label, hint, problem string, control app.UI) app.UI {
	body := []app.UI{app.Label().Class("field-label").For(id).Text(label), control}
	if hint != "" {
		body = append(body, app.P().Class("field-hint").ID(id+"-hint").Text(hint))
	}
	if problem != "" {
		body = append(body, FieldProblem(id, problem))
	}
	return app.Div().Class("field").Body(body...)
}

// FieldProblem says what is wrong with a field, or with what a button asked for.
func FieldProblem(id, problem string) app.UI {
	return app.P().Class("field-problem").ID(id+"-problem").Role("alert").TabIndex(-1).
		Body(Icon(IconAlert), app.Span().Text(problem))
}

// Option is one choice of a Select.
type Option struct{ Value, Label string }

// noValue stands in the page for an option without a value: go-app leaves an empty one
// out, and browsers then take the option's text for it.
const noValue = " "

// Chosen is what a field has: of a drop-down the value of the option that was chosen.
func Chosen(field app.Value) string {
	return strings.TrimSpace(field.Get("value").String())
}

// Select is a drop-down. Add OnChange to it, and read what was chosen with Chosen.
func Select(id string, chosen string, options []Option) app.HTMLSelect {
	items := make([]app.UI, len(options))
	for i, o := range options {
		item := app.Option().Value(cmp.Or(o.Value, noValue)).Text(o.Label)
		if o.Value == chosen {
			item = item.Selected(true)
		}
		items[i] = item
	}
	return app.Select().Class("select").ID(id).Body(items...)
}

// Check is a labelled check box.
func Check(id, label string, on bool, change app.EventHandler) app.UI {
	box := app.Input().Type("checkbox").Class("check-box").ID(id).OnChange(change)
	if on || app.IsClient { // prerendered, checked="false" would be checked
		box = box.Checked(on)
	}
	return app.Label().Class("check").For(id).Body(box, app.Span().Text(label))
}

// Disabled switches a button off where cond holds: prerendered,
// disabled="false" would be disabled.
func Disabled(b app.HTMLButton, cond bool) app.HTMLButton {
	if cond {
		return b.Disabled(true)
	}
	return b
}
