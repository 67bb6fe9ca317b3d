package routes

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
)

// palette is where all that can be gone to or done is found by name.
type palette struct {
	query string
	at    int // the one that Enter takes
}

// command is one line of the palette.
type command struct {
	label, hint string
	icon        ui.IconName
	do          func(ctx app.Context)
}

const (
	paletteInputID = "palette-query"
	paletteListID  = "palette-list"
	// maxCommands is how many are shown: what is further down is found by typing on.
	maxCommands = 9
)

func (s *shell) openPalette(ctx app.Context) {
	if s.me == nil || s.open == openPalette {
		return
	}
	s.open, s.palette = openPalette, palette{}
}

func (s *shell) searchButton() app.UI {
	return app.Button().Type("button").Class("button", "button-quiet", "search-button").Aria("label", "Search, Control K").
		OnClick(func(ctx app.Context, e app.Event) { s.openPalette(ctx) }).
		Body(ui.Icon(ui.IconSearch), app.Span().Class("search-label").Text("Search"),
			// Drawn by the style sheet: the name says it as it is spoken.
			app.Kbd().Class("key", "search-key").Aria("hidden", true).DataSet("key", "Ctrl K"))
}

// commands are those that a query finds.
func (s *shell) commands() []command {
	query := strings.TrimSpace(s.palette.query)
	found := []command{}
	for _, c := range s.allCommands() {
		if strings.Contains(strings.ToLower(c.label), strings.ToLower(query)) {
			found = append(found, c)
		}
	}
	if query != "" && s.me.Rights.Admin {
		found = append(found, s.searches(query)...)
	}
	return found[:min(len(found), maxCommands)]
}

func (s *shell) allCommands() []command {
	all := []command{}
	for _, e := range entries(s.me) {
		all = append(all, command{e.label, "g " + e.key, e.icon, func(ctx app.Context) { s.services.open(ctx, e.path) }})
	}
	if p := s.page(); p.api != "" {
		all = append(all, command{"Copy curl for this view", "", ui.IconCopy, s.copyCurl})
	}
	if s.mayEnd() {
		all = append(all, command{"End session…", "", ui.IconPhoneOff, s.askWhichToEnd})
	}
	if s.services.isBusy() {
		all = append(all, command{"End the call", "", ui.IconPhoneOff, func(app.Context) { s.services.call.hangup() }})
	}
	if app.IsClient && app.Window().Get("goappIsAppInstallable").Truthy() && app.Window().Call("goappIsAppInstallable").Bool() {
		all = append(all, command{ui.Copy("install_offer").Title, "", ui.IconDownload, func(ctx app.Context) { ctx.NewAction(offerInstall) }})
	}
	return append(all,
		command{"Change the theme", "", s.theme.icon(), func(ctx app.Context) { s.nextTheme(ctx, app.Event{}) }},
		command{ui.ZoneWords(), "", ui.IconClock, func(ctx app.Context) { ui.ChooseZone(ctx, !ui.IsUTC()) }},
		command{s.narrowWords(), "", ui.IconChevron, func(app.Context) { s.toggleNarrow() }},
		command{"Keyboard shortcuts", "?", ui.IconKeyboard, func(app.Context) { s.open = openShortcuts }},
		command{"Sign out", "", ui.IconLogOut, func(ctx app.Context) { s.signOut(ctx, app.Event{}) }})
}

// searches are what an admin may mean by words that name no command: a session's
// id, to open it or to end it, or what is shown of a session.
func (s *shell) searches(query string) []command {
	query, isToEnd := strings.CutPrefix(query, endQuery)
	find := command{"Find “" + query + "” in sessions", "", ui.IconSearch, func(ctx app.Context) {
		s.services.open(ctx, "/admin/sessions?q="+url.QueryEscape(query))
	}}
	if strings.ContainsAny(query, " /?#%") {
		return []command{find}
	}
	open := command{"Open session " + query, "", ui.IconActivity, func(ctx app.Context) {
		s.services.open(ctx, "/admin/sessions/"+url.PathEscape(query))
	}}
	if !s.mayEnd() {
		return []command{open, find}
	}
	end := command{"End session " + query + "…", "", ui.IconPhoneOff, func(ctx app.Context) { s.askToEnd(ctx, query) }}
	if isToEnd {
		return []command{end, open, find}
	}
	return []command{open, end, find}
}

