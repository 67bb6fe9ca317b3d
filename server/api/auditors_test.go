package api_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/server/auth"
	"parley/shared/rest"
)

// ownActs are what an auditor does as anybody who is signed in does: to themselves.
var ownActs = map[string]bool{
	"post " + rest.PathAuthSession: true, "delete " + rest.PathAuthSession: true, "post " + rest.PathTicket: true,
	"post " + rest.PathEndOwn: true, "put " + rest.PathRating: true,
	"post " + rest.PathProviderLogout: true, // of the identity provider, not of people
}

var placeholder = regexp.MustCompile(`\{\w+\}`)

// TestAuditorsChangeNothing: of all that the description has, whatever is added to it,
// an auditor is refused what may change something, with a problem of its own and on
// record.
func TestAuditorsChangeNothing(t *testing.T) {
	r := newRigIn(t, auth.Config{Mode: auth.Organization}, nil)
	type description struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	spec := read[description](t, r.do("GET", rest.PathOpenAPI, ""))
	for name, claims := range map[string]auth.Claims{
		"of all":             {Subject: "eve", Org: "operations"},
		"of an organization": {Subject: "otto", Org: "acme", Role: auth.RoleOrgAuditor},
	} {
		token, refused := bearer(r.tokenOf(claims, time.Hour)), 0
		for path, methods := range spec.Paths {
			for method := range methods {
				if method == "get" || ownActs[method+" "+path] || strings.HasPrefix(path, "/v1/") { // calls of one's own
					continue
				}
				got := r.do(strings.ToUpper(method), placeholder.ReplaceAllString(path, "x"), "", token)
				if got.status != http.StatusForbidden || !strings.Contains(string(got.body), `"code":"read_only"`) && !strings.Contains(string(got.body), `"code":"forbidden"`) {
					t.Errorf("%s: %s %s: %d %s", name, method, path, got.status, got.body)
				}
				if strings.Contains(string(got.body), "read_only") {
					refused++
				}
			}
		}
		if refused < 8 {
			t.Errorf("%s: only %d acts were tried", name, refused)
		}
		me := read[rest.Me](t, r.do("GET", rest.PathMe, "", token))
		if !me.Rights.Admin || !me.Rights.ReadOnly || me.Rights.Org != map[string]string{"otto": "acme"}[claims.Subject] {
			t.Errorf("%s: %+v", name, me.Rights)
		}
	}
	if me := read[rest.Me](t, r.do("GET", rest.PathMe, "", bearer(r.tokenOf(auth.Claims{Subject: "root", Org: "operations"}, time.Hour)))); me.Rights.ReadOnly {
		t.Errorf("an admin is told to change nothing: %+v", me.Rights)
	}
	if !hasDenied(r, "eve", "read_only") || !hasDenied(r, "otto", "read_only") {
		t.Errorf("what they tried is not on record: %+v", r.record())
	}
}

func hasDenied(r *rig, actor, code string) bool {
	for _, e := range r.record() {
		if e.Action == rest.AuditDenied && e.Actor == actor && e.Details["code"] == code {
			return true
		}
	}
	return false
}
