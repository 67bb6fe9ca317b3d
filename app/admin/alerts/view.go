package alerts

import (
	"slices"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
)

// tabs lead from one view of the alerts to the others; here is the one that is shown.
func tabs(here string) app.UI {
	items := []app.UI{}
	for _, tab := range []struct{ name, href string }{
		{"Firing", "/admin/alerts"}, {"Resolved", "/admin/alerts?" + keyState + "=" + rest.AlertResolved}, {"Rules", "/admin/alerts/rules"},
	} {
		link := app.A().Class("tab").Href(tab.href).Text(tab.name)
		if tab.name == here {
			link = link.Class("tab-here").Aria("current", "page")
		}
		items = append(items, app.Li().Body(link))
	}
	return app.Nav().Class("tabs").Aria("label", "Alerts").Body(app.Ul().Class("tab-list").Body(items...))
}

// Render draws the page.
func (p *Page) Render() app.UI {
	here := "Firing"
	empty := ui.EmptyState{Icon: ui.IconCheck, Title: "All clear. Nothing has fired yet."}
	switch {
	case p.isResolved():
		here = "Resolved"
		empty = ui.EmptyState{Icon: ui.IconBell, Title: "No alert is over yet.", Text: "What has fired and is well again is listed here."}
	case p.last != nil:
		empty.Title = "All clear. Nothing has fired in " + ui.Age(p.now.Sub(*p.last)) + "."
	}
	return p.resource.UI(load.Page{Title: "Alerts", Class: "alerts", View: load.View{
		Skeleton: ui.Skeleton(ui.SkeletonRows, 4), Count: len(p.alerts), Empty: empty, Above: tabs(here), Content: p.content,
	}})
}

func (p *Page) content() app.UI {
	rows := make([]app.UI, len(p.alerts))
	for i, a := range p.alerts {
		rows[i] = p.alert(a)
	}
	body := []app.UI{load.Slot("banner-slot", problemBanner(p.problem)), app.Ul().Class("alert-list").Body(rows...)}
	if p.isResolved() && p.next != "" {
		body = append(body, ui.Button(ui.Plain, "", "Load older").OnClick(p.more))
	}
	return app.Div().Class("alerts-body").Body(body...)
}

// problemBanner says why something was not done; nil for nothing.
func problemBanner(problem string) app.UI {
	if problem == "" {
		return nil
	}
	return ui.Banner{Tone: ui.ToneDanger, Text: problem}.UI()
}

func (p *Page) alert(a rest.Alert) app.UI {
	icon, class := ui.IconAlert, "alert-item is-firing"
	if a.State == rest.AlertResolved {
		icon, class = ui.IconCheck, "alert-item"
	}
	return app.Li().Class(class).DataSet("id", a.ID).Body(
		app.Span().Class("alert-sign").Body(ui.Icon(icon)),
		app.Div().Class("alert-words").Body(
			app.P().Class("alert-title").Text(a.Title),
			app.P().Class("alert-facts").Body(facts(a, p.now)...),
			steps(a),
		),
		load.Slot("alert-trend", trend(a)),
		app.Div().Class("alert-actions").Body(p.actions(a)...),
	)
}

// facts say since when, how far over the limit, what about, and who has it.
func facts(a rest.Alert, now time.Time) []app.UI {
	since := "firing " + ui.Age(now.Sub(a.RaisedAt))
	if a.ResolvedAt != nil {
		since = "lasted " + ui.Age(a.ResolvedAt.Sub(a.RaisedAt))
	}
	out := []app.UI{app.Span().Text(since)}
	if a.ResolvedAt != nil {
		out = append(out, ui.TimeElement(*a.ResolvedAt, "over "+ui.Age(now.Sub(*a.ResolvedAt))+" ago"))
	}
	out = append(out, app.Span().Class("num").Text(measured(a)))
	if a.Session != "" {
		out = append(out, app.Code().Title(a.Session).Text(ui.ShortID(a.Session)))
	}
	if a.Detail != "" {
		out = append(out, app.Span().Text(a.Detail))
	}
	if a.AcknowledgedAt != nil {
		out = append(out, app.Span().Class("alert-taken").Text("acknowledged by "+a.AcknowledgedBy+", "+ui.Clock(*a.AcknowledgedAt)))
	}
	if a.SilencedUntil != nil && a.SilencedUntil.After(now) {
		out = append(out, app.Span().Text("silenced until "+ui.Clock(*a.SilencedUntil)))
	}
	return out
}

