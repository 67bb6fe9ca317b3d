package api_test

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/alert"
	"parley/server/auth"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// The kinds of callers, in the order of the columns below. Alice calls; her
// organization is acme, where there are any.
var callers = []string{"nobody", "bad token", "alice", "bob", "admin of globex", "admin of acme", "admin", "auditor of acme", "auditor"}

// byRight is what each right answers, where there are organizations: what isn't
// allowed is the same everywhere, what is allowed is ok.
func byRight(right string, ok int) [7]int {
	return map[string][7]int{
		"anyone":   {ok, ok, ok, ok, ok, ok, ok},
		"user":     {401, 401, ok, ok, ok, ok, ok},
		"owner":    {401, 401, ok, 404, 404, 404, 404},
		"viewer":   {401, 401, ok, 404, 404, ok, ok},
		"admin":    {401, 401, 403, 403, ok, ok, ok},
		"keeper":   {401, 401, 403, 403, 404, ok, ok}, // admins of what it is about
		"operator": {401, 401, 403, 403, 403, 403, ok},
	}[right]
}

// endpoints is every row of the interface but the socket. {s} is a live session
// of alice's, {e} an ended one, {a} an alert about a live one.
var endpoints = map[string]struct {
	method, path, body string
	right              string
	ok                 int
}{
	"health":                {"GET", rest.PathHealth, "", "anyone", 200},
	"ready":                 {"GET", rest.PathReady, "", "anyone", 200},
	"openapi":               {"GET", rest.PathOpenAPI, "", "anyone", 200},
	"docs":                  {"GET", rest.PathDocs, "", "anyone", 200},
	"sign in":               {"POST", rest.PathAuthSession, "", "user", 204},
	"sign out":              {"DELETE", rest.PathAuthSession, "", "user", 204},
	"me":                    {"GET", rest.PathMe, "", "user", 200},
	"admission":             {"GET", rest.PathAdmission, "", "user", 200},
	"ticket":                {"POST", rest.PathTicket, "", "user", 200},
	"own sessions":          {"GET", rest.PathOwnSessions, "", "user", 200},
	"own session":           {"GET", "/api/v1/sessions/{e}", "", "owner", 200},
	"own session, live":     {"GET", "/api/v1/sessions/{s}", "", "owner", 200},
	"own session, unknown":  {"GET", "/api/v1/sessions/x", "", "user", 404},
	"rate own":              {"PUT", "/api/v1/sessions/{e}/rating", `{"score":1,"tags":["echo"]}`, "owner", 204},
	"rate own, unknown":     {"PUT", "/api/v1/sessions/x/rating", `{"score":1}`, "user", 404},
	"rate own, out of it":   {"PUT", "/api/v1/sessions/{e}/rating", `{"score":2}`, "user", 422},
	"rate own, other tag":   {"PUT", "/api/v1/sessions/{e}/rating", `{"score":0,"tags":["boring"]}`, "user", 422},
	"end own":               {"POST", "/api/v1/sessions/{s}/end", "", "owner", 204},
	"end own, over":         {"POST", "/api/v1/sessions/{e}/end", "", "user", 404},
	"end own, unknown":      {"POST", "/api/v1/sessions/x/end", "", "user", 404},
	"stats":                 {"GET", rest.PathStats, "", "admin", 200},
	"totals":                {"GET", rest.PathTotals, "", "admin", 200},
	"active":                {"GET", rest.PathActive, "", "admin", 200},
	"ended":                 {"GET", rest.PathSessions, "", "admin", 200},
	"session":               {"GET", "/api/v1/monitoring/sessions/{s}", "", "keeper", 200},
	"session, ended":        {"GET", "/api/v1/monitoring/sessions/{e}", "", "keeper", 200},
	"session, unknown":      {"GET", "/api/v1/monitoring/sessions/x", "", "admin", 404},
	"extend":                {"POST", "/api/v1/monitoring/sessions/{s}/extend", "", "keeper", 204},
	"extend, ended":         {"POST", "/api/v1/monitoring/sessions/{e}/extend", "", "admin", 404},
	"end":                   {"POST", "/api/v1/monitoring/sessions/{s}/end", `{"reason":"maintenance"}`, "keeper", 204},
	"end, unknown":          {"POST", "/api/v1/monitoring/sessions/x/end", `{"reason":"maintenance"}`, "admin", 404},
	"timeout":               {"POST", rest.PathTimeout, `{"timeout_minutes":20}`, "operator", 200},
	"check timeouts":        {"POST", rest.PathCheckTimeouts, "", "operator", 200},
	"connection":            {"GET", "/api/v1/monitoring/connection/{s}", "", "viewer", 200},
	"connection, ended":     {"GET", "/api/v1/monitoring/connection/{e}", "", "viewer", 200},
	"connection, unknown":   {"GET", "/api/v1/monitoring/connection/x", "", "user", 404},
	"logs":                  {"GET", rest.PathLogs, "", "admin", 200},
	"activities":            {"GET", rest.PathActivities, "", "admin", 200},
	"audit":                 {"GET", rest.PathAudit, "", "admin", 200},
	"log counts, no time":   {"GET", rest.PathLogCounts, "", "admin", 422},
	"audit counts, no time": {"GET", rest.PathAuditCounts, "", "admin", 422},
	"stream's head":         {"HEAD", rest.PathStream, "", "admin", 200},
	"privacy":               {"GET", rest.PathPrivacy, "", "admin", 200},
	"enable":                {"POST", rest.PathEnable, "", "operator", 200},
	"disable":               {"POST", rest.PathDisable, "", "operator", 200},
	"pause":                 {"POST", rest.PathPause, `{"reason":"move"}`, "operator", 200},
	"resume":                {"POST", rest.PathResume, "", "operator", 200},
	"settings":              {"GET", rest.PathSettings, "", "admin", 200},
	"change settings":       {"PATCH", rest.PathSettings, `{"max_sessions":50}`, "operator", 200},
	"export logs":           {"GET", "/api/v1/monitoring/export/logs", "", "admin", 200},
	"export audit":          {"GET", "/api/v1/monitoring/export/audit", "", "admin", 200},
	"export sessions":       {"GET", "/api/v1/monitoring/export/sessions", "", "admin", 200},
	"export active":         {"GET", "/api/v1/monitoring/export/active", "", "admin", 200},
	"export activities":     {"GET", "/api/v1/monitoring/export/activities", "", "admin", 200},
	"server's health":       {"GET", rest.PathMonitorHealth, "", "operator", 200},
	"alerts":                {"GET", rest.PathAlerts, "", "admin", 200},
	"acknowledge":           {"POST", "/api/v1/monitoring/alerts/{a}/acknowledge", "", "keeper", 200},
	"silence":               {"POST", "/api/v1/monitoring/alerts/{a}/silence", `{"minutes":5}`, "keeper", 200},
	"acknowledge, unknown":  {"POST", "/api/v1/monitoring/alerts/x/acknowledge", "", "admin", 404},
	"rules":                 {"GET", rest.PathAlertRules, "", "operator", 200},
	"change rules":          {"PUT", rest.PathAlertRules, `{"rules":[],"webhooks":[]}`, "operator", 200},
	"try no rule":           {"GET", rest.PathAlertPreview, "", "operator", 422},
	"test webhooks":         {"POST", rest.PathAlertTest, "", "operator", 200},
	"deliveries":            {"GET", rest.PathDeliveries, "", "operator", 200},
	"revoke":                {"POST", "/api/v1/monitoring/users/alice/revoke", "", "keeper", 200},
	"revoke by session":     {"POST", "/api/v1/monitoring/sessions/{s}/revoke", `{"block":false}`, "keeper", 200},
	"revoke by ended one":   {"POST", "/api/v1/monitoring/sessions/{e}/revoke", "", "keeper", 200},
	"revoke, unknown":       {"POST", "/api/v1/monitoring/users/never/revoke", "", "admin", 404},
	"revoke by no session":  {"POST", "/api/v1/monitoring/sessions/x/revoke", "", "admin", 404},
	"revocations":           {"GET", rest.PathRevocations, "", "admin", 200},
	"restore, unknown":      {"DELETE", "/api/v1/monitoring/revocations/1", "", "admin", 404},
	"reveal":                {"POST", "/api/v1/monitoring/sessions/{s}/reveal", `{"reason":"fraud"}`, "keeper", 200},
	"reveal, ended":         {"POST", "/api/v1/monitoring/sessions/{e}/reveal", `{"reason":"fraud"}`, "admin", 404},
	"hand out":              {"GET", "/api/v1/monitoring/users/alice/data", "", "keeper", 200},
	"hand out, unknown":     {"GET", "/api/v1/monitoring/users/never/data", "", "admin", 404},
	"erase, in a call":      {"DELETE", "/api/v1/monitoring/users/alice/data", "", "keeper", 409},
	"erase, unknown":        {"DELETE", "/api/v1/monitoring/users/never/data", "", "admin", 404},
	"history":               {"GET", rest.PathHistory, "", "admin", 200},
	"usage":                 {"GET", rest.PathUsage, "", "admin", 200},
	"export usage":          {"GET", "/api/v1/monitoring/export/usage", "", "admin", 200},
	"agents":                {"GET", rest.PathAgents, "", "operator", 200},
	"nodes":                 {"GET", rest.PathNodes, "", "operator", 200},
	"drain no node":         {"POST", "/api/v1/monitoring/nodes/x/drain", "", "operator", 404},
	"undrain no node":       {"POST", "/api/v1/monitoring/nodes/x/undrain", "", "operator", 404},
	"end no node's calls":   {"POST", "/api/v1/monitoring/nodes/x/end", `{"reason":"x"}`, "operator", 404},
	"check an agent":        {"POST", "/api/v1/monitoring/agents/parrot/check", "", "operator", 200},
	"check no agent":        {"POST", "/api/v1/monitoring/agents/x/check", "", "operator", 404},
	"metrics":               {"GET", rest.PathMetrics, "", "operator", 200},
}

