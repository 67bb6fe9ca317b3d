package routes

import (
	"strings"
	"unicode/utf8"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/rest"
)

// nav is the rail, and the bar at the foot of a phone. Only what one may open
// is listed; before the rights are known, only the call.
func (s *shell) nav() app.UI {
	items := []app.UI{}
	if s.me == nil || s.me.Rights.Call {
		items = append(items, s.item("/call", ui.IconPhone, "Call"))
	}
	if s.me != nil && s.me.Rights.Admin {
		items = append(items,
			app.Li().Class("nav-group").Aria("hidden", true).Text("Admin"),
			s.item("/admin", ui.IconOverview, "Overview"),
			s.item("/admin/sessions", ui.IconUsers, "Sessions"))
	}
	return app.Nav().Class("nav").Aria("label", "Main").Body(app.Ul().Class("nav-list").Body(items...))
}

func (s *shell) item(path string, icon ui.IconName, label string) app.UI {
	link := app.A().Class("nav-link").Href(path).Body(ui.Icon(icon), app.Span().Text(label))
	if s.Path == path {
		link = link.Class("nav-here").Aria("current", "page")
	}
	return app.Li().Class("nav-item").Body(link)
}

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
