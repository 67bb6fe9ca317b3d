package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/api"
	"parley/server/auth"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

func TestMetrics(t *testing.T) {
	const token = "a token of the scraper's"
	for name, test := range map[string]struct {
		configured string
		as         func(*rig) edit
		want       int
	}{
		"the token":               {token, func(*rig) edit { return bearer(token) }, 200},
		"another scheme's case":   {token, func(*rig) edit { return with("Authorization", "bearer "+token) }, 200},
		"an admin":                {token, func(r *rig) edit { return r.as("root") }, 200},
		"a caller":                {token, func(r *rig) edit { return r.as("alice") }, 403},
		"a shorter one":           {token, func(*rig) edit { return bearer(token[1:]) }, 401},
		"a longer one":            {token, func(*rig) edit { return bearer(token + "x") }, 401},
		"none":                    {token, func(*rig) edit { return with("Accept", "*/*") }, 401},
		"two":                     {token, func(*rig) edit { return with("Authorization", "Bearer "+token, "Bearer "+token) }, 401},
		"basic":                   {token, func(*rig) edit { return with("Authorization", "Basic "+token) }, 401},
		"none is configured":      {"", func(*rig) edit { return with("Authorization", "Bearer ") }, 401},
		"none is configured, one": {"", func(*rig) edit { return bearer("x") }, 401},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(c *api.Config) { c.MetricsToken = func() string { return test.configured } })
			got := r.do("GET", rest.PathMetrics, "", test.as(r))
			if got.status != test.want {
				t.Fatalf("%d %s", got.status, got.body)
			}
			checkAnswer(t, got)
			if test.want == 200 && !strings.Contains(string(got.body), "# TYPE ") {
				t.Errorf("%.200s", got.body)
			}
		})
	}
	r := newRigIn(t, auth.Config{AdminAllow: []string{"203.0.113.0/24"}}, func(c *api.Config) { c.MetricsToken = func() string { return token } })
	if got := r.do("GET", rest.PathMetrics, "", bearer(token)); got.status != 403 || got.problem(t).Code != rest.CodeNetwork {
		t.Errorf("from another network: %d", got.status)
	}
	if got := r.do("GET", rest.PathMe, "", bearer(token), from("203.0.113.1")); got.status != 401 {
		t.Errorf("the token opens more: %d", got.status)
	}
}

// A guesser of the metrics token is told to wait after twenty a minute; who has
// the right never is, from the same address even.
func TestGuessesAtMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const token = "a token of the scraper's"
		r := newRig(t, func(c *api.Config) { c.MetricsToken = func() string { return token } })
		guess := func(peer string, as edit) int { return r.do("GET", rest.PathMetrics, "", as, from(peer)).status }
		for i := range api.MaxRefusedScrapes {
			if got := guess("198.51.100.7", bearer("guess")); got != 401 {
				t.Fatalf("guess %d: %d", i, got)
			}
		}
		if got := r.do("GET", rest.PathMetrics, "", r.as("alice"), from("198.51.100.7")); got.status != 429 || got.header.Get("Retry-After") != "60" {
			t.Errorf("one more: %d, %s", got.status, got.header.Get("Retry-After"))
		}
		for name, c := range map[string]struct {
			peer string
			as   edit
			want int
		}{
			"the token": {"198.51.100.7", bearer(token), 200}, "an admin": {"198.51.100.7", r.as("root"), 200}, "another address": {"198.51.100.8", bearer("guess"), 401},
		} {
			if got := guess(c.peer, c.as); got != c.want {
				t.Errorf("%s: %d", name, got)
			}
		}
		time.Sleep(time.Minute - 1)
		if got := guess("198.51.100.7", bearer("guess")); got != 429 {
			t.Errorf("a nanosecond early: %d", got)
		}
		time.Sleep(time.Nanosecond)
		if got := guess("198.51.100.7", bearer("guess")); got != 401 {
			t.Errorf("after a minute: %d", got)
		}
	})
}

// TestHealthCountsByRoute: by pattern, sockets, streams and exports left out.
func TestHealthCountsByRoute(t *testing.T) {
	r := newRig(t, func(c *api.Config) {
		c.Ready = func() (bool, []string) { return false, []string{"store"} }
	})
	for _, path := range []string{"/api/v1/monitoring/connection/a", "/api/v1/monitoring/connection/b", exports + "logs", "/api/v1/nothing"} {
		r.get(path)
	}
	s := r.stream(r.as("root"))
	s.next()
	h := read[rest.Health](t, r.get(rest.PathMonitorHealth))
	if h.StreamReaders != 1 || len(h.Degraded) != 1 || h.Goroutines == 0 || h.Version != "1.2.3" {
		t.Errorf("%+v", h)
	}
	routes := make(map[string]int64)
	for _, route := range h.Routes {
		routes[route.Route] = route.Requests
	}
	if len(routes) != 1 || routes["GET "+rest.PathConnection] != 2 {
		t.Errorf("routes %v", routes)
	}
}

