package call

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
)

// Bar stands at the foot of every page while a call is live, and shows itself
// where the call page isn't. It is also the call's voice for screen readers
// and asks before the window is closed: it is there whatever page is.
type Bar struct {
	app.Compo

	Engine *Engine
	Here   bool // the page is the call page, which shows the call itself

	p        Picture
	narrator narrator
	remove   []func()
}

// OnMount watches the call.
func (b *Bar) OnMount(ctx app.Context) {
	b.p = b.Engine.Picture()
	b.remove = []func(){
		b.Engine.Watch(func() { ctx.Dispatch(b.draw) }),
		ui.Listen(app.Window(), "beforeunload", b.beforeUnload),
		ui.Listen(ui.Property(app.Window().Get("navigator"), "mediaDevices"), "devicechange", func(app.Event) { b.Engine.HandleDeviceChange() }),
	}
}

// OnDismount stops watching.
func (b *Bar) OnDismount() {
	for _, remove := range b.remove {
		remove()
	}
	b.remove = nil
}

func (b *Bar) draw(ctx app.Context) {
	before := b.p
	b.p = b.Engine.Picture()
	text, urgent := b.narrator.narrate(before, b.p)
	switch {
	case text == "":
	case urgent:
		ui.Alert(text)
	default:
		ui.Announce(text)
	}
}

// beforeUnload asks only in a live call.
func (b *Bar) beforeUnload(e app.Event) {
	if b.Engine.Picture().Phase == Live {
		e.PreventDefault()
		e.Set("returnValue", "")
	}
}

// Render draws the bar, or its empty place.
func (b *Bar) Render() app.UI {
	busy := b.p.Phase == Live || b.p.Phase == Connecting
	if b.Here || !busy {
		return app.Div().Class("call-bar is-empty")
	}
	return app.Section().Class("call-bar").Aria("label", "Call").Body(b.barParts()...)
}

func (b *Bar) barParts() []app.UI {
	parts := []app.UI{
		app.Span().Class("call-bar-dot"),
		app.Span().Class("call-bar-time").Body(ui.Timer(b.p.Length())),
		app.Span().Class("call-bar-word").Text(orbWord(b.p)),
	}
	if b.p.Phase == Live {
		v := b.p.Talk.Verdict()
		if v.Level != quality.None {
			parts = append(parts, ui.Badge(v, false))
		}
	}
	label, icon := "Mute", ui.IconMic
	if b.p.Talk.Muted {
		label, icon = "Unmute", ui.IconMicOff
	}
	return append(parts, app.Span().Class("call-bar-actions").Body(
		ui.Button(ui.Plain, icon, label).OnClick(b.mute),
		app.A().Class("button", "button-plain").Href("/call").Body(app.Span().Class("button-label").Text("Return")),
		ui.Button(ui.Danger, ui.IconPhoneOff, "End").OnClick(b.end),
	))
}

func (b *Bar) mute(ctx app.Context, e app.Event) { b.Engine.Mute(!b.p.Talk.Muted) }
func (b *Bar) end(ctx app.Context, e app.Event)  { b.Engine.Hangup() }
