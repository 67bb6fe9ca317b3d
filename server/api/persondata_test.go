package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/server/auth"
	"parley/shared/rest"
	"parley/shared/wire"
)

// TestAPersonsDataIsHandedOut whole and of nobody else, on record; and once it is erased
// there is nothing to hand out.
func TestAPersonsDataIsHandedOut(t *testing.T) {
	r := newRigIn(t, auth.Config{Mode: auth.Organization}, nil)
	root := bearer(r.tokenOf(auth.Claims{Subject: "root", Org: "operations"}, time.Hour))
	anna := bearer(r.tokenOf(auth.Claims{Subject: "anna", Org: "acme", Role: auth.RoleOrgAdmin}, time.Hour))
	ids := map[string]string{}
	for _, of := range []struct{ user, org string }{{"alice", "acme"}, {"alice", "globex"}, {"bob", "acme"}} {
		id := r.call(of.user, of.org)
		r.end(id, wire.AdminEnded, "over")
		r.mustBeOnRecord(id)
		ids[of.user+"@"+of.org] = id
	}
	must(t, 0, r.store.AppendTurns(t.Context(), []rest.TurnRecord{{Session: ids["alice@acme"], Turn: &rest.Turn{Number: 1}}}))
	must(t, 0, r.store.AppendLogs(t.Context(), []rest.LogEntry{
		{T: time.Now(), User: "alice", UserKey: r.privacy.UserKey("alice"), Org: "acme", Path: "/hers"}, {T: time.Now(), User: "bob", UserKey: r.privacy.UserKey("bob"), Org: "acme", Path: "/his"},
	}))
	must(t, 0, r.store.AppendActivities(t.Context(), []rest.Activity{{At: time.Now(), User: "alice", Org: "acme", What: "signed in"}, {At: time.Now(), User: "bob", Org: "acme", What: "signed in"}}))
	r.do("GET", "/api/v1/monitoring/sessions/"+ids["alice@acme"], "", anna) // a look, which is a line about her
	path := strings.Replace(rest.PathPersonData, "{sub}", "alice", 1)
	got := r.do("GET", path, "", anna)
	if !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment;") {
		t.Errorf("%v", got.header)
	}
	data := read[rest.PersonData](t, got)
	if !data.Complete || data.User != "alice" || data.Org != "acme" || len(data.Sessions) != 1 || data.Sessions[0].ID != ids["alice@acme"] || len(data.Sessions[0].Turns) != 1 {
		t.Errorf("%s", got.body)
	}
	if len(data.Logs) != 1 || data.Logs[0].Path != "/hers" || len(data.Activities) != 1 || len(data.Audit) == 0 || strings.Contains(string(got.body), "bob") {
		t.Errorf("%s", got.body)
	}
	if all := read[rest.PersonData](t, r.do("GET", path, "", root)); len(all.Sessions) != 2 || all.Org != "" {
		t.Errorf("an admin of all is handed %+v", all)
	}
	if e := r.newest(rest.AuditHandOut); e.Details["stage"] != "finished" || e.Target != "alice" || e.Actor != "root" {
		t.Errorf("on record: %+v", e)
	}
	done := read[rest.Erased](t, r.do("DELETE", path, `{"reason":"asked for it"}`, anna))
	if done.Sessions != 1 || done.Logs != 1 || done.Turns != 1 || done.Activities != 1 {
		t.Errorf("erased %+v", done)
	}
	if got := r.do("GET", path, "", anna); got.status != http.StatusNotFound {
		t.Errorf("after it: %d %s", got.status, got.body)
	}
	if all := read[rest.PersonData](t, r.do("GET", path, "", root)); len(all.Sessions) != 1 || all.Sessions[0].ID != ids["alice@globex"] {
		t.Errorf("another organization's are gone, too: %+v", all)
	}
	if e := r.newest(rest.AuditErase); e.Reason != "asked for it" || e.Details["stage"] != "finished" {
		t.Errorf("on record: %+v", e)
	}
}
