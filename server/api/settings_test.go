package api_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/api"
	"parley/server/auth"
	"parley/server/session"
	"parley/server/settings"
	"parley/shared/rest"
)

func TestSettings(t *testing.T) {
	r := newRig(t, nil)
	got := r.get(rest.PathSettings)
	s := read[rest.Settings](t, got)
	if got.header.Get("ETag") != `"0"` || s.Version != 0 || len(s.Settings) != len(settings.Definitions()) {
		t.Fatalf("%v %+v", got.header, s)
	}
	if d := s.Settings[rest.SettingMaxSessions]; d.Value != 100.0 || d.Default != 100.0 || *d.Min != 1 || *d.Max != 10_000 || d.Applies != "new_calls" {
		t.Errorf("%+v", d)
	}
	changed := r.do("PATCH", rest.PathSettings, `{"max_sessions":9,"idle_warning_s":30}`, r.as("root"), with("If-Match", `"0"`))
	now := read[rest.Settings](t, changed)
	if changed.header.Get("ETag") != `"1"` || now.Version != 1 || now.Settings[rest.SettingMaxSessions].Value != 9.0 ||
		now.Settings[rest.SettingIdleWarning].Value != 30.0 || now.Settings[rest.SettingIdleTimeout].Value != 30.0 {
		t.Errorf("%v %+v", changed.header, now)
	}
	for _, path := range []string{rest.PathDisable, rest.PathEnable} {
		got := read[rest.Settings](t, r.do("POST", path, "", r.as("root")))
		if on := path == rest.PathEnable; got.Settings[rest.SettingMonitoring].Value != on || r.settings.Monitoring() != on {
			t.Errorf("%s: %+v", path, got.Settings[rest.SettingMonitoring])
		}
	}
	if got := read[rest.Settings](t, r.do("POST", rest.PathTimeout, `{"timeout_minutes":240}`, r.as("root"))); got.Settings[rest.SettingIdleTimeout].Value != 240.0 ||
		r.settings.Values().IdleTimeout != 4*time.Hour {
		t.Errorf("%+v", got)
	}
}

// TestNobodyLocksThemselvesOut: a list of networks has to have its author's address.
func TestNobodyLocksThemselvesOut(t *testing.T) {
	r := newRig(t, nil)
	for list, says := range map[string]string{
		"198.51.100.0/24":               "This would lock you out: your address 203.0.113.7 isn't in it.",
		"here":                          "neither an address nor a network",
		"203.0.113.0/24, 2001:db8::/32": "",
		"":                              "",
	} {
		got := r.do("PATCH", rest.PathSettings, `{"admin_allow":"`+list+`"}`, r.as("root"), from("203.0.113.7"))
		if says == "" {
			if now := read[rest.Settings](t, got); now.Settings[rest.SettingAdminAllow].Value != list {
				t.Errorf("%q: %+v", list, now.Settings[rest.SettingAdminAllow])
			}
			continue
		}
		if p := got.problem(t); got.status != 422 || p.Field != rest.SettingAdminAllow || !strings.Contains(p.Detail, says) {
			t.Errorf("%q: %d %+v", list, got.status, p)
		}
	}
	if me := read[rest.Me](t, r.do("GET", rest.PathMe, "", r.as("root"), from("203.0.113.7"))); me.Address != "203.0.113.7" {
		t.Errorf("asked from %q", me.Address)
	}
}

