package routes

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
)

// countedLink leads to an entry of the menu and tells behind its name how many there are
// now, as the page that is shown has learned it, or were, dimmed, as one before it did. It is a component
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

// shownCount is what stands behind an entry's name.
type shownCount struct {
	text, spoken string
	isWarning    bool
	asOf         time.Time // where it is no longer kept up to date
}

// count is what it shows, and what a screen reader says behind the entry's name.
func (l *countedLink) count() shownCount {
	live, firing, nodes := l.counts.Live, l.counts.Firing, l.counts.Nodes
	switch {
	case l.Path == "/admin/privacy" && l.privacy == "off":
		return shownCount{text: "off", spoken: "off", isWarning: true}
	case l.Path == "/admin/privacy" && l.privacy == "on":
		return shownCount{text: "✓", spoken: "on"}
	case l.Path == "/admin/sessions" && live.Known && !l.isOff:
		return shownCount{number(live.N), number(live.N) + " live", false, live.AsOf}
	case l.Path == "/admin/alerts" && firing.N > 0:
		return shownCount{number(firing.N), number(firing.N) + " firing", true, firing.AsOf}
	case l.Path == "/admin/nodes" && nodes.N > 0:
		return shownCount{number(nodes.N), number(nodes.N), false, nodes.AsOf}
	}
	return shownCount{}
}

func number(n int) string { return ui.Count(int64(n)) }

// Render draws the link.
func (l *countedLink) Render() app.UI {
	it := l.count()
	if it.text == "" {
		return entryLink(l.Path, l.Label, l.Tip, l.Icon, l.IsHere, app.Span().Class("nav-count", "is-empty"))
	}
	// Apart from the entry's name, as the link's own has them: who speaks to a browser says
	// what is seen.
	sign := app.Span().Class("nav-count", "num").Text(" " + it.text)
	if it.isWarning {
		sign = sign.Class("is-warning")
	}
	if !it.asOf.IsZero() {
		asOf := "as of " + ui.Clock(it.asOf)
		sign, it.spoken = sign.Class("is-old").Title(asOf), it.spoken+", "+asOf
	}
	return entryLink(l.Path, l.Label, l.Tip, l.Icon, l.IsHere, sign).Aria("label", l.Label+", "+it.spoken)
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
