package api_test

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/server/auth"
	"parley/server/privacy"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// moment is the n-th of those that the lists tell of: rows are written soon after
// what they tell of.
func (r *rig) moment(n int) time.Time { return r.began.Add(time.Duration(n) * time.Millisecond) }

func (r *rig) at(n int) string { return url.QueryEscape(r.moment(n).Format(time.RFC3339Nano)) }

// fillLogs keeps one line each millisecond: even ones alice's, of acme, odd ones bob's.
func (r *rig) fillLogs(n int) {
	r.t.Helper()
	lines := make([]rest.LogEntry, n)
	for i := range lines {
		who, org := "alice@example.org", "acme"
		if i%2 == 1 {
			who, org = "bob", "globex"
		}
		lines[i] = rest.LogEntry{
			T: r.moment(i), Kind: []rest.LogKind{rest.LogAPI, rest.LogSocket, rest.LogStream, rest.LogPage}[i%4],
			Method: []string{"GET", "POST"}[i%2], Path: fmt.Sprintf("/api/v1/things/%d", i), Status: 200 + 100*(i%4),
			User: r.privacy.Person(who), UserKey: r.privacy.UserKey(who), Org: org, Remote: "192.0.2.•",
			Session: fmt.Sprintf("s%d", i%3), RequestID: fmt.Sprintf("req_%d", i), Node: "a",
		}
	}
	if err := r.store.AppendLogs(context.Background(), lines); err != nil {
		r.t.Fatal(err)
	}
}