// TestSettingsConflict: who names an older version changes nothing.
func TestSettingsConflict(t *testing.T) {
	for name, test := range map[string]struct {
		match  []string
		status int
		code   rest.ProblemCode
	}{
		"the version":    {[]string{`"1"`}, 200, ""},
		"an older one":   {[]string{`"0"`}, 409, rest.CodeConflict},
		"a newer one":    {[]string{`"2"`}, 409, rest.CodeConflict},
		"another's":      {[]string{`"abc"`}, 409, rest.CodeConflict},
		"zeros before":   {[]string{`"01"`}, 409, rest.CodeConflict},
		"a negative one": {[]string{`"-1"`}, 409, rest.CodeConflict},
		"none":           {nil, 200, ""},
		"any":            {[]string{`*`}, 200, ""},
		"a weak one":     {[]string{`W/"1"`}, 200, ""},
		"by Apache":      {[]string{`"1-gzip"`}, 200, ""},
		"by Jetty":       {[]string{`W/"1--gzip"`}, 200, ""},
		"with a coding":  {[]string{`"1;br"`}, 200, ""},
		"older, coded":   {[]string{`W/"0-gzip"`}, 409, rest.CodeConflict},
		"a coding alone": {[]string{`"gzip"`}, 409, rest.CodeConflict},
		"two":            {[]string{`"1", "2"`}, 200, ""},
		"two, the last":  {[]string{`W/"0" ,"1"`}, 200, ""},
		"two older":      {[]string{`"0", "3"`}, 409, rest.CodeConflict},
		"any in a list":  {[]string{`"0", *`}, 200, ""},
		"no quotes":      {[]string{`1`}, 422, rest.CodeOutOfRange},
		"half a quote":   {[]string{`"1`}, 422, rest.CodeOutOfRange},
		"weak, no tag":   {[]string{`W/1`}, 422, rest.CodeOutOfRange},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			if got := r.do("POST", rest.PathTimeout, `{"timeout_minutes":7}`, r.as("root")); got.status != 200 {
				t.Fatal(got.status)
			}
			for path, body := range map[string]string{rest.PathSettings: `{"max_sessions":9}`} {
				got := r.do("PATCH", path, body, r.as("root"), func(req *http.Request) {
					if test.match != nil {
						req.Header["If-Match"] = test.match
					}
				})
				checkAnswer(t, got)
				if got.status != test.status {
					t.Fatalf("%d %s", got.status, got.body)
				}
				if test.code == "" {
					continue
				}
				if p := got.problem(t); p.Code != test.code || p.Code == rest.CodeOutOfRange && p.Field != "If-Match" {
					t.Errorf("%+v", p)
				}
				if r.settings.Values().MaxSessions != 100 {
					t.Error("changed all the same")
				}
			}
		})
	}
}