// TestTimesCarryTheirMilliseconds wherever there is one.
func TestTimesCarryTheirMilliseconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where a second has no fraction
		r := newRig(t, nil)
		running(t, r)
		r.fillLogs(2)
		s1 := r.call("alice", "")
		s2 := r.call("alice", "")
		r.end(s2, wire.AdminEnded, "x")
		raise(t, r, s1, "")
		if err := r.store.AppendActivities(context.Background(), r.monitor.Snapshot("").Activities); err != nil {
			t.Fatal(err)
		}
		bodies := make(map[string]string)
		for name, e := range endpoints {
			if e.method == "GET" && e.path != rest.PathDocs && e.path != rest.PathMetrics && e.path != rest.PathOpenAPI {
				bodies[name] = string(r.get(strings.NewReplacer("{s}", s1, "{e}", s2).Replace(e.path)).body)
			}
		}
		bodies["csv"] = string(r.get(exports + "logs?format=csv").body)
		s := r.stream(r.as("root"))
		bodies["stream"] = s.next().data
		stamp := regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^" ,]*`)
		exact := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
		found := 0
		for name, body := range bodies {
			for _, at := range stamp.FindAllString(body, -1) {
				if found++; !exact.MatchString(at) {
					t.Errorf("%s: %s", name, at)
				}
			}
		}
		if found < 30 {
			t.Errorf("%d times only", found)
		}
	})
}

// TestAlertsAreTakenAndSilenced, on record, once.
func TestAlertsAreTakenAndSilenced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		s1 := r.call("alice", "")
		id := raise(t, r, s1, "")
		page := read[rest.Page[rest.Alert]](t, r.get(rest.PathAlerts+"?state=firing"))
		if len(page.Items) == 0 || page.Items[0].State != "firing" {
			t.Fatalf("%+v", page)
		}
		path := "/api/v1/monitoring/alerts/" + id
		taken := read[rest.Alert](t, r.do("POST", path+"/acknowledge", "", r.as("root")))
		if taken.AcknowledgedAt == nil || taken.AcknowledgedBy != "root" {
			t.Errorf("%+v", taken)
		}
		silenced := read[rest.Alert](t, r.do("POST", path+"/silence", `{"minutes":60}`, r.as("root")))
		if silenced.SilencedUntil == nil || time.Until(*silenced.SilencedUntil).Round(time.Minute) != time.Hour {
			t.Errorf("%+v", silenced)
		}
		if e := r.newest(rest.AuditAcknowledge); e.Target != id || e.Actor != "root" {
			t.Errorf("%+v", e)
		}
		if e := r.newest(rest.AuditSilence); asNumber(e.Details["minutes"]) != 60 {
			t.Errorf("%+v", e)
		}
	})
}

// TestAlertsOfAnOrganization are those about its sessions.
func TestAlertsOfAnOrganization(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRigIn(t, auth.Config{Mode: auth.Organization}, nil)
		ours := r.call("alice", "acme")
		theirs := r.call("bob", "globex")
		oursRaised, theirsRaised := raise(t, r, ours, "acme"), raise(t, r, theirs, "globex")
		anna := bearer(r.tokenOf(auth.Claims{Subject: "anna", Org: "acme", Role: auth.RoleOrgAdmin}, time.Hour))
		body := string(r.do("GET", rest.PathAlerts, "", anna).body)
		if !strings.Contains(body, oursRaised) || strings.Contains(body, theirsRaised) {
			t.Error(body)
		}
		if got := r.do("POST", "/api/v1/monitoring/alerts/"+theirsRaised+"/silence", `{"minutes":60}`, anna); got.status != 404 {
			t.Errorf("another's: %d", got.status)
		}
		firing, _, err := r.alerts.List(rest.AlertQuery{})
		for _, a := range must(t, firing, err) {
			if a.SilencedUntil != nil {
				t.Errorf("silenced all the same: %+v", a)
			}
		}
	})
}

