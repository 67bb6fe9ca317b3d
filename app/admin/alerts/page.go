package alerts

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
)

// Server is what the pages need of the server. *client.Client is one.
type Server interface {
	Alerts(ctx context.Context, q rest.AlertQuery) (rest.Page[rest.Alert], error)
	Acknowledge(ctx context.Context, id string) (rest.Alert, error)
	Silence(ctx context.Context, id string, minutes int) (rest.Alert, error)
}

// refreshEvery is how often alerts are asked for: one is minutes old, mostly,
// before somebody acts on it.
const refreshEvery = 5 * time.Second

// keyState is the parameter of the address that says which alerts are shown.
const keyState = "state"

// Page shows what fires, or what did.
type Page struct {
	app.Compo

	server   Server
	ctx      app.Context
	filters  load.Filters
	resource load.Resource
	alerts   []rest.Alert
	next     string     // the cursor of older ones
	last     *time.Time // when the newest that is over was raised
	now      time.Time  // of the answer
	problem  string     // why something was not done
	tally    load.Tally
}

// New makes the page. Without a server it shows its skeleton.
func New(s Server) *Page { return &Page{server: s} }

// OnMount asks for the alerts.
func (p *Page) OnMount(ctx app.Context) {
	p.ctx = ctx
	p.filters = load.Filters{Keys: []string{keyState}}
	p.filters.Read(ctx)
	p.resource = load.Resource{Name: "alerts", Every: refreshEvery}
	if p.server != nil {
		p.resource.Ask = p.ask
	}
	p.resource.Start(ctx)
}

// OnNav shows what the address asks for by now.
func (p *Page) OnNav(ctx app.Context) {
	if p.filters.Read(ctx) {
		p.resource.Reload()
	}
}

// ChooseTab takes from the address which alerts are shown, for the skeleton.
func (p *Page) ChooseTab(query url.Values) {
	if query.Get(keyState) == rest.AlertResolved {
		p.filters.Set(keyState, rest.AlertResolved)
	}
}

// OnDismount stops asking.
func (p *Page) OnDismount() {
	p.resource.Stop()
	p.tally.Stop(p.ctx)
}

func (p *Page) isResolved() bool { return p.filters.Get(keyState) == rest.AlertResolved }

// ask asks for what the address names; where nothing fires, for the newest that did.
func (p *Page) ask() load.Question {
	query := rest.AlertQuery{State: rest.AlertFiring}
	if p.isResolved() {
		query.State = rest.AlertResolved
	}
	return func(ctx context.Context) (func(), error) {
		found, err := p.server.Alerts(ctx, query)
		if err != nil {
			p.tally.Tell(p.ctx, load.Counts{})
		}
		if err != nil || len(found.Items) > 0 || query.State == rest.AlertResolved {
			return func() { p.show(found, nil) }, err
		}
		over, err := p.server.Alerts(ctx, rest.AlertQuery{State: rest.AlertResolved, Limit: 1})
		var last *time.Time
		if len(over.Items) > 0 {
			last = over.Items[0].ResolvedAt
		}
		return func() { p.show(found, last) }, err
	}
}

func (p *Page) show(found rest.Page[rest.Alert], last *time.Time) {
	if now := len(found.Items); !p.isResolved() && p.resource.Known() && now > len(p.alerts) {
		ui.Announce(strconv.Itoa(now) + " alerts are firing.")
	}
	p.alerts, p.next, p.last, p.now = found.Items, found.NextCursor, last, time.Now()
	title := "Alerts · Parley"
	known := load.Counts{}
	if n := len(p.alerts); !p.isResolved() {
		if known = load.Firing(n); n > 0 {
			title = "(" + strconv.Itoa(n) + ") " + title
		}
	}
	p.tally.Tell(p.ctx, known)
	p.ctx.Page().SetTitle(title)
}

// more adds the page after the last.
func (p *Page) more(app.Context, app.Event) {
	query := rest.AlertQuery{State: rest.AlertResolved, Cursor: p.next}
	var found rest.Page[rest.Alert]
	load.Act(p.ctx, func(ctx context.Context) (err error) {
		found, err = p.server.Alerts(ctx, query)
		return err
	}, func(_ app.Context, err error) {
		if p.problem = load.Words(err); err == nil && p.next == query.Cursor {
			p.alerts, p.next = append(p.alerts, found.Items...), found.NextCursor
		}
	})
}

func (p *Page) acknowledge(id string) app.EventHandler {
	return func(app.Context, app.Event) {
		p.change("Acknowledged.", func(ctx context.Context) (rest.Alert, error) { return p.server.Acknowledge(ctx, id) })
	}
}

func (p *Page) silence(id string) app.EventHandler {
	return func(ctx app.Context, _ app.Event) {
		minutes, err := strconv.Atoi(ctx.JSSrc().Get("value").String())
		if err != nil {
			return
		}
		p.change("Silenced for "+ui.Span(time.Duration(minutes)*time.Minute)+".",
			func(ctx context.Context) (rest.Alert, error) { return p.server.Silence(ctx, id, minutes) })
	}
}

// change does something to an alert and shows it as it is then.
func (p *Page) change(done string, do func(context.Context) (rest.Alert, error)) {
	var changed rest.Alert
	load.Act(p.ctx, func(ctx context.Context) (err error) {
		changed, err = do(ctx)
		return err
	}, func(_ app.Context, err error) {
		if p.problem = load.Words(err); err != nil {
			return
		}
		for i, a := range p.alerts {
			if a.ID == changed.ID {
				p.alerts[i] = changed
			}
		}
		ui.Announce(done)
		ui.KeepFocus()
	})
}