func TestSettingsBodies(t *testing.T) {
	for name, test := range map[string]struct {
		method, path, body string
		status             int
		field              string
	}{
		"least timeout":                       {"POST", rest.PathTimeout, `{"timeout_minutes":1}`, 200, ""},
		"below":                               {"POST", rest.PathTimeout, `{"timeout_minutes":0}`, 422, "timeout_minutes"},
		"most":                                {"POST", rest.PathTimeout, `{"timeout_minutes":240}`, 200, ""},
		"above":                               {"POST", rest.PathTimeout, `{"timeout_minutes":241}`, 422, "timeout_minutes"},
		"a fraction":                          {"POST", rest.PathTimeout, `{"timeout_minutes":1.5}`, 422, "timeout_minutes"},
		"nothing":                             {"POST", rest.PathTimeout, `{}`, 422, ""},
		"no body":                             {"POST", rest.PathTimeout, ``, 400, ""},
		"a body for none":                     {"POST", rest.PathDisable, `{"reason":"x"}`, 400, ""},
		"patch: least":                        {"PATCH", rest.PathSettings, `{"idle_timeout_minutes":1,"idle_warning_s":20,"max_duration_minutes":0,"max_sessions":1,"max_sessions_per_user":1,"log_retention_days":1,"audit_retention_days":30}`, 200, ""},
		"patch: most":                         {"PATCH", rest.PathSettings, `{"idle_timeout_minutes":240,"idle_warning_s":600,"max_duration_minutes":720,"max_sessions":10000,"max_sessions_per_user":100,"log_retention_days":365,"audit_retention_days":3650}`, 200, ""},
		"patch: below":                        {"PATCH", rest.PathSettings, `{"audit_retention_days":29}`, 422, "audit_retention_days"},
		"patch: above":                        {"PATCH", rest.PathSettings, `{"log_retention_days":366}`, 422, "log_retention_days"},
		"patch: idle_timeout_minutes, below":  {"PATCH", rest.PathSettings, `{"idle_timeout_minutes":0}`, 422, "idle_timeout_minutes"},
		"patch: idle_timeout_minutes, above":  {"PATCH", rest.PathSettings, `{"idle_timeout_minutes":241}`, 422, "idle_timeout_minutes"},
		"patch: idle_warning_s, below":        {"PATCH", rest.PathSettings, `{"idle_warning_s":19}`, 422, "idle_warning_s"},
		"patch: idle_warning_s, above":        {"PATCH", rest.PathSettings, `{"idle_warning_s":601}`, 422, "idle_warning_s"},
		"patch: max_duration_minutes, below":  {"PATCH", rest.PathSettings, `{"max_duration_minutes":-1}`, 422, "max_duration_minutes"},
		"patch: max_duration_minutes, above":  {"PATCH", rest.PathSettings, `{"max_duration_minutes":721}`, 422, "max_duration_minutes"},
		"patch: max_sessions, below":          {"PATCH", rest.PathSettings, `{"max_sessions":0}`, 422, "max_sessions"},
		"patch: max_sessions, above":          {"PATCH", rest.PathSettings, `{"max_sessions":10001}`, 422, "max_sessions"},
		"patch: max_sessions_per_user, below": {"PATCH", rest.PathSettings, `{"max_sessions_per_user":0}`, 422, "max_sessions_per_user"},
		"patch: max_sessions_per_user, above": {"PATCH", rest.PathSettings, `{"max_sessions_per_user":101}`, 422, "max_sessions_per_user"},
		"patch: max_sessions_per_org, least":  {"PATCH", rest.PathSettings, `{"max_sessions_per_org":0}`, 200, ""},
		"patch: max_sessions_per_org, below":  {"PATCH", rest.PathSettings, `{"max_sessions_per_org":-1}`, 422, "max_sessions_per_org"},
		"patch: max_sessions_per_org, above":  {"PATCH", rest.PathSettings, `{"max_sessions_per_org":10001}`, 422, "max_sessions_per_org"},
		"patch: org_caps":                     {"PATCH", rest.PathSettings, `{"org_caps":"acme=2"}`, 200, ""},
		"patch: org_caps, no number":          {"PATCH", rest.PathSettings, `{"org_caps":"acme"}`, 422, "org_caps"},
		"patch: log_retention_days, below":    {"PATCH", rest.PathSettings, `{"log_retention_days":0}`, 422, "log_retention_days"},
		"patch: audit_retention_days, above":  {"PATCH", rest.PathSettings, `{"audit_retention_days":3651}`, 422, "audit_retention_days"},
		"patch: unknown":                      {"PATCH", rest.PathSettings, `{"mode":"demo"}`, 422, "mode"},
		"patch: another case":                 {"PATCH", rest.PathSettings, `{"Monitoring":false}`, 422, "Monitoring"},
		"patch: twice":                        {"PATCH", rest.PathSettings, `{"max_sessions":1,"max_sessions":2}`, 400, "max_sessions"},
		"patch: a text":                       {"PATCH", rest.PathSettings, `{"max_sessions":"9"}`, 422, "max_sessions"},
		"patch: null":                         {"PATCH", rest.PathSettings, `{"monitoring":null}`, 422, "monitoring"},
		"patch: a list":                       {"PATCH", rest.PathSettings, `[]`, 422, ""},
		"patch: nothing":                      {"PATCH", rest.PathSettings, `{}`, 200, ""},
		"patch: huge":                         {"PATCH", rest.PathSettings, `{"max_sessions":1e400}`, 400, ""},
		"silence below":                       {"POST", "/api/v1/monitoring/alerts/x/silence", `{"minutes":0}`, 422, "minutes"},
		"silence above":                       {"POST", "/api/v1/monitoring/alerts/x/silence", `{"minutes":1441}`, 422, "minutes"},
		"silence, least":                      {"POST", "/api/v1/monitoring/alerts/x/silence", `{"minutes":1}`, 404, ""},
		"silence, most":                       {"POST", "/api/v1/monitoring/alerts/x/silence", `{"minutes":1440}`, 404, ""},
		"rules: no lists":                     {"PUT", rest.PathAlertRules, `{}`, 422, ""},
		"rules: a metric":                     {"PUT", rest.PathAlertRules, `{"rules":[{"id":"a","title":"A","metric":"mood","above":1,"for_s":0,"enabled":true,"webhooks":false}],"webhooks":[]}`, 422, ""},
		"revoke, no subject":                  {"POST", "/api/v1/monitoring/users/a%20b/revoke", "", 422, "sub"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			got := r.do(test.method, test.path, test.body, r.as("root"), with("If-Match", `"0"`))
			if got.status != test.status {
				t.Fatalf("%d, want %d: %s", got.status, test.status, got.body)
			}
			checkAnswer(t, got)
			if test.field != "" && got.problem(t).Field != test.field {
				t.Errorf("it names %q", got.problem(t).Field)
			}
			if strings.Contains(string(got.body), "Go value") {
				t.Errorf("it tells of the inside: %s", got.body)
			}
			if test.status != 200 && len(r.record()) != 0 {
				t.Errorf("on record: %+v", r.record())
			}
		})
	}
}

