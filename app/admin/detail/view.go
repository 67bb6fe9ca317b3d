package detail

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/client"
	"parley/app/ui"
	"parley/shared/rest"
)

// The tabs.
const (
	tabQuality = "quality"
	tabTurns   = "turns"
	tabEvents  = "events"
	tabNetwork = "network"
	tabLogs    = "logs"
	tabRaw     = "raw"
)

// tab is one part of the page.
type tab struct {
	key, title string
	body       func(*Page) app.UI
}

func tabs() []tab {
	return []tab{
		{tabQuality, "Quality", (*Page).qualityTab}, {tabTurns, "Turns", (*Page).turnsTab}, {tabEvents, "Events", (*Page).eventsTab},
		{tabNetwork, "Network path", (*Page).networkTab}, {tabLogs, "Log lines", (*Page).logsTab}, {tabRaw, "Raw stats", (*Page).rawTab},
	}
}

func isTab(key string) bool {
	for _, t := range tabs() {
		if t.key == key {
			return true
		}
	}
	return false
}

// toTab shows another part.
func (p *Page) toTab(key string) app.EventHandler {
	return func(ctx app.Context, _ app.Event) {
		p.tab = key
		p.writeAddress(p.ctx)
	}
}

// Render draws the page.
func (p *Page) Render() app.UI {
	return app.Div().Body(
		p.session.UI(load.Page{Title: cmp.Or(ui.ShortID(p.id), "Session"), Class: "detail", Beside: p.beside(), View: load.View{
			Skeleton: ui.Skeleton(ui.SkeletonCard, 6), Count: 1, Above: p.notice(), Content: p.content,
			Lost: ui.EmptyState{Icon: ui.IconSearch, Title: "This session isn't here.",
				Text:   lostText(p.keptSince),
				Action: load.Link("See all sessions", "/admin/sessions")},
		}}),
		load.Slot("dialog-slot", p.actDialog()),
		load.Slot("copy-slot", p.copying.Fallback(p.link())),
	)
}

// notice says what went wrong with an act that has no dialog to say it in.
func (p *Page) notice() app.UI {
	if p.acts.open != nil || p.acts.problem == "" {
		return nil
	}
	return ui.Banner{Tone: ui.ToneDanger, Text: p.acts.problem}.UI()
}

// beside is the state of the page and what can be done. Each has its place from the
// start: how a call is changes each second, and nothing may move for it.
func (p *Page) beside() []app.UI {
	back := app.A().Class("detail-back").Href("/admin/sessions").Text("← Sessions")
	if !p.session.Known() {
		return []app.UI{back}
	}
	v := p.shown.verdict()
	out := []app.UI{back, p.pill(), ui.Badge(v, p.shown.isLive()), // over, its MOS is a mean of both ways
		app.Span().Class("detail-cause").Title(ui.CauseShort(v)).Text(ui.CauseShort(v)),
		ui.Button(ui.Plain, ui.IconLink, "Copy link").Class("detail-copy").OnClick(func(ctx app.Context, _ app.Event) {
			p.copying.Start(ctx, p.link(), "Link copied.")
		})}
	if p.shown.isLive() {
		out = append(out,
			ui.Act(ui.Button(ui.Plain, ui.IconClock, "Extend")).Title("Begin the quiet time anew").OnClick(p.extendCall),
			ui.Act(ui.Button(ui.Danger, ui.IconPhoneOff, "End call…")).OnClick(p.openAct(p.endAct)))
	}
	return out
}

// link is the address of what is shown.
func (p *Page) link() string {
	if app.IsServer || p.ctx.Context == nil {
		return ""
	}
	return p.ctx.Page().URL().String()
}

// pill says whether the session goes on and how fresh the page is.
func (p *Page) pill() app.UI {
	if !p.shown.isLive() {
		return app.Span().Class("live live-ended").Text("Ended · " + ui.EndWord(string(p.shown.record.EndCause)))
	}
	pill := ui.LivePill{State: ui.Live}
	switch s := p.shown.status; s.State {
	case client.Reconnecting, client.RateLimited:
		pill.State, pill.Retry = ui.Reconnecting, load.CeilSeconds(time.Until(s.Until))
	case client.Offline:
		pill.State, pill.Since = ui.Offline, s.Since
	}
	return app.Span().Class("detail-live").Body(pill.UI(), ui.Timer(lengthOf(p.shown.record, p.shown.clock(time.Now()))))
}

