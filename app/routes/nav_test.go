package routes_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/routes"
	"parley/shared/rest"
)

var (
	caller = &rest.Me{Subject: "ada", Rights: rest.Rights{Call: true}}
	root   = &rest.Me{Subject: "root", Rights: rest.Rights{Call: true, Admin: true}}
	// auditor may look, and change nothing.
	auditor = &rest.Me{Subject: "otto", Rights: rest.Rights{Call: true, Admin: true, ReadOnly: true}}
)

func TestTheMenuLeadsToPages(t *testing.T) {
	keys := map[string]bool{}
	for _, e := range routes.Menu() {
		if !routes.Known(e.Path) || routes.IsAdmins(e.Path) != e.IsAdmins {
			t.Errorf("%s leads to no page of whom it is for", e.Path)
		}
		if len(e.Key) != 1 || keys[e.Key] || e.Label == "" {
			t.Errorf("%s has the key %q, the label %q", e.Path, e.Key, e.Label)
		}
		keys[e.Key] = true
	}
	for path := range routes.Paths() {
		if strings.Contains(path, "{") {
			continue
		}
		if !slices.ContainsFunc(routes.Menu(), func(e routes.Entry) bool {
			return path == e.Path || strings.HasPrefix(path, e.Path+"/") && e.Path != "/admin"
		}) {
			t.Errorf("nothing in the menu leads to %s", path)
		}
	}
}

// An admin's phone has room for three places and More.
func TestAPhonesBarOfAnAdmin(t *testing.T) {
	html := app.HTMLString(routes.AdminShellOf("/admin", root))
	under, all := strings.Count(html, "nav-under-more"), strings.Count(html, "nav-item")
	if all-under != 4 || !strings.Contains(html, "More") {
		t.Errorf("%d of %d places are on the bar", all-under, all)
	}
	if html := app.HTMLString(routes.ShellOf("/call", caller)); strings.Contains(html, "nav-more") || strings.Contains(html, "nav-under-more") {
		t.Error("a caller has a More")
	}
}

// A page that belongs to another marks that one's place.
func TestTheMenuShowsWhereOneIs(t *testing.T) {
	for path, want := range map[string]string{"/admin": "/admin", "/admin/sessions": "/admin/sessions", "/admin/sessions/{sid}": "/admin/sessions", "/admin/alerts/rules": "/admin/alerts"} {
		html := app.HTMLString(routes.AdminShellOf(path, root))
		html = html[strings.Index(html, "<nav"):strings.Index(html, "</nav>")]
		at := strings.Index(html, `aria-current`)
		if at < 0 || strings.Count(html, "aria-current") != 1 {
			t.Errorf("%s marks no single place", path)
			continue
		}
		link := html[strings.LastIndex(html[:at], "<a"):]
		if link = link[:strings.Index(link, ">")]; !strings.Contains(link, `href="`+want+`"`) {
			t.Errorf("%s marks %s", path, link)
		}
	}
}

// TestTheRailCanBeNarrow: icons alone, named where one points, and so it stays in this
// browser until it is made wide again.
func TestTheRailCanBeNarrow(t *testing.T) {
	kept := settings{}
	shell, isKept := routes.NarrowRail(root, kept)
	html := app.HTMLString(shell)
	for _, want := range []string{"is-narrow", `title="Sessions"`, "Widen the menu", `aria-expanded="false"`} {
		if !strings.Contains(html, want) {
			t.Errorf("a narrow rail has no %s", want)
		}
	}
	shell, isWide := routes.NarrowRail(root, kept)
	if html := app.HTMLString(shell); !isKept || isWide || len(kept) != 0 || strings.Contains(html, "is-narrow") || strings.Contains(html, `title="Sessions"`) {
		t.Errorf("kept %v, then %v and %v: %s", isKept, isWide, kept, html)
	}
	if _, isKept := routes.NarrowRail(root, nil); isKept {
		t.Error("kept where nothing can be kept")
	}
}

func TestThePaletteFindsByName(t *testing.T) {
	for query, test := range map[string]struct {
		me           *rest.Me
		finds, never []string
	}{
		"":                   {root, []string{"Call", "Overview", "Sessions"}, []string{"Open session"}},
		"sess":               {root, []string{"Sessions", "Open session sess", "Find “sess” in sessions"}, []string{"Overview"}},
		"SIGN":               {caller, []string{"Sign out"}, []string{"Call", "Open session SIGN"}},
		"end":                {root, []string{"End session…"}, nil},
		"end session sess_1": {root, []string{"End session sess_1…", "Open session sess_1"}, []string{"End session…"}},
		"sess_1":             {root, []string{"End session sess_1…", "Open session sess_1"}, nil},
		"sess_2":             {auditor, []string{"Open session sess_2"}, []string{"End session sess_2…"}},
		"utc":                {caller, []string{"Show times in UTC"}, nil},
		"ada kern":           {root, []string{"Find “ada kern” in sessions"}, []string{"Open session ada kern"}},
		"overview":           {caller, nil, []string{"Overview", "Find “overview” in sessions"}},
		"copy curl":          {root, []string{"Copy curl for this view"}, nil},
		"copy":               {caller, nil, []string{"Copy curl for this view"}},
	} {
		path := "/admin/sessions"
		if test.me == caller {
			path = "/call"
		}
		got := routes.Commands(path, test.me, query)
		for _, want := range test.finds {
			if !slices.Contains(got, want) {
				t.Errorf("%q finds %q, not %q", query, got, want)
			}
		}
		for _, never := range test.never {
			if slices.Contains(got, never) {
				t.Errorf("%q finds %q", query, never)
			}
		}
	}
}

func TestCurlAsksForTheView(t *testing.T) {
	for want, parts := range map[string][3]string{
		"/api/v1/monitoring/logs":                   {rest.PathLogs, "", ""},
		"/api/v1/monitoring/logs?q=a%20b":           {rest.PathLogs, "", "q=a%20b"},
		"/api/v1/monitoring/connection/sess_1?t=1m": {rest.PathConnection, "sess_1", "t=1m"},
	} {
		if got := routes.CurlPath(parts[0], parts[1], parts[2]); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// g, then a letter within its time, goes somewhere; ? shows the list.
func TestTheKeysOfTheShell(t *testing.T) {
	start := time.Unix(1000, 0)
	for name, test := range map[string]struct {
		path, keys string
		pause      time.Duration
		to         string
		opens      bool
	}{
		"the list":           {"/admin", "?", 0, "", true},
		"a call's own list":  {"/call", "?", 0, "", false},
		"g and a letter":     {"/admin", "gs", routes.GoWithin, "/admin/sessions", false},
		"too late":           {"/admin", "gs", routes.GoWithin + 1, "", false},
		"a letter without g": {"/admin", "s", 0, "", false},
		"another key first":  {"/admin", "gxs", 0, "", false},
	} {
		to, opens := routes.Press(test.path, root, test.keys, start, test.pause)
		if to != test.to || opens != test.opens {
			t.Errorf("%s: to %q, opens %v", name, to, opens)
		}
	}
}
