package routes

import (
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
)

const (
	// updateEvery is how often a page that stays open asks for a new version: a
	// browser asks by itself with each page that it loads, and after a day.
	updateEvery = time.Hour
	// callsBeforeInstall is how many calls somebody makes before the page offers
	// to be installed.
	callsBeforeInstall = 2

	callsKey   = "calls"   // how many there were, in the settings that the browser keeps
	installKey = "install" // "no" once the offer was turned down

	// offerInstall is the action that shows the offer to whoever asks for it.
	offerInstall = "offer-install"
)

// notice stands at the foot of a page and says what can wait: that there is a
// new version, that the page can be installed. It never does so in a call. It
// also tells the system of the call, for the keys of headsets and lock screens.
type notice struct {
	app.Compo

	services *services
	isReady  bool // a new version is
	isOffer  bool // to install the page
	isApple  bool // which only its user can install
	isBusy   bool
	isMuted  bool
	remove   []func()
}

// OnMount watches the call, and asks for new versions.
func (n *notice) OnMount(ctx app.Context) {
	ctx.Handle(offerInstall, func(ctx app.Context, _ app.Action) { n.offer(ctx) })
	ctx.After(updateEvery, n.askForUpdate)
	if n.services.call != nil {
		n.remove = append(n.handleKeys(), n.services.call.watch(func() { n.watch(ctx) }))
		n.watch(ctx)
	}
}

// OnDismount stops watching.
func (n *notice) OnDismount() {
	for _, remove := range n.remove {
		remove()
	}
	n.remove = nil
}

func (n *notice) askForUpdate(ctx app.Context) {
	app.TryUpdate()
	ctx.After(updateEvery, n.askForUpdate)
}

// OnAppUpdate hears that the worker was replaced. On the very first visit that is
// this page's own, whose version is then the one that is kept.
func (n *notice) OnAppUpdate(ctx app.Context) {
	own := "parley-" + app.Getenv("GOAPP_VERSION")
	found := ui.Call(ui.Property(app.Window(), "caches"), "has", own)
	if found.Failed() {
		return
	}
	found.Value.Then(func(v app.Value) {
		if !v.Truthy() {
			ctx.Dispatch(func(app.Context) {
				n.isReady = true
				ui.Announce(ui.Copy("update_ready").Title + ".")
			})
		}
	})
}

// watch runs with each change of the call, from any goroutine, and draws for a
// change of what this shows alone.
func (n *notice) watch(ctx app.Context) {
	ctx.Dispatch(func(ctx app.Context) {
		busy, muted := n.services.call.isBusy(), n.services.call.isMuted()
		if busy == n.isBusy && muted == n.isMuted {
			ctx.PreventUpdate()
			return
		}
		ended := n.isBusy && !busy
		n.isBusy, n.isMuted = busy, muted
		n.tellSystem()
		if ended {
			n.countCall(ctx)
		}
	})
}

// countCall offers to install the page after some calls, until that is turned down.
func (n *notice) countCall(ctx app.Context) {
	kept := n.services.deps.Settings
	if kept == nil {
		return
	}
	calls, _ := strconv.Atoi(kept.Load(callsKey)) // none, or not ours: 0
	kept.Save(callsKey, strconv.Itoa(calls+1))
	if calls+1 >= callsBeforeInstall && kept.Load(installKey) != "no" && ctx.IsAppInstallable() {
		n.offer(ctx)
	}
}

func (n *notice) offer(ctx app.Context) {
	n.isOffer, n.isApple = true, ctx.IsAppleBrowser()
}

// mediaSession is the system's (W3C Media Session), as far as there is one.
func mediaSession() app.Value { return ui.Property(app.Window().Get("navigator"), "mediaSession") }

func (n *notice) tellSystem() {
	ui.Call(mediaSession(), "setMicrophoneActive", n.isBusy && !n.isMuted)
}

// handleKeys takes the keys of headsets and lock screens that mute and hang up.
func (n *notice) handleKeys() (remove []func()) {
	current := n.services.call
	for action, do := range map[string]func(){
		"togglemicrophone": func() { current.mute(!current.isMuted()) },
		"hangup":           current.hangup,
	} {
		h := app.FuncOf(func(app.Value, []app.Value) any {
			do()
			return nil
		})
		ui.Call(mediaSession(), "setActionHandler", action, h)
		remove = append(remove, func() {
			ui.Call(mediaSession(), "setActionHandler", action, nil)
			h.Release()
		})
	}
	return remove
}

// Render draws at most one notice; the version first.
func (n *notice) Render() app.UI {
	switch {
	case n.isBusy:
	case n.isReady:
		return n.toast("update_ready", reload)
	case n.isOffer && n.isApple:
		return n.toast("install_on_apple", n.later)
	case n.isOffer:
		return n.toast("install_offer", n.install)
	}
	return app.Div().Class("toast", "is-empty")
}

func (n *notice) toast(code string, do app.EventHandler) app.UI {
	w := ui.Copy(code)
	actions := []app.UI{ui.Button(ui.Primary, "", w.Action(0)).OnClick(do, app.EventScope(code))}
	if label := w.Action(1); label != "" {
		actions = append(actions, ui.Button(ui.Quiet, "", label).OnClick(n.later, app.EventScope(code)))
	}
	body := []app.UI{
		app.P().Class("toast-words").Body(app.Strong().Text(w.Title), app.Span().Text(w.Text)),
		app.Div().Class("toast-actions").Body(actions...),
	}
	if code == "install_on_apple" { // beside the sign that it speaks of
		body = append([]app.UI{ui.Icon(ui.IconShare)}, body...)
	}
	return app.Aside().Class("toast").Aria("label", w.Title).Body(body...)
}

func (n *notice) install(ctx app.Context, e app.Event) {
	ctx.ShowAppInstallPrompt()
	n.isOffer = false
}

// later keeps a version for the next load, and an offer from coming back.
func (n *notice) later(ctx app.Context, e app.Event) {
	if kept := n.services.deps.Settings; n.isOffer && !n.isReady && kept != nil {
		kept.Save(installKey, "no")
	}
	n.isReady, n.isOffer = false, false
}