// want is the answer to each caller. Without organizations their admins are
// callers like others.
// Auditors see what the admins see, and change nothing.
func want(mode auth.Mode, method, right string, ok int) (w [9]int) {
	admins := byRight(right, ok)
	if mode != auth.Organization {
		admins[4], admins[5] = admins[3], admins[3]
		if right == "owner" {
			admins[6] = 404
		}
	}
	copy(w[:], admins[:])
	w[7], w[8] = w[5], w[6]
	if mode == auth.Demo { // which has an admin of its own, and no auditor
		w[8] = w[3]
	}
	if method != "GET" && method != "HEAD" && slices.Contains([]string{"admin", "keeper", "operator"}, right) {
		w[7], w[8] = 403, 403
	}
	return w
}

// TestWhoMayDoWhat is every endpoint by every kind of caller in every mode.
func TestWhoMayDoWhat(t *testing.T) {
	for _, mode := range []auth.Mode{auth.Production, auth.Demo, auth.Organization} {
		for name, e := range endpoints {
			t.Run(string(mode)+"/"+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { askAll(t, mode, e.method, e.path, e.body, want(mode, e.method, e.right, e.ok)) })
			})
		}
	}
}

func askAll(t *testing.T, mode auth.Mode, method, path, body string, want [9]int) {
	r := newRigIn(t, auth.Config{Mode: mode}, nil)
	orgOf := func(name string) string {
		if mode == auth.Organization {
			return name
		}
		return ""
	}
	ended := r.call("alice", orgOf("acme"))
	r.end(ended, wire.AdminEnded, "over")
	admin := "root"
	if mode == auth.Demo {
		admin = auth.DemoAdmin
	}
	for i, caller := range callers {
		live := r.call("alice", orgOf("acme"))
		asked := strings.NewReplacer("{s}", live, "{e}", ended, "{a}", "{alert}").Replace(path)
		if before, after, ok := strings.Cut(asked, "{alert}"); ok {
			asked = before + raise(t, r, live, orgOf("acme")) + after
		}
		as := map[string]auth.Claims{
			"alice": {Subject: "alice", Org: orgOf("acme")}, "bob": {Subject: "bob", Org: orgOf("globex")},
			"admin of globex": {Subject: "gina", Org: orgOf("globex"), Role: auth.RoleOrgAdmin},
			"admin of acme":   {Subject: "anna", Org: orgOf("acme"), Role: auth.RoleOrgAdmin},
			"admin":           {Subject: admin, Org: orgOf("operations")},
			"auditor of acme": {Subject: "otto", Org: orgOf("acme"), Role: auth.RoleOrgAuditor},
			"auditor":         {Subject: "eve", Org: orgOf("operations")},
			"bad token":       {Subject: admin, Org: orgOf("operations")},
		}
		edits := []edit{with("If-Match", r.version(path))}
		if claims, ok := as[caller]; ok {
			token := r.tokenOf(claims, time.Hour)
			if caller == "bad token" {
				token += "x"
			}
			edits = append(edits, bearer(token))
		}
		got := r.do(method, asked, body, edits...)
		if got.status != want[i] {
			t.Errorf("%s: %d, want %d: %.200s", caller, got.status, want[i], got.body)
		}
		checkAnswer(t, got)
		time.Sleep(2 * time.Second) // a revocation refuses what was issued in its second
	}
}

