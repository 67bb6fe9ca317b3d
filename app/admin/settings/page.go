package settings

import (
	"context"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
)

// Server is what the page needs of the server. *client.Client is one.
type Server interface {
	Settings(ctx context.Context) (rest.Settings, error)
	// ChangeSettings changes what is named if nobody changed anything since
	// change.IfVersion; else it is a *rest.Problem with status 409.
	ChangeSettings(ctx context.Context, change rest.SettingsChange) (rest.Settings, error)
	Active(ctx context.Context) ([]rest.Session, error)
	Me(ctx context.Context) (rest.Me, error)
}

// Which dialog is open.
const (
	noDialog     = ""
	reviewDialog = "review"
	theirsDialog = "theirs"
)

// Page shows the settings and changes them.
type Page struct {
	app.Compo

	server   Server
	ctx      app.Context
	resource load.Resource
	draft    draft
	theirs   []ui.Change // what somebody else changed meanwhile
	dialog   string
	busy     bool
	problem  string // why it could not be saved
	note     string // what another idle timeout would do to live calls
	address  string // the admin's own
	fixed    []rest.FixedSetting
}

// New makes the page. Without a server it shows its skeleton.
func New(s Server) *Page { return &Page{server: s} }

// OnMount asks for the settings.
func (p *Page) OnMount(ctx app.Context) {
	p.ctx = ctx
	p.resource = load.Resource{Name: "settings"}
	if p.server != nil {
		p.resource.Ask = func() load.Question { return p.fetch }
	}
	ctx.Handle(load.SettingsChanged, func(app.Context, app.Action) { p.resource.Reload() })
	p.resource.Start(ctx)
}

// OnDismount stops asking.
func (p *Page) OnDismount() { p.resource.Stop() }

func (p *Page) fetch(ctx context.Context) (func(), error) {
	fresh, err := p.server.Settings(ctx)
	if err != nil {
		return nil, err
	}
	me, err := p.server.Me(ctx)
	return func() { p.address, p.fixed = me.Address, fresh.Fixed; p.take(fresh) }, err
}

// take shows settings as they are now, below what was typed.
func (p *Page) take(fresh rest.Settings) {
	if p.draft.edits == nil {
		p.draft = newDraft(fresh)
		return
	}
	wasTyped := len(p.draft.changedNames()) > 0
	if theirs := p.draft.rebase(fresh); len(theirs) > 0 && wasTyped {
		p.theirs = theirs
		ui.Announce("Someone changed this since you opened it.")
	}
}

func (p *Page) edit(_ app.Context, name, text string) {
	p.draft.edit(name, text)
	if name == rest.SettingIdleTimeout {
		p.note = ""
	}
}

// leave tells what is wrong with a field, and what another timeout would do.
func (p *Page) leave(_ app.Context, name string) {
	p.draft.leave(name)
	if name != rest.SettingIdleTimeout || !p.draft.isChanged(name) || p.draft.problem(name) != "" {
		return
	}
	var live []rest.Session
	load.Act(p.ctx, func(ctx context.Context) (err error) {
		live, err = p.server.Active(ctx)
		return err
	}, func(_ app.Context, err error) {
		if err == nil && p.draft.isChanged(name) {
			p.note = timeoutNote(live, p.draft.idleTimeout(), time.Now())
		}
	})
}

func (p *Page) review(app.Context, app.Event)    { p.dialog, p.problem = reviewDialog, "" }
func (p *Page) seeTheirs(app.Context, app.Event) { p.dialog = theirsDialog }
func (p *Page) closeDialog(app.Context)          { p.dialog = noDialog }

func (p *Page) discard(app.Context, app.Event) {
	p.draft, p.note, p.theirs = newDraft(p.draft.saved), "", nil
	ui.Announce("Changes discarded.")
	ui.KeepFocus()
}

// save sends the changes; what somebody else changed meanwhile is a conflict.
func (p *Page) save(_ app.Context, reason string) {
	change := rest.SettingsChange{Patch: p.draft.patch(), IfVersion: p.draft.saved.Version, Reason: reason}
	p.busy, p.problem = true, ""
	var saved rest.Settings
	load.Act(p.ctx, func(ctx context.Context) (err error) {
		saved, err = p.server.ChangeSettings(ctx, change)
		return err
	}, func(ctx app.Context, err error) { p.saved(ctx, saved, err) })
}

func (p *Page) saved(ctx app.Context, now rest.Settings, err error) {
	p.busy = false
	refused := load.Refused(err)
	switch {
	case err == nil:
		p.draft, p.theirs, p.note, p.dialog = newDraft(now), nil, "", noDialog
		ctx.NewAction(load.SettingsChanged)
		ui.Announce("Settings saved.")
	case refused != nil && refused.Status == 409:
		p.dialog = noDialog
		p.resource.Reload() // its answer tells what changed
	case refused != nil && labelOf(refused.Field) != refused.Field && refused.Detail != "":
		p.dialog = noDialog
		p.draft.refused[refused.Field] = refused.Detail
		ctx.Defer(func(app.Context) { ui.Focus(refused.Field) })
	default:
		p.problem = load.Words(err)
	}
}