// TestThePastOfACall: after its end, the quality is told second by second, to
// its owner and to admins.
func TestThePastOfACall(t *testing.T) {
	r := newRig(t, nil)
	start := r.began.Add(-50 * time.Second)
	end := start.Add(3 * time.Second)
	record := rest.SessionRecord{
		ID: "past", User: "alice", UserKey: r.privacy.UserKey("alice"), Agent: "parrot", Node: "a", State: "ended", StartedAt: start, EndedAt: &end,
		Quality: rest.RecordQuality{Level: quality.Fair, Summary: rest.Summary{R: &rest.Range{Avg: 65}, MOS: &rest.Range{Avg: 3.4}}},
	}
	if err := r.store.SessionEnded(context.Background(), record); err != nil {
		t.Fatal(err)
	}
	chunk := rest.QualityChunk{Session: "past", Leg: "caller", Direction: quality.ToAgent, MeasuredBy: "server", Start: start, Received: 100, Lost: 4}
	for i := range 3 {
		chunk.Points = append(chunk.Points, rest.Point{At: start.Add(time.Duration(i) * time.Second), Metrics: rest.Metrics{R: new(70.0 + float64(i)), RTTMS: new(50.0)}})
	}
	if err := r.store.AppendQuality(context.Background(), []rest.QualityChunk{chunk}); err != nil {
		t.Fatal(err)
	}
	const path = "/api/v1/monitoring/connection/past?step_s=1"
	c := read[rest.Connection](t, r.do("GET", path, "", r.as("alice")))
	if c.Rating.Level != quality.Fair || c.Rating.R != 65 || c.Rating.MOS != 3.4 || len(c.Streams) != 1 || c.Errors == nil {
		t.Fatalf("%+v", c)
	}
	s := c.Streams[0]
	if len(s.Series) != 3 || *s.Series[1].Metrics.R != 71 || *s.Latest.R != 72 || s.Rating.Level != quality.Good || s.Rating.R != 71 ||
		s.PacketsReceived != 100 || s.PacketsLost != 4 || s.Summary.RTTMS.Max != 50 {
		t.Errorf("%+v", s)
	}
	bounds := "&from=" + start.Add(time.Second).Format(time.RFC3339Nano) + "&to=" + start.Add(2*time.Second).Format(time.RFC3339Nano)
	if s := read[rest.Connection](t, r.get(path+bounds)).Streams[0]; len(s.Series) != 1 || *s.Series[0].Metrics.R != 71 {
		t.Errorf("a part of it: %+v", s.Series)
	}
	for _, wide := range []string{"&from=0001-01-02T00:00:00Z&to=9999-12-31T00:00:00Z", "&to=9999-12-31T00:00:00Z", "&from=1970-01-01T00:00:00Z"} {
		if s := read[rest.Connection](t, r.get(path+wide)).Streams[0]; len(s.Series) == 0 || len(s.Series) > 5 {
			t.Errorf("%s: %d points", wide, len(s.Series))
		}
	}
	for _, aside := range []string{"&to=2020-01-01T00:00:00Z", "&from=2199-01-01T00:00:00Z"} {
		if got := r.get(path + aside); got.status != 200 {
			t.Errorf("%s: %d %s", aside, got.status, got.body)
		}
	}
	if got := r.do("GET", path, "", r.as("bob")); got.status != 404 {
		t.Errorf("another caller: %d", got.status)
	}
	if e := r.newest(rest.AuditView); e.Target != "past" {
		t.Errorf("%+v", e)
	}
}

// TestStreamIsOnRecord, its start before its first byte and its end with why.
func TestStreamIsOnRecord(t *testing.T) {
	for name, test := range map[string]struct {
		end   func(*rig, *reader)
		cause string
	}{
		"its reader leaves": {func(_ *rig, s *reader) { s.close() }, "left"},
		"its time is over":  {func(*rig, *reader) { time.Sleep(time.Hour) }, "renew"},
		"its rights are out": {func(r *rig, _ *reader) {
			r.auth.PutRevocation(rest.Revocation{UserKey: r.privacy.UserKey("root"), Since: time.Now().Add(time.Second)})
			time.Sleep(2 * time.Second)
		}, "rights"},
		"the server closes": {func(r *rig, _ *reader) { r.api.Close() }, "closing"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				s := r.stream(bearer(r.token("root", 2*time.Hour)))
				if s.next().name != "snapshot" {
					t.Fatal("no snapshot")
				}
				if opened := r.newest(rest.AuditStreamOpened); opened.Actor != "root" || opened.RequestID != s.res.Header.Get("X-Request-Id") {
					t.Errorf("%+v", opened)
				}
				time.Sleep(5 * time.Second)
				test.end(r, s)
				time.Sleep(2 * time.Second)
				closed := r.newest(rest.AuditStreamClosed)
				if closed.Details["cause"] != test.cause || asNumber(closed.Details["seconds"]) < 5 || asNumber(closed.Details["frames"]) < 1 {
					t.Errorf("%+v", closed)
				}
			})
		})
	}
}

