package nodes

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
)

// The states of a lease, as the interface has them.
const (
	stateLive   = "live"
	stateLapsed = "lapsed"
	stateLost   = "lost"
	stateLeft   = "left"
)

// slowMS is how late a machine may pass packets on before its figure stands out: from
// there on callers' lines are held against the server.
const slowMS = 25

// Render draws the page.
func (p *Page) Render() app.UI {
	return p.resource.UI(load.Page{Title: "Nodes", Class: "nodes", View: load.View{
		Skeleton: ui.Skeleton(ui.SkeletonRows, 3), Count: len(p.nodes), Content: p.content,
		Empty: ui.EmptyState{
			Icon: ui.IconNodes, Title: "This is the only server.",
			Text: "Several can serve as one, over one PostgreSQL and NATS: start each with --cluster, --database and a name, --node. They are listed here.",
		},
	}})
}

func (p *Page) content() app.UI {
	rows := make([]ui.Row, len(p.nodes))
	for i, n := range p.nodes {
		rows[i] = p.row(n)
	}
	shown := make([]ui.Column, 0, len(columns()))
	for _, c := range columns() {
		shown = append(shown, c.Column)
	}
	return app.Div().Class("nodes-body").Body(
		load.Slot("banner-slot", p.banner()),
		app.P().Class("nodes-sum").Text(p.sentence()),
		ui.Table{Label: "Nodes", Columns: append(shown, ui.Column{Key: "acts", Title: "Actions", Hidden: true}), Rows: rows}.UI(),
		load.Slot("dialogs", p.dialogUI()))
}

// sentence says how the cluster does.
func (p *Page) sentence() string {
	var serving, draining, calls int
	versions := map[string]bool{}
	for _, n := range p.nodes {
		switch {
		case n.State == stateLost || n.State == stateLeft:
			continue
		case takesCalls(n):
			serving++
		case n.Draining:
			draining++
		}
		calls += n.Calls
		versions[n.Version] = true
	}
	verb := " take calls"
	if serving == 1 {
		verb = " takes calls"
	}
	said := countOf(serving, "node") + verb
	if draining > 0 {
		said += ", " + strconv.Itoa(draining) + " draining"
	}
	said += ". " + countOf(calls, "call") + " in all."
	if len(versions) > 1 {
		said += " " + strconv.Itoa(len(versions)) + " versions run side by side."
	}
	return said
}

// banner says what the figures are not, or why something was not done.
func (p *Page) banner() app.UI {
	if p.problem != "" && p.dialog == noDialog {
		return ui.Banner{Tone: ui.ToneDanger, Text: p.problem}.UI()
	}
	var unheard []string
	for _, n := range p.nodes {
		if n.State == stateLive && !n.Reachable {
			unheard = append(unheard, n.Name)
		}
	}
	if len(unheard) == 0 {
		return nil
	}
	return ui.Banner{Tone: ui.ToneWarning, Text: "This server can't hear " + strings.Join(unheard, ", ") +
		". What is shown of it is as it stood in the database; nothing can be done there from here."}.UI()
}

// column is one of the table's, and the field of the interface that it shows.
type column struct {
	ui.Column
	field string
	cell  func(p *Page, n rest.Node) app.UI
}

func columns() []column {
	return []column{
		{ui.Column{Key: "name", Title: "Node", Card: ui.PlaceLead}, "name", (*Page).nameCell},
		{ui.Column{Key: "state", Title: "State", Card: ui.PlaceSide}, "state", (*Page).stateCell},
		{ui.Column{Key: "calls", Title: "Calls", Number: true}, "calls", (*Page).callsCell},
		{ui.Column{Key: "delay", Title: "Delay", Number: true}, "scheduling_delay_p50_ms", (*Page).delayCell},
		{ui.Column{Key: "version", Title: "Version"}, "version", func(_ *Page, n rest.Node) app.UI { return app.Span().Text(n.Version) }},
		{ui.Column{Key: "lease", Title: "Lease"}, "lease_by", (*Page).leaseCell},
		{ui.Column{Key: "up", Title: "Up for"}, "started_at", (*Page).upCell},
		{ui.Column{Key: "address", Title: "Address"}, "address", func(_ *Page, n rest.Node) app.UI {
			return app.Span().Class("node-address").Text(n.Address)
		}},
	}
}

// isGone reports whether a node runs no more.
func isGone(n rest.Node) bool { return n.State == stateLost || n.State == stateLeft }

func (p *Page) row(n rest.Node) ui.Row {
	row := ui.Row{ID: n.Name, Gone: isGone(n), Mark: n.Self}
	for _, c := range columns() {
		row.Cells = append(row.Cells, c.cell(p, n))
	}
	row.Cells = append(row.Cells, p.acts(n))
	return row
}

func (p *Page) nameCell(n rest.Node) app.UI {
	body := []app.UI{app.Strong().Text(n.Name)}
	if n.Self {
		body = append(body, app.Span().Class("node-note").Text("this one"))
	}
	if n.Leader {
		body = append(body, app.Span().Class("node-note").Title("It does what one does for all: alerts, retention.").Text("leads"))
	}
	return app.Span().Class("node-name").Body(body...)
}

