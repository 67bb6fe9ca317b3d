package admin

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
)

// Render draws the page.
func (s *Sessions) Render() app.UI {
	if s.feed.denied != nil {
		return app.Div().Class("page").Body(load.Refusal(s.feed.denied, s.address()))
	}
	return app.Div().Class("page", "sessions").Body(
		ui.PageHead("Sessions", s.orderNote(), s.feed.asOf(), s.feed.live().Pill(s.feed.paused, s.feed.behind(), s.pause)),
		load.Slot("banner-slot", s.feed.live().Banner()),
		s.tabs(),
		s.body(),
		s.menuUI(),
		load.Slot("dialog-slot", s.dialog()),
	)
}

func (s *Sessions) body() app.UI {
	p := s.feed.shown
	switch {
	case s.isEnded:
		return s.past.ui()
	case !p.known:
		return app.Div().Class("sessions-waiting").Body(s.feed.live().Placeholder("sessions", ui.Skeleton(ui.SkeletonRows, 12)))
	case len(p.sessions) == 0:
		return app.Div().Class(s.feed.dim("sessions-data")).Body(s.nobody())
	}
	return app.Div().Class(s.feed.dim("sessions-data")).Body(
		&sessionBar{Of: s.barState(), page: s},
		load.Slot(s.rowsClass(), s.table()),
		load.Slot("sessions-more", s.foot()),
	)
}

// rowsClass tells the rows' columns apart from those that fit a window of 1280.
func (s *Sessions) rowsClass() string {
	if s.filter.columns != "" {
		return "sessions-rows has-extras"
	}
	return "sessions-rows"
}

// nobody is the page while no one is calling.
func (s *Sessions) nobody() app.UI {
	empty := ui.EmptyState{Icon: ui.IconPhone, Title: "No one is calling right now."}
	p := s.feed.shown
	if !p.lastEnd.IsZero() {
		empty.Title += " Last call ended " + ui.Age(s.feed.clock().Sub(p.lastEnd)) + " ago."
	}
	if p.stats.Started == 0 {
		empty = ui.EmptyState{Icon: ui.IconPhone, Title: "No calls yet.", Text: "Start one to see it here.",
			Action: load.Link("Start a test call", "/call")}
	}
	return empty.UI()
}

// sessionBar is what stands over the table. go-app draws it again when Of has changed,
// and only then: of what a tick costs it would be a third.
type sessionBar struct {
	app.Compo
	Of string

	page *Sessions
}

// OnMount makes the bar known to the page.
func (b *sessionBar) OnMount(ctx app.Context) { b.page.bar = mounted[*sessionBar]{b, ctx} }

// Render draws the bar.
func (b *sessionBar) Render() app.UI {
	for i := range b.page.counts {
		b.page.counts[i].Drawn()
	}
	return app.Div().Class("session-bar").Body(b.page.tools(), b.page.filterBar())
}

// barState is all that the bar shows but its live counts.
func (s *Sessions) barState() string {
	return s.filter.query() + " " + strconv.Itoa(len(s.picked())) + " " + strings.Join(slices.Concat(s.agentNames(), s.nodeNames()), ",")
}

// agentNames are those of the agents that are seen, and of the one that is chosen.
func (s *Sessions) agentNames() []string {
	return s.names(s.filter.agent, func(one session) string { return one.Agent })
}

// nodeNames are the same of the servers of a cluster.
func (s *Sessions) nodeNames() []string {
	return s.names(s.filter.node, func(one session) string { return one.Node })
}

func (s *Sessions) names(chosen string, of func(session) string) []string {
	seen := map[string]bool{chosen: true}
	for _, one := range s.feed.shown.sessions {
		seen[of(one)] = true
	}
	delete(seen, "")
	return slices.Sorted(maps.Keys(seen))
}

func (s *Sessions) filterBar() app.UI {
	n := s.feed.shown.levels()
	chips := []app.UI{}
	for _, l := range filterLevels() {
		chips = append(chips, chip(ui.LevelWord(l), n[l], s.isLevelChosen(l)).
			OnClick(s.toggleLevel(l), app.EventScope("level", string(l))))
	}
	chips = append(chips,
		chip("Reconnecting", -1, s.filter.doing == rest.DoingReconnecting).OnClick(s.toggleReconnecting),
		chip("Quiet > 25 min", -1, s.filter.quiet).OnClick(s.toggleQuiet),
		chip("Relay only", -1, s.filter.relay).OnClick(s.toggleRelay),
	)
	field := app.Input().Class("input", "filter-text").ID(filterID).Type("search").
		Placeholder("Filter…").Aria("label", "Filter sessions").Aria("keyshortcuts", "/").
		AutoComplete(false).Attr("value", s.filter.text).OnInput(s.typed)
	selects, set := s.selects()
	fold, more := ui.Fold(&s.areFiltersOpen, set, selects...)
	return app.Div().Class("filter-bar").Body(
		app.Div().Class("filter-field").Body(ui.Icon(ui.IconSearch), field),
		fold,
		app.Div().Class("chips").Role("group").Aria("label", "Show only").Body(chips...),
		more.Class("session-selects"),
	)
}

