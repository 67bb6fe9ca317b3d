package ui

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// copiedFor is how long a button says that it has copied.
const copiedFor = 2 * time.Second

// CopyText puts text into the clipboard and calls done, on the UI goroutine, when the
// browser has done so, or has refused. Browsers may lack a clipboard, or ask the user.
func CopyText(ctx app.Context, text string, done func(ctx app.Context, ok bool)) {
	if app.IsServer {
		return
	}
	board := Property(app.Window().Get("navigator"), "clipboard")
	Call(board, "writeText", text).Settled(func(ok bool) {
		ctx.Dispatch(func(ctx app.Context) { done(ctx, ok) })
	})
}

// Copying is the state of a button that copies. Where the browser refuses, it shows
// the text for the user to copy.
type Copying struct {
	done    bool
	refused bool
}

// Start copies a text and, when it is copied, says so to screen readers.
func (c *Copying) Start(ctx app.Context, text, said string) {
	CopyText(ctx, text, func(ctx app.Context, ok bool) {
		c.done, c.refused = ok, !ok
		if ok {
			Announce(said)
			ctx.After(copiedFor, func(app.Context) { c.done = false })
		}
	})
}

// Fallback is the text in a dialog, selected; nil unless the browser refused.
func (c *Copying) Fallback(text string) app.UI {
	if !c.refused {
		return nil
	}
	w := Copy("copy_refused")
	return &Dialog{Title: w.Title, Content: func() []app.UI {
		return []app.UI{app.P().Class("dialog-text").Text(w.Text), &selectedText{Text: text}}
	}, OnClose: func(app.Context) { c.refused = false }}
}

// selectedText is a text that is selected when it is shown.
type selectedText struct {
	app.Compo
	Text string
}

// OnMount selects the text once the dialog around it is open.
func (s *selectedText) OnMount(ctx app.Context) {
	ctx.Defer(func(ctx app.Context) {
		ctx.Defer(func(app.Context) {
			Call(s.JSValue(), "focus")
			Call(s.JSValue(), "select")
		})
	})
}

// Render draws the text.
func (s *selectedText) Render() app.UI {
	return app.Textarea().Class("input", "copy-text").ReadOnly(true).Rows(8).Aria("label", "Text to copy").Text(s.Text)
}

// Copyable shows a value, cut if Short is given, with a button that copies it
// whole.
type Copyable struct {
	app.Compo

	Value string
	Short string
	Label string // what it is: "session id"

	copying Copying
}

// Render draws value and button.
func (c *Copyable) Render() app.UI {
	shown := c.Short
	if shown == "" {
		shown = c.Value
	}
	label, icon := "Copy "+c.what(), IconCopy
	if c.copying.done {
		label, icon = "Copied", IconCheck
	}
	body := []app.UI{app.Code().Class("copyable-value").Text(shown), IconButton(icon, label).OnClick(c.copy)}
	if f := c.copying.Fallback(c.Value); f != nil {
		body = append(body, f)
	}
	return app.Span().Class("copyable").Body(body...)
}

func (c *Copyable) what() string {
	if c.Label == "" {
		return "value"
	}
	return c.Label
}

func (c *Copyable) copy(ctx app.Context, e app.Event) { c.copying.Start(ctx, c.Value, "Copied.") }

// CopyButton copies a text that is made when it is pressed.
type CopyButton struct {
	app.Compo

	Label string
	Said  string // when it is done: "Diagnostics copied."
	Text  func() string

	copying Copying
	text    string // of the last press
}

// Render draws the button.
func (c *CopyButton) Render() app.UI {
	label, icon := c.Label, IconCopy
	if c.copying.done {
		label, icon = "Copied", IconCheck
	}
	body := []app.UI{Button(Quiet, icon, label).OnClick(c.copy)}
	if f := c.copying.Fallback(c.text); f != nil {
		body = append(body, f)
	}
	return app.Div().Class("copy-button").Body(body...)
}

func (c *CopyButton) copy(ctx app.Context, e app.Event) {
	c.text = c.Text()
	c.copying.Start(ctx, c.text, c.Said)
}
