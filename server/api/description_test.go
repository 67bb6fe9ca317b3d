package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"reflect"
	"strings"
	"testing"

	"parley/server/settings"
	"parley/shared/rest"
)

// rows are all that the interface promises.
func rows() []string {
	rows := []string{"get " + rest.PathSocket, "get " + rest.PathStream}
	for _, e := range endpoints {
		path := strings.NewReplacer(
			"sessions/{e}", "sessions/{id}", "sessions/{s}", "sessions/{id}", "connection/{s}", "connection/{id}", "connection/{e}", "connection/{id}",
			"{a}", "{id}", "/alice/", "/{sub}/", "/never/", "/{sub}/", "revocations/1", "revocations/{id}", "agents/parrot/", "agents/{name}/", "agents/x/", "agents/{name}/", "/x/", "/{id}/", "connection/x", "connection/{id}", "sessions/x", "sessions/{id}",
		).Replace(e.path)
		if e.method != "HEAD" {
			rows = append(rows, strings.ToLower(e.method)+" "+path)
		}
	}
	return rows
}

func TestDescription(t *testing.T) {
	r := newRig(t, nil)
	got := r.do("GET", rest.PathOpenAPI, "")
	checkAnswer(t, got)
	var spec struct {
		OpenAPI string                               `json:"openapi"`
		Paths   map[string]map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(got.body, &spec); err != nil || !strings.HasPrefix(spec.OpenAPI, "3.1") || got.header.Get("Content-Type") != "application/json" {
		t.Fatalf("%v: %.200s", err, got.body)
	}
	var quoted struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct{ Type any } `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(got.body, &quoted); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"LogEntry", "AuditEntry", "Revocation", "Revoked"} {
		if kind := quoted.Components.Schemas[name].Properties["id"].Type; kind != "string" {
			t.Errorf("the id of a %s is described as %v, on the wire it is a string", name, kind)
		}
	}
	described, calls := make(map[string]bool), make(map[string]bool)
	for path, methods := range spec.Paths {
		for method, op := range methods {
			described[method+" "+path] = true
			responses, _ := json.Marshal(op["responses"])
			if strings.HasPrefix(path, "/v1/") { // has errors of OpenAI's shape, and guards of its own
				delete(described, method+" "+path)
				calls[method+" "+path] = strings.Contains(string(responses), `"param"`)
			} else if !strings.Contains(string(responses), "application/problem+json") || strings.Contains(string(responses), "ErrorModel") {
				t.Errorf("%s %s: responses %s", method, path, responses)
			}
			if op["description"] == "" || op["summary"] == "" {
				t.Errorf("%s %s: nothing is said of it", method, path)
			}
		}
	}
	for _, row := range rows() {
		if !described[row] {
			t.Errorf("%s is not described", row)
		}
	}
	if len(described) > len(unique(rows())) {
		t.Errorf("%d operations, %d rows: the table of endpoints lacks some", len(described), len(unique(rows())))
	}
	if want := map[string]bool{
		"get /v1/realtime": true, "post /v1/realtime/calls": true, "delete /v1/realtime/calls/{id}": true,
		"post /v1/realtime/calls/{id}/hangup": true, "post /v1/realtime/client_secrets": true,
	}; !maps.Equal(calls, want) {
		t.Errorf("of OpenAI's interface is described, with its errors: %v", calls)
	}
	filters, _ := json.Marshal(spec.Paths[rest.PathLogs]["get"]["parameters"])
	for _, name := range []string{"user", "session", "path", "method", "status", "kind", "from", "to", "q", "cursor", "limit"} {
		if !strings.Contains(string(filters), `"name":"`+name+`"`) {
			t.Errorf("the access log's filter %s is not described", name)
		}
	}
}

// TestDescriptionHasTheRangesOfSettings: what the description allows is what GET
// tells and the interface takes.
func TestDescriptionHasTheRangesOfSettings(t *testing.T) {
	type property struct {
		Type, Default    any // types may be a list
		Description      string
		Minimum, Maximum *float64
	}
	type body struct {
		Properties map[string]property
		Ref        string `json:"$ref"`
	}
	var spec struct {
		Paths map[string]map[string]struct {
			RequestBody struct {
				Content map[string]struct{ Schema body }
			}
		}
		Components struct{ Schemas map[string]body }
	}
	r := newRig(t, nil)
	if err := json.Unmarshal(r.do("GET", rest.PathOpenAPI, "").body, &spec); err != nil {
		t.Fatal(err)
	}
	properties := func(path, method string) map[string]property {
		b := spec.Paths[path][method].RequestBody.Content["application/json"].Schema
		if name, isRef := strings.CutPrefix(b.Ref, "#/components/schemas/"); isRef {
			b = spec.Components.Schemas[name]
		}
		return b.Properties
	}
	patch, timeout := properties(rest.PathSettings, "patch"), properties(rest.PathTimeout, "post")["timeout_minutes"]
	if len(patch) != len(settings.Definitions())+3 { // reason, confirm and now
		t.Errorf("%d properties: %v", len(patch), patch)
	}
	for _, d := range settings.Definitions() {
		got := patch[d.Name]
		if !strings.Contains(got.Description, "Default ") || !strings.Contains(got.Description, d.Why) || got.Default != nil {
			t.Errorf("%s: %+v", d.Name, got)
		}
		if d.Name == rest.SettingPrivacy || d.Name == rest.SettingMonitoring || d.Name == rest.SettingPaused {
			if got.Type != "boolean" || got.Minimum != nil || got.Maximum != nil {
				t.Errorf("%s: %+v", d.Name, got)
			}
			continue
		}
		if d.Name == rest.SettingAdminAllow || d.Name == rest.SettingOrgCaps {
			if got.Type != "string" {
				t.Errorf("%s: %+v", d.Name, got)
			}
			continue
		}
		if got.Type != "integer" || got.Minimum == nil || *got.Minimum != float64(d.Min) || got.Maximum == nil || *got.Maximum != float64(d.Max) {
			t.Errorf("%s: %+v", d.Name, got)
		}
	}
	if !reflect.DeepEqual(timeout, patch[rest.SettingIdleTimeout]) || *timeout.Minimum != 1 || *timeout.Maximum != 240 {
		t.Errorf("timeout: %+v", timeout)
	}
}

func unique(names []string) map[string]bool {
	set := make(map[string]bool)
	for _, name := range names {
		set[name] = true
	}
	return set
}

// TestDocsPage runs nothing and fetches nothing; all it has is in it.
func TestDocsPage(t *testing.T) {
	got := newRig(t, nil).do("GET", rest.PathDocs, "")
	page := string(got.body)
	if got.status != 200 || got.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %v", got.status, got.header)
	}
	style := page[strings.Index(page, "<style>")+len("<style>") : strings.Index(page, "</style>")]
	sum := sha256.Sum256([]byte(style))
	policy := got.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") ||
		strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
		t.Errorf("policy %s", policy)
	}
	ids, links := make(map[string]bool), []string{}
	doc := xml.NewDecoder(strings.NewReader(page))
	doc.Strict, doc.AutoClose, doc.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for tok, err := doc.Token(); ; tok, err = doc.Token() {
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		switch n.Name.Local {
		case "script", "img", "link", "iframe", "form", "object", "embed", "base":
			t.Errorf("a %s", n.Name.Local)
		}
		for _, a := range n.Attr {
			switch name := a.Name.Local; {
			case name == "id":
				if ids[a.Value] {
					t.Errorf("two of id %s", a.Value)
				}
				ids[a.Value] = true
			case name == "href":
				links = append(links, a.Value)
			case strings.HasPrefix(name, "on") || name == "style" || name == "src":
				t.Errorf("attribute %s=%s", name, a.Value)
			}
		}
	}
	if len(ids) < 60 || len(links) < 60 {
		t.Errorf("%d ids, %d links", len(ids), len(links))
	}
	for _, link := range links {
		if id, local := strings.CutPrefix(link, "#"); local && !ids[id] || !local && link != rest.PathOpenAPI {
			t.Errorf("a link to %s", link)
		}
	}
	for _, row := range rows() {
		_, path, _ := strings.Cut(row, " ")
		if !strings.Contains(page, "<code>"+path+"</code>") {
			t.Errorf("%s is not on the page", path)
		}
	}
	for _, word := range []string{"idle_timeout_minutes", "≤ 500", "application/x-ndjson or text/csv", "light dark", "one of api ws stream page"} {
		if !strings.Contains(page, word) {
			t.Errorf("the page lacks %q", word)
		}
	}
}

// TestDocsTellEachOperationOnce, under what it is for, with a command that asks for it.
func TestDocsTellEachOperationOnce(t *testing.T) {
	r := newRig(t, nil)
	page := string(r.do("GET", rest.PathDocs, "").body)
	var spec struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal(r.do("GET", rest.PathOpenAPI, "").body, &spec); err != nil || len(spec.Paths) < 50 {
		t.Fatalf("%d paths: %v", len(spec.Paths), err)
	}
	for path, item := range spec.Paths {
		for method := range item {
			if strings.ToUpper(method) == method || method == "parameters" {
				continue
			}
			if n := strings.Count(page, "<b>"+strings.ToUpper(method)+"</b> <code>"+path+"</code></a>"); n != 1 {
				t.Errorf("%s %s is listed %d times", method, path, n)
			}
		}
	}
	for _, want := range []string{"<h3>Admins: alerts</h3>", "<h3>Signing in</h3>",
		`curl -H &#34;Authorization: Bearer $TOKEN&#34; $SERVER/api/v1/me<`,
		`curl -X PUT -H &#34;Authorization: Bearer $TOKEN&#34; --json &#39;{…}&#39; $SERVER/api/v1/monitoring/alerts/rules<`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
}
