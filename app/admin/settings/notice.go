package settings

import (
	"context"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
)

// noticeEvery is how soon an admin's page tells that somebody turned something off.
const noticeEvery = 10 * time.Second

// Notice stands above every admin's page and tells that monitoring or privacy mode
// is off. While both are on it is empty.
type Notice struct {
	app.Compo

	server   Server
	ctx      app.Context
	resource load.Resource
	settings map[string]rest.Setting
	problem  string // why monitoring could not be turned on
}

// NewNotice makes it. Without a server it stays empty.
func NewNotice(s Server) *Notice { return &Notice{server: s} }

// OnMount asks for the settings.
func (n *Notice) OnMount(ctx app.Context) {
	n.ctx = ctx
	n.resource = load.Resource{Name: "settings", Every: noticeEvery}
	if n.server != nil {
		n.resource.Ask = func() load.Question { return n.fetch }
	}
	ctx.Handle(load.SettingsChanged, func(app.Context, app.Action) { n.resource.Reload() })
	n.resource.Start(ctx)
}

// OnNav asks again: the page before may have changed something.
func (n *Notice) OnNav(app.Context) { n.resource.Reload() }

// OnDismount stops asking.
func (n *Notice) OnDismount() { n.resource.Stop() }

func (n *Notice) fetch(ctx context.Context) (func(), error) {
	now, err := n.server.Settings(ctx)
	return func() { n.settings = now.Settings }, err
}

// Render draws a banner for each that is off.
func (n *Notice) Render() app.UI {
	var banners []app.UI
	if n.isOff(rest.SettingPrivacy) {
		banners = append(banners, ui.Banner{Tone: ui.ToneWarning,
			Text: "Privacy mode is off on this server. Ask the operator what that means."}.UI())
	}
	if n.isOff(rest.SettingMonitoring) {
		text := "Monitoring is off. Live data and logs have stopped."
		if n.problem != "" {
			text += " " + n.problem
		}
		banners = append(banners, ui.Banner{Tone: ui.ToneWarning, Text: text,
			Actions: []app.UI{ui.Button(ui.Plain, "", "Turn on").OnClick(n.turnOn)}}.UI())
	}
	if len(banners) == 0 {
		return app.Div().Class("notices", "is-empty")
	}
	return app.Div().Class("notices").Body(banners...)
}

// isOff reports whether a switch is known to be off.
func (n *Notice) isOff(name string) bool { return n.settings[name].Value == false }

func (n *Notice) turnOn(app.Context, app.Event) {
	change := rest.SettingsChange{IfVersion: rest.AnyVersion}
	change.Patch = patchOf(rest.SettingMonitoring, "true")
	var now rest.Settings
	load.Act(n.ctx, func(ctx context.Context) (err error) {
		now, err = n.server.ChangeSettings(ctx, change)
		return err
	}, func(ctx app.Context, err error) {
		if n.problem = load.Words(err); err == nil {
			n.settings = now.Settings
			ctx.NewAction(load.SettingsChanged)
			ui.Announce("Monitoring is on.")
		}
	})
}