// TestStreamOfAnOrganization has nothing of others in it, from the first frame.
func TestStreamOfAnOrganization(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRigIn(t, auth.Config{Mode: auth.Organization}, nil)
		running(t, r)
		theirs1 := r.call("bob", "globex")
		ours1 := r.call("alice", "acme")
		time.Sleep(2 * time.Second)
		s := r.stream(bearer(r.tokenOf(auth.Claims{Subject: "anna", Org: "acme", Role: auth.RoleOrgAdmin}, time.Hour)))
		snap := s.next()
		theirs2 := r.call("bob", "globex")
		time.Sleep(2 * time.Second)
		r.end(theirs1, wire.AdminEnded, "x")
		ours2 := r.call("alice", "acme")
		var all strings.Builder
		all.WriteString(snap.data)
		for e := s.until("sessions"); ; e = s.until("sessions") {
			all.WriteString(e.data)
			if strings.Contains(e.data, ours2) {
				break
			}
		}
		if got := all.String(); strings.Contains(got, theirs1) || strings.Contains(got, theirs2) || strings.Contains(got, "globex") || !strings.Contains(got, ours1) {
			t.Error(got)
		}
		if snapshot := decode[rest.Snapshot](t, snap); snapshot.Stats.Live != 1 {
			t.Errorf("%+v", snapshot.Stats)
		}
	})
}

// TestMonitoringOffStopsTheLogOnly: the interface goes on, and so does audit.
func TestMonitoringOffStopsTheLogOnly(t *testing.T) {
	r := newRig(t, nil)
	r.call("alice", "")
	logged := func(path string) int {
		t.Helper()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		r.lines.Run(ctx) // writes what waits
		return len(read[rest.Page[rest.LogEntry]](t, r.get(rest.PathLogs+"?path="+path)).Items)
	}
	r.get(rest.PathActive)
	if n := logged(rest.PathActive); n != 1 {
		t.Errorf("on: %d lines", n)
	}
	if got := r.do("POST", rest.PathDisable, "", r.as("root")); got.status != 200 {
		t.Fatal(got.status)
	}
	before := len(r.record())
	if live := read[rest.Page[rest.Session]](t, r.get(rest.PathActive)); len(live.Items) != 1 {
		t.Errorf("off: %+v", live)
	}
	if n := logged(rest.PathActive); n != 1 {
		t.Errorf("off: %d lines", n)
	}
	if len(r.record()) != before+2 {
		t.Error("audit stopped")
	}
	r.do("POST", rest.PathEnable, "", r.as("root"))
	r.get(rest.PathActive)
	if n := logged(rest.PathActive); n != 2 {
		t.Errorf("on again: %d lines", n)
	}
}

// TestTheLogKnowsWhoAskedForWhat: user, session, route and code are the guard's
// to tell.
func TestTheLogKnowsWhoAskedForWhat(t *testing.T) {
	r := newRigIn(t, auth.Config{Mode: auth.Organization}, nil)
	s1 := r.call("alice@example.org", "acme")
	alice := bearer(r.tokenOf(auth.Claims{Subject: "alice@example.org", Org: "acme"}, time.Hour))
	r.do("GET", "/api/v1/monitoring/connection/"+s1, "", alice)
	r.do("GET", rest.PathLogs, "", alice)
	r.do("GET", rest.PathActive+"?limit=0", "", bearer(r.tokenOf(auth.Claims{Subject: "root", Org: "operations"}, time.Hour)))
	r.do("GET", "/api/v1/nothing", "")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.lines.Run(ctx)
	lines, _, err := r.store.Logs(context.Background(), rest.LogQuery{})
	must(t, 0, err)
	var got []string
	for _, l := range lines {
		got = append(got, fmt.Sprintf("%d %s %s %s %s %s", l.Status, l.Route, l.User, l.Org, l.Session, l.Code))
	}
	shown := r.privacy.Person("alice@example.org")
	want := []string{
		"404     not_found",
		"422 " + rest.PathActive + " root operations  out_of_range",
		"403 " + rest.PathLogs + " " + shown + " acme  forbidden",
		"200 " + rest.PathConnection + " " + shown + " acme " + s1 + " ",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if raw, _ := json.Marshal(lines); strings.Contains(string(raw), "alice@") {
		t.Errorf("%s", raw)
	}
}
