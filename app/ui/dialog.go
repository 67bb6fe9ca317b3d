package ui

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// ConfirmWithReason asks whether to do something grave, and why. It is shown
// while it is rendered: the page keeps whether it is open.
type ConfirmWithReason struct {
	app.Compo

	Title    string
	Text     string
	Content  func() []app.UI // below the text, such as what would change; may be nil
	Confirm  string          // label of the button that does it
	Kind     Kind            // of that button; "": Danger
	Presets  []string        // reasons to choose from; free text is always possible
	Max      int             // characters of a reason
	Optional bool            // it can be done without a reason
	NoReason bool            // there is no reason to give: nobody would keep it
	// Phrase has to be typed before it can be done; "": nothing has to be.
	Phrase  string
	Busy    bool   // it is being done
	Problem string // why it could not be done

	OnConfirm func(ctx app.Context, reason string)
	OnCancel  func(ctx app.Context)

	reason, phrase string
	modal          modal
}

const (
	reasonID = "confirm-reason"
	phraseID = "confirm-phrase"
)

// OnMount opens the dialog.
func (c *ConfirmWithReason) OnMount(ctx app.Context) {
	ctx.Defer(func(ctx app.Context) { c.modal.open(c.JSValue()) })
}

// OnDismount gives the focus back.
func (c *ConfirmWithReason) OnDismount() { c.modal.restore() }

// Render draws the dialog.
func (c *ConfirmWithReason) Render() app.UI {
	body := []app.UI{app.P().Class("dialog-text").Text(c.Text)}
	if c.Content != nil {
		body = append(body, c.Content()...)
	}
	label := "Reason"
	if c.Optional {
		label = "Reason (optional)"
	}
	switch {
	case !c.NoReason:
		body = append(body, Field(reasonID, label, "", c.Problem, c.input(reasonID, c.reason, max(c.Max, 1), c.ValueTo(&c.reason))))
	case c.Problem != "":
		body = append(body, app.P().Class("field-problem").Role("alert").Body(Icon(IconAlert), app.Span().Text(c.Problem)))
	}
	if len(c.Presets) > 0 {
		body = append(body, app.Div().Class("presets").Body(c.presets()...))
	}
	if c.Phrase != "" {
		body = append(body, Field(phraseID, "Type “"+c.Phrase+"” to confirm", "", "",
			c.input(phraseID, c.phrase, 2*len(c.Phrase), c.ValueTo(&c.phrase))))
	}
	kind := c.Kind
	if kind == "" {
		kind = Danger
	}
	body = append(body, app.Div().Class("dialog-actions").Body(
		Button(Plain, "", "Cancel").AutoFocus(true).OnClick(c.onCancel),
		Disabled(Button(kind, "", c.Confirm).Type("submit"), !c.isReady())))
	return dialogFrame(c.Title, c.cancel, app.Form().Class("dialog-form").OnSubmit(c.submit).Body(body...))
}

// isReady reports whether all is given that it takes.
func (c *ConfirmWithReason) isReady() bool {
	return !c.Busy && (c.reason != "" || c.Optional || c.NoReason) && c.phrase == c.Phrase
}

func (c *ConfirmWithReason) input(id, value string, longest int, edit app.EventHandler) app.UI {
	return app.Input().Class("input").ID(id).Type("text").
		AutoComplete(false).MaxLength(longest).
		Value(value).
		OnInput(edit, app.EventScope("input", id))
}

func (c *ConfirmWithReason) presets() []app.UI {
	out := make([]app.UI, len(c.Presets))
	for i, p := range c.Presets {
		out[i] = app.Button().Type("button").Class("chip").Text(p).
			OnClick(func(ctx app.Context, e app.Event) { c.reason = p }, app.EventScope("preset", p))
	}
	return out
}

func (c *ConfirmWithReason) submit(ctx app.Context, e app.Event) {
	e.PreventDefault()
	if c.isReady() && c.OnConfirm != nil {
		c.OnConfirm(ctx, c.reason)
	}
}

func (c *ConfirmWithReason) onCancel(ctx app.Context, e app.Event) { c.cancel(ctx, e) }

func (c *ConfirmWithReason) cancel(ctx app.Context, e app.Event) {
	e.PreventDefault()
	if c.OnCancel != nil {
		c.OnCancel(ctx)
	}
}

// Dialog shows anything in a native dialog while it is rendered. ID tells one
// from another.
type Dialog struct {
	app.Compo

	Title   string
	Content func() []app.UI
	OnClose func(ctx app.Context)

	modal modal
}

// OnMount opens the dialog.
func (d *Dialog) OnMount(ctx app.Context) {
	ctx.Defer(func(ctx app.Context) { d.modal.open(d.JSValue()) })
}

// OnDismount gives the focus back.
func (d *Dialog) OnDismount() { d.modal.restore() }

// Render draws the dialog.
func (d *Dialog) Render() app.UI {
	return dialogFrame(d.Title, d.close,
		app.Div().Class("dialog-body").Body(d.Content()...),
		app.Div().Class("dialog-actions").Body(Button(Plain, "", "Close").AutoFocus(true).OnClick(d.close)),
	)
}

func (d *Dialog) close(ctx app.Context, e app.Event) {
	e.PreventDefault()
	if d.OnClose != nil {
		d.OnClose(ctx)
	}
}

func dialogFrame(title string, cancel app.EventHandler, body ...app.UI) app.UI {
	const titleID = "dialog-title"
	return app.Dialog().Class("dialog").Aria("labelledby", titleID).On("cancel", cancel).
		Body(append([]app.UI{app.H2().ID(titleID).Class("dialog-title").Text(title)}, body...)...)
}

// modal opens a native dialog, which traps the focus, and remembers where the
// focus was.
type modal struct{ before app.Value }

func (m *modal) open(dialog app.Value) {
	if app.IsServer || !dialog.Truthy() {
		return
	}
	m.before = app.Window().Get("document").Get("activeElement")
	if dialog.Get("open").Truthy() {
		return
	}
	if Call(dialog, "showModal").Failed() {
		dialog.Set("open", true) // to be seen without being modal is better than not to be
	}
}

func (m *modal) restore() {
	if m.before != nil && m.before.Truthy() && m.before.Get("isConnected").Truthy() {
		Call(m.before, "focus")
	}
	KeepFocus() // what was done may take away what had it
}
