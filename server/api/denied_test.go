package api_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/api"
	"parley/server/auth"
	"parley/server/logtest"
	"parley/shared/rest"
)

func TestDeniedAttemptsAreOnRecord(t *testing.T) {
	for name, test := range map[string]struct {
		method, path string
		as           func(*rig) edit
		actor        string
		code         rest.ProblemCode
	}{
		"a caller":          {"GET", rest.PathLogs, func(r *rig) edit { return r.as("alice") }, "alice", rest.CodeForbidden},
		"no token":          {"GET", rest.PathAudit, func(*rig) edit { return from("203.0.113.5") }, "", rest.CodeUnauthorized},
		"a bad token":       {"POST", rest.PathDisable, func(*rig) edit { return bearer("x") }, "", rest.CodeUnauthorized},
		"the stream":        {"GET", rest.PathStream, func(r *rig) edit { return r.as("alice") }, "alice", rest.CodeForbidden},
		"an export":         {"GET", "/api/v1/monitoring/export/logs", func(r *rig) edit { return r.as("alice") }, "alice", rest.CodeForbidden},
		"figures":           {"GET", rest.PathMetrics, func(*rig) edit { return bearer("guess") }, "", rest.CodeUnauthorized},
		"from another site": {"POST", rest.PathDisable, func(*rig) edit { return with("Origin", "https://evil.example") }, "", rest.CodeOrigin},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			got := r.do(test.method, test.path, "", test.as(r))
			e := r.newest(rest.AuditDenied)
			if e.Actor != test.actor || e.Target != test.path || e.Outcome != "denied" || e.Details["code"] != string(test.code) ||
				e.Details["method"] != test.method || e.RequestID != got.header.Get("X-Request-Id") || e.Remote == "" {
				t.Errorf("%+v", e)
			}
		})
	}
	r := newRig(t, nil)
	for _, path := range []string{rest.PathMe, rest.PathOwnSessions, "/api/v1/monitoring/nothing"} {
		r.do("GET", path, "")
	}
	if n := len(r.record()); n != 0 {
		t.Errorf("%d lines about what is no admin's", n)
	}
}

// TestAFloodOfAttemptsDoesntFillTheRecord, and what is left out is counted.
func TestAFloodOfAttemptsDoesntFillTheRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		for i := range 25 {
			if got := r.do("GET", rest.PathLogs, "", r.as("alice")); got.status != 403 {
				t.Fatalf("attempt %d: %d", i, got.status)
			}
		}
		if n := len(r.record()); n != api.MaxDenied {
			t.Fatalf("%d lines of one user", n)
		}
		for i := range 100 { // an address each
			r.do("GET", rest.PathLogs, "", from(fmt.Sprintf("198.51.100.%d", i)))
		}
		if n := len(r.record()); n != api.MaxDenied+api.MaxDeniedNobodys {
			t.Fatalf("%d lines of one user and nobodys", n)
		}
		for i := range 100 {
			r.do("GET", rest.PathLogs, "", r.as(fmt.Sprintf("user-%d", i)))
		}
		if n := len(r.record()); n != api.MaxDeniedUsers+api.MaxDeniedNobodys {
			t.Fatalf("%d lines of users and nobodys", n)
		}
		time.Sleep(time.Minute)
		r.do("GET", rest.PathLogs, "", r.as("alice"))
		const out = 15 + 70 + 50 // left out of the three above
		if e := r.newest(rest.AuditDenied); asNumber(e.Details["not_recorded"])+left(r.record()[1:]) != out {
			t.Errorf("%v left out in the newest line", e.Details["not_recorded"])
		}
	})
}

func left(lines []rest.AuditEntry) (n float64) {
	for _, e := range lines {
		if e.Details["not_recorded"] != nil {
			n += asNumber(e.Details["not_recorded"])
		}
	}
	return n
}

// TestAdminsComeFromTheirNetwork: every admin path asks for it, before rights,
// and no path of callers does.
func TestAdminsComeFromTheirNetwork(t *testing.T) {
	r := newRigIn(t, auth.Config{AdminAllow: []string{"203.0.113.0/24", "2001:db8::/32"}}, nil)
	s := r.call("alice", "")
	admins := map[string]bool{"admin": true, "keeper": true, "operator": true}
	for name, e := range endpoints {
		path := e.path
		if path == "/api/v1/monitoring/connection/{s}" {
			path = "/api/v1/monitoring/connection/" + s
		}
		for who, as := range map[string]edit{"admin": r.as("root"), "caller": r.as("bob")} {
			got := r.do(e.method, path, e.body, as, from("198.51.100.7"), with("If-Match", `"0"`))
			asked := admins[e.right] || who == "admin" && path == "/api/v1/monitoring/connection/"+s
			if e.method == "HEAD" {
				if got.status != 403 {
					t.Errorf("%s, %s: %d", name, who, got.status)
				}
				continue
			}
			refused := got.status == 403 && got.problem(t).Code == rest.CodeNetwork
			if refused != asked {
				t.Errorf("%s, %s: %d %.200s", name, who, got.status, got.body)
			}
		}
	}
	if e := r.newest(rest.AuditDenied); e.Details["code"] != string(rest.CodeNetwork) {
		t.Errorf("%+v", e)
	}
	for _, who := range []string{"root", "bob"} {
		got := r.get(rest.PathMe, r.as(who), from("198.51.100.7"))
		if me := read[rest.Me](t, got); !me.Rights.ForeignAddress || me.Rights.Admin {
			t.Errorf("%s, from elsewhere: %+v", who, me.Rights)
		}
	}
	for _, peer := range []string{"203.0.113.1", "2001:db8:7::1"} {
		if got := r.get(rest.PathActive, from(peer)); got.status != 200 {
			t.Errorf("%s: %d", peer, got.status)
		}
	}
	for _, peer := range []string{"203.0.114.1", "2001:db9::1", "203.0.113.1, 198.51.100.7", "unknown"} {
		if got := r.get(rest.PathActive, from(peer)); got.status != 403 {
			t.Errorf("%s: %d", peer, got.status)
		}
	}
}

// TestAForeignNetworkLeavesALineInTheLog: one word why, the address masked as the
// authority masks it, once a second and address; nobody is told who it was.
func TestAForeignNetworkLeavesALineInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logs := new(logtest.Buffer)
		r := newRigIn(t, auth.Config{
			AdminAllow: []string{"203.0.113.0/24"}, Logger: slog.New(slog.NewTextHandler(logs, nil)), MaskAddress: func(string) string { return "masked" },
		}, nil)
		root := r.as("root")
		const line = "msg=\"request refused\" event=network cause=not_in_admin_allow remote=masked"
		for range 5 {
			r.do("GET", rest.PathActive, "", root, from("198.51.100.7"))
		}
		if n := strings.Count(logs.String(), line); n != 1 {
			t.Errorf("%d lines:\n%s", n, logs)
		}
		time.Sleep(time.Second)
		session := r.call("alice", "")
		r.do("GET", "/api/v1/monitoring/connection/"+session, "", root, from("198.51.100.7"))
		if n := strings.Count(logs.String(), line); n != 2 {
			t.Errorf("a caller's page of an admin: %d lines:\n%s", n, logs)
		}
		r.do("GET", rest.PathActive, "", root, from("203.0.113.7"))
		if text := logs.String(); strings.Count(text, "event=network") != 2 || strings.Contains(text, "198.51") || strings.Contains(text, "root") {
			t.Errorf("%s", text)
		}
	})
}