func (p *Page) stateCell(n rest.Node) app.UI {
	icon, class, word := ui.IconCheck, "is-good", "Serving"
	switch {
	case n.State == stateLeft:
		icon, class, word = ui.IconPower, "", "Stopped"
	case n.State == stateLost:
		icon, class, word = ui.IconClose, "is-bad", "Lost"
	case n.State == stateLapsed:
		icon, class, word = ui.IconClose, "is-bad", "Silent "+ui.Age(p.now.Sub(n.RenewedAt))
	case n.Draining:
		icon, class, word = ui.IconPause, "is-warning", "Draining"
	case !n.Reachable:
		icon, class, word = ui.IconAlert, "is-warning", "Not heard"
	}
	return app.Span().Class("node-state", class).Body(ui.Icon(icon), app.Span().Text(word))
}

// callsCell leads to the calls, where there are any.
func (p *Page) callsCell(n rest.Node) app.UI {
	if isGone(n) {
		return ui.NoData()
	}
	if n.Calls == 0 {
		return app.Span().Text("0")
	}
	return app.A().Href("/admin/sessions?node="+url.QueryEscape(n.Name)).Aria("label", countOf(n.Calls, "call")+" of "+n.Name).Text(ui.Count(int64(n.Calls)))
}

func (p *Page) delayCell(n rest.Node) app.UI {
	if n.DelayMS == 0 {
		return ui.NoData()
	}
	cell := app.Span().Title("How late this machine passes callers' packets on, in the median second of the last five minutes.").Text(ui.Millis(n.DelayMS))
	if n.DelayMS > slowMS {
		cell = cell.Class("node-slow")
	}
	return cell
}

// leaseCell says how long ago the lease was renewed, or that it is over.
func (p *Page) leaseCell(n rest.Node) app.UI {
	word := "renewed "
	switch n.State {
	case stateLeft:
		word = "given back "
	case stateLapsed, stateLost:
		return ui.TimeElement(n.LeaseBy, "ran out "+ui.Age(p.now.Sub(n.LeaseBy))+" ago")
	}
	return ui.TimeElement(n.LeaseBy, word+ui.Age(p.now.Sub(n.RenewedAt))+" ago")
}

func (p *Page) upCell(n rest.Node) app.UI {
	if isGone(n) {
		return ui.NoData()
	}
	return ui.TimeElement(n.StartedAt, ui.Age(p.now.Sub(n.StartedAt)))
}

// acts are what can be done about a node that is heard.
func (p *Page) acts(n rest.Node) app.UI {
	if n.State != stateLive || !n.Reachable {
		return ui.Blank()
	}
	drain := ui.Act(ui.Button(ui.Plain, "", "Drain…")).Aria("label", "Drain "+n.Name).OnClick(p.openDialog(drainDialog, n), app.EventScope("drain", n.Name, n.Calls))
	if n.Draining {
		drain = ui.Act(ui.Button(ui.Plain, "", "Undrain")).Aria("label", "Undrain "+n.Name).OnClick(p.undrain(n), app.EventScope("undrain", n.Name))
	}
	body := []app.UI{ui.Disabled(drain, p.busy == n.Name)}
	if n.Calls > 0 {
		body = append(body, ui.Act(ui.Button(ui.Plain, "", "End calls…")).Aria("label", "End calls of "+n.Name).
			OnClick(p.openDialog(endDialog, n), app.EventScope("end", n.Name, n.Calls)))
	}
	return app.Div().Class("node-acts").Body(body...)
}

func (p *Page) dialogUI() app.UI {
	switch p.dialog {
	case drainDialog:
		return &ui.ConfirmWithReason{
			Title: "Drain " + p.selected.Name + "?", Text: p.drainWords(), Confirm: "Drain", Kind: ui.Primary, NoReason: true,
			Busy: p.busy != "", Problem: p.problem, OnConfirm: p.drain, OnCancel: p.closeDialog,
		}
	case endDialog:
		phrase := ""
		if p.selected.Calls > askNumberOver {
			phrase = strconv.Itoa(p.selected.Calls)
		}
		return &ui.ConfirmWithReason{
			Title: "End " + countOf(p.selected.Calls, "call") + " of " + p.selected.Name + "?", Text: "They end at once, and so do those that began meanwhile. The callers see your reason.",
			Confirm: "End calls", Presets: []string{"Maintenance", "This server is replaced"}, Max: rest.MaxReason, Phrase: phrase,
			Busy: p.busy != "", Problem: p.problem, OnConfirm: p.end, OnCancel: p.closeDialog,
		}
	}
	return nil
}

// drainWords say what becomes of callers.
func (p *Page) drainWords() string {
	said := "No new calls here."
	if p.isOnly(p.selected.Name) {
		said = "No other node takes calls: draining this one stops new calls for everyone."
	}
	switch p.selected.Calls {
	case 0:
		return said + " None is on."
	case 1:
		return said + " 1 live call goes on until it ends."
	}
	return said + " " + countOf(p.selected.Calls, "live call") + " go on until they end."
}
