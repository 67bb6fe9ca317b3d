package nodes

import (
	"net/url"
	"strconv"
	"strings"
	"time"

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

// Render draws the page.
func (p *Page) Render() app.UI {
	return p.resource.UI(load.Page{Title: "Nodes", Class: "nodes", View: load.View{
		Skeleton: ui.Skeleton(ui.SkeletonRows, 3), Count: len(p.nodes), Content: p.content,
		Empty: ui.EmptyState{Icon: ui.IconNodes, Title: "No server is listed."},
	}})
}

func (p *Page) content() app.UI {
	cards := make([]app.UI, len(p.nodes))
	for i, n := range p.nodes {
		cards[i] = p.card(n)
	}
	return app.Div().Class("nodes-body").Body(
		load.Slot("banner-slot", p.banner()),
		app.P().Class("nodes-sum").Text(p.sentence()),
		app.Ul().Class("node-cards").Aria("label", "Nodes").Body(cards...),
		load.Slot("node-more", p.others()),
		load.Slot("dialogs", p.dialogUI()))
}

// isAlone reports whether a server is no part of a cluster: it has no lease.
func isAlone(n rest.Node) bool { return n.LeaseBy.IsZero() && n.RenewedAt.IsZero() }

// others says how to have more servers, where there is one; nil where there are some.
func (p *Page) others() app.UI {
	if len(p.nodes) != 1 || !isAlone(p.nodes[0]) {
		return nil
	}
	return app.P().Class("card-text").Body(app.Text("Several can serve as one, over one PostgreSQL and NATS: start each with "), app.Code().Text("--cluster"), app.Text(", "),
		app.Code().Text("--database"), app.Text(" and a name, "), app.Code().Text("--node"), app.Text(". They are listed here."))
}

// sentence says how the cluster does.
func (p *Page) sentence() string {
	var serving, draining, calls int
	versions := map[string]bool{}
	if running := p.running(); len(running) == 1 {
		if running[0].Draining {
			return "This is the only node, and it drains: nobody can start a call."
		}
		return "This is the only node. Draining it stops new calls for everyone."
	}
	for _, n := range p.nodes {
		switch {
		case n.State == stateLost || n.State == stateLeft:
			continue
		case takesCalls(n):
			serving++
		case n.Draining:
			draining++
		}
		if n.Reachable || n.State != stateLive {
			calls += n.Calls
		}
		versions[n.Version] = true
	}
	verb := " take calls"
	if serving == 1 {
		verb = " takes calls"
	}
	said := ui.Plural(serving, "node") + verb
	if draining > 0 {
		said += ", " + strconv.Itoa(draining) + " draining"
	}
	said += ". " + ui.Plural(calls, "call") + " in all."
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
	switch len(unheard) {
	case 0:
		return nil
	case len(p.running()) - 1:
		return ui.Banner{Tone: ui.ToneWarning, Text: "Nodes can't see each other. Counts below are for this node only."}.UI()
	}
	return ui.Banner{Tone: ui.ToneWarning, Text: "This server can't hear " + strings.Join(unheard, ", ") +
		". Its calls aren't counted below, and nothing can be done there from here."}.UI()
}

// running are the nodes that have a lease, or need none.
func (p *Page) running() (found []rest.Node) {
	for _, n := range p.nodes {
		if n.State == stateLive {
			found = append(found, n)
		}
	}
	return found
}

// slowMS and skewMS are from where on a figure stands out: callers' lines are held against
// a machine that passes packets on so late, and times of the record are worth little by a
// clock that is so far off.
const (
	slowMS = 25
	skewMS = 500
)

// fact is one of a card's, and the field of the interface that it shows. Its value is nil
// where there is none.
type fact struct {
	title, field string
	value        func(p *Page, n rest.Node) app.UI
}

func facts() []fact {
	return []fact{
		{"Calls", "calls", (*Page).calls},
		{"Media port", "media_address", func(_ *Page, n rest.Node) app.UI {
			return textIf(n.Media != "", n.Media[strings.LastIndexByte(n.Media, ':')+1:]+", UDP and TCP")
		}},
		{"TURN", "turn", (*Page).turn},
		{"CPU", "cpu_ratio", func(_ *Page, n rest.Node) app.UI { return textIf(n.ResidentBytes > 0, ui.Ratio(n.CPU)) }},
		{"Memory", "resident_bytes", func(_ *Page, n rest.Node) app.UI {
			return textIf(n.ResidentBytes > 0, ui.Bytes(int64(n.ResidentBytes)))
		}},
		{"Delay", "scheduling_delay_p50_ms", (*Page).delay},
		{"UDP lost", "udp_receive_errors", (*Page).udpErrors},
		{"Clock", "clock_skew_ms", (*Page).clock},
		{"Heard", "heartbeat_age_s", (*Page).heard},
		{"Lease", "lease_by", (*Page).lease},
		{"Up for", "started_at", (*Page).up},
		{"Version", "version", func(_ *Page, n rest.Node) app.UI { return app.Span().Text(n.Version) }},
		{"Address", "address", func(_ *Page, n rest.Node) app.UI { return textIf(n.Address != "", n.Address) }},
	}
}

// textIf is nil where there is nothing to tell.
func textIf(is bool, text string) app.UI {
	if !is {
		return nil
	}
	return app.Span().Text(text)
}

// marked is a figure, with a sign where it stands out.
func marked(isMarked bool, text, why string) app.UI {
	if !isMarked {
		return app.Span().Title(why).Text(text)
	}
	return app.Span().Class("node-state", "is-warning").Title(why).Body(ui.Icon(ui.IconAlert), app.Strong().Text(text))
}

// isGone reports whether a node runs no more.
func isGone(n rest.Node) bool { return n.State == stateLost || n.State == stateLeft }

func (p *Page) card(n rest.Node) app.UI {
	var list []app.UI
	for _, f := range facts() {
		if value := f.value(p, n); value != nil {
			list = append(list, app.Dt().Text(f.title), app.Dd().Body(value))
		}
	}
	card := app.Li().Class("card", "node-card")
	if isGone(n) {
		card = card.Class("is-gone")
	}
	return card.Body(app.Div().Class("node-head").Body(p.nameCell(n), p.stateCell(n)), load.Slot("node-beats", beats(n)), app.Dl().Class("node-facts").Body(list...), p.acts(n))
}

func (p *Page) nameCell(n rest.Node) app.UI {
	body := []app.UI{app.H2().Class("card-title").Text(n.Name)}
	if n.Self {
		body = append(body, app.Span().Class("node-note").Text("this one"))
	}
	if n.Leader {
		body = append(body, app.Span().Class("node-note").Title("It does what one does for all: alerts, retention.").Text("leads"))
	}
	return app.Div().Class("node-name").Body(body...)
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

// calls lead to them, where there are any.
func (p *Page) calls(n rest.Node) app.UI {
	if isGone(n) || n.State == stateLive && !n.Reachable {
		return nil
	}
	text := ui.Count(int64(n.Calls)) + " / " + ui.Count(int64(n.Cap))
	if n.Calls == 0 || isAlone(n) {
		return app.Span().Text(text)
	}
	return app.A().Href("/admin/sessions?node="+url.QueryEscape(n.Name)).Aria("label", text+" calls of "+n.Name).Text(text)
}

// turn says how the node finds its own TURN server.
func (p *Page) turn(n rest.Node) app.UI {
	if n.TURN == "" {
		return nil
	}
	return marked(n.TURN == rest.TURNUnreachable, string(n.TURN), "How this machine finds its own TURN server, at the address that callers are told. A router may not lead a machine back to itself: parley doctor says more.")
}

// The strip of heartbeats, in tenths of a pixel.
const (
	beatSeconds = 60
	beatWidth   = 50
)

// beats are the seconds of the last minute in which a node was heard, and those in which it
// was not; nil where there are none to hear.
func beats(n rest.Node) app.UI {
	if n.Heartbeats == "" {
		return nil
	}
	d := [2]string{}
	for i, c := range n.Heartbeats {
		x := strconv.Itoa((beatSeconds-len(n.Heartbeats)+i)*beatWidth + beatWidth/2)
		if c == '1' {
			d[1] += "M" + x + " 10v180"
		} else {
			d[0] += "M" + x + " 150v40"
		}
	}
	label := "Heard in " + strconv.Itoa(strings.Count(n.Heartbeats, "1")) + " of the last " + ui.Plural(len(n.Heartbeats), "second")
	return ui.SVG("svg").Class("node-beats").Attr("viewBox", "0 0 3000 200").Attr("preserveAspectRatio", "none").
		Role("img").Aria("label", label).Body(ui.SVG("title").Text(label), ui.Path("node-beat", d[1]), ui.Path("node-beat-lost", d[0]))
}

func (p *Page) delay(n rest.Node) app.UI {
	if n.DelayMS == 0 {
		return nil
	}
	return marked(n.DelayMS > slowMS, ui.Millis(n.DelayMS), "How late this machine passes callers' packets on, in the median second of the last five minutes.")
}

func (p *Page) udpErrors(n rest.Node) app.UI {
	if n.ResidentBytes == 0 {
		return nil
	}
	return marked(n.UDPErrors > 0, ui.Count(n.UDPErrors), "Packets that came to this machine and were not received, since the node started: mostly for want of buffers.")
}

// clock says how far the node's is from the database's.
func (p *Page) clock(n rest.Node) app.UI {
	if n.ClockSkewMS == nil {
		return nil
	}
	off, where := *n.ClockSkewMS, " ahead"
	if off < 0 {
		off, where = -off, " behind"
	}
	if off < 1 {
		return app.Span().Text("in step")
	}
	return marked(off > skewMS, ui.Millis(off)+where, "How far this machine's clock is from the database's.")
}

// heard says how long ago another node said something.
func (p *Page) heard(n rest.Node) app.UI {
	if n.HeartbeatAgeS == nil || n.Self || isGone(n) {
		return nil
	}
	age := ui.Age(time.Duration(*n.HeartbeatAgeS * float64(time.Second)))
	return marked(!n.Reachable, age+" ago", "When the server that you are at heard this one last.")
}

// lease says how long ago it was renewed, or that it is over.
func (p *Page) lease(n rest.Node) app.UI {
	word := "renewed "
	if isAlone(n) {
		return nil
	}
	switch n.State {
	case stateLeft:
		word = "given back "
	case stateLapsed, stateLost:
		return ui.TimeElement(n.LeaseBy, "ran out "+ui.Age(p.now.Sub(n.LeaseBy))+" ago")
	}
	return ui.TimeElement(n.LeaseBy, word+ui.Age(p.now.Sub(n.RenewedAt))+" ago")
}

func (p *Page) up(n rest.Node) app.UI {
	if isGone(n) {
		return nil
	}
	return ui.TimeElement(n.StartedAt, ui.Age(p.now.Sub(n.StartedAt)))
}

// acts are what can be done about a node that is heard, and where more is told of each.
func (p *Page) acts(n rest.Node) app.UI {
	var logs []app.UI
	if !isAlone(n) {
		logs = append(logs, app.A().Class("node-logs").Href("/admin/logs?node="+url.QueryEscape(n.Name)).Aria("label", "Access logs of "+n.Name).Text("Access logs"))
	}
	if n.State != stateLive || !n.Reachable {
		return app.Div().Class("node-acts").Body(logs...)
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
	return app.Div().Class("node-acts").Body(append(body, logs...)...)
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
			Title: "End " + ui.Plural(p.selected.Calls, "call") + " of " + p.selected.Name + "?", Text: "They end at once, and so do those that began meanwhile. The callers see your reason.",
			Confirm: "End calls", Presets: []string{"Maintenance", "This server is replaced"}, Max: rest.MaxReason, Phrase: phrase,
			Busy: p.busy != "", Problem: p.problem, OnConfirm: p.end, OnCancel: p.closeDialog,
		}
	}
	return nil
}

// drainWords say what becomes of callers.
func (p *Page) drainWords() string {
	said := "No new calls here."
	switch {
	case len(p.running()) == 1:
		said = "This is the only node. Draining it stops new calls for everyone."
	case p.isOnly(p.selected.Name):
		said = "No other node takes calls: draining this one stops new calls for everyone."
	}
	calls := p.selected.Calls
	for _, n := range p.nodes { // as many as there are now, while one thinks
		if n.Name == p.selected.Name {
			calls = n.Calls
		}
	}
	switch calls {
	case 0:
		return said + " None is on."
	case 1:
		return said + " 1 live call goes on until it ends."
	}
	return said + " " + ui.Plural(calls, "live call") + " go on until they end."
}
