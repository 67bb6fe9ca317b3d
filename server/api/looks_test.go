package api_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/auth"
	"parley/shared/rest"
	"parley/shared/wire"
)

// TestEveryLookAtPeopleIsOnRecord: who looked at what by which filters, from
// where, and what was shown.
func TestEveryLookAtPeopleIsOnRecord(t *testing.T) {
	r := newRig(t, nil)
	r.fillLogs(3)
	s1 := r.call("alice", "")
	s2 := r.call("bob", "")
	r.end(s2, wire.AdminEnded, "x")
	for path, want := range map[string]struct {
		resource, target, filters, ids string
		rows                           float64
	}{
		rest.PathActive + "?limit=7":                        {"active_sessions", "", `{"limit":"7"}`, "[" + s1 + "]", 1},
		rest.PathSessions + "?cause=admin_ended":            {"sessions", "", `{"cause":"admin_ended"}`, "[" + s2 + "]", 1},
		"/api/v1/monitoring/connection/" + s1 + "?step_s=5": {"connection", s1, `{"step_s":"5"}`, "", 1},
		"/api/v1/monitoring/connection/" + s2:               {"connection", s2, "", "", 1},
		rest.PathLogs + "?user=alice%40example.org&limit=9": {"logs", "", `{"limit":"9","user":"a•••@example.org"}`, "two", 2},
		rest.PathActivities + "?kind=call":                  {"activities", "", `{"kind":"call"}`, "", 0},
		rest.PathAudit + "?action=export":                   {"audit", "", `{"action":"export"}`, "", 0},
	} {
		got := r.get(path, from("203.0.113.77"))
		if got.status != 200 {
			t.Fatalf("%s: %d %s", path, got.status, got.body)
		}
		e := r.record()[0]
		if e.Action != rest.AuditView || e.Actor != "root" || e.Outcome != "done" || e.Target != want.target ||
			e.RequestID != got.header.Get("X-Request-Id") || e.Remote != r.privacy.Address("203.0.113.77") {
			t.Errorf("%s: %+v", path, e)
		}
		filters, _ := json.Marshal(e.Details["filters"])
		if e.Details["resource"] != want.resource || asNumber(e.Details["rows"]) != want.rows ||
			want.filters != "" && string(filters) != want.filters || want.filters == "" && e.Details["filters"] != nil {
			t.Errorf("%s: details %+v, want %+v", path, e.Details, want)
		}
		ids, _ := e.Details["ids"].([]any)
		switch want.ids {
		case "two":
			if len(ids) != 2 {
				t.Errorf("%s: ids %v", path, ids)
			}
		case "":
			if ids != nil {
				t.Errorf("%s: ids %v", path, ids)
			}
		default:
			if fmt.Sprint(ids) != want.ids {
				t.Errorf("%s: ids %v", path, ids)
			}
		}
	}
}

func asNumber(v any) float64 {
	switch v := v.(type) {
	case json.Number:
		f, _ := v.Float64()
		return f
	case float64:
		return v
	case int64:
		return float64(v)
	}
	return -1
}

// TestWhatNamesNobodyIsCounted: once an admin, resource and 10 minutes, with how
// many looks there were before; what is one's own is on no record.
func TestWhatNamesNobodyIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		s1 := r.call("root", "")
		resources := map[string]string{
			"stats": rest.PathStats, "settings": rest.PathSettings, "privacy": rest.PathPrivacy, "health": rest.PathMonitorHealth,
			"alerts": rest.PathAlerts, "alert_rules": rest.PathAlertRules, "webhook_deliveries": rest.PathDeliveries, "metrics": rest.PathMetrics,
			"history": rest.PathHistory, "usage": rest.PathUsage, "agents": rest.PathAgents, "nodes": rest.PathNodes,
		}
		look := func(as edit) {
			for _, path := range append(slices.Collect(maps.Values(resources)), rest.PathMe) {
				if got := r.do("GET", path, "", as); got.status != 200 {
					t.Errorf("%s: %d", path, got.status)
				}
			}
		}
		lines := func(actor string) map[string][]rest.AuditEntry {
			found := make(map[string][]rest.AuditEntry)
			for _, e := range r.record() {
				if e.Actor == actor {
					found[e.Details["resource"].(string)] = append(found[e.Details["resource"].(string)], e)
				}
			}
			return found
		}
		root, chief := bearer(r.token("root", 2*time.Hour)), bearer(r.token("chief", 2*time.Hour))
		for range 3 {
			look(root)
		}
		look(chief)
		if got := r.do("GET", "/api/v1/monitoring/connection/"+s1, "", root); got.status != 200 { // root's own
			t.Errorf("%d", got.status)
		}
		time.Sleep(viewInterval - time.Nanosecond)
		look(root)
		for _, actor := range []string{"root", "chief"} {
			if got := lines(actor); len(got) != len(resources) || len(got["stats"]) != 1 || got["stats"][0].Action != rest.AuditView {
				t.Errorf("within the interval %s's lines are %+v", actor, got)
			}
		}
		time.Sleep(time.Nanosecond)
		look(root)
		for resource := range resources {
			if got := lines("root")[resource]; len(got) != 2 || asNumber(got[0].Details["before"]) != 3 {
				t.Errorf("%s: after the interval %+v", resource, got)
			}
		}
	})
}

