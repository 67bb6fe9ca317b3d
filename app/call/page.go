package call

import (
	"net/url"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/wire"
)

// Page is the call page, from the check before the call to why it ended.
type Page struct {
	app.Compo

	Engine *Engine

	p       Picture
	details bool // the drawer of figures is open
	devices bool // that of microphone and speaker is
	asking  bool // E was pressed once
	help    bool // the list of shortcuts is open
	micHelp bool // where browsers have the microphone's permission
	remove  []func()
}

// OnPreRender names the page: constants only, because what is prerendered is
// kept and shown to anyone.
func (c *Page) OnPreRender(ctx app.Context) { ctx.Page().SetTitle(title(Picture{})) }

// OnMount starts to watch the call and looks around for the next one.
func (c *Page) OnMount(ctx app.Context) {
	window := app.Window()
	c.p = c.Engine.Picture()
	c.remove = []func(){
		c.Engine.Watch(func() { ctx.Dispatch(c.draw) }),
		ui.Listen(window, "keydown", func(e app.Event) { c.keyDown(ctx, e) }),
		ui.Listen(window, "keyup", func(e app.Event) { c.keyUp(e) }),
		ui.Listen(window, "click", c.followLink),
		ui.Listen(window, "blur", func(app.Event) { c.Engine.Hold(false) }),
		ui.Listen(window, "online", func(app.Event) { c.Engine.Online(true) }),
		ui.Listen(window, "offline", func(app.Event) { c.Engine.Online(false) }),
		ui.Listen(ui.Property(window.Get("navigator"), "mediaDevices"), "devicechange", func(app.Event) { c.plugged() }),
	}
	if c.p.Phase == Ready {
		c.Engine.RefreshAdmission()
		c.Engine.CheckLine()
	}
	ctx.Page().SetTitle(title(c.p))
	if c.p.Phase == Over {
		c.showAddress(ctx)
	}
}

// followLink leads on from a call that has just ended. The page stands at the address of
// its summary then, but for go-app it is still at /call, where a link to /call leads
// nowhere.
func (c *Page) followLink(e app.Event) {
	if link := ui.Call(e.Get("target"), "closest", `a[href="/call"]`); !link.Failed() && link.Value.Truthy() {
		c.Engine.leaveEnd()
	}
}

// OnDismount stops watching. A call goes on; a microphone that is only being
// tried out is let go, and a call that is over was seen.
func (c *Page) OnDismount() {
	for _, remove := range c.remove {
		remove()
	}
	c.remove = nil
	switch c.Engine.Picture().Phase {
	case Ready:
		c.Engine.Hangup()
		c.Engine.DismissRefusal() // who comes back is told what is so then
		c.Engine.CloseMicrophone()
	case Over:
		c.Engine.Reset()
	}
}

// draw takes the newest picture.
func (c *Page) draw(ctx app.Context) {
	before := c.p
	c.p = c.Engine.Picture()
	if t := title(c.p); t != title(before) {
		ctx.Page().SetTitle(t)
	}
	if c.p.Phase == before.Phase {
		return
	}
	c.asking, c.devices = false, false
	c.showAddress(ctx)
	ctx.Defer(func(app.Context) { ui.FocusHeading() })
}

// showAddress puts the address of a summary into the address bar, without leaving the
// page, and takes it away with the next call.
func (c *Page) showAddress(ctx app.Context) {
	path := "/call"
	if c.p.Phase == Over && c.p.Talk.SessionID != "" && !c.p.Talk.StartedAt.IsZero() {
		path = summaryPath(c.p.Talk.SessionID)
	}
	if u := ctx.Page().URL(); u.Path != path {
		ctx.Page().ReplaceURL(&url.URL{Path: path})
	}
}

// plugged tries again when a device was plugged in and there was none.
func (c *Page) plugged() {
	if p := c.Engine.Picture(); p.Mic.State == MicFailed && p.Mic.Problem == "mic_none" {
		c.Engine.CheckMicrophone()
	}
}

// Render draws the phase.
func (c *Page) Render() app.UI {
	body := []app.UI{c.stage()}
	switch c.p.Phase {
	case Connecting:
		body = append(body, c.setupPanel())
	case Live:
		body = append(body, c.talkPanel())
	case Over:
		body = append(body, &Summary{Engine: c.Engine, ID: c.p.Talk.SessionID, Just: c.p})
	default:
		body = append(body, c.readyPanel())
	}
	if c.help {
		body = append(body, &ui.Dialog{Title: "Keyboard", Content: shortcuts, OnClose: c.closeHelp})
	}
	if c.micHelp {
		body = append(body, &ui.Dialog{Title: ui.Copy("mic_help").Title, Content: micHelpSteps, OnClose: func(app.Context) { c.micHelp = false }})
	}
	return app.Div().Class("call", "call-"+phaseClass(c.p.Phase)).Body(body...)
}

func phaseClass(p Phase) string {
	return [...]string{"ready", "connecting", "live", "over"}[p]
}

// stage is the orb and the words under it: the one thing that stays in its
// place through the whole call.
func (c *Page) stage() app.UI {
	word := orbWord(c.p)
	hint := ""
	if c.p.Phase == Live && c.p.Talk.State.Agent == wire.AgentSpeaking && !c.p.Talk.Quiet() && !c.p.Talk.IsDropped() {
		hint = ui.Copy("interrupt").Text
	}
	if slow := slowAgentText(c.p); slow != "" {
		hint = slow
	}
	body := []app.UI{
		&Orb{Engine: c.Engine, Shape: orbShape(c.p), Voice: orbVoice(c.p)},
		app.P().Class("orb-word").Text(word),
		app.P().Class("orb-hint").Text(hint),
	}
	return app.Div().Class("stage").Body(body...)
}

func (c *Page) start(ctx app.Context, e app.Event)       { c.Engine.Start() }
func (c *Page) takeOver(ctx app.Context, e app.Event)    { c.Engine.TakeOver() }
func (c *Page) dismiss(ctx app.Context, e app.Event)     { c.Engine.DismissRefusal() }
func (c *Page) hangup(ctx app.Context, e app.Event)      { c.Engine.Hangup() }
func (c *Page) keepTalking(ctx app.Context, e app.Event) { c.hide(c.Engine.KeepTalking) }
func (c *Page) hideWarning(ctx app.Context, e app.Event) { c.hide(c.Engine.HideWarning) }
func (c *Page) retrySound(ctx app.Context, e app.Event)  { c.Engine.PlaySound() }
func (c *Page) openMic(ctx app.Context, e app.Event)     { c.Engine.CheckMicrophone() }
func (c *Page) mute(ctx app.Context, e app.Event)        { c.Engine.Mute(!c.p.Talk.Muted) }
func (c *Page) drawer(ctx app.Context, e app.Event)      { c.toggleDetails() }
func (c *Page) keepAsking(ctx app.Context, e app.Event)  { c.hide(func() { c.asking = false }) }
func (c *Page) toggleDetails()                           { c.details, c.devices = !c.details, false }
func (c *Page) openHelp(ctx app.Context, e app.Event) {
	c.help = true
}
func (c *Page) closeHelp(ctx app.Context) { c.help = false }
