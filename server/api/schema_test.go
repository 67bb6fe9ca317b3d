package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// description is what the tests read of an OpenAPI document.
type description struct {
	Paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]struct{ Schema json.RawMessage }
		}
		Security   []map[string][]string
		Parameters []struct{ Name, In string }
	}
	Components struct {
		SecuritySchemes map[string]struct{ Type, Scheme, In, Name string }
	}
}

func parseDescription(t *testing.T, document []byte) (d description) {
	t.Helper()
	must(t, 0, json.Unmarshal(document, &d))
	return d
}

// schemas compiles the schemas of a document as they stand in it.
type schemas struct {
	t        *testing.T
	compiler *jsonschema.Compiler
}

const documentURL = "https://parley.test/openapi.json"

func newSchemas(t *testing.T, document []byte) *schemas {
	t.Helper()
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	must(t, 0, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	must(t, 0, c.AddResource(documentURL, parsed))
	return &schemas{t, c}
}

// check holds an answer against the schema of its path, status and type.
func (s *schemas) check(a described) {
	s.t.Helper()
	pointer := []string{"", "paths", a.path, "get", "responses", a.status, "content", a.kind, "schema"}
	for i, word := range pointer {
		pointer[i] = strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(word)
	}
	schema, err := s.compiler.Compile(documentURL + "#" + strings.Join(pointer, "/"))
	must(s.t, 0, err)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.body))
	must(s.t, 0, err)
	if err := schema.Validate(value); err != nil {
		s.t.Errorf("%s: %v\n%s", a.asked, err, a.body)
	}
}

// busy fills a server, so that no list is empty and nothing optional is missing
// everywhere: a live call with figures of both legs, an ended one, a firing
// alert, a revocation, a delivery. It runs in a bubble.
func busy(t *testing.T, r *rig) (live, ended string) {
	t.Helper()
	running(t, r)
	r.fillLogs(3)
	r.fillUsage()
	live, ended = r.call("alice", ""), r.call("alice", "")
	for _, leg := range []rtcstats.Leg{rtcstats.LegCaller, rtcstats.LegAgent} {
		go r.sample(live, leg)
	}
	raise(t, r, live, "")
	synctest.Wait()
	r.end(ended, wire.AdminEnded, "x")
	other := r.call("carol", "")
	root := r.as("root")
	for _, act := range []struct{ method, path, body string }{
		{"PUT", rest.PathAlertRules, `{"rules":[{"id":"a","title":"A","metric":"poor_calls","above":0.5,"for_s":60,"enabled":true,"webhooks":true}],"webhooks":[{"url":"http://127.0.0.1:1/","secret":"` + testSecret + `"}]}`},
		{"POST", rest.PathAlertTest, ""},
		{"POST", "/api/v1/monitoring/sessions/" + other + "/revoke", ""},
		{"POST", rest.PathTimeout, `{"timeout_minutes":20}`},
	} {
		if got := r.do(act.method, act.path, act.body, root, with("If-Match", r.version(act.path))); got.status != 200 {
			t.Fatalf("%s %s: %d %s", act.method, act.path, got.status, got.body)
		}
	}
	must(t, 0, r.store.AppendActivities(t.Context(), r.monitor.Snapshot("").Activities))
	return live, ended
}

// sample has a leg measured for 30 seconds, by both ends.
func (r *rig) sample(id string, leg rtcstats.Leg) {
	for i := range int64(30) {
		now := time.Now()
		sample := rtcstats.Sample{
			Timestamp: float64(now.UnixMilli()),
			Inbound:   &rtcstats.Inbound{ID: "in", SSRC: 1, PacketsReceived: 50 * i, PacketsLost: i, BytesReceived: 4000 * i, Jitter: 0.004},
			Outbound:  &rtcstats.Outbound{ID: "out", SSRC: 2, PacketsSent: 50 * i, BytesSent: 4000 * i},
			Ping:      &rtcstats.Ping{},
		}
		for _, by := range []rtcstats.MeasuredBy{rtcstats.ByClient, rtcstats.ByServer} {
			r.monitor.SessionSampled(id, leg, by, now, sample)
		}
		time.Sleep(time.Second)
	}
}

// described is a real answer to a documented GET.
type described struct {
	path, status, kind string
	asked              string // the path with its parameters
	body               []byte
}