// content is the session.
func (p *Page) content() app.UI {
	now := time.Now()
	buttons := []app.UI{}
	body := app.UI(app.Div())
	for _, t := range tabs() {
		is := t.key == p.tab
		buttons = append(buttons, app.Button().Type("button").Class("detail-tab").ID("tab-"+t.key).Role("tab").
			Aria("selected", strconv.FormatBool(is)).Aria("controls", "detail-tab").TabIndex(tabIndex(is)).
			OnClick(p.toTab(t.key), app.EventScope(t.key)).OnKeyDown(p.tabKey, app.EventScope(t.key)).Body(app.Text(t.title), p.countOf(t.key)))
		if is {
			body = t.body(p)
		}
	}
	return app.Div().Class("detail-body").Body(
		p.facts(),
		p.ribbon(now),
		app.P().Class("detail-verdict", liveClass(p.shown.isLive())).Text(p.shown.sentence(now)),
		app.Div().Class("detail-tabs").Role("tablist").Aria("label", "Parts of the session").Body(buttons...),
		app.Div().ID("detail-tab").Class("detail-tab-body").Role("tabpanel").Aria("labelledby", "tab-"+p.tab).Body(body),
		app.P().Class("detail-foot").Text("Your visit is recorded."),
	)
}

// countOf is how many items a tab lists; until that is known, its place.
func (p *Page) countOf(tab string) app.UI {
	n := 0
	switch {
	case tab == tabEvents && p.events.Known():
		n = len(p.shown.history())
	case tab == tabLogs:
		n = len(p.shown.logs)
	case tab != tabEvents:
		return app.Text("")
	}
	if n == 0 {
		return app.Span().Class("detail-count num")
	}
	return app.Span().Class("detail-count num").Text(" " + strconv.Itoa(n))
}

// liveClass keeps room for what changes while a call goes on.
func liveClass(isLive bool) string {
	if isLive {
		return "is-live"
	}
	return "is-over"
}

func tabIndex(is bool) int {
	if is {
		return 0
	}
	return -1
}

// tabKey goes from tab to tab by the arrow keys.
func (p *Page) tabKey(ctx app.Context, e app.Event) {
	all := tabs()
	at := 0
	for i := range all {
		if all[i].key == p.tab {
			at = i
		}
	}
	switch e.Get("key").String() {
	case "ArrowRight":
		at = (at + 1) % len(all)
	case "ArrowLeft":
		at = (at + len(all) - 1) % len(all)
	case "Home":
		at = 0
	case "End":
		at = len(all) - 1
	default:
		return
	}
	e.PreventDefault()
	p.toTab(all[at].key)(ctx, e)
	ctx.Defer(func(app.Context) { ui.Focus("tab-" + all[at].key) })
}

// browserOf names the browser by the log lines' agent; "" where none tells.
func browserOf(lines []rest.LogEntry) string {
	for _, l := range lines {
		if l.Kind == rest.LogSocket && l.UserAgent != "" {
			return browserName(l.UserAgent)
		}
	}
	return ""
}

// browserName is browser, version and system of a User-Agent.
func browserName(agent string) string {
	name := ""
	for _, b := range [][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Version/", "Safari"}} {
		if _, rest, found := strings.Cut(agent, b[0]); found {
			major, _, _ := strings.Cut(rest, ".")
			name = b[1] + " " + major
			break
		}
	}
	if name == "" {
		name, _, _ = strings.Cut(agent, " ")
		return name
	}
	for _, s := range [][2]string{{"iPhone", "iOS"}, {"iPad", "iPadOS"}, {"Android", "Android"}, {"Mac OS X", "macOS"}, {"Windows", "Windows"}, {"Linux", "Linux"}} {
		if strings.Contains(agent, s[0]) {
			return name + " " + s[1]
		}
	}
	return name
}

// logsTab lists the access log's lines of this session.
func (p *Page) logsTab() app.UI {
	return p.logs.Part(load.View{
		Skeleton: ui.Skeleton(ui.SkeletonRows, 4), Count: len(p.shown.logs),
		Empty: ui.EmptyState{Icon: ui.IconList, Title: "No log lines of this session.", Text: "A call's own line comes when its socket closes."},
		Content: func() app.UI {
			columns := []ui.Column{
				{Key: "at", Title: "Time", Card: ui.PlaceLead}, {Key: "status", Title: "Status", Number: true, Card: ui.PlaceSide},
				{Key: "method", Title: "Method", Card: ui.PlaceMore}, {Key: "path", Title: "Path", Card: ui.PlaceMore},
				{Key: "took", Title: "Duration", Number: true, Card: ui.PlaceMore}, {Key: "request", Title: "Request", Card: ui.PlaceMore},
			}
			rows := []ui.Row{}
			for _, l := range p.shown.logs {
				rows = append(rows, ui.Row{ID: l.RequestID, Cells: []app.UI{
					p.momentButton(l.T), app.Span().Class("num").Text(strconv.Itoa(l.Status)),
					app.Span().Text(l.Method), app.Code().Class("detail-path").Title(l.Path).Text(l.Path),
					app.Span().Class("num").Text(ui.Millis(l.DurationMS)), app.Code().Text(l.RequestID),
				}})
			}
			return app.Div().Body(
				ui.Table{Label: "Log lines", Columns: columns, Rows: rows}.UI(),
				app.P().Class("panel-more").Body(app.A().Href("/admin/logs?session="+url.QueryEscape(p.id)).Text("Open in access logs")))
		},
	})
}
