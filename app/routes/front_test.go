package routes_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/app/routes"
	"parley/shared/rest"
)

// TestTheFirstPageSaysWhyNothingComes, with a way to try again, and nothing of it before.
func TestTheFirstPageSaysWhyNothingComes(t *testing.T) {
	const problem = "We can&#39;t reach the server"
	waiting, failed := app.HTMLString(routes.FrontOf(false)), app.HTMLString(routes.FrontOf(true))
	if strings.Contains(waiting, problem) || strings.Contains(waiting, "<button") || !strings.Contains(waiting, "Parley") {
		t.Errorf("while it asks: %s", waiting)
	}
	for _, want := range []string{problem, "Check your connection", "Try again", "<button"} {
		if !strings.Contains(failed, want) {
			t.Errorf("without an answer: no %q in %s", want, failed)
		}
	}
	for _, html := range []string{waiting, failed} {
		if strings.Count(html, "<h1") != 1 || strings.Count(html, "<main") != 1 || !strings.Contains(html, `role="alert"`) {
			t.Errorf("a reader finds no one way in: %s", html)
		}
	}
}

// TestAnAdminPageSaysWhyNothingComes, rather than to wait for ever.
func TestAnAdminPageSaysWhyNothingComes(t *testing.T) {
	waiting, failed := app.HTMLString(routes.AdminShellOf("/admin", nil)), app.HTMLString(routes.UnreachableShellOf("/admin"))
	for _, want := range []string{"We can&#39;t reach the server", "Try again"} {
		if strings.Contains(waiting, want) || !strings.Contains(failed, want) {
			t.Errorf("no %q in %s, or in %s", want, failed, waiting)
		}
	}
	if !strings.Contains(waiting, "skeleton") || strings.Contains(failed, "skeleton") {
		t.Errorf("what waits for an answer: %s, what has none: %s", waiting, failed)
	}
}

// answer is a server that says the same to whatever it is asked.
type answer struct {
	client.Response
	err error
}

func (a answer) Fetch(context.Context, client.Request) (client.Response, error) {
	return a.Response, a.err
}

// TestWhoIsSignedOut: only who the server says nobody is signed in as. No network, a
// server that is down and an account without rights all leave the sign-in as it is.
func TestWhoIsSignedOut(t *testing.T) {
	says := func(status int, kind, body string) answer {
		return answer{Response: client.Response{Status: status, Header: map[string]string{"Content-Type": kind}, Body: []byte(body)}}
	}
	const problem = "application/problem+json"
	for name, test := range map[string]struct {
		server      answer
		isSignedOut bool
	}{
		"signed out":         {says(http.StatusUnauthorized, problem, `{"status":401,"code":"unauthorized"}`), true},
		"by a proxy":         {says(http.StatusUnauthorized, "text/html", "<h1>Who?</h1>"), true},
		"without rights":     {says(http.StatusForbidden, problem, `{"status":403,"code":"forbidden"}`), false},
		"network not let in": {says(http.StatusForbidden, problem, `{"status":403,"code":"network_not_allowed"}`), false},
		"restarting":         {says(http.StatusServiceUnavailable, problem, `{"status":503,"code":"draining"}`), false},
		"too fast":           {says(http.StatusTooManyRequests, problem, `{"status":429,"code":"rate_limited","retry_after_s":3}`), false},
		"a captive portal":   {says(http.StatusOK, "text/html", "<h1>Welcome</h1>"), false},
		"no network":         {answer{err: errors.New("failed to fetch")}, false},
	} {
		me, err := routes.WhoAmI(t.Context(), test.server)
		if err == nil || me != nil {
			t.Errorf("%s: it is %+v (%v)", name, me, err)
		}
		if got := routes.IsSignedOut(fmt.Errorf("ask: %w", err)); got != test.isSignedOut {
			t.Errorf("%s: signed out %v (%v)", name, got, err)
		}
	}
	me, err := routes.WhoAmI(t.Context(), says(http.StatusOK, "application/json", `{"sub":"ada","rights":{"call":true,"admin":false}}`))
	if err != nil || me.Subject != "ada" || !me.Rights.Call || me.Rights.Admin || routes.IsSignedOut(err) {
		t.Errorf("signed in: %+v (%v)", me, err)
	}
}

// TestAddressesForAdmins are all below one, pages or not.
func TestAddressesForAdmins(t *testing.T) {
	for path, want := range map[string]bool{
		"/admin": true, "/admin/sessions": true, "/call": false, "/": false, "/sign-in": false,
		"/admin/": true, "/admin/sessions/": true, "/admin/no/page": true, "/administer": false, "/Admin": false, routes.LostPath: false, routes.ForbiddenPath: false, "": false,
	} {
		if got := routes.IsAdmins(path); got != want {
			t.Errorf("%q is for admins: %v", path, got)
		}
	}
}

// TestWhatTheServerShowsInstead of a page: whoever it is for, and with nothing in it that
// would ask the server for more.
func TestWhatTheServerShowsInstead(t *testing.T) {
	defer routes.RegisterAll(routes.Deps{})()
	for path, says := range map[string][]string{
		routes.ForbiddenPath:      {"<title>Admins only · Parley</title>", "Your account can&#39;t open this page.", "Back to call"},
		routes.ForeignAddressPath: {"<title>Not from here · Parley</title>", "This page isn&#39;t available from your network"},
		routes.LostPath:           {"<title>Not found · Parley</title>", "There&#39;s nothing here", "Back to call"},
	} {
		html := prerender(t, path)
		for _, want := range says {
			if !strings.Contains(html, want) {
				t.Errorf("%s: no %q", path, want)
			}
		}
		if strings.Contains(html, "skeleton") || strings.Contains(html, `aria-current`) {
			t.Errorf("%s looks as if a page were to come", path)
		}
		for name, me := range map[string]*rest.Me{"nobody": nil, "an admin": {Subject: "root", Rights: rest.Rights{Admin: true, Call: true}}} {
			if html := app.HTMLString(routes.ShellOf(path, me)); !strings.Contains(html, says[1]) {
				t.Errorf("%s, for %s: %s", path, name, html)
			}
		}
	}
}

// TestPrerenderedPagesHaveNoWayToTheServer: not even one around nothing, which a page
// would take for one.
func TestPrerenderedPagesHaveNoWayToTheServer(t *testing.T) {
	if routes.HasMonitor(nil) {
		t.Error("there is one without a server")
	}
	if !routes.HasMonitor(answer{}) {
		t.Error("there is none with a server")
	}
}
