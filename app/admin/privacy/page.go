// Package privacy owns the admins' page about privacy: whether it is on, what
// proves it, what was refused and what is kept; and where it is turned off, by who
// types that they mean it and says why. It protects nothing; the server does.
package privacy

import (
	"context"
	"encoding/json"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
)

// Server is what the page needs of the server. *client.Client is one.
type Server interface {
	Privacy(ctx context.Context) (rest.Privacy, error)
	// ChangeSettings turns privacy mode on, or off with rest.PrivacyOffPhrase and a
	// reason.
	ChangeSettings(ctx context.Context, change rest.SettingsChange) (rest.Settings, error)
}

// Page shows the evidence.
type Page struct {
	app.Compo

	server   Server
	ctx      app.Context
	resource load.Resource
	status   rest.Privacy
	asking   bool   // whether to turn it off
	busy     bool   // it is being turned
	problem  string // why it was not
}

// New makes the page. Without a server it shows its skeleton.
func New(s Server) *Page { return &Page{server: s} }

// OnMount asks for the evidence.
func (p *Page) OnMount(ctx app.Context) {
	p.ctx = ctx
	p.resource = load.Resource{Name: "the privacy status"}
	if p.server != nil {
		p.resource.Ask = func() load.Question { return p.fetch }
	}
	p.resource.Start(ctx)
}

// OnDismount stops asking.
func (p *Page) OnDismount() { p.resource.Stop() }

func (p *Page) fetch(ctx context.Context) (func(), error) {
	status, err := p.server.Privacy(ctx)
	return func() { p.status = status }, err
}

func (p *Page) askOff(app.Context, app.Event) { p.asking, p.problem = true, "" }
func (p *Page) keepOn(app.Context)            { p.asking = false }

func (p *Page) turnOff(_ app.Context, reason string) {
	p.turn(rest.SettingsChange{Reason: reason, Confirm: rest.PrivacyOffPhrase}, "false", "Privacy mode is off.")
}

func (p *Page) turnOn(app.Context, app.Event) {
	p.turn(rest.SettingsChange{}, "true", "Privacy mode is on.")
}

// turn changes the mode and shows what the server says of it then.
func (p *Page) turn(change rest.SettingsChange, to, done string) {
	change.Patch, change.IfVersion = map[string]json.RawMessage{rest.SettingPrivacy: json.RawMessage(to)}, rest.AnyVersion
	p.busy, p.problem = true, ""
	load.Act(p.ctx, func(ctx context.Context) error {
		_, err := p.server.ChangeSettings(ctx, change)
		return err
	}, func(ctx app.Context, err error) {
		p.busy = false
		if p.problem = load.Words(err); err != nil {
			return
		}
		p.asking = false
		p.resource.Reload()
		ctx.NewAction(load.SettingsChanged)
		ui.Announce(done)
	})
}