// version is the ETag of what is at the path now.
func (r *rig) version(path string) string {
	if path == rest.PathAlertRules {
		return `"` + strconv.FormatInt(r.alerts.Rules().Version, 10) + `"`
	}
	return `"` + strconv.FormatInt(r.settings.Get().Version, 10) + `"`
}

// raise waits for an alert about a session. Time must be the bubble's.
func raise(t *testing.T, r *rig, session, org string) string {
	t.Helper()
	r.readings = func() alert.Readings {
		return alert.Readings{Live: 1, Cap: 100, Calls: []alert.Call{{ID: session, Org: org, Level: quality.Poor, MOS: 2}}}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	done := make(chan struct{})
	go func() { defer close(done); r.alerts.Run(ctx) }()
	<-done
	cancel()
	firing, _, err := r.alerts.List(rest.AlertQuery{State: rest.AlertFiring})
	for _, a := range must(t, firing, err) {
		if a.Session == session {
			return a.ID
		}
	}
	t.Fatalf("no alert about %s: %+v", session, firing)
	return ""
}

// TestTheListedAdminsAreNobodyOnADemoServer: nor does a claim alone make one
// anywhere.
func TestTheListedAdminsAreNobodyOnADemoServer(t *testing.T) {
	for name, test := range map[string]struct {
		mode   auth.Mode
		claims auth.Claims
	}{
		"listed, demo":                     {auth.Demo, auth.Claims{Subject: "root"}},
		"demo admin, production":           {auth.Production, auth.Claims{Subject: auth.DemoAdmin}},
		"role, production":                 {auth.Production, auth.Claims{Subject: "anna", Role: auth.RoleOrgAdmin, Org: "acme"}},
		"role, demo":                       {auth.Demo, auth.Claims{Subject: "anna", Role: auth.RoleOrgAdmin, Org: "acme"}},
		"another role":                     {auth.Organization, auth.Claims{Subject: "anna", Role: "admin", Org: "acme"}},
		"another case":                     {auth.Production, auth.Claims{Subject: "Root"}},
		"a name like an admin's":           {auth.Production, auth.Claims{Subject: "anna", Name: "root"}},
		"demo admin, organization":         {auth.Organization, auth.Claims{Subject: auth.DemoAdmin, Org: "acme"}},
		"listed, of no organization's own": {auth.Organization, auth.Claims{Subject: "rooty", Org: "operations"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRigIn(t, auth.Config{Mode: test.mode}, nil)
			token := bearer(r.tokenOf(test.claims, time.Hour))
			if got := r.do("GET", rest.PathActive, "", token); got.status != http.StatusForbidden {
				t.Errorf("%d %s", got.status, got.body)
			}
			if me := read[rest.Me](t, r.do("GET", rest.PathMe, "", token)); me.Rights.Admin {
				t.Errorf("it is told to be an admin: %+v", me)
			}
		})
	}
}

// TestAnOrganizationRevokesItsOwn: its admin refuses its own user's tokens and
// ends its own user's calls, whatever else the subject is elsewhere; of the
// server's admins there is none for them.
func TestAnOrganizationRevokesItsOwn(t *testing.T) {
	synctest.Test(t, testOrganizationRevokesItsOwn)
}

func testOrganizationRevokesItsOwn(t *testing.T) {
	r := newRigIn(t, auth.Config{Mode: auth.Organization}, nil)
	of := func(sub, org, role string) edit {
		return bearer(r.tokenOf(auth.Claims{Subject: sub, Org: org, Role: role}, time.Hour))
	}
	anna, root := of("anna", "acme", auth.RoleOrgAdmin), of("root", "acme", "")
	ours, theirs := of("alice", "acme", ""), of("alice", "globex", "")
	r.call("alice", "acme")
	r.call("alice", "globex")
	r.call("root", "acme")
	r.call("zoe", "globex")
	revoke := func(sub string, as edit) answer {
		return r.do("POST", strings.Replace(rest.PathRevokeUser, "{sub}", sub, 1), "", as)
	}
	for _, sub := range []string{"root", "zoe", "never"} {
		if got := revoke(sub, anna); got.status != 404 {
			t.Errorf("%s: %d %s", sub, got.status, got.body)
		}
	}
	time.Sleep(2 * time.Second) // a revocation refuses what was issued in its second
	done := read[rest.Revoked](t, revoke("alice", anna))
	if done.Ended != 1 || r.live() != 3 {
		t.Errorf("%+v, %d calls are left", done, r.live())
	}
	for name, test := range map[string]struct {
		as   edit
		want int
	}{
		"its user": {ours, 401}, "another's of the same name": {theirs, 200}, "the server's admin": {root, 200}, "itself": {anna, 200},
	} {
		if got := r.do("GET", rest.PathMe, "", test.as); got.status != test.want {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	if done := read[rest.Revoked](t, revoke("alice", root)); done.Ended != 1 {
		t.Errorf("the server's admin ended %d", done.Ended)
	}
	if got := r.do("GET", rest.PathMe, "", theirs); got.status != 401 {
		t.Errorf("revoked by the server's admin: %d", got.status)
	}
}

// TestATokenOfAnotherModeIsNone, on any server.
func TestATokenOfAnotherModeIsNone(t *testing.T) {
	modes := []auth.Mode{auth.Production, auth.Demo, auth.Organization}
	for _, server := range modes {
		r := newRigIn(t, auth.Config{Mode: server}, nil)
		for _, of := range modes {
			token := r.tokenOf(auth.Claims{Subject: "alice", Org: "acme", Mode: string(of)}, time.Hour)
			want := 401
			if of == server {
				want = 200
			}
			if got := r.do("GET", rest.PathMe, "", bearer(token)); got.status != want {
				t.Errorf("a token of %s on a server of %s: %d", of, server, got.status)
			}
		}
	}
}
