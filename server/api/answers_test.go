package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"parley/server/api"
	"parley/shared/rest"
)

func TestProblems(t *testing.T) {
	const end = "/api/v1/monitoring/sessions/{s}/end"
	long := func(n int) string { return `{"reason":"` + strings.Repeat("ä", n) + `"}` }
	for name, test := range map[string]struct {
		method, path, body string
		edits              []edit
		status             int
		code               rest.ProblemCode
		field              string
	}{
		"unknown path":         {"GET", "/api/v1/nothing", "", nil, 404, rest.CodeNotFound, ""},
		"the interface itself": {"GET", "/api", "", nil, 404, rest.CodeNotFound, ""},
		"another method":       {"PUT", rest.PathMe, "", nil, 405, rest.CodeMethod, ""},
		"another method, open": {"POST", rest.PathHealth, "", nil, 405, rest.CodeMethod, ""},
		"trace":                {"TRACE", rest.PathMe, "", nil, 405, rest.CodeMethod, ""},
		"no body":              {"POST", end, "", nil, 400, rest.CodeMalformed, ""},
		"a form":               {"POST", end, "reason=x", []edit{with("Content-Type", "application/x-www-form-urlencoded")}, 415, rest.CodeMediaType, ""},
		"text":                 {"POST", end, `{"reason":"x"}`, []edit{with("Content-Type", "text/plain")}, 415, rest.CodeMediaType, ""},
		"no type":              {"POST", end, `{"reason":"x"}`, []edit{with("Content-Type")}, 415, rest.CodeMediaType, ""},
		"two types":            {"POST", end, `{"reason":"x"}`, []edit{with("Content-Type", "application/json", "text/plain")}, 415, rest.CodeMediaType, ""},
		"another charset":      {"POST", end, `{"reason":"x"}`, []edit{with("Content-Type", "application/json; charset=utf-16")}, 415, rest.CodeMediaType, ""},
		"a suffix":             {"POST", end, `{"reason":"x"}`, []edit{with("Content-Type", "application/x+json")}, 415, rest.CodeMediaType, ""},
		"compressed":           {"POST", end, `{"reason":"x"}`, []edit{with("Content-Encoding", "gzip")}, 415, rest.CodeMediaType, ""},
		"not JSON":             {"POST", end, `{"reason":`, nil, 400, rest.CodeMalformed, ""},
		"something after it":   {"POST", end, `{"reason":"x"}{}`, nil, 400, rest.CodeMalformed, ""},
		"not UTF-8":            {"POST", end, "{\"reason\":\"\xff\"}", nil, 400, rest.CodeMalformed, ""},
		"a name twice":         {"POST", end, `{"reason":"x","reason":"y"}`, nil, 400, rest.CodeMalformed, "reason"},
		"escaped twice":        {"POST", end, `{"reason":"x","r\u0065ason":"y"}`, nil, 400, rest.CodeMalformed, "reason"},
		"an unknown name":      {"POST", end, `{"reason":"x","force":true}`, nil, 422, rest.CodeOutOfRange, "force"},
		"another case":         {"POST", end, `{"Reason":"x"}`, nil, 422, rest.CodeOutOfRange, "Reason"},
		"a missing name":       {"POST", end, `{}`, nil, 422, rest.CodeOutOfRange, "reason"},
		"another kind":         {"POST", end, `{"reason":5}`, nil, 422, rest.CodeOutOfRange, "reason"},
		"null":                 {"POST", end, `{"reason":null}`, nil, 422, rest.CodeOutOfRange, "reason"},
		"a list":               {"POST", end, `[]`, nil, 422, rest.CodeOutOfRange, ""},
		"an empty reason":      {"POST", end, `{"reason":""}`, nil, 422, rest.CodeOutOfRange, "reason"},
		"a reason of nothing":  {"POST", end, "{\"reason\":\" \u200b\u202e \"}", nil, 422, rest.CodeOutOfRange, "reason"},
		"the longest reason":   {"POST", end, long(rest.MaxReason), nil, 204, "", ""},
		"a longer one":         {"POST", end, long(rest.MaxReason + 1), nil, 422, rest.CodeOutOfRange, "reason"},
		"with a charset":       {"POST", end, `{"reason":"x"}`, []edit{with("Content-Type", `application/json; charset="UTF-8"`)}, 204, "", ""},
		"depth 32":             {"POST", end, nested(rest.MaxBodyDepth), nil, 422, rest.CodeOutOfRange, "reason"},
		"depth 33":             {"POST", end, nested(rest.MaxBodyDepth + 1), nil, 400, rest.CodeMalformed, ""},
		"a body where none is": {"POST", rest.PathAuthSession, `{"x":1}`, nil, 400, rest.CodeMalformed, ""},
		"64 KiB":               {"POST", end, sized(rest.MaxBody), nil, 422, rest.CodeOutOfRange, "reason"},
		"a byte more":          {"POST", end, sized(rest.MaxBody + 1), nil, 413, rest.CodeTooLarge, ""},
		"more, without length": {"POST", end, sized(rest.MaxBody + 1), []edit{func(r *http.Request) { r.ContentLength = -1 }}, 413, rest.CodeTooLarge, ""},
		"limit 0":              {"GET", rest.PathActive + "?limit=0", "", nil, 422, rest.CodeOutOfRange, "limit"},
		"limit 501":            {"GET", rest.PathActive + "?limit=501", "", nil, 422, rest.CodeOutOfRange, "limit"},
		"limit x":              {"GET", rest.PathActive + "?limit=x", "", nil, 422, rest.CodeOutOfRange, "limit"},
		"limit 500":            {"GET", rest.PathActive + "?limit=500", "", nil, 200, "", ""},
		"limit 1":              {"GET", rest.PathActive + "?limit=1", "", nil, 200, "", ""},
		"an unknown parameter": {"GET", rest.PathActive + "?limits=1", "", nil, 422, rest.CodeOutOfRange, "limits"},
		"a made-up cursor":     {"GET", rest.PathActive + "?cursor=*", "", nil, 422, rest.CodeOutOfRange, "cursor"},
		"step 0":               {"GET", "/api/v1/monitoring/connection/{s}?step_s=0", "", nil, 422, rest.CodeOutOfRange, "step_s"},
		"step 3601":            {"GET", "/api/v1/monitoring/connection/{s}?step_s=3601", "", nil, 422, rest.CodeOutOfRange, "step_s"},
		"step 3600":            {"GET", "/api/v1/monitoring/connection/{s}?step_s=3600", "", nil, 200, "", ""},
		"from yesterday":       {"GET", "/api/v1/monitoring/connection/{s}?from=yesterday", "", nil, 422, rest.CodeOutOfRange, "from"},
		"to before from":       {"GET", "/api/v1/monitoring/connection/{s}?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "", nil, 422, rest.CodeOutOfRange, "to"},
		"both":                 {"GET", "/api/v1/monitoring/connection/{s}?from=2026-01-02T00:00:00Z&to=2026-01-03T00:00:00.5%2B01:00", "", nil, 200, "", ""},
		"a busy caller":        {"GET", rest.PathAdmission, "", []edit{nil}, 503, rest.CodeUserCap, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			s1 := r.call("alice", "")
			edits := []edit{r.as("root")}
			for _, e := range test.edits {
				if e == nil {
					for range maxPerUser {
						r.call("busy", "")
					}
					e = r.as("busy")
				}
				edits = append(edits, e)
			}
			got := r.do(test.method, strings.Replace(test.path, "{s}", s1, 1), test.body, edits...)
			if got.status != test.status {
				t.Fatalf("%d, want %d: %s", got.status, test.status, got.body)
			}
			checkAnswer(t, got)
			if test.code == "" {
				return
			}
			if p := got.problem(t); p.Code != test.code || p.Field != test.field {
				t.Fatalf("code %q field %q, want %q %q: %s", p.Code, p.Field, test.code, test.field, got.body)
			}
			if test.status == 405 && got.header.Get("Allow") == "" {
				t.Error("405 without Allow")
			}
		})
	}
}

