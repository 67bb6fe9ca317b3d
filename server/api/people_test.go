package api_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/auth"
	"parley/shared/rest"
	"parley/shared/wire"
)

// TestABlockLastsUntilItIsTakenBack, by a session of which a mask is seen only.
func TestABlockLastsUntilItIsTakenBack(t *testing.T) {
	for name, ended := range map[string]bool{"a live session": false, "one that ended": true} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { testBlock(t, ended) }) })
	}
}

func testBlock(t *testing.T, ended bool) {
	r := newRigIn(t, auth.Config{Mode: auth.Organization}, nil)
	const ada = "ada@example.org"
	as := func(sub, org, role string) edit {
		return bearer(r.tokenOf(auth.Claims{Subject: sub, Org: org, Role: role}, time.Hour))
	}
	s1 := r.call(ada, "acme")
	if ended {
		r.end(s1, wire.CallerLeft, "")
	}
	anna, gina := as("anna", "acme", auth.RoleOrgAdmin), as("gina", "globex", auth.RoleOrgAdmin)
	done := read[rest.Revoked](t, r.do("POST", "/api/v1/monitoring/sessions/"+s1+"/revoke", `{"block":true,"reason":"fraud"}`, anna))
	if !done.Block || r.live() != 0 || done.Ended == 1 == ended {
		t.Errorf("%+v, %d calls are left", done, r.live())
	}
	if line := r.newest(rest.AuditRevoke); line.Target != s1 || line.Reason != "fraud" || line.Org != "acme" || line.Details["block"] != true {
		t.Errorf("%+v", line)
	}
	time.Sleep(2 * time.Second)
	fresh, elsewhere := as(ada, "acme", ""), as(ada, "globex", "")
	if got := r.do("GET", rest.PathMe, "", fresh); got.status != 401 {
		t.Errorf("a token issued after the block: %d", got.status)
	}
	if got := r.do("GET", rest.PathMe, "", elsewhere); got.status != 200 {
		t.Errorf("a token of another organization: %d", got.status)
	}
	list := read[rest.Page[rest.Revocation]](t, r.do("GET", rest.PathRevocations, "", anna)).Items
	if len(list) != 1 || list[0].ID != done.ID || !list[0].Block || list[0].By != "anna" || list[0].Reason != "fraud" ||
		list[0].Org != "acme" || list[0].User != r.privacy.Person(ada) {
		t.Errorf("listed as %+v", list)
	}
	if theirs := read[rest.Page[rest.Revocation]](t, r.do("GET", rest.PathRevocations, "", gina)).Items; len(theirs) != 0 {
		t.Errorf("another organization sees %+v", theirs)
	}
	path := "/api/v1/monitoring/revocations/" + strconv.FormatInt(done.ID, 10)
	for _, test := range []struct {
		name string
		as   edit
		want int
	}{{"another's admin", gina, 404}, {"its admin", anna, 204}, {"its admin again", anna, 404}} {
		if got := r.do("DELETE", path, "", test.as); got.status != test.want {
			t.Errorf("taken back by %s: %d %s", test.name, got.status, got.body)
		}
	}
	if got := r.do("GET", rest.PathMe, "", fresh); got.status != 200 {
		t.Errorf("taken back: %d", got.status)
	}
	if line := r.newest(rest.AuditRestore); line.Actor != "anna" || line.Outcome != "done" {
		t.Errorf("%+v", line)
	}
}