// viewInterval is that of the contract.
const viewInterval = 10 * time.Minute

// TestEveryChangeIsOnRecord, an admin's coming included.
func TestEveryChangeIsOnRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		s1 := r.call("alice", "")
		s2 := r.call("alice", "")
		raised := raise(t, r, s2, "")
		for _, test := range []struct {
			method, path, body string
			action             rest.AuditAction
			target, reason     string
		}{
			{"POST", rest.PathAuthSession, "", rest.AuditSignIn, "", ""},
			{"POST", "/api/v1/monitoring/sessions/" + s1 + "/end", `{"reason":"call +90 555 123 45 67"}`, rest.AuditEndSession, s1, "call +90•••••••67"},
			{"POST", rest.PathCheckTimeouts, "", rest.AuditCheckTimeouts, "", ""},
			{"POST", rest.PathTimeout, `{"timeout_minutes":7}`, rest.AuditSettings, "idle_timeout_minutes", ""},
			{"POST", rest.PathDisable, "", rest.AuditMonitoringOff, "monitoring", ""},
			{"POST", rest.PathPause, `{"reason":"move"}`, rest.AuditPause, "paused", "move"},
			{"POST", rest.PathResume, "", rest.AuditResume, "paused", ""},
			{"POST", "/api/v1/monitoring/nodes/n1/drain", "", rest.AuditDrain, "n1", ""},
			{"POST", "/api/v1/monitoring/nodes/n1/undrain", "", rest.AuditUndrain, "n1", ""},
			{"POST", "/api/v1/monitoring/nodes/n1/end", `{"reason":"power"}`, rest.AuditEndNodeCalls, "n1", "power"},
			{"POST", rest.PathEnable, "", rest.AuditMonitoringOn, "monitoring", ""},
			{"PATCH", rest.PathSettings, `{"max_sessions":9,"reason":"small"}`, rest.AuditSettings, "max_sessions", "small"},
			{"PUT", rest.PathAlertRules, `{"rules":[],"webhooks":[]}`, rest.AuditRules, "", ""},
			{"POST", rest.PathAlertTest, "", rest.AuditWebhookTest, "", ""},
			{"POST", "/api/v1/monitoring/users/alice/revoke", "", rest.AuditRevoke, "alice", ""},
		} {
			got := r.do(test.method, test.path, test.body, r.as("root"), with("If-Match", r.version(test.path)))
			if got.status > 204 {
				t.Fatalf("%s: %d %s", test.path, got.status, got.body)
			}
			e := r.record()[0]
			if e.Action != test.action || e.Target != test.target || e.Outcome != "done" || e.Actor != "root" ||
				e.RequestID != got.header.Get("X-Request-Id") || !sameWords(e.Reason, test.reason) {
				t.Errorf("%s: %+v", test.path, e)
			}
		}
		_ = raised
	})
}

// sameWords compares reasons but for how a number in them is masked.
func sameWords(got, want string) bool {
	return got == want || strings.Contains(want, "•") && strings.Contains(got, "•") && !strings.Contains(got, "555 123")
}

// TestACallersSignInIsNoAdmins, and so not in the admins' log.
func TestACallersSignInIsNoAdmins(t *testing.T) {
	r := newRig(t, nil)
	if got := r.do("POST", rest.PathAuthSession, "", r.as("alice")); got.status != 204 {
		t.Fatalf("%d", got.status)
	}
	if n := len(r.record()); n != 0 {
		t.Errorf("%d lines", n)
	}
}