// nested is a reason with objects in it, n levels in all.
func nested(n int) string {
	return `{"reason":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
}

// sized is a body of n bytes.
func sized(n int) string {
	const around = `{"reason":""}`
	return `{"reason":"` + strings.Repeat("x", n-len(around)) + `"}`
}

func TestProblemsTellNothingOfTheInside(t *testing.T) {
	const secret = "pgx: connection to 10.0.0.7 refused"
	r := newRig(t, func(c *api.Config) {
		c.Sessions, c.Operator = failing{secret}, panicking{c.Operator, secret}
		c.Site = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(secret) })
	})
	s1 := r.call("alice", "")
	for name, got := range map[string]answer{
		"an error":         r.do("GET", rest.PathAdmission, "", r.as("alice")),
		"a panic":          r.do("POST", "/api/v1/monitoring/sessions/"+s1+"/end", `{"reason":"x"}`, r.as("root")),
		"a panic of pages": r.do("GET", "/", ""),
	} {
		if got.status != 500 || got.problem(t).Code != rest.CodeServerError {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
		if strings.Contains(string(got.body), "pgx") || strings.Contains(string(got.body), "goroutine") {
			t.Errorf("%s tells: %s", name, got.body)
		}
		if !strings.HasPrefix(got.problem(t).RequestID, "req_") {
			t.Errorf("%s has no request id", name)
		}
	}
	if n := strings.Count(r.log.String(), secret); n < 3 {
		t.Errorf("the log tells of it %d times", n)
	}
}

type failing struct{ how string }

func (f failing) Admission(string, string, string) (rest.Admission, error) {
	return rest.Admission{}, failure(f.how)
}
func (f failing) Owner(string) (user, org string, ok bool) { panic(f.how) }
func (f failing) EndSession(context.Context, string) error { panic(f.how) }
func (f failing) EndTokens(string)                         { panic(f.how) }
func (f failing) EndToken(string)                          { panic(f.how) }

// panicking panics where a session is to be ended.
type panicking struct {
	api.Operator
	how string
}

func (p panicking) EndSession(context.Context, string, string, string, rest.AuditEntry) error {
	panic(p.how)
}

type failure string

func (f failure) Error() string { return string(f) }

func TestSiteAndSocketGetTheirRequests(t *testing.T) {
	says := func(word string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(word)) })
	}
	r := newRig(t, func(c *api.Config) { c.Site, c.Socket = says("site"), says("socket") })
	for path, want := range map[string]string{
		"/": "site", "/call": "site", "/apix": "site", "/healthzz": "site", "/web/app.wasm": "site", rest.PathSocket: "socket",
	} {
		got := r.do("GET", path, "")
		if string(got.body) != want || got.header.Get("X-Request-Id") == "" {
			t.Errorf("%s: %d %s %v", path, got.status, got.body, got.header)
		}
	}
}

func TestReady(t *testing.T) {
	var isDraining bool
	var failing []string
	r := newRig(t, func(c *api.Config) { c.Ready = func() (bool, []string) { return isDraining, failing } })
	for name, test := range map[string]struct {
		isDraining bool
		degraded   []string
		status     int
		want       string
	}{
		"ready":    {false, nil, 200, `{"status":"ready"}`},
		"degraded": {false, []string{"store"}, 200, `{"status":"degraded","degraded":["store"]}`},
		"draining": {true, []string{"store"}, 503, `"code":"draining"`},
	} {
		isDraining, failing = test.isDraining, test.degraded
		got := r.do("GET", rest.PathReady, "")
		if got.status != test.status || !strings.Contains(string(got.body), test.want) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
		checkAnswer(t, got)
	}
	if got := r.do("GET", rest.PathHealth, ""); strings.TrimSpace(string(got.body)) != `{"status":"ok"}` {
		t.Errorf("health: %s", got.body)
	}
}

func TestActivePages(t *testing.T) {
	r := newRig(t, nil)
	var ids []string
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		ids = append(ids, r.call("user-"+name, ""))
	}
	var got []string
	path := rest.PathActive + "?limit=2"
	for pages := 0; path != "" && pages < 5; pages++ {
		var page rest.Page[rest.Session]
		if err := json.Unmarshal(r.do("GET", path, "", r.as("root")).body, &page); err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Items {
			got = append(got, s.ID)
		}
		if path = ""; page.NextCursor != "" {
			path = rest.PathActive + "?limit=2&cursor=" + page.NextCursor
		}
	}
	if strings.Join(got, "") != strings.Join(ids, "") {
		t.Fatalf("got %v", got)
	}
	empty := newRig(t, nil).do
	if body := empty("GET", rest.PathActive, "", newRig(t, nil).as("root")).body; !strings.Contains(string(body), `"items":[]`) {
		t.Fatalf("an empty list: %s", body)
	}
}

func TestEnd(t *testing.T) {
	r := newRig(t, nil)
	s1 := r.call("alice", "")
	path := "/api/v1/monitoring/sessions/" + s1 + "/end"
	if got := r.do("POST", path, "{\"reason\":\" main\u202ete\u200dnance of علی\u200cرضا\\n \"}", r.as("root")); got.status != 204 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	r.waitTold()
	var ended rest.Session
	for _, s := range r.monitor.Snapshot("").Sessions {
		ended = s
	}
	if ended.EndReason != "maintenance of علی\u200cرضا" || ended.EndCause != "admin_ended" {
		t.Fatalf("ended as %+v", ended)
	}
	if got := r.do("POST", path, `{"reason":"again"}`, r.as("root")); got.status != 404 {
		t.Fatalf("the second time: %d", got.status)
	}
}