// TestABlockHoldsForCookies from the next request on, and after new sign-ins.
func TestABlockHoldsForCookies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		in := r.do("POST", rest.PathAuthSession, "", r.as("alice"))
		cookie := (&http.Response{Header: in.header}).Cookies()[0]
		byCookie := with("Cookie", cookie.Name+"="+cookie.Value)
		if got := r.do("GET", rest.PathMe, "", byCookie); got.status != 200 {
			t.Fatalf("before: %d", got.status)
		}
		read[rest.Revoked](t, r.do("POST", "/api/v1/monitoring/users/alice/revoke", `{"block":true}`, r.as("root")))
		time.Sleep(2 * time.Second)
		if got := r.do("GET", rest.PathMe, "", byCookie); got.status != 401 {
			t.Errorf("the cookie: %d", got.status)
		}
		if got := r.do("POST", rest.PathAuthSession, "", r.as("alice")); got.status != 401 {
			t.Errorf("a new sign-in: %d", got.status)
		}
	})
}

func TestRevokingWhoIsMet(t *testing.T) {
	r := newRig(t, nil)
	revoke := func(sub, body string, as edit) answer {
		return r.do("POST", strings.Replace(rest.PathRevokeUser, "{sub}", url.PathEscape(sub), 1), body, as)
	}
	if got := revoke("bob", "", r.as("root")); got.status != 404 {
		t.Errorf("a mistyped subject: %d", got.status)
	}
	r.do("GET", rest.PathMe, "", r.as("bob"))
	if got := revoke("bob", "", r.as("root")); got.status != 200 {
		t.Errorf("who has just come: %d %s", got.status, got.body)
	}
	for body, field := range map[string]string{
		`{"block":"yes"}`:   "block",
		`{"reason":7}`:      "reason",
		`{"for_ever":true}`: "for_ever",
		`{"block":true}`:    "block", // root itself
		`{"reason":"` + strings.Repeat("x", rest.MaxReason+1) + `"}`: "reason",
	} {
		got := revoke("root", body, r.as("root"))
		if p := got.problem(t); got.status != 422 || p.Field != field {
			t.Errorf("%.40s: %d %+v", body, got.status, p)
		}
	}
}

// One session is a look at a person: on record, and nobody's but who administers it.
func TestOneSessionIsLookedAt(t *testing.T) {
	r := newRig(t, nil)
	s1 := r.call("ada@example.org", "")
	got := read[rest.SessionRecord](t, r.do("GET", "/api/v1/monitoring/sessions/"+s1, "", r.as("root")))
	if got.ID != s1 || got.User == "" || got.User == "ada@example.org" || got.EndedAt != nil {
		t.Errorf("%+v", got)
	}
	if line := r.newest(rest.AuditView); line.Target != s1 || line.Details["resource"] != "session" {
		t.Errorf("%+v", line)
	}
	if got := r.do("POST", "/api/v1/monitoring/sessions/"+s1+"/extend", "", r.as("root")); got.status != 204 {
		t.Errorf("extend: %d", got.status)
	}
	if line := r.newest(rest.AuditExtend); line.Target != s1 || line.Actor != "root" {
		t.Errorf("%+v", line)
	}
}

func TestAPersonIsRevealedForAReason(t *testing.T) {
	r := newRig(t, nil)
	s1 := r.call("ada@example.org", "")
	reveal := func(body string) answer {
		return r.do("POST", "/api/v1/monitoring/sessions/"+s1+"/reveal", body, r.as("root"))
	}
	for _, body := range []string{`{"reason":""}`, `{"reason":" \u200b "}`, `{}`, `{"reason":"` + strings.Repeat("x", rest.MaxReason+1) + `"}`} {
		got := reveal(body)
		if p := got.problem(t); got.status != 422 || p.Field != "reason" {
			t.Errorf("%.40s: %d %+v", body, got.status, p)
		}
	}
	if got := read[rest.Person](t, reveal(`{"reason":"fraud"}`)); got.Subject != "ada@example.org" {
		t.Errorf("%+v", got)
	}
	if line := r.newest(rest.AuditReveal); line.Target != s1 || line.Reason != "fraud" || line.Actor != "root" {
		t.Errorf("%+v", line)
	}
	r.end(s1, wire.CallerLeft, "")
	if got := reveal(`{"reason":"fraud"}`); got.status != 404 {
		t.Errorf("ended: %d", got.status)
	}
}