// TestPrivacyIsTurnedOffByHand: the phrase and the reason, or it stays on.
func TestPrivacyIsTurnedOffByHand(t *testing.T) {
	for name, test := range map[string]struct {
		body, field string
	}{
		"as asked":         {`{"privacy_mode":false,"confirm":"turn off privacy","reason":"a court order"}`, ""},
		"no phrase":        {`{"privacy_mode":false,"reason":"x"}`, "confirm"},
		"another phrase":   {`{"privacy_mode":false,"confirm":"Turn off privacy","reason":"x"}`, "confirm"},
		"no reason":        {`{"privacy_mode":false,"confirm":"turn off privacy"}`, "reason"},
		"an unseen reason": {`{"privacy_mode":false,"confirm":"turn off privacy","reason":"\u200b \u202e"}`, "reason"},
		"a number":         {`{"privacy_mode":false,"confirm":1,"reason":"x"}`, "confirm"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			got := r.do("PATCH", rest.PathSettings, test.body, r.as("root"), with("If-Match", `"0"`))
			if off := test.field == ""; r.settings.Privacy() == off {
				t.Fatalf("privacy %v: %d %s", r.settings.Privacy(), got.status, got.body)
			}
			if test.field != "" {
				if p := got.problem(t); got.status != 422 || p.Field != test.field {
					t.Errorf("%d %+v", got.status, p)
				}
				return
			}
			if e := r.newest(rest.AuditPrivacyOff); e.Reason != "a court order" || e.Actor != "root" {
				t.Errorf("%+v", e)
			}
			on := r.do("PATCH", rest.PathSettings, `{"privacy_mode":true}`, r.as("root"), with("If-Match", `"1"`))
			if on.status != 200 || r.newest(rest.AuditPrivacyOn).Actor != "root" {
				t.Errorf("back on: %d", on.status)
			}
		})
	}
}

func TestAlertRules(t *testing.T) {
	r := newRig(t, nil)
	got := r.get(rest.PathAlertRules)
	if rules := read[rest.AlertRules](t, got); got.header.Get("ETag") != `"0"` || len(rules.Rules) == 0 {
		t.Fatalf("%v %+v", got.header, rules)
	}
	const body = `{"version":99,"rules":[{"id":"cap","title":"Full","metric":"live_of_cap","above":0.9,"for_s":0,"enabled":true,"webhooks":true}],
		"webhooks":[{"url":"http://127.0.0.1:9/hook","secret":"a secret of good length"}]}`
	put := r.do("PUT", rest.PathAlertRules, body, r.as("root"), with("If-Match", `"0"`))
	if rules := read[rest.AlertRules](t, put); put.header.Get("ETag") != `"1"` || rules.Version != 1 || len(rules.Rules) != 1 ||
		!rules.Webhooks[0].HasSecret || rules.Webhooks[0].Secret != "" {
		t.Errorf("%v %+v", put.header, rules)
	}
	for path, a := range map[string]answer{"the rules": r.get(rest.PathAlertRules), "the record": r.get(rest.PathAudit)} {
		if strings.Contains(string(a.body), "good length") {
			t.Errorf("%s tell the secret: %s", path, a.body)
		}
	}
	if again := r.do("PUT", rest.PathAlertRules, body, r.as("root"), with("If-Match", `"0"`)); again.status != 409 {
		t.Errorf("an older version: %d", again.status)
	}
	if none := r.do("PUT", rest.PathAlertRules, body, r.as("root")); none.status != 200 || none.header.Get("ETag") != `"2"` {
		t.Errorf("no version: %d %v", none.status, none.header)
	}
}