func TestLogFilters(t *testing.T) {
	r := newRig(t, nil)
	r.fillLogs(12)
	for name, test := range map[string]struct {
		query string
		want  []int
	}{
		"all":                 {"", []int{11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}},
		"a subject":           {"?user=bob", []int{11, 9, 7, 5, 3, 1}},
		"a subject, masked":   {"?user=alice%40example.org&limit=2", []int{10, 8}},
		"as shown":            {"?limit=1&user=" + url.QueryEscape(r.privacy.Person("alice@example.org")), []int{10}},
		"a session":           {"?session=s0", []int{9, 6, 3, 0}},
		"a path":              {"?path=/api/v1/things/7", []int{7}},
		"the path's start":    {"?path=/api/v1/things/1*", []int{11, 10, 1}},
		"a method":            {"?method=POST&limit=2", []int{11, 9}},
		"a status":            {"?status=500", []int{11, 7, 3}},
		"a class":             {"?status=4xx", []int{10, 6, 2}},
		"a kind":              {"?kind=ws", []int{9, 5, 1}},
		"from":                {"?from=" + r.at(9), []int{11, 10, 9}},
		"to":                  {"?to=" + r.at(2), []int{1, 0}},
		"both":                {"?from=" + r.at(3) + "&to=" + r.at(5), []int{4, 3}},
		"nothing between":     {"?from=" + r.at(3) + "&to=" + r.at(3), nil},
		"since ever":          {"?from=0001-01-02T00:00:00Z&limit=1", []int{11}},
		"until the end":       {"?to=9999-12-31T23:59:59Z&limit=1", []int{11}},
		"from the end on":     {"?from=9999-12-31T23:59:59Z", nil},
		"before all":          {"?to=0001-01-02T00:00:00Z", nil},
		"words":               {"?q=REQ_3", []int{3}},
		"all at once":         {"?user=bob&method=POST&status=5xx&kind=page&session=s1&q=things", []int{7}},
		"of somebody unknown": {"?user=carol", nil},
		"a quote":             {"?q=%27+OR+1%3D1", nil},
		"a wildcard of SQL":   {"?q=%25", nil},
	} {
		t.Run(name, func(t *testing.T) {
			page := read[rest.Page[rest.LogEntry]](t, r.get(rest.PathLogs+test.query))
			var got []int
			for _, e := range page.Items {
				got = append(got, int(e.T.Sub(r.began).Milliseconds()))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

// TestListLimits is every bound of every list, and who is refused how.
func TestListLimits(t *testing.T) {
	lists := []string{
		rest.PathActive, rest.PathSessions, rest.PathLogs, rest.PathActivities, rest.PathAudit, rest.PathAlerts, rest.PathOwnSessions,
	}
	spanned := []string{rest.PathSessions, rest.PathLogs, rest.PathActivities, rest.PathAudit, rest.PathOwnSessions}
	r := newRig(t, nil)
	check := func(path, query, field string, want int) {
		t.Helper()
		got := r.get(path + query)
		if got.status != want {
			t.Errorf("%s%s: %d, want %d: %.200s", path, query, got.status, want, got.body)
		}
		if want != 200 {
			if p := got.problem(t); p.Field != field {
				t.Errorf("%s%s names %q: %s", path, query, p.Field, got.body)
			}
		}
	}
	for _, path := range lists {
		for limit, want := range map[string]int{"0": 422, "1": 200, "500": 200, "501": 422, "-1": 422, "x": 422, "1.5": 422, "99999999999999999999": 422} {
			check(path, "?limit="+limit, "limit", want)
		}
		check(path, "?cursor=*", "cursor", 422)
		check(path, "?cursor="+strings.Repeat("a", 257), "cursor", 422)
		check(path, "?unknown=1", "unknown", 422)
		check(path, "?limit=1&limit=2", "limit", 422)
		check(path, "?limit=%zz", "", 400)
		check(path, "?limit=1;x=2", "", 400)
	}
	for _, path := range spanned {
		check(path, "?from=yesterday", "from", 422)
		check(path, "?to=2026-13-01T00:00:00Z", "to", 422)
		check(path, "?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to", 422)
		check(path, "?from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00Z", "", 200)
	}
	long := func(n int) string { return strings.Repeat("x", n) }
	for query, field := range map[string]string{
		"?status=99": "status", "?status=600": "status", "?status=6xx": "status", "?status=4x": "status", "?status=4XX": "status",
		"?kind=call": "kind", "?method=get": "method", "?method=" + strings.Repeat("A", 17): "method", "?path=api": "path",
		"?path=/" + long(300): "path", "?q=" + long(101): "q", "?user=" + long(129): "user", "?session=" + long(129): "session",
	} {
		check(rest.PathLogs, query, field, 422)
	}
	for _, query := range []string{"?status=100", "?status=599", "?status=5xx", "?kind=ws", "?path=/" + long(299), "?q=" + long(100), "?user=" + long(128)} {
		check(rest.PathLogs, query, "", 200)
	}
	for _, empty := range []string{"user", "session", "path", "method", "status", "kind", "q", "from", "to", "cursor", "limit"} {
		check(rest.PathLogs, "?"+empty+"=", empty, 422)
	}
	for path, bad := range map[string]string{
		rest.PathSessions: "quality=best", rest.PathActivities: "kind=x", rest.PathAudit: "outcome=x", rest.PathAlerts: "state=x",
	} {
		name, _, _ := strings.Cut(bad, "=")
		check(path, "?"+bad, name, 422)
	}
}

// TestPagesFollowEachOther: each list gives every row once, in order.
func TestPagesFollowEachOther(t *testing.T) {
	r := newRig(t, nil)
	r.fillLogs(7)
	var activities []rest.Activity
	number := make(map[string]string) // of sessions
	for i := range 7 {
		id := r.call("alice", "")
		r.end(id, wire.AdminEnded, "x")
		number[id] = fmt.Sprint(i)
		activities = append(activities, rest.Activity{At: r.moment(i), Kind: rest.ActivityCall, What: rest.CallStarted, Session: id})
	}
	if err := r.store.AppendActivities(context.Background(), activities); err != nil {
		t.Fatal(err)
	}
	sevenDown := []string{"6", "5", "4", "3", "2", "1", "0"}
	for path, got := range map[string][]string{
		"logs":         pagesOf(t, r, rest.PathLogs, "root", func(e rest.LogEntry) string { return strings.TrimPrefix(e.RequestID, "req_") }),
		"sessions":     pagesOf(t, r, rest.PathSessions, "root", func(s rest.SessionRecord) string { return number[s.ID] }),
		"own sessions": pagesOf(t, r, rest.PathOwnSessions, "alice", func(s rest.SessionRecord) string { return number[s.ID] }),
		"activities":   pagesOf(t, r, rest.PathActivities, "root", func(a rest.Activity) string { return number[a.Session] }),
	} {
		if !slices.Equal(got, sevenDown) {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func pagesOf[T any](t *testing.T, r *rig, path, as string, id func(T) string) (ids []string) {
	t.Helper()
	for next, n := path+"?limit=2", 0; next != "" && n < 10; n++ {
		page := read[rest.Page[T]](t, r.do("GET", next, "", r.as(as)))
		for _, item := range page.Items {
			ids = append(ids, id(item))
		}
		if next = ""; page.NextCursor != "" {
			next = path + "?limit=2&cursor=" + url.QueryEscape(page.NextCursor)
		}
	}
	return ids
}

func TestSessionFilters(t *testing.T) {
	r := newRig(t, nil)
	keep := func(id, user string, cause wire.EndCause, level quality.Level, agent string, second int) {
		end := r.moment(second).Add(time.Minute)
		record := rest.SessionRecord{
			ID: id, User: r.privacy.Person(user), UserKey: r.privacy.UserKey(user), Agent: agent, Node: "a", State: "ended",
			StartedAt: r.moment(second), EndedAt: &end, EndCause: cause, Quality: rest.RecordQuality{Level: level},
		}
		if err := r.store.SessionEnded(context.Background(), record); err != nil {
			t.Fatal(err)
		}
	}
	keep("a", "alice", "caller_left", quality.Good, "parrot", 1)
	keep("b", "alice", "media_failed", quality.Poor, "parrot", 2)
	keep("c", "+905551234567", "caller_left", quality.Good, "echo", 3)
	r.call("alice", "")
	for name, test := range map[string]struct{ query, want string }{
		"all that ended": {"", "cba"},
		"user":           {"?user=alice", "ba"},
		"a number":       {"?user=%2B905551234567", "c"},
		"cause":          {"?cause=media_failed", "b"},
		"quality":        {"?quality=good", "ca"},
		"agent":          {"?agent=echo", "c"},
		"from":           {"?from=" + r.at(2), "cb"},
		"to":             {"?to=" + r.at(2), "a"},
		"together":       {"?user=alice&cause=caller_left&quality=good&agent=parrot", "a"},
	} {
		got := ""
		for _, s := range read[rest.Page[rest.SessionRecord]](t, r.get(rest.PathSessions+test.query)).Items {
			got += s.ID
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	if body := string(r.get(rest.PathSessions).body); strings.Contains(body, "5551234567") || strings.Contains(body, r.privacy.UserKey("alice")) {
		t.Errorf("it tells who: %s", body)
	}
}

// TestOwnSessionsAreOnesOwn: live ones with the state of now, nobody else's, and
// no other organization's.
func TestOwnSessionsAreOnesOwn(t *testing.T) {
	r := newRigIn(t, auth.Config{Mode: auth.Organization}, nil)
	old := r.call("alice", "acme")
	r.end(old, wire.AdminEnded, "x")
	live := r.call("alice", "acme")
	hersElsewhere := r.call("alice", "globex")
	bobs := r.call("bob", "acme")
	alice := bearer(r.tokenOf(auth.Claims{Subject: "alice", Org: "acme"}, time.Hour))
	page := read[rest.Page[rest.SessionRecord]](t, r.do("GET", rest.PathOwnSessions, "", alice))
	if len(page.Items) != 2 || page.Items[0].ID != live || page.Items[1].ID != old {
		t.Fatalf("%+v", page.Items)
	}
	if page.Items[0].State != "active" || page.Items[1].State != "ended" || page.Items[1].EndCause != "admin_ended" {
		t.Errorf("%+v", page.Items)
	}
	for id, want := range map[string]int{live: 200, old: 200, hersElsewhere: 404, bobs: 404, "x": 404} {
		if got := r.do("GET", "/api/v1/sessions/"+id, "", alice); got.status != want {
			t.Errorf("%s: %d", id, got.status)
		}
	}
	foreign, unknown := r.do("GET", "/api/v1/sessions/"+bobs, "", alice).problem(t), r.do("GET", "/api/v1/sessions/x", "", alice).problem(t)
	foreign.RequestID, unknown.RequestID = "", ""
	if !reflect.DeepEqual(foreign, unknown) {
		t.Errorf("what is another's is told from what never was: %+v, %+v", foreign, unknown)
	}
	if n := len(r.record()); n != 0 {
		t.Errorf("%d lines on record of a look at what is one's own", n)
	}
}

// TestActivitiesAreTheNewest1000AtMost, by pages of 500.
func TestActivitiesAreTheNewest1000AtMost(t *testing.T) {
	r := newRig(t, nil)
	many := make([]rest.Activity, 1003)
	for i := range many {
		many[i] = rest.Activity{At: r.moment(i), Kind: rest.ActivityCall, What: rest.CallStarted, Session: fmt.Sprint(i)}
	}
	many[1002].User, many[1002].Kind = r.privacy.Person("alice@example.org"), rest.ActivityQuality
	for some := range slices.Chunk(many, 100) { // more take a busy machine longer than a write may
		if err := r.store.AppendActivities(context.Background(), some); err != nil {
			t.Fatal(err)
		}
	}
	var n int
	for next, more := rest.PathActivities+"?limit=500", true; more; {
		page := read[rest.Page[rest.Activity]](t, r.get(next))
		n += len(page.Items)
		more, next = page.NextCursor != "", rest.PathActivities+"?limit=500&cursor="+page.NextCursor
	}
	if n != 1000 {
		t.Errorf("%d activities", n)
	}
	for query, want := range map[string]int{
		"?kind=quality": 1, "?kind=quality,admin": 1, "?session=700": 1, "?q=CALL+started+&limit=7": 7, "?q=+70": 20, "?kind=quality&q=a%E2%80%A2": 1, "?q=none+of+this": 0, "?user=alice%40example.org": 1, "?user=bob": 0,
		"?from=" + r.at(1001): 2, "?to=" + r.at(4): 1,
	} {
		if got := read[rest.Page[rest.Activity]](t, r.get(rest.PathActivities+query)).Items; len(got) != want {
			t.Errorf("%s: %d, want %d", query, len(got), want)
		}
	}
}

// TestLogCounts: as many as the list has, each in its part of the time.
func TestLogCounts(t *testing.T) {
	r := newRig(t, nil)
	r.fillLogs(12)
	for _, e := range []rest.AuditEntry{{T: r.moment(1), Actor: "root", Action: rest.AuditView}, {T: r.moment(9), Actor: "alice@example.org", Action: rest.AuditDenied, Outcome: "denied"}} {
		must(t, 0, r.audit.Record(context.Background(), e))
	}
	span := "&from=" + r.at(0) + "&to=" + r.at(12)
	for path, want := range map[string]string{
		rest.PathLogCounts + "?bars=3":              "[{4 1} {4 1} {4 1}]",
		rest.PathLogCounts + "?bars=2&status=5xx":   "[{1 1} {2 2}]",
		rest.PathLogCounts + "?bars=2&user=bob":     "[{3 1} {3 2}]",
		rest.PathLogCounts + "?bars=2&q=things%2F1": "[{1 0} {2 1}]", // 1, 10 and 11
		rest.PathLogCounts + "?bars=1&user=carol":   "[{0 0}]",
		rest.PathAuditCounts + "?bars=2":            "[{1 0} {1 1}]",
		rest.PathAuditCounts + "?bars=2&q=roo":      "[{1 0} {0 0}]",
		rest.PathAuditCounts + "?bars=2&q=alice":    "[{0 0} {0 0}]", // that is masked
	} {
		got := read[rest.Counts](t, r.get(path+span))
		if fmt.Sprint(got.Bars) != want || got.IsPartial || !got.From.Equal(r.moment(0)) || !got.To.Equal(r.moment(12)) {
			t.Errorf("%s: %+v, want %s", path, got, want)
		}
	}
	for _, query := range []string{"?bars=3", "?bars=0" + span, "?bars=501" + span, "?from=" + r.at(3) + "&to=" + r.at(3)} {
		for _, path := range []string{rest.PathLogCounts, rest.PathAuditCounts} {
			if got := r.get(path + query); got.status != 422 {
				t.Errorf("%s: %d", path+query, got.status)
			}
		}
	}
	before := len(r.record())
	for range 2 {
		r.get(rest.PathLogCounts + "?user=bob" + span) // each of a person, on record
	}
	if n := len(r.record()) - before; n != 2 {
		t.Errorf("two counts of somebody are %d lines on record", n)
	}
}

// TestActiveFilters: the live sessions that pass, in the list and in the file.
func TestActiveFilters(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.call("ada", "acme"), r.call("bob", "globex")
	for query, want := range map[string][]string{
		"?limit=9": {a, b}, "?quality=none,poor": {a, b}, "?quality=poor": nil, "?state=listening": {a, b}, "?state=muted": nil,
		"?agent=nobody": nil, "?cause=loss": nil, "?longer_s=3600": nil, "?idle_s=3600": nil, "?q=GLOBEX": {b}, "?q=" + a: {a}, "?q=ada&quality=none": {a},
	} {
		page := read[rest.Page[rest.Session]](t, r.get(rest.PathActive+query))
		var got []string
		for _, s := range page.Items {
			got = append(got, s.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
		if query == "?limit=9" {
			continue
		}
		file := string(r.get(exports + "active" + query).body)
		if lines := strings.Count(file, "\n"); lines != len(want) {
			t.Errorf("%s: %d lines in the file %s", query, lines, file)
		}
	}
	for _, query := range []string{"?quality=bad", "?quality=poor,", "?state=Speaking", "?longer_s=0", "?idle_s=86401", "?q="} {
		if got := r.get(rest.PathActive + query); got.status != 422 {
			t.Errorf("%s: %d", query, got.status)
		}
	}
}

func TestAuditFilters(t *testing.T) {
	r := newRig(t, nil)
	ctx := context.Background()
	for i, e := range []rest.AuditEntry{
		{T: r.moment(1), Actor: "root", Action: rest.AuditView, Target: "s1"},
		{T: r.moment(2), Actor: "alice@example.org", Action: rest.AuditDenied, Target: rest.PathLogs, Outcome: "denied"},
		{T: r.moment(3), Actor: "chief", Action: rest.AuditRevoke, Target: "+905551234567", Outcome: "failed"},
	} {
		if err := r.audit.Record(ctx, e); err != nil {
			t.Fatal(i, err)
		}
	}
	in := func(query string) string {
		return query + "&from=" + r.at(0) + "&to=" + r.at(10)
	}
	for query, want := range map[string]string{
		"?limit=9": "321", "?actor=root": "1", "?actor=alice%40example.org": "2", "?action=revoke_user": "3", "?outcome=denied": "2",
		"?outcome=done": "1", "?target=s1": "1", "?target=%2B905551234567": "3", "?target=" + rest.PathLogs: "2", "?actor=nobody": "",
		"?q=ROO": "1", "?q=revoke_": "3", "?q=monitoring%2F": "2", "?q=a%E2%80%A2%E2%80%A2%E2%80%A2%40": "2", "?q=alice": "", "?q=905551": "", "?q=%25": "", "?q=s1&outcome=denied": "",
	} {
		page := read[rest.AuditPage](t, r.get(rest.PathAudit+in(query)))
		got := ""
		for _, e := range page.Items {
			got += fmt.Sprint(e.T.Sub(r.began).Milliseconds())
		}
		if got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if _, err := r.audit.Verify(ctx); err != nil {
		t.Fatal(err)
	}
	page := read[rest.AuditPage](t, r.get(rest.PathAudit))
	if !page.Chain.Intact || page.Chain.CheckedTo == 0 || page.Chain.CheckedAt.IsZero() {
		t.Errorf("chain %+v", page.Chain)
	}
}

func TestPrivacyOfOneOrganization(t *testing.T) {
	r := newRigIn(t, auth.Config{Mode: auth.Organization}, nil)
	ours := r.call("alice", "acme")
	theirs := r.call("bob", "globex")
	for _, session := range []string{ours, theirs, theirs, ""} {
		if err := r.privacy.Ask(privacy.Record, "test", session); err == nil {
			t.Fatal("audio may be recorded")
		}
	}
	anna := bearer(r.tokenOf(auth.Claims{Subject: "anna", Org: "acme", Role: auth.RoleOrgAdmin}, time.Hour))
	root := bearer(r.tokenOf(auth.Claims{Subject: "root", Org: "operations"}, time.Hour))
	own := read[rest.Privacy](t, r.do("GET", rest.PathPrivacy, "", anna))
	if len(own.Blocked) != 1 || own.Blocked[0].Session != ours || own.Audio.Attempts != 1 || own.Audio.Blocked != 1 || own.Audio.ByKind["record"] != 1 {
		t.Errorf("%+v", own)
	}
	all := read[rest.Privacy](t, r.do("GET", rest.PathPrivacy, "", root))
	if len(all.Blocked) != 4 || all.Audio.Attempts != 4 || all.Protection != "active" || !all.PrivacyMode || all.LogRetentionDays != 30 {
		t.Errorf("%+v", all)
	}
}

// An organization's admin sees the refusals of its own people, and no others.
func TestRefusalsOfOneOrganization(t *testing.T) {
	r := newRigIn(t, auth.Config{Mode: auth.Organization}, nil)
	r.monitor.CountRefusal("acme", rest.CodeUserCap)
	r.monitor.CountRefusal("acme", rest.CodeUserCap)
	r.monitor.CountRefusal("globex", rest.CodeCapReached)
	r.monitor.CountRefusal("", rest.CodeUnauthorized)
	for name, c := range map[string]struct {
		claims auth.Claims
		want   map[string]int64
	}{
		"admin of acme":  {auth.Claims{Subject: "anna", Org: "acme", Role: auth.RoleOrgAdmin}, map[string]int64{"user_cap": 2}},
		"admin of umbra": {auth.Claims{Subject: "uwe", Org: "umbra", Role: auth.RoleOrgAdmin}, map[string]int64{}},
		"admin of all":   {auth.Claims{Subject: "root", Org: "operations"}, map[string]int64{"user_cap": 2, "cap_reached": 1, "unauthorized": 1}},
	} {
		stats := read[rest.Stats](t, r.do("GET", rest.PathStats, "", bearer(r.tokenOf(c.claims, time.Hour))))
		if !maps.Equal(stats.Refused, c.want) {
			t.Errorf("%s: %v, want %v", name, stats.Refused, c.want)
		}
	}
}
