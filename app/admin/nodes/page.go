// Package nodes owns the admins' page of the servers of a cluster: how each does, which
// of them takes calls, and what can be done about one: drain it, take it back in, end its
// calls. It decides nothing; the server does, on record.
package nodes

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
	Nodes(ctx context.Context) (rest.Page[rest.Node], error)
	DrainNode(ctx context.Context, name string, isDraining bool) error
	EndNodeCalls(ctx context.Context, name, reason string) (rest.NodeCallsEnded, error)
}

// refreshEvery is how often the nodes are asked for: they tell each other once a second.
const refreshEvery = 2 * time.Second

// askNumberOver is how many calls can be ended at once before their number has to be
// typed, as on the page of sessions.
const askNumberOver = 5

// dialog is which one is open.
type dialog int

const (
	noDialog dialog = iota
	drainDialog
	endDialog
)

// Page shows the nodes.
type Page struct {
	app.Compo

	server   Server
	ctx      app.Context
	resource load.Resource
	nodes    []rest.Node
	now      time.Time // when they were asked for
	dialog   dialog
	selected rest.Node // as it was when the dialog was opened
	busy     string    // what is being done, by name of the node; "": nothing
	problem  string    // why it was not done
	tally    load.Tally
}

// New makes the page. Without a server it shows its skeleton.
func New(s Server) *Page { return &Page{server: s} }

// OnMount asks for the nodes.
func (p *Page) OnMount(ctx app.Context) {
	p.ctx = ctx
	p.resource = load.Resource{Name: "nodes", Every: refreshEvery}
	if p.server != nil {
		p.resource.Ask = func() load.Question { return p.fetch }
	}
	p.resource.Start(ctx)
}

// OnDismount stops asking.
func (p *Page) OnDismount() {
	p.resource.Stop()
	p.tally.Stop(p.ctx)
}

func (p *Page) fetch(ctx context.Context) (func(), error) {
	found, err := p.server.Nodes(ctx)
	if err != nil {
		p.tally.Tell(p.ctx, load.Counts{})
		return nil, err
	}
	p.tally.Tell(p.ctx, load.Nodes(max(1, countLive(found.Items))))
	return func() { p.nodes, p.now = found.Items, time.Now() }, nil
}

// countLive counts those that serve. A server that is alone isn't listed.
func countLive(nodes []rest.Node) (n int) {
	for _, node := range nodes {
		if node.State == stateLive {
			n++
		}
	}
	return n
}

func (p *Page) openDialog(which dialog, about rest.Node) app.EventHandler {
	return func(app.Context, app.Event) { p.dialog, p.selected, p.problem = which, about, "" }
}

func (p *Page) closeDialog(app.Context) { p.dialog, p.problem = noDialog, "" }

func (p *Page) drain(app.Context, string) { p.setDraining(p.selected.Name, true) }

func (p *Page) undrain(of rest.Node) app.EventHandler {
	return func(app.Context, app.Event) {
		p.dialog = noDialog
		p.setDraining(of.Name, false)
	}
}

func (p *Page) setDraining(name string, isDraining bool) {
	said := "Node " + name + " takes calls again."
	if isDraining {
		said = "Node " + name + " takes no new calls."
	}
	p.act(name, func(ctx context.Context) (string, error) { return said, p.server.DrainNode(ctx, name, isDraining) })
}

func (p *Page) end(_ app.Context, reason string) {
	name := p.selected.Name
	p.act(name, func(ctx context.Context) (string, error) {
		done, err := p.server.EndNodeCalls(ctx, name, reason)
		return ui.Plural(done.Ended, "call") + " ended.", err
	})
}

// act does something to a node, and says what came of it.
func (p *Page) act(name string, do func(context.Context) (said string, err error)) {
	if p.busy != "" {
		return
	}
	p.busy, p.problem = name, ""
	var said string
	load.Act(p.ctx, func(ctx context.Context) (err error) {
		said, err = do(ctx)
		return err
	}, func(ctx app.Context, err error) {
		p.busy = ""
		if p.problem = load.Words(err); err == nil {
			p.closeDialog(ctx)
			ui.Announce(said)
		}
		p.resource.Reload()
	})
}

// takesCalls reports whether callers who come to a node are let in.
func takesCalls(n rest.Node) bool { return n.State == stateLive && !n.Draining }

// isOnly reports whether no other node takes calls.
func (p *Page) isOnly(name string) bool {
	for _, n := range p.nodes {
		if n.Name != name && takesCalls(n) {
			return false
		}
	}
	return true
}
