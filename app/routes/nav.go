package routes

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/call"
	"parley/app/ui"
	"parley/shared/rest"
)

// entry is a place that the menus lead to.
type entry struct {
	path, label string
	icon        ui.IconName
	key         string // after g
	isAdmins    bool
	onPhone     bool // has a place of its own at the foot of an admin's phone
}

// menu lists where one can go, in the order of the rail. Pages that belong to one
// of these have no entry.
func menu() []entry {
	return []entry{
		{path: "/call", label: "Call", icon: ui.IconPhone, key: "c"},
		{path: "/history", label: "My calls", icon: ui.IconHistory, key: "h"},
		{path: "/settings", label: "My settings", icon: ui.IconSettings, key: "m"},
		{path: "/admin", label: "Overview", icon: ui.IconOverview, key: "o", isAdmins: true, onPhone: true},
		{path: "/admin/sessions", label: "Sessions", icon: ui.IconUsers, key: "s", isAdmins: true, onPhone: true},
		{path: "/admin/activity", label: "Activity", icon: ui.IconActivity, key: "a", isAdmins: true},
		{path: "/admin/logs", label: "Access logs", icon: ui.IconList, key: "l", isAdmins: true},
		{path: "/admin/audit", label: "Audit log", icon: ui.IconShield, key: "u", isAdmins: true},
		{path: "/admin/alerts", label: "Alerts", icon: ui.IconBell, key: "r", isAdmins: true, onPhone: true},
		{path: "/admin/agents", label: "Agents", icon: ui.IconServer, key: "t", isAdmins: true},
		{path: "/admin/nodes", label: "Nodes", icon: ui.IconNodes, key: "n", isAdmins: true},
		{path: "/admin/usage", label: "Usage", icon: ui.IconGauge, key: "y", isAdmins: true},
		{path: "/admin/people", label: "People", icon: ui.IconLock, key: "p", isAdmins: true},
		{path: "/admin/privacy", label: "Privacy", icon: ui.IconShield, key: "v", isAdmins: true},
		{path: "/admin/settings", label: "Settings", icon: ui.IconSettings, key: "e", isAdmins: true},
	}
}

// entries are those that somebody may open; before the rights are known, only
// the callers'.
func entries(me *rest.Me) []entry {
	var found []entry
	for _, e := range menu() {
		if e.isAdmins && me != nil && me.Rights.Admin || !e.isAdmins && (me == nil || me.Rights.Call) {
			found = append(found, e)
		}
	}
	return found
}

// presumed is who looks at the page: an admin, while an admins' page waits to hear it. The
// server gives such a page to nobody else.
func (s *shell) presumed() *rest.Me {
	if s.me == nil && s.page().admin {
		return &rest.Me{Rights: rest.Rights{Call: true, Admin: true}}
	}
	return s.me
}

// nav is the rail, and the bar at the foot of a phone, where an admin finds what
// has no place under More.
func (s *shell) nav() app.UI {
	items := []app.UI{}
	me := s.presumed()
	isAdmin := me != nil && me.Rights.Admin
	inAdmin := false
	for _, e := range entries(me) {
		if e.isAdmins && !inAdmin {
			inAdmin = true
			items = append(items, app.Li().Class("nav-group").Aria("hidden", true).Text("Admin"))
		}
		items = append(items, s.item(e, isAdmin && !e.onPhone))
	}
	if isAdmin {
		items = append(items, app.Li().Class("nav-item", "nav-more").Body(
			app.Button().Type("button").Class("nav-link").Aria("haspopup", "dialog").OnClick(s.openMore).
				Body(ui.Icon(ui.IconMore), app.Span().Class("nav-label").Text("More"))))
	}
	if len(items) > 1 {
		items = append(items, s.narrowItem())
	}
	return app.Nav().Class("nav").Aria("label", "Main").Body(app.Ul().Class("nav-list").Body(items...))
}

func (s *shell) item(e entry, isUnderMore bool) app.UI {
	var link app.UI = entryLink(e.path, e.label, s.tip(e.label), e.icon, s.isAt(e))
	if isCounted(e.path) {
		link = &countedLink{Path: e.path, Label: e.label, Tip: s.tip(e.label), Icon: e.icon, IsHere: s.isAt(e)}
	}
	item := app.Li().Class("nav-item").Body(link)
	if isUnderMore {
		item = item.Class("nav-under-more")
	}
	return item
}

// tip names a link where the rail shows its icon alone.
func (s *shell) tip(label string) string {
	if s.isNarrow {
		return label
	}
	return ""
}

// narrowKey keeps in the settings of the browser that the rail is narrow.
const narrowKey = "rail"

func readNarrow(kept call.Storage) bool { return kept != nil && kept.Load(narrowKey) == "narrow" }

// narrowItem makes the rail narrow, or wide again. A phone's bar has no place for it.
func (s *shell) narrowItem() app.UI {
	return app.Li().Class("nav-fold").Body(
		app.Button().Type("button").Class("nav-link").Aria("expanded", strconv.FormatBool(!s.isNarrow)).Title(s.tip(s.narrowWords())).
			OnClick(func(app.Context, app.Event) { s.toggleNarrow() }).
			Body(ui.Icon(ui.IconChevron), app.Span().Class("nav-label").Text(s.narrowWords())))
}

func (s *shell) narrowWords() string {
	if s.isNarrow {
		return "Widen the menu"
	}
	return "Narrow the menu"
}

func (s *shell) toggleNarrow() {
	s.isNarrow = !s.isNarrow
	if kept := s.services.deps.Settings; kept != nil {
		kept.Save(narrowKey, map[bool]string{true: "narrow"}[s.isNarrow])
	}
}

// isAt reports whether the page is an entry's, or one that belongs to it.
func (s *shell) isAt(e entry) bool {
	return s.Path == e.path || e.path != "/admin" && strings.HasPrefix(s.Path, e.path+"/")
}

// more is what a phone's bar has no room for.
func (s *shell) more() []app.UI {
	items := []app.UI{}
	for _, e := range entries(s.presumed()) {
		if !e.onPhone {
			items = append(items, s.item(e, false))
		}
	}
	return []app.UI{app.Ul().Class("more-list").OnClick(s.leaveMore).Body(items...)}
}

func (s *shell) openMore(ctx app.Context, e app.Event)  { s.open = openMore }
func (s *shell) leaveMore(ctx app.Context, e app.Event) { s.open = openNothing }
func (s *shell) close(ctx app.Context)                  { s.open = openNothing }

// displayName is the name, or the subject of those who have none.
func displayName(me *rest.Me) string {
	if me.Name != "" {
		return me.Name
	}
	return me.Subject
}

// initials are at most two letters.
func initials(me *rest.Me) string {
	var out strings.Builder
	for i, word := range strings.Fields(displayName(me)) {
		if i == 2 {
			break
		}
		r, _ := utf8.DecodeRuneInString(word)
		out.WriteRune(r)
	}
	return strings.ToUpper(out.String())
}