// TestRevoke: calls end, old tokens are refused, new ones are good. Others stay.
func TestRevoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRigIn(t, auth.Config{Mode: auth.Organization}, nil)
		alice := auth.Claims{Subject: "+905551234567", Org: "acme"}
		old := r.tokenOf(alice, time.Hour)
		r.call(alice.Subject, "acme")
		r.call("bob", "acme")
		r.call(alice.Subject, "globex")
		time.Sleep(2 * time.Second)
		anna := bearer(r.tokenOf(auth.Claims{Subject: "anna", Org: "acme", Role: auth.RoleOrgAdmin}, time.Hour))
		path := "/api/v1/monitoring/users/" + url.PathEscape(alice.Subject) + "/revoke"
		revoked := read[rest.Revoked](t, r.do("POST", path, "", anna))
		if revoked.Ended != 1 || !revoked.RefusedBefore.Equal(time.Now().Truncate(time.Millisecond)) || r.live() != 2 {
			t.Errorf("%+v, %d left", revoked, r.live())
		}
		if got := r.do("GET", rest.PathMe, "", bearer(old)); got.status != 401 {
			t.Errorf("the old token: %d", got.status)
		}
		e := r.newest(rest.AuditRevoke)
		if e.Target != r.privacy.Person(alice.Subject) || e.Org != "acme" || strings.Contains(e.Target, "5551234567") {
			t.Errorf("%+v", e)
		}
		time.Sleep(time.Second)
		if got := r.do("GET", rest.PathMe, "", bearer(r.tokenOf(alice, time.Hour))); got.status != 200 {
			t.Errorf("a new token: %d", got.status)
		}
		for sub, want := range map[string]int{"bob": 200, "carol": 404, "root": 404} {
			if got := r.do("POST", "/api/v1/monitoring/users/"+sub+"/revoke", "", anna); got.status != want {
				t.Errorf("%s by the organization's admin: %d", sub, got.status)
			}
		}
		root := bearer(r.tokenOf(auth.Claims{Subject: "root", Org: "operations"}, time.Hour))
		if got := r.do("POST", "/api/v1/monitoring/users/carol/revoke", "", root); got.status != 404 {
			t.Errorf("a subject that nobody ever met, by the server's admin: %d", got.status)
		}
	})
}

// TestRevokeWhoOnlyAsked: a line of the access log in the organization is enough.
func TestRevokeWhoOnlyAsked(t *testing.T) {
	r := newRigIn(t, auth.Config{Mode: auth.Organization}, nil)
	r.fillLogs(2) // alice's in acme, bob's in globex
	anna := bearer(r.tokenOf(auth.Claims{Subject: "anna", Org: "acme", Role: auth.RoleOrgAdmin}, time.Hour))
	for sub, want := range map[string]int{"alice@example.org": 200, "bob": 404} {
		if got := r.do("POST", "/api/v1/monitoring/users/"+sub+"/revoke", "", anna); got.status != want {
			t.Errorf("%s: %d", sub, got.status)
		}
	}
}

func TestCheckTimeouts(t *testing.T) {
	r := newRig(t, nil)
	r.call("alice", "")
	overdue := r.callOf(session.Caller{User: "bob", TokenExpires: time.Now().Add(time.Minute)})
	r.deadlines.ahead = 5 * time.Minute
	if got := read[rest.TimeoutsChecked](t, r.do("POST", rest.PathCheckTimeouts, "", r.as("root"))); got.Checked != 2 || got.Ended != 1 {
		t.Errorf("%+v", got)
	}
	if _, isLive := r.bridge.Sessions().Snapshot(overdue); isLive {
		t.Error("the one past its deadline goes on")
	}
}

// TestTheFeedTellsWhatAdminsDo: settings by name, privacy mode by which way, and a look at a
// person without its reason, which is in the audit log. What is refused is nothing that was done.
func TestTheFeedTellsWhatAdminsDo(t *testing.T) {
	var told []string
	r := newRig(t, func(c *api.Config) {
		c.Act = func(a rest.Activity) { told = append(told, a.Kind+" "+a.What+" "+a.Detail+" by "+a.User) }
	})
	id := r.call("ada@example.org", "")
	told = nil
	for _, body := range []string{`{"max_sessions":9,"idle_warning_s":30}`, `{"max_sessions":0}`,
		`{"privacy_mode":false,"confirm":"turn off privacy","reason":"a court order"}`, `{"privacy_mode":true}`} {
		r.do("PATCH", rest.PathSettings, body, r.as("root"))
	}
	r.do("POST", "/api/v1/monitoring/sessions/"+id+"/reveal", `{"reason":"fraud"}`, r.as("root"))
	r.do("POST", "/api/v1/monitoring/sessions/nobody/reveal", `{"reason":"fraud"}`, r.as("root"))
	want := []string{"admin settings_changed idle_warning_s, max_sessions by root", "privacy privacy_turned_off  by root",
		"privacy privacy_turned_on  by root", "privacy person_revealed  by root"}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}
