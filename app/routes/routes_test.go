package routes_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/routes"
	"parley/shared/rest"
)

// prerender asks go-app's own handler for a page, as the server does.
func prerender(t *testing.T, target string) string {
	t.Helper()
	handler := &app.Handler{Name: "Parley", Version: "test", Icon: app.Icon{Default: "/web/x.png", Large: "/web/x.png", SVG: "/web/x.svg"}}
	answer := httptest.NewRecorder()
	done := make(chan struct{})
	go func() {
		defer close(done)
		handler.ServeHTTP(answer, httptest.NewRequest("GET", target, nil))
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: prerendering hangs", target)
	}
	if answer.Code != http.StatusOK {
		t.Fatalf("%s: status %d", target, answer.Code)
	}
	return answer.Body.String()
}

func TestEveryPagePrerenders(t *testing.T) {
	defer routes.RegisterAll(routes.Deps{})()
	want := routes.Paths()
	want["/sign-in"] = "Sign in · Parley"
	want["/"] = "Parley"
	want["/no/such/page"] = "Not found · Parley"
	for path, title := range want {
		t.Run(path, func(t *testing.T) {
			html := prerender(t, path)
			if !strings.Contains(html, "<title>"+title+"</title>") {
				t.Errorf("no title %q", title)
			}
			for _, once := range []string{"<main", `role="status"`, `role="alert"`, "<h1"} {
				if got := strings.Count(html, once); got < 1 || once != `role="status"` && got > 1 {
					t.Errorf("%s %d times", once, got)
				}
			}
			if strings.Contains(html, " style=") {
				t.Error("a style attribute, which the policy blocks")
			}
		})
	}
}

// Nothing that came with a request is written into our part of the page. (Of
// the path, go-app writes a copy into the head; server/site lets only plain
// ones through.)
func TestNothingOfTheRequestIsPrerendered(t *testing.T) {
	defer routes.RegisterAll(routes.Deps{})()
	const evil = "%22%3E%3Cscript%3Ex7q%3C/script%3E"
	for _, target := range []string{
		"/sign-in?next=/" + evil, "/call?x=" + evil, "/admin/sessions?q=" + evil + "&quality=" + evil, "/admin/sessions?tab=ended&user=" + evil, "/" + evil, "/admin/" + evil,
	} {
		html := prerender(t, target)
		body := html[strings.Index(html, "<body"):]
		if strings.Contains(body, "x7q") || strings.Contains(target, "?") && strings.Contains(html, "x7q") {
			t.Errorf("%s: the request is in the page", target)
		}
	}
}

// What waits has the shape of the tab that the address asks for.
func TestASkeletonIsOfTheTabAskedFor(t *testing.T) {
	defer routes.RegisterAll(routes.Deps{})()
	for target, want := range map[string]string{
		"/admin/sessions": "Live", "/admin/sessions?tab=ended": "Ended", "/admin/alerts": "Firing", "/admin/alerts?state=resolved": "Resolved",
	} {
		html := prerender(t, target)
		if html = html[strings.Index(html, "<main"):]; !regexp.MustCompile(`<a [^>]*aria-current="page"[^>]*>\s*` + want).MatchString(html) {
			t.Errorf("%s doesn't show %s:\n%s", target, want, html)
		}
		if got := strings.Contains(html, "Filter ended sessions"); got != strings.HasSuffix(target, "ended") {
			t.Errorf("%s has the filters of ended sessions: %v", target, got)
		}
	}
}

