package routes

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
)

// countedLink leads to an entry of the menu and tells behind its name how many there are
// now, as the page that is shown has learned it; nothing where none has. It is a component
// of its own: the page around it isn't drawn again for a count.
type countedLink struct {
	app.Compo

	Path, Label, Tip string
	Icon             ui.IconName
	IsHere           bool

	counts  load.Counts
	privacy string
	isOff   bool // monitoring is
}

// isCounted reports whether an entry tells how many there are.
func isCounted(path string) bool {
	switch path {
	case "/admin/sessions", "/admin/alerts", "/admin/nodes", "/admin/privacy":
		return true
	}
	return false
}

// OnMount hears of what the pages learn.
func (l *countedLink) OnMount(ctx app.Context) {
	if l.Path == "/admin/privacy" {
		ctx.ObserveState(load.MenuPrivacy, &l.privacy)
		return
	}
	ctx.ObserveState(load.MenuCounts, &l.counts)
	ctx.ObserveState(load.MonitoringOff, &l.isOff)
}

// words are what it shows, and what a screen reader says behind the entry's name.
func (l *countedLink) words() (shown, spoken string, isWarning bool) {
	switch {
	case l.Path == "/admin/privacy" && l.privacy == "off":
		return "off", "off", true
	case l.Path == "/admin/privacy" && l.privacy == "on":
		return "✓", "on", false
	case l.Path == "/admin/sessions" && l.counts.HasLive && !l.isOff:
		return number(l.counts.Live), number(l.counts.Live) + " live", false
	case l.Path == "/admin/alerts" && l.counts.Firing > 0:
		return number(l.counts.Firing), number(l.counts.Firing) + " firing", true
	case l.Path == "/admin/nodes" && l.counts.Nodes > 0:
		return number(l.counts.Nodes), strconv.Itoa(l.counts.Nodes), false
	}
	return "", "", false
}

func number(n int) string { return ui.Count(int64(n)) }

// Render draws the link.
func (l *countedLink) Render() app.UI {
	shown, spoken, isWarning := l.words()
	if shown == "" {
		return entryLink(l.Path, l.Label, l.Tip, l.Icon, l.IsHere, app.Span().Class("nav-count", "is-empty"))
	}
	sign := app.Span().Class("nav-count", "num").Text(shown)
	if isWarning {
		sign = sign.Class("is-warning")
	}
	return entryLink(l.Path, l.Label, l.Tip, l.Icon, l.IsHere, sign).Aria("label", l.Label+", "+spoken)
}

// entryLink leads to an entry of the menu.
func entryLink(path, label, tip string, icon ui.IconName, isHere bool, behind ...app.UI) app.HTMLA {
	link := app.A().Class("nav-link").Href(path).Title(tip).
		Body(append([]app.UI{ui.Icon(icon), app.Span().Class("nav-label").Text(label)}, behind...)...)
	if isHere {
		link = link.Class("nav-here").Aria("current", "page")
	}
	return link
}