// measured is a value beside its limit. Of a call, it is how it is rated, which is poor
// below the limit; a call that is better again fires until it has been so for a while.
func measured(a rest.Alert) string {
	value, limit := valueText(a.Value, a.Unit), valueText(a.Limit, a.Unit)
	if a.Unit == "mos" {
		return "est. MOS " + value + " (poor below " + limit + ")"
	}
	return value + " (limit " + limit + ")"
}

// steps are an alert's life: it fires, somebody takes it, it is over. The one that it
// stands at is marked.
func steps(a rest.Alert) app.UI {
	taken, over := "not acknowledged", "not over"
	if a.AcknowledgedAt != nil {
		taken = "acknowledged " + ui.Clock(*a.AcknowledgedAt)
	}
	at := 0
	if a.AcknowledgedAt != nil {
		at = 1
	}
	if a.ResolvedAt != nil {
		at, over = 2, "resolved "+ui.Clock(*a.ResolvedAt)
	}
	body := []app.UI{}
	for i, words := range [...]string{"fired " + ui.Clock(a.RaisedAt), taken, over} {
		item := app.Li().Text(words)
		if i == at {
			item = item.Aria("current", "step")
		}
		if i > at || i == 1 && a.AcknowledgedAt == nil {
			item = item.Class("is-open")
		}
		body = append(body, item)
	}
	return app.Ol().Class("alert-steps").Aria("label", "How far it is").Body(body...)
}

// trend is the value of the last minute; nil where it isn't known.
func trend(a rest.Alert) app.UI {
	if len(a.Trend) < 2 {
		return nil
	}
	return ui.Spark{Values: a.Trend, Label: "Value in the last minute: now " + valueText(a.Trend[len(a.Trend)-1], a.Unit) +
		", lowest " + valueText(slices.Min(a.Trend), a.Unit) + ", highest " + valueText(slices.Max(a.Trend), a.Unit)}.UI()
}

// valueText writes a value in its unit, as the server names it.
func valueText(v float64, unit string) string {
	switch unit {
	case "ratio":
		return ui.Ratio(v)
	case "mos":
		return ui.MOS(v)
	case "s":
		return ui.Seconds(v * 1000)
	}
	return ui.Count(int64(v))
}

func (p *Page) actions(a rest.Alert) []app.UI {
	label, href := lookAt(a)
	link := load.Link(label, href)
	if a.State == rest.AlertResolved {
		return []app.UI{link}
	}
	scope := app.EventScope("alert", a.ID)
	silence := ui.Select("silence-"+a.ID, "", []ui.Option{{Label: "Silence…"}, {Value: "15", Label: "15 minutes"},
		{Value: "60", Label: "1 hour"}, {Value: "240", Label: "4 hours"}, {Value: "1440", Label: "24 hours"}}).
		Class("act").Aria("label", "Silence "+a.Title).OnChange(p.silence(a.ID), scope)
	out := []app.UI{silence, link}
	if a.AcknowledgedAt == nil {
		out = append([]app.UI{ui.Act(ui.Button(ui.Primary, ui.IconCheck, "Acknowledge")).OnClick(p.acknowledge(a.ID), scope)}, out...)
	}
	return out
}

// lookAt is where an alert is looked into.
func lookAt(a rest.Alert) (label, href string) {
	if a.Session != "" {
		return "Open call", "/admin/sessions/" + a.Session
	}
	switch a.Rule {
	case rest.AlertPoorCalls:
		return "Open calls", "/admin/sessions?quality=poor"
	case rest.AlertSetupFailures:
		return "Open calls", "/admin/sessions?tab=ended"
	case rest.AlertSlowAnswers:
		return "Open agents", "/admin/agents"
	case rest.AlertRefusedSignIns:
		return "Open logs", "/admin/logs?status=401"
	case rest.AlertStorageAttempts:
		return "Open privacy", "/admin/privacy"
	case rest.AlertAuditChain:
		return "Open audit log", "/admin/audit"
	case rest.AlertAnomaly:
		return "Open overview", "/admin"
	case rest.AlertLogFailures, rest.AlertStreamsRefused:
		return "Open logs", "/admin/logs"
	}
	return "Open calls", "/admin/sessions"
}