func TestKnown(t *testing.T) {
	for path, want := range map[string]bool{
		"/": true, "/sign-in": true, "/call": true, "/admin": true, "/admin/sessions": true,
		"/admin/sessions/sess_1": true, "/call/sess_1/summary": true,
		"/admin/sessions/": false, "/admin/sessions/a/b": false, "/call/summary": false, "/call//summary": false, "/call/a/b/summary": false,
		"/callx": false, "/admin/": false, "/404": false, "404": false, "": false, "/.git/config": false,
	} {
		if got := routes.Known(path); got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
}

func TestTheShellShowsWhatOneMayOpen(t *testing.T) {
	caller := &rest.Me{Subject: "ada", Name: "Ada Kern", Rights: rest.Rights{Call: true}}
	admin := &rest.Me{Subject: "root", Rights: rest.Rights{Call: true, Admin: true}, Mode: "demo"}
	stranger := &rest.Me{Subject: "ida", Rights: rest.Rights{Call: true, ForeignAddress: true}}
	watcher := &rest.Me{Subject: "eve", Rights: rest.Rights{Admin: true}}
	auditor := &rest.Me{Subject: "otto", Rights: rest.Rights{Call: true, Admin: true, ReadOnly: true}}
	cases := map[string]struct {
		path        string
		me          *rest.Me
		says, never []string
	}{
		"nobody yet":             {"/call", nil, []string{`href="/call"`, "Skip to main content"}, []string{`href="/admin"`, "Sign out", "Demo server"}},
		"nobody, admin page":     {"/admin", nil, []string{"Overview", "skeleton", `href="/admin/sessions"`, "inert"}, []string{"Admins only", "Sign out", `class="who"`}},
		"a caller":               {"/call", caller, []string{"Ada Kern", "AK", "Sign out", `aria-current="page"`}, []string{`href="/admin"`, "Demo server"}},
		"a caller, admin page":   {"/admin/sessions", caller, []string{"Admins only", "Back to call"}, []string{`href="/admin"`, "skeleton"}},
		"from a foreign address": {"/admin/sessions", stranger, []string{"Your address isn&#39;t on this server&#39;s admin list."}, []string{`href="/admin"`, "skeleton", "Admins only"}},
		"an admin":               {"/admin", admin, []string{`href="/admin"`, `href="/admin/sessions"`, `href="/call"`, "Demo server", "root"}, []string{"Admins only", "is-read-only"}},
		"an auditor":             {"/admin/sessions", auditor, []string{`class="frame is-read-only"`, "You may look at everything here, and change nothing."}, []string{"Admins only"}},
		"an auditor's own page":  {"/call", auditor, []string{`class="frame"`}, []string{"is-read-only", "change nothing"}},
		"an admin without call":  {"/admin", watcher, []string{`href="/admin"`}, []string{`class="nav-link" href="/call"`}},
		"nothing there":          {"404", caller, []string{"There&#39;s nothing here", `href="/call"`}, []string{`aria-current`}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			html := app.HTMLString(routes.ShellOf(c.path, c.me))
			for _, want := range c.says {
				if !strings.Contains(html, want) {
					t.Errorf("no %q in %s", want, html)
				}
			}
			for _, never := range c.never {
				if strings.Contains(html, never) {
					t.Errorf("%q in %s", never, html)
				}
			}
		})
	}
}

func TestThemes(t *testing.T) {
	seen, at := map[string]bool{}, ""
	for range 3 {
		next, label, icon := routes.Theme(at)
		if label == "" || icon == "" || seen[label] {
			t.Errorf("%q: label %q, icon %q", at, label, icon)
		}
		seen[label], at = true, next
	}
	if at != "" {
		t.Errorf("three steps lead to %q", at)
	}
}

func TestInitials(t *testing.T) {
	for want, who := range map[string][2]string{
		"AK": {"Ada Kern", "x"}, "A": {"ada", "x"}, "ÉZ": {"élodie zoom", ""}, "D": {"", "demo-admin"}, "": {"", ""},
	} {
		if got := routes.Initials(who[0], who[1]); got != want {
			t.Errorf("%v: got %q, want %q", who, got, want)
		}
	}
}

// settings is a browser's storage.
type settings map[string]string

func (s settings) Load(key string) string { return s[key] }

func (s settings) Save(key, value string) {
	if s[key] = value; value == "" {
		delete(s, key)
	}
}

func TestTheThemeIsKept(t *testing.T) {
	s := settings{}
	for _, theme := range []string{"light", "dark", ""} {
		if got := routes.KeepTheme(theme, s); got != theme {
			t.Errorf("kept %q, read %q", theme, got)
		}
	}
	if len(s) != 0 {
		t.Errorf("the device's theme is no setting, and %v is kept", s)
	}
	if got := routes.KeepTheme("pink", s); got != "" {
		t.Errorf("an unknown theme is read as %q", got)
	}
	if got := routes.KeepTheme("dark", nil); got != "" {
		t.Errorf("without settings it is %q", got)
	}
}
