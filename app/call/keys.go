package call

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
)

// keyDown takes the shortcuts of a call. It runs inside the browser's event,
// so that it can keep Space from scrolling the page.
func (c *Page) keyDown(ctx app.Context, e app.Event) {
	if ui.Typing(e) || c.Engine.Picture().Choice.KeysOff {
		return
	}
	key := e.Get("key").String()
	if key == "?" {
		ctx.Dispatch(func(app.Context) { c.help = true })
		return
	}
	if c.Engine.Picture().Phase != Live {
		return
	}
	switch key {
	case "m", "M":
		if !e.Get("repeat").Truthy() {
			c.Engine.Mute(!c.Engine.Picture().Talk.Muted)
		}
	case " ":
		if c.Engine.Picture().Talk.Muted && !onControl(e) {
			e.PreventDefault()
			c.Engine.Hold(true)
		}
	case "c", "C":
		ctx.Dispatch(func(app.Context) { c.toggleCaptions() })
	case "d", "D":
		ctx.Dispatch(func(app.Context) { c.toggleDetails() })
	case "e", "E":
		ctx.Dispatch(c.askEnd)
	case "Escape":
		ctx.Dispatch(func(app.Context) { c.asking = false })
	}
}

func (c *Page) keyUp(e app.Event) {
	if e.Get("key").String() == " " {
		c.Engine.Hold(false)
	}
}

// askEnd asks once, because a key is easily hit; a second press means it.
func (c *Page) askEnd(ctx app.Context) {
	if c.asking {
		c.Engine.Hangup()
		return
	}
	c.asking = true
	ui.Announce(ui.Copy("leave_question").Text)
	ctx.Defer(func(app.Context) { ui.Focus("end-now") })
}

// onControl reports whether Space belongs to the control that has the focus.
func onControl(e app.Event) bool {
	target := e.Get("target")
	return target.Truthy() && target.Get("closest").Truthy() &&
		target.Call("closest", "button,a[href],summary,[role=button]").Truthy()
}

func shortcuts() []app.UI {
	keys := []struct{ key, what string }{
		{"M", "Mute or unmute"},
		{"Space", "Hold to talk while muted"},
		{"C", "Show or hide captions"},
		{"D", "Show or hide details"},
		{"E", "End the call (asks once)"},
		{"?", "This list"},
	}
	rows := make([]app.UI, 0, 2*len(keys))
	for _, k := range keys {
		rows = append(rows, app.Dt().Body(ui.Key(k.key)), app.Dd().Text(k.what))
	}
	return []app.UI{app.Dl().Class("shortcuts").Body(rows...)}
}