// selects narrow by what has more values than chips have room for; some of them do.
func (s *Sessions) selects() (out []app.UI, set int) {
	type narrowing struct {
		key, label string
		value      string
		set        func(f *filter, value string)
		options    []ui.Option
	}
	all := []narrowing{
		{"agent", "Agent", s.filter.agent, func(f *filter, v string) { f.agent = v }, options("Any agent", s.agentNames(), func(n string) string { return n })},
		{"state", "State", string(s.filter.doing), func(f *filter, v string) { f.doing = rest.Doing(v) }, options("Any state", doings(), doingWord)},
		{"cause", "Cause", s.filter.cause, func(f *filter, v string) { f.cause = v }, options("Any cause", causeCodes(), func(c quality.Cause) string { return string(c) })},
		{"longer", "Duration", s.filter.longer, func(f *filter, v string) { f.longer = v }, []ui.Option{{Value: "", Label: "Any duration"}, {Value: "1m", Label: "> 1 min"}, {Value: "5m", Label: "> 5 min"}, {Value: "30m", Label: "> 30 min"}}},
	}
	if nodes := s.nodeNames(); len(nodes) > 0 {
		all = append(all, narrowing{"node", "Node", s.filter.node, func(f *filter, v string) { f.node = v }, options("Any node", nodes, func(n string) string { return n })})
	}
	for _, of := range all {
		if of.value != "" {
			set++
		}
		out = append(out, ui.Select("session-"+of.key, of.value, of.options).Aria("label", of.label).
			OnChange(func(ctx app.Context, _ app.Event) {
				f := s.filter
				of.set(&f, ui.Chosen(ctx.JSSrc()))
				s.refilter(f)
			}, app.EventScope("select", of.key)))
	}
	return out, set
}

// chip is a filter that is on or off, with how many it would show; n below 0
// is not told.
func chip(label string, n int, on bool) app.HTMLButton {
	pressed := "false"
	if on {
		pressed = "true"
	}
	body := []app.UI{app.Span().Text(label)}
	if n >= 0 {
		body = append(body, app.Span().Class("chip-count", "num").DataSet("live", ui.LiveText).Text(strconv.Itoa(n)))
	}
	return app.Button().Type("button").Class("chip").Attr("aria-pressed", pressed).Body(body...)
}

// orderNote stands in the page's head, where it moves nothing that somebody is
// pointing at.
func (s *Sessions) orderNote() app.UI {
	if !s.feed.held {
		return app.Span().Class("order-note", "is-empty")
	}
	return app.Span().Class("order-note").Body(ui.Icon(ui.IconPause), app.Span().Text("Order paused"))
}

// foot stands below the rows: more of them, or the way out of a filter that
// lets nothing pass.
func (s *Sessions) foot() app.UI {
	switch {
	case len(s.order) == 0 && !s.filter.isEmpty():
		return ui.EmptyState{Icon: ui.IconFilter, Title: "No sessions match these filters.",
			Action: ui.Button(ui.Plain, "", "Clear filters").OnClick(s.clear)}.UI()
	case len(s.order) > s.rows:
		left := min(len(s.order)-s.rows, mostRows)
		return ui.Button(ui.Plain, "", "Load "+strconv.Itoa(left)+" more").OnClick(s.more)
	}
	return nil
}

func (s *Sessions) dialog() app.UI {
	if len(s.ending.ids) > 0 {
		return s.bulkDialog()
	}
	if s.ending.id == "" {
		return s.menu.copying.Fallback(s.menu.id)
	}
	return &ui.ConfirmWithReason{
		Title:   "End this call?",
		Text:    s.endText(),
		Confirm: "End call",
		Presets: reasons(),
		Max:     rest.MaxReason,
		Busy:    s.ending.busy, Problem: s.ending.problem,
		OnConfirm: s.end, OnCancel: s.keepCall,
	}
}

// reasons are those that are chosen most.
func reasons() []string { return []string{"Maintenance", "Caller asked for it", "Misuse", "Test call"} }

func (s *Sessions) endText() string {
	if one, known := s.feed.shown.sessions[s.ending.id]; known {
		return "The call of " + who(one.Session) + " (" + ui.ShortID(one.ID) + ") ends at once. The caller sees your reason."
	}
	return "The caller sees your reason."
}
