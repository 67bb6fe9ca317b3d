package ui

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Change is one line of a Diff: what is called Label was Old and is New.
type Change struct{ Label, Old, New string }

// Diff shows changes, one below the other. What is not there is Missing.
func Diff(changes []Change) app.UI {
	rows := make([]app.UI, len(changes))
	for i, c := range changes {
		rows[i] = app.Li().Class("diff-row").Body(
			app.Span().Class("diff-label").Text(c.Label),
			app.Del().Class("diff-old").Body(app.Span().Class("sr-only").Text("was "), app.Text(orMissing(c.Old))),
			app.Ins().Class("diff-new").Body(app.Span().Class("sr-only").Text("becomes "), app.Text(orMissing(c.New))),
		)
	}
	return app.Ul().Class("diff").Body(rows...)
}

func orMissing(text string) string {
	if text == "" {
		return Missing
	}
	return text
}

// ChangeBar stands at the foot of a form while there is something to save. It is
// no live region: its page announces what it has to.
type ChangeBar struct {
	Changes   int
	Problems  int // while there are some, nothing can be reviewed
	OnReview  app.EventHandler
	OnDiscard app.EventHandler
}

// UI draws the bar; without changes it is an empty element that keeps its place.
func (b ChangeBar) UI() app.UI {
	if b.Changes == 0 {
		return app.Div().Class("change-bar", "is-empty")
	}
	words := Plural(b.Changes, "change")
	if b.Problems > 0 {
		words += " · " + strconv.Itoa(b.Problems) + " to correct"
	}
	return app.Div().Class("change-bar").Role("group").Aria("label", "Changes that are not saved").Body(
		app.Span().Class("change-count", "num").Text(words),
		Button(Plain, "", "Discard").OnClick(b.OnDiscard),
		Disabled(Button(Primary, "", "Review"), b.Problems > 0).OnClick(b.OnReview),
	)
}
