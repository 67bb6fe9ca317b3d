// Package agents owns the admins' page of the agents: how each does, what it lacked
// of late, and a trial call with its steps and their times. It calls nobody itself;
// the server does, on record.
package agents

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
	Agents(ctx context.Context) (rest.Page[rest.AgentStatus], error)
	CheckAgent(ctx context.Context, name string) (rest.AgentCheck, error)
}

// refreshEvery is how often the agents' figures are asked for.
const refreshEvery = 10 * time.Second

// Page shows the agents.
type Page struct {
	app.Compo

	server   Server
	ctx      app.Context
	resource load.Resource
	agents   []rest.AgentStatus
	checks   map[string]check // by agent
}

// check is a trial call: under way, or what came of it.
type check struct {
	isRunning bool
	result    rest.AgentCheck
	problem   string
}

// New makes the page. Without a server it shows its skeleton.
func New(s Server) *Page { return &Page{server: s, checks: map[string]check{}} }

// OnMount asks for the agents.
func (p *Page) OnMount(ctx app.Context) {
	p.ctx = ctx
	p.resource = load.Resource{Name: "agents", Every: refreshEvery}
	if p.server != nil {
		p.resource.Ask = func() load.Question { return p.fetch }
	}
	p.resource.Start(ctx)
}

// OnDismount stops asking.
func (p *Page) OnDismount() { p.resource.Stop() }

func (p *Page) fetch(ctx context.Context) (func(), error) {
	found, err := p.server.Agents(ctx)
	return func() { p.agents = found.Items }, err
}

func (p *Page) check(name string) app.EventHandler {
	return func(app.Context, app.Event) {
		if p.checks[name].isRunning {
			return
		}
		p.checks[name] = check{isRunning: true}
		var result rest.AgentCheck
		load.Act(p.ctx, func(ctx context.Context) (err error) {
			result, err = p.server.CheckAgent(ctx, name)
			return err
		}, func(_ app.Context, err error) {
			p.checks[name] = check{result: result, problem: load.Words(err)}
			ui.Announce("Check of " + name + ": " + resultWord(result.Result) + ".")
		})
	}
}

// resultWord is what came of a check, or of a step of it.
func resultWord(r rest.CheckResult) string {
	switch r {
	case rest.CheckOK:
		return "all well"
	case rest.CheckMissing:
		return "works, with something missing"
	case rest.CheckUntried:
		return "not tried"
	}
	return "failed"
}

// Render draws the page.
func (p *Page) Render() app.UI {
	return p.resource.UI(load.Page{Title: "Agents", Class: "agents", View: load.View{
		Skeleton: ui.Skeleton(ui.SkeletonCard, 2), Count: len(p.agents), Content: p.content,
		Empty: ui.EmptyState{Icon: ui.IconServer, Title: "No agent is set up.", Text: "Name one with --agent or --agents."},
	}})
}

func (p *Page) content() app.UI {
	cards := make([]app.UI, len(p.agents))
	for i, a := range p.agents {
		cards[i] = p.card(a)
	}
	return app.Div().Class("settings-body").Body(append(cards,
		app.P().Class("card-text").Text("A check is a real call of a few seconds, on record. At a provider it may cost money."))...)
}

func (p *Page) card(a rest.AgentStatus) app.UI {
	c := p.checks[a.Name]
	label := "Check"
	if c.isRunning {
		label = "Checking…"
	}
	return app.Section().Class("card", "form-card").DataSet("agent", a.Name).Body(
		app.Div().Class("agent-head").Body(
			app.Div().Body(app.H2().Class("card-title").Text(a.Title), app.P().Class("card-text").Text(a.About)),
			ui.Act(ui.Disabled(ui.Button(ui.Plain, ui.IconGauge, label), c.isRunning)).Aria("label", label+" "+a.Name).
				OnClick(p.check(a.Name), app.EventScope("check", a.Name))),
		app.Div().Class("tiles").Body(tiles(a)...),
		checkUI(c),
		failures(a.Failures),
		refused(a.Refused),
	)
}

// tiles are the figures of an agent.
func tiles(a rest.AgentStatus) []app.UI {
	half, slow := ui.Missing, ui.Missing
	if a.FirstWord.Turns > 0 {
		half, slow = ui.Millis(a.FirstWord.P50MS), ui.Millis(a.FirstWord.P95MS)
	}
	turns := "of " + ui.Count(int64(a.FirstWord.Turns)) + " turns"
	return []app.UI{
		ui.Tile{Label: "Calls now", Value: ui.Count(int64(a.Calls))}.UI(),
		ui.Tile{Label: "Failures, last hour", Value: ui.Count(int64(len(a.Failures)))}.UI(),
		ui.Tile{Label: "First word, half within", Value: half, Note: turns}.UI(),
		ui.Tile{Label: "First word, 95 % within", Value: slow, Note: turns}.UI(),
	}
}

func checkUI(c check) app.UI {
	if c.problem != "" {
		return ui.Banner{Tone: ui.ToneDanger, Text: c.problem}.UI()
	}
	if c.result.Agent == "" {
		return app.Div().Class("agent-check", "is-empty")
	}
	steps := make([]app.UI, len(c.result.Steps))
	for i, s := range c.result.Steps {
		icon, class := ui.IconCheck, "evidence-row is-good"
		switch s.Result {
		case rest.CheckFailed:
			icon, class = ui.IconAlert, "evidence-row is-bad"
		case rest.CheckMissing:
			icon, class = ui.IconInfo, "evidence-row is-warning"
		case rest.CheckUntried:
			icon, class = ui.IconMore, "evidence-row"
		}
		steps[i] = app.Li().Class(class).Body(ui.Icon(icon), app.Div().Body(
			app.P().Class("evidence-what").Body(app.Span().Text(s.Name), app.Span().Class("step-took num").Text(tookText(s))),
			app.P().Class("card-text").Text(s.Detail)))
	}
	return app.Div().Class("agent-check").Body(
		app.H3().Class("card-subtitle").Text("Check: "+resultWord(c.result.Result)), app.Ul().Class("evidence").Body(steps...))
}

func tookText(s rest.AgentCheckStep) string {
	if s.Result == rest.CheckUntried {
		return resultWord(s.Result)
	}
	return ui.Millis(s.TookMS)
}

func failures(of []rest.AgentFailure) app.UI {
	if len(of) == 0 {
		return app.Div().Class("agent-failures", "is-empty")
	}
	rows := make([]app.UI, len(of))
	for i, f := range of {
		rows[i] = app.Li().Body(ui.ClockTime(f.At), app.Span().Text(f.Detail))
	}
	return app.Div().Class("agent-failures").Body(app.H3().Class("card-subtitle").Text("Failures"), app.Ul().Class("agent-lines").Body(rows...))
}

// refused are events that the firewall did not let pass.
func refused(of []rest.RefusedEvent) app.UI {
	if len(of) == 0 {
		return app.Div().Class("agent-refused", "is-empty")
	}
	rows := make([]app.UI, len(of))
	for i, e := range of {
		from := "from the agent"
		if e.Direction == "from_browser" {
			from = "from browsers"
		}
		rows[i] = app.Li().Body(app.Span().Class("num").Text(ui.Count(e.Count)+" ×"), app.Code().Text(e.Type), app.Span().Text(from+", "+e.Reason))
	}
	return app.Div().Class("agent-refused").Body(app.H3().Class("card-subtitle").Text("Events that the firewall stopped"), app.Ul().Class("agent-lines").Body(rows...))
}