// mayEnd reports whether sessions can be ended from here.
func (s *shell) mayEnd() bool {
	return s.me.Rights.Admin && !s.me.Rights.ReadOnly && s.services.program == Admins
}

// endQuery is what the palette's field holds while the session to end is yet to be named.
const endQuery = "end session "

// askWhichToEnd ends the session that is shown, if it is confirmed there; elsewhere the
// palette stays for its id.
func (s *shell) askWhichToEnd(ctx app.Context) {
	if s.page().path == sessionPath {
		s.askToEnd(ctx, s.id)
		return
	}
	s.open, s.palette = openPalette, palette{query: endQuery}
	if field := app.Window().GetElementByID(paletteInputID); field.Truthy() {
		field.Set("value", endQuery)
	}
}

// askToEnd leads to a session, whose page asks whether it is to end, and why.
func (s *shell) askToEnd(ctx app.Context, id string) {
	ctx.SetState(load.EndAsked, id)
	if s.page().path == sessionPath && s.id == id {
		ctx.NewAction(load.EndAsked)
		return
	}
	s.services.open(ctx, "/admin/sessions/"+url.PathEscape(id))
}

// copyCurl copies the command that asks the API for what the page shows.
func (s *shell) copyCurl(ctx app.Context) {
	u := app.Window().URL()
	line := ui.Curl(u.Scheme+"://"+u.Host, curlPath(s.page().api, s.id, u.RawQuery))
	ui.CopyText(ctx, line, func(_ app.Context, ok bool) {
		if ok {
			ui.Announce("Command copied.")
		}
	})
}

func curlPath(api, id, query string) string {
	if query != "" {
		query = "?" + query
	}
	return strings.Replace(api, "{id}", url.PathEscape(id), 1) + query
}

// paletteUI is a combobox as the ARIA Authoring Practices have it: the focus stays
// in the field.
func (s *shell) paletteUI() []app.UI {
	found := s.commands()
	rows := []app.UI{}
	for i, c := range found {
		row := app.Li().Class("palette-item").ID(optionID(i)).Role("option").Aria("selected", i == s.palette.at).
			OnClick(func(ctx app.Context, e app.Event) { s.run(ctx, c) }, app.EventScope(c.label)).
			Body(ui.Icon(c.icon), app.Span().Class("palette-label").Text(c.label), app.Span().Class("palette-hint").Text(c.hint))
		rows = append(rows, row)
	}
	if len(found) == 0 {
		rows = append(rows, app.Li().Class("palette-none").Role("option").Aria("disabled", true).Text("Nothing goes by that name."))
	}
	field := app.Input().Class("input").ID(paletteInputID).Type("text").AutoFocus(true).Role("combobox").
		Aria("label", "Search pages and actions").Aria("expanded", true).Aria("controls", paletteListID).
		Attr("autocomplete", "off").Spellcheck(false).Placeholder("A page, a session or an action").
		OnInput(s.typed).OnKeyDown(s.paletteKey)
	if len(found) > 0 {
		field = field.Aria("activedescendant", optionID(s.palette.at))
	}
	return []app.UI{field, app.Ul().Class("palette-list").ID(paletteListID).Role("listbox").Aria("label", "Results").Body(rows...)}
}

func optionID(i int) string { return "palette-option-" + strconv.Itoa(i) }

func (s *shell) typed(ctx app.Context, e app.Event) {
	s.palette = palette{query: ctx.JSSrc().Get("value").String()}
}

func (s *shell) paletteKey(ctx app.Context, e app.Event) {
	found := s.commands()
	if len(found) == 0 || !e.Get("key").Truthy() {
		return
	}
	switch e.Get("key").String() {
	case "ArrowDown":
		s.palette.at = (s.palette.at + 1) % len(found)
	case "ArrowUp":
		s.palette.at = (s.palette.at + len(found) - 1) % len(found)
	case "Enter":
		s.run(ctx, found[s.palette.at])
	}
}

func (s *shell) run(ctx app.Context, c command) {
	s.open = openNothing
	c.do(ctx)
}
