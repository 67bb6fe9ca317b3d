package site_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley/server/site"
	"parley/shared/rest"
)

// adminProblem takes the cookie for who it is that asks.
func adminProblem(r *http.Request) rest.ProblemCode {
	return map[string]rest.ProblemCode{
		"caller": rest.CodeForbidden, "nobody": rest.CodeUnauthorized, "stranger": rest.CodeNetwork,
	}[r.Header.Get("Cookie")]
}

// variesByCookie reports whether an answer is one for those who have that cookie.
func variesByCookie(a answer) bool { return slices.Contains(a.header.Values("Vary"), "Cookie") }

// TestAdminPages: who may not see them gets the page that says why, with nothing
// of theirs, whatever the browser has kept from another time.
func TestAdminPages(t *testing.T) {
	s, url := serve(t, site.Config{AdminProblem: adminProblem})
	for cookie, want := range map[string]struct {
		status       int
		says, header string
	}{
		"caller":   {403, "Your account can&#39;t open this page.", ""},
		"stranger": {403, "Your address isn&#39;t on this server&#39;s admin list.", ""},
		"nobody":   {401, "Talk to your agent.", "Bearer"},
	} {
		for _, path := range []string{"/admin", "/admin/sessions", "/admin/sessions/sess_1", "/admin/nothing"} {
			got := get(t, url+path, "Cookie", cookie, "If-None-Match", `"`+s.Version()+`"`)
			if got.status != want.status || !strings.Contains(got.body, want.says) || got.header.Get("WWW-Authenticate") != want.header {
				t.Errorf("%s for a %s: %d %v %.2000s", path, cookie, got.status, got.header, got.body)
			}
			for _, never := range []string{"Overview", "Sessions", "skeleton"} {
				if strings.Contains(got.body, never) {
					t.Errorf("%s for a %s has %q", path, cookie, never)
				}
			}
			if got.header.Get("Cache-Control") != "no-store" || got.header.Get("ETag") != "" || !variesByCookie(got) {
				t.Errorf("%s for a %s: %v", path, cookie, got.header)
			}
			if head := do(t, "HEAD", url+path, "Cookie", cookie); head.status != want.status || head.body != "" {
				t.Errorf("HEAD %s for a %s: %d", path, cookie, head.status)
			}
		}
		for _, path := range []string{"/", "/call", "/sign-in"} {
			if got := get(t, url+path, "Cookie", cookie); got.status != 200 || variesByCookie(got) {
				t.Errorf("%s for a %s: %d %v", path, cookie, got.status, got.header)
			}
		}
	}
	for path, status := range map[string]int{"/admin": 200, "/admin/sessions": 200, "/admin/nothing": 404} {
		if got := get(t, url+path, "Cookie", "admin"); got.status != status || strings.Contains(got.body, "Admins only") || !variesByCookie(got) {
			t.Errorf("%s for an admin: %d %v", path, got.status, got.header)
		}
	}
	for _, path := range []string{"/403", "/404", "/403/address"} {
		if got := get(t, url+path); got.status != 404 || !strings.Contains(got.body, "There&#39;s nothing here") && !strings.Contains(got.body, "There's nothing here") {
			t.Errorf("%s, which is no address: %d", path, got.status)
		}
	}
}