// answersOfAll asks a busy server for everything that can be read, as an admin,
// and as a stranger where that is refused. It runs in a bubble.
func answersOfAll(t *testing.T) (document []byte, answers []described) {
	t.Helper()
	r := newRig(t, nil)
	live, ended := busy(t, r)
	document = r.do("GET", rest.PathOpenAPI, "").body
	for path, methods := range parseDescription(t, document).Paths {
		operation, ok := methods["get"]
		if !ok {
			continue
		}
		if len(operation.Security) > 0 {
			got, kind := r.do("GET", path, ""), "application/problem+json"
			if path == rest.PathSideband { // has errors of OpenAI's shape
				kind = "application/json"
			}
			answers = append(answers, described{path, "default", kind, "a stranger at " + path, got.body})
		}
		if _, ok := operation.Responses["200"].Content["application/json"]; !ok {
			continue
		}
		as := r.as("root")
		if strings.HasPrefix(path, rest.PathOwnSessions) {
			as = r.as("alice")
		}
		for _, id := range []string{live, ended} {
			asked := strings.NewReplacer("{id}", id, "{sub}", "alice").Replace(path)
			switch path {
			case rest.PathAlertPreview:
				asked += "?metric=" + string(rest.AlertPoorCalls)
			case rest.PathLogCounts, rest.PathAuditCounts:
				asked += "?from=" + r.at(0)
			}
			if strings.HasPrefix(asked, exports) {
				asked += "?format=json"
			}
			got := r.do("GET", asked, "", as)
			if got.status != 200 || bytes.Contains(got.body, []byte(`"items":[]`)) {
				t.Errorf("%s shows nothing: %d %s", asked, got.status, got.body)
			}
			answers = append(answers, described{path, "200", "application/json", asked, got.body})
		}
	}
	if len(answers) < 60 {
		t.Errorf("%d answers only", len(answers))
	}
	return document, answers
}

// TestAnswersAreAsDescribed: what a busy server answers to every GET is what the
// schemas say, refusals too.
func TestAnswersAreAsDescribed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		document, answers := answersOfAll(t)
		schemas := newSchemas(t, document)
		for _, a := range answers {
			schemas.check(a)
		}
	})
}

// TestAccessIsDescribed: each operation names the ways to come in that it takes,
// and each named way opens it.
func TestAccessIsDescribed(t *testing.T) {
	r := newRig(t, nil)
	d := parseDescription(t, r.do("GET", rest.PathOpenAPI, "").body)
	got := make(map[string]string)
	for name, s := range d.Components.SecuritySchemes {
		got[name] = strings.TrimSpace(strings.Join([]string{s.Type, s.Scheme, s.In, s.Name}, " "))
	}
	want := map[string]string{
		"token": "http bearer", "metrics_token": "http bearer",
		"cookie": "apiKey  cookie parley_session", "secure_cookie": "apiKey  cookie __Host-parley_session",
		"client_secret": "http bearer", "service_token": "http bearer", "ticket": "apiKey  header Sec-WebSocket-Protocol",
	}
	if !maps.Equal(got, want) {
		t.Errorf("schemes %q", got)
	}
	schemes := func(path, method string) string {
		var names []string
		for _, alternative := range d.Paths[path][method].Security {
			names = append(names, slices.Sorted(maps.Keys(alternative))...)
		}
		slices.Sort(names)
		return strings.Join(names, " ")
	}
	for path, want := range map[string]string{
		rest.PathHealth: "", rest.PathOpenAPI: "", rest.PathMe: "cookie secure_cookie token", rest.PathLogs: "cookie secure_cookie token",
		rest.PathMetrics: "cookie metrics_token secure_cookie token", rest.PathSocket: "cookie secure_cookie ticket token", rest.PathSideband: "service_token",
	} {
		if got := schemes(path, "get"); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
	if got := schemes(rest.PathAuthSession, "post"); got != "token" {
		t.Errorf("signing in: %q", got)
	}
	socket := d.Paths[rest.PathSocket]["get"]
	for _, status := range []int{400, 401, 403, 422, 429, 503} {
		if _, ok := socket.Responses[fmt.Sprint(status)].Content["application/problem+json"]; !ok {
			t.Errorf("the socket's %d is not described", status)
		}
	}
	if !strings.Contains(string(r.do("GET", rest.PathOpenAPI, "").body), wire.Subprotocol+", parley.ticket.{ticket}") {
		t.Error("how a ticket travels is not described")
	}
}
