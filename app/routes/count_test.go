package routes_test

import (
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/routes"
)

// A screen reader hears the entry's name, and how many there are: "Sessions, 42 live".
func TestTheMenuTellsHowManyThereAre(t *testing.T) {
	live, noCall := load.Count{N: 42, Known: true}, load.Counts{Live: load.Count{Known: true}}
	all := load.Counts{Live: live, Firing: load.Firing(2).Firing, Nodes: load.Nodes(3).Nodes}
	live.AsOf = time.Date(2026, 11, 27, 14, 2, 11, 0, time.Local)
	old := load.Counts{Live: live}
	for name, test := range map[string]struct {
		path, privacy string
		counts        load.Counts
		isOff         bool
		shown, spoken string
	}{
		"calls":               {"/admin/sessions", "", all, false, "> 42<", "42 live"},
		"calls of before":     {"/admin/sessions", "", old, false, `title="as of 14:02:11"> 42<`, "42 live, as of 14:02:11"},
		"no call":             {"/admin/sessions", "", noCall, false, "> 0<", "0 live"},
		"not known":           {"/admin/sessions", "", load.Firing(2), false, "", ""},
		"no news":             {"/admin/sessions", "", all, true, "", ""},
		"alerts":              {"/admin/alerts", "", all, false, "> 2<", "2 firing"},
		"nothing fires":       {"/admin/alerts", "", noCall, false, "", ""},
		"servers":             {"/admin/nodes", "", all, false, "> 3<", "3"},
		"privacy":             {"/admin/privacy", "on", all, false, "> ✓<", "on"},
		"no privacy":          {"/admin/privacy", "off", all, false, "> off<", "off"},
		"privacy not known":   {"/admin/privacy", "", all, false, "", ""},
		"what has none to it": {"/admin/usage", "on", all, false, "", ""},
	} {
		html := app.HTMLString(routes.CountOf(test.path, test.counts, test.privacy, test.isOff))
		if test.shown == "" {
			if !strings.Contains(html, "is-empty") || strings.Contains(html, "aria-label") {
				t.Errorf("%s: %s", name, html)
			}
			continue
		}
		if !strings.Contains(html, test.shown) || !strings.Contains(html, `aria-label="Entry, `+test.spoken+`"`) {
			t.Errorf("%s: no %s, %q in %s", name, test.shown, test.spoken, html)
		}
		if got := strings.Contains(html, "is-warning"); got != (name == "alerts" || name == "no privacy") {
			t.Errorf("%s: warns: %v", name, got)
		}
	}
}

// Until a page has told something, and before the program runs, no entry has a count.
func TestTheMenuTellsNothingAtFirst(t *testing.T) {
	html := app.HTMLString(routes.AdminShellOf("/admin", root))
	if n := strings.Count(html, `"nav-count is-empty"`); n != 4 {
		t.Errorf("%d empty counts", n)
	}
}