// TestTheRecordOfAnOrganization: its admin sees what its people and things were
// touched by, and by the server's admins too.
func TestTheRecordOfAnOrganization(t *testing.T) {
	r := newRigIn(t, auth.Config{Mode: auth.Organization}, nil)
	ours := r.call("alice", "acme")
	theirs := r.call("bob", "globex")
	anna := bearer(r.tokenOf(auth.Claims{Subject: "anna", Org: "acme", Role: auth.RoleOrgAdmin}, time.Hour))
	root := bearer(r.tokenOf(auth.Claims{Subject: "root", Org: "operations"}, time.Hour))
	for _, id := range []string{ours, theirs} {
		if got := r.do("GET", "/api/v1/monitoring/connection/"+id, "", root); got.status != 200 {
			t.Fatalf("%s: %d", id, got.status)
		}
	}
	if got := r.do("GET", rest.PathActive, "", anna); got.status != 200 {
		t.Fatal(got.status)
	}
	var seen []string
	for _, e := range read[rest.AuditPage](t, r.do("GET", rest.PathAudit, "", anna)).Items {
		seen = append(seen, fmt.Sprint(e.Actor, " ", e.Details["resource"], " ", e.Target))
	}
	if got := strings.Join(seen, ", "); got != "anna active_sessions , root connection "+ours {
		t.Errorf("anna sees %s", got)
	}
}

// TestAuditFailsClosed: when nothing can be recorded, nothing is shown and
// nothing changed, and whoever asked knows within two seconds. Calls go on.
func TestAuditFailsClosed(t *testing.T) {
	for name, fail := range map[string]func(*rig){
		"the store is closed": func(r *rig) { _ = r.store.Close() },
		"the log is locked":   lockTheLog,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			s1 := r.call("alice", "")
			before := r.settings.Get().Version
			asAdmin := r.as("root")
			fail(r)
			for _, test := range []struct{ method, path, body string }{
				{"GET", rest.PathActive, ""},
				{"GET", rest.PathStream, ""},
				{"GET", "/api/v1/monitoring/connection/" + s1, ""},
				{"GET", "/api/v1/monitoring/export/activities", ""},
				{"POST", rest.PathAuthSession, ""},
				{"POST", "/api/v1/monitoring/sessions/" + s1 + "/end", `{"reason":"x"}`},
				{"POST", rest.PathTimeout, `{"timeout_minutes":7}`},
				{"POST", rest.PathDisable, ""},
				{"POST", rest.PathPause, ""},
				{"POST", rest.PathCheckTimeouts, ""},
				{"PATCH", rest.PathSettings, `{"max_sessions":9}`},
				{"PUT", rest.PathAlertRules, `{"rules":[],"webhooks":[]}`},
				{"POST", "/api/v1/monitoring/users/alice/revoke", ""},
			} {
				begun := time.Now()
				got := r.do(test.method, test.path, test.body, asAdmin, with("If-Match", `"0"`), within(t, 10*time.Second))
				if took := time.Since(begun); got.status != http.StatusServiceUnavailable || took > 2100*time.Millisecond {
					t.Errorf("%s %s: %d after %s: %.200s", test.method, test.path, got.status, took, got.body)
				}
				checkAnswer(t, got)
				if strings.Contains(string(got.body), "alice") || got.header.Get("Set-Cookie") != "" {
					t.Errorf("%s: it tells all the same: %s", test.path, got.body)
				}
			}
			if r.live() != 1 || r.settings.Get().Version != before || !r.settings.Monitoring() {
				t.Error("something was changed")
			}
			if got := r.do("GET", rest.PathMe, "", r.as("alice")); got.status != 200 {
				t.Errorf("alice's token: %d", got.status)
			}
			for path, want := range map[string]int{rest.PathStats: 200, rest.PathHealth: 200, rest.PathAdmission: 200} {
				if got := r.do("GET", path, "", asAdmin); got.status != want {
					t.Errorf("%s: %d", path, got.status)
				}
			}
		})
	}
}

// within gives a request up that takes longer.
func within(t *testing.T, most time.Duration) edit {
	ctx, cancel := context.WithTimeout(context.Background(), most)
	t.Cleanup(cancel)
	return func(r *http.Request) { *r = *r.WithContext(ctx) }
}

// lockTheLog holds the one place of a writer until the test is over, as a backup
// that hangs would.
func lockTheLog(r *rig) {
	db, err := sql.Open("sqlite", filepath.Join(r.dir, "control.db"))
	must(r.t, 0, err)
	conn, err := db.Conn(context.Background())
	must(r.t, 0, err)
	_, err = conn.ExecContext(context.Background(), "BEGIN IMMEDIATE")
	must(r.t, 0, err)
	r.t.Cleanup(func() { _, _ = conn.Close(), db.Close() })
}
