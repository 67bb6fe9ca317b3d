package api_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/auth"
	"parley/shared/rest"
)

// fillUsage keeps what two organizations used on two days.
func (r *rig) fillUsage() {
	r.t.Helper()
	for _, e := range []rest.UsageEntry{
		{Session: "s1", User: "alice@example.org", Org: "acme", Agent: "openai", Day: "2026-11-24", Usage: rest.Usage{CostMicros: 1, Currency: "USD"}},
		{Session: "s2", User: "alice@example.org", Org: "acme", Agent: "local", Day: "2026-11-25", Usage: rest.Usage{CostMicros: 20, Currency: "USD"}},
		{Session: "s3", User: "carol", Org: "globex", Agent: "openai", Day: "2026-11-25", Usage: rest.Usage{CostMicros: 300, Currency: "USD"}},
	} {
		e.UserKey, e.User = r.privacy.UserKey(e.User), r.privacy.Person(e.User)
		if err := r.store.AddUsage(r.t.Context(), e); err != nil {
			r.t.Fatal(err)
		}
	}
}

func TestUsageIsFilteredAndGrouped(t *testing.T) {
	r := newRig(t, nil)
	r.fillUsage()
	masked := r.privacy.Person("alice@example.org")
	if masked == "alice@example.org" {
		t.Fatal("nobody is masked")
	}
	for name, test := range map[string]struct {
		query string
		want  []rest.UsageRow
	}{
		"all":               {"", []rest.UsageRow{{Sessions: 3, Usage: rest.Usage{CostMicros: 321}}}},
		"by day":            {"?group=day", []rest.UsageRow{{Day: "2026-11-25", Sessions: 2, Usage: rest.Usage{CostMicros: 320}}, {Day: "2026-11-24", Sessions: 1, Usage: rest.Usage{CostMicros: 1}}}},
		"by user":           {"?group=user", []rest.UsageRow{{User: "carol", Sessions: 1, Usage: rest.Usage{CostMicros: 300}}, {User: masked, Sessions: 2, Usage: rest.Usage{CostMicros: 21}}}},
		"by agent and day":  {"?group=agent,day&limit=1", []rest.UsageRow{{Day: "2026-11-25", Agent: "openai", Sessions: 1, Usage: rest.Usage{CostMicros: 300}}}},
		"from":              {"?from=2026-11-25T05:00:00Z", []rest.UsageRow{{Sessions: 2, Usage: rest.Usage{CostMicros: 320}}}},
		"to":                {"?to=2026-11-25T00:00:00Z", []rest.UsageRow{{Sessions: 1, Usage: rest.Usage{CostMicros: 1}}}},
		"of an agent":       {"?agent=local", []rest.UsageRow{{Sessions: 1, Usage: rest.Usage{CostMicros: 20}}}},
		"of an unknown one": {"?agent=x", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := read[rest.Page[rest.UsageRow]](t, r.get(rest.PathUsage+test.query)).Items
			if len(got) != len(test.want) {
				t.Fatalf("%+v, want %+v", got, test.want)
			}
			for i := range got {
				got[i].Usage.Currency = ""
				if got[i] != test.want[i] {
					t.Errorf("%+v, want %+v", got[i], test.want[i])
				}
			}
		})
	}
}

func TestWhatUsageCannotBeAskedFor(t *testing.T) {
	r := newRig(t, nil)
	for _, query := range []string{"?group=minute", "?group=day,", "?group=day,day,day,day", "?limit=0", "?cursor=!", "?from=x", "?from=2026-11-25T00:00:00Z&to=2026-11-24T00:00:00Z"} {
		if got := r.get(rest.PathUsage + query); got.status != 422 && got.status != 400 {
			t.Errorf("%s: %d", query, got.status)
		}
	}
}

func TestAnOrganizationSeesItsOwnUsageAlone(t *testing.T) {
	r := newRigIn(t, auth.Config{Mode: auth.Organization}, nil)
	r.fillUsage()
	anna := bearer(r.tokenOf(auth.Claims{Subject: "anna", Mode: "organization", Org: "acme", Role: "org_admin"}, time.Hour))
	got := read[rest.Page[rest.UsageRow]](t, r.do("GET", rest.PathUsage+"?group=user", "", anna)).Items
	if len(got) != 1 || got[0].Usage.CostMicros != 21 {
		t.Errorf("sees %+v", got)
	}
	file := r.do("GET", "/api/v1/monitoring/export/usage?group=user", "", anna)
	if lines := strings.Count(string(file.body), "\n"); file.status != 200 || lines != 1 || strings.Contains(string(file.body), "carol") {
		t.Errorf("exports %d %s", file.status, file.body)
	}
	if got := r.do("GET", rest.PathAgents, "", anna); got.status != 403 {
		t.Errorf("agents are the server's: %d", got.status)
	}
}

func TestUsageIsAFileToo(t *testing.T) {
	r := newRig(t, nil)
	r.fillUsage()
	got := r.get("/api/v1/monitoring/export/usage?format=csv&group=day,agent")
	lines := strings.Split(strings.TrimSpace(string(got.body)), "\r\n")
	if got.status != 200 || len(lines) != 4 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for _, column := range []string{`"day"`, `"agent"`, `"sessions"`, `"usage_tokens_input_audio"`, `"usage_cost_micros"`, `"usage_currency"`} {
		if !strings.Contains(lines[0], column) {
			t.Errorf("no column %s in %s", column, lines[0])
		}
	}
}

// By user, usage is a look at people, on record each time.
func TestALookAtWhatPeopleUsedIsOnRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.fillUsage()
		r.get(rest.PathUsage + "?group=user")
		r.get(rest.PathUsage + "?group=user&agent=local")
		views := 0
		for _, e := range r.record() {
			if e.Action == rest.AuditView && e.Details["resource"] == "usage" {
				views++
			}
		}
		if views != 2 {
			t.Errorf("%d lines", views)
		}
	})
}

func TestATrialCallIsOnRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		got := read[rest.AgentCheck](t, r.do("POST", "/api/v1/monitoring/agents/parrot/check", "", r.as("root")))
		if got.Result != rest.CheckUntried || got.Agent != "parrot" {
			t.Errorf("answered %+v", got)
		}
		if e := r.record()[0]; e.Action != rest.AuditAgentCheck || e.Target != "parrot" || e.Actor != "root" {
			t.Errorf("recorded %+v", e)
		}
		agents := read[rest.Page[rest.AgentStatus]](t, r.get(rest.PathAgents)).Items
		if len(agents) != 2 || agents[0].Name != "parrot" {
			t.Errorf("agents %+v", agents)
		}
	})
}
