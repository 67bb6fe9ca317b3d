package rest_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
)

func logEntry() rest.LogEntry {
	return rest.LogEntry{
		ID: 1 << 60, T: at(1), Kind: rest.LogAPI, Method: "GET", Path: "/api/v1/me", Route: "GET /api/v1/me", Status: 401, DurationMS: 1.25,
		User: "ada", Org: "acme", Remote: "192.0.2.0", Session: "s_1", RequestID: "r_1", Node: "n_1", Bytes: 120, UserAgent: "curl/8", Code: "unauthorized", Count: 12,
	}
}

func auditEntry() rest.AuditEntry {
	return rest.AuditEntry{
		ID: 1 << 61, Seq: 4, T: at(2), Actor: "root", ActorOrg: "operations", Org: "acme", Remote: "192.0.2.0", Action: rest.AuditEndSession,
		Target: "s_1", Outcome: "done", Reason: "maintenance", RequestID: "r_2", Node: "n_1",
		Details: map[string]any{"old": "30", "rows": 2.0}, PrevHash: "00ff", Hash: "ff00",
	}
}

func record() rest.SessionRecord {
	return rest.SessionRecord{
		ID: "s_1", User: "ada", Name: "Ada", Phone: "+15550100", Email: "ada@example.org", Org: "acme", Remote: "192.0.2.0", Agent: "parrot", Node: "n_1",
		State: "ended", StartedAt: at(0), EndedAt: new(at(45)), DurationS: 45, EndCause: "admin_ended", EndReason: "maintenance",
		Quality: rest.RecordQuality{Level: quality.Good, Summary: summary(), Seconds: map[quality.Level]int{quality.Good: 40, quality.Poor: 5},
			BytesReceived: 78400, BytesSent: 80000, ICERestarts: 1, Turns: *turnSummary(), PoorSeconds: map[quality.Owner]int{quality.OwnerServer: 5}},
		Receipt: rest.Receipt{AudioBytesStored: 1, StorageAttempts: 2, Uses: []string{"buffer", "caption"}, LogDeletedAt: new(at(59)), LogKeptUntil: new(at(59))},
		Rating:  &rest.Rating{Score: 1, Tags: []rest.RatingTag{rest.TagEcho}},
	}
}

func summary() rest.Summary {
	var s rest.Summary
	v := reflect.ValueOf(&s).Elem()
	for i := range v.NumField() {
		low := float64(i + 1)
		v.Field(i).Set(reflect.ValueOf(&rest.Range{Min: low, Max: low + 2, Avg: low + 0.5}))
	}
	return s
}

func health() rest.Health {
	route := rest.RouteHealth{Route: "GET /healthz", Requests: 300, Errors: 3, ErrorRate: 0.01, PerSecond: 1, P50MS: 0.5, P95MS: 2, P99MS: 9.5}
	return rest.Health{
		At: at(3), UptimeS: 3600.5, Version: "v1", Routes: []rest.RouteHealth{route}, Requests: route, Goroutines: 40, HeapBytes: 1 << 24,
		ResidentBytes: 1 << 26, DiskFreeBytes: 1 << 40, DatabaseBytes: 1 << 33, LogQueue: 7, LogDropped: 1, StreamReaders: 2, SchedulingDelayP50MS: 0.08, SchedulingDelayP99MS: 1.9, Paused: true, Degraded: []string{"accesslog"},
	}
}

func privacy() rest.Privacy {
	return rest.Privacy{
		PrivacyMode: true, Protection: "active", CheckedAt: at(4),
		Audio:       rest.AudioGuard{Stored: 1, Attempts: 5, Allowed: 3, Blocked: 2, ByKind: map[string]int64{"record": 2}, Held: 1},
		Masking:     []rest.Masked{{Kind: "ip", Before: "192.0.2.7", After: "192.0.2.0"}},
		Confinement: "writes only below the data directory", LogRetentionDays: 30, AuditRetentionDays: 365, Deletion: rest.Deletion{CheckedAt: at(3), Lines: 312},
		Blocked: []rest.BlockedOperation{{At: at(5), Operation: "record", By: "agent", Session: "s_1"}},
	}
}

// recordGoldens are what admins ask for beside the live picture.
func recordGoldens() map[string]any {
	return map[string]any{
		"logs":    rest.Page[rest.LogEntry]{Items: []rest.LogEntry{logEntry()}, NextCursor: "c_2"},
		"session": rest.OwnSession{SessionRecord: record(), Usage: &rest.Usage{Responses: 3}, ToolUses: []rest.ToolUse{{At: at(8), Session: "s_1", Tool: "opening_hours", Result: "ok"}}},
		"records": rest.Page[rest.SessionRecord]{Items: []rest.SessionRecord{record()}, NextCursor: "c_3"},
		"audit": rest.AuditPage{
			Items: []rest.AuditEntry{auditEntry()}, NextCursor: "c_4",
			Chain: rest.Chain{Intact: true, CheckedTo: 4, CheckedAt: at(6), BrokenAt: 3},
		},
		"nodes": rest.Page[rest.Node]{Items: []rest.Node{{
			Name: "a", Address: "https://a.example.org", Version: "1.2.3", State: "live", StartedAt: at(1), RenewedAt: at(2), LeaseBy: at(17),
			Calls: 3, Cap: 100, Media: "203.0.113.7:8081", TURN: rest.TURNReachable, Heartbeats: "0111", DelayMS: 0.4, Draining: true, Leader: true, Self: true, Reachable: true,
			MachineUsage: rest.MachineUsage{CPU: 0.34, ResidentBytes: 1 << 28, UDPErrors: 2}, ClockSkewMS: new(-1.5), HeartbeatAgeS: new(0.5),
		}}, NextCursor: "c_6"},
		"privacy": privacy(),
		"health":  health(),
		"alert-rules": rest.AlertRules{
			Version: 5,
			Rules: []rest.AlertRule{{ID: "poor", Title: "Poor calls", Metric: rest.AlertPoorCalls, Above: 0.1, ForS: 180, AtLeast: 5,
				Enabled: true, Webhooks: true}},
			Webhooks: []rest.Webhook{{URL: "https://hooks.example.org/parley", Secret: "s3cret", HasSecret: true, Format: rest.WebhookSlack}},
			Fired:    []rest.RuleFired{{Rule: "poor", Count: 2, LastAt: at(3)}}, FiredSince: at(0), LearningHours: 41,
		},
		"alert-preview":    rest.AlertPreview{From: at(0), To: at(59), Fired: 1, Alerts: []rest.PreviewedAlert{{RaisedAt: at(2), ResolvedAt: new(at(7)), Value: .2, Unit: "ratio"}}},
		"silence-request":  rest.SilenceRequest{Minutes: 60},
		"demo-sign-in":     rest.DemoSignIn{As: rest.DemoAdmin, Passkey: "abcd-efgh"},
		"timeout-request":  rest.TimeoutRequest{TimeoutMinutes: 20, Now: true},
		"pause-request":    rest.PauseRequest{Reason: "a move"},
		"node-calls-ended": rest.NodeCallsEnded{Ended: 3},
		"timeouts-checked": rest.TimeoutsChecked{Checked: 40, Ended: 2, Unreachable: []string{"b"}},
		"revoke-request":   rest.RevokeRequest{Block: true, Reason: "a stolen phone"},
		"revoked":          rest.Revoked{ID: 1 << 58, Ended: 1, RefusedBefore: at(7), Block: true},
		"revocations": rest.Page[rest.Revocation]{Items: []rest.Revocation{{
			ID: 1 << 58, User: "a•••@example.org", Org: "acme", Block: true, Since: at(7), By: "r•••@example.org", Reason: "a stolen phone",
		}}, NextCursor: "c_5"},
		"erase-request":  rest.EraseRequest{Reason: "asked for it"},
		"erased":         rest.Erased{Sessions: 2, Logs: 40, Quality: 12, Turns: 9, Activities: 5, Usage: 2},
		"person-data":    personData(),
		"totals":         rest.Totals{Since: "2026-01-02", Calls: 7, Minutes: 31.5, Days: []rest.DayTotal{{Day: "2026-01-03", Calls: 4, Minutes: 20.5, Users: 3}}},
		"reveal-request": rest.RevealRequest{Reason: "a threat to others"},
		"person":         rest.Person{Subject: "ada", Name: "Ada", Phone: "+15550100", Email: "ada@example.org", Remote: "192.0.2.7", Org: "acme"},
		"counts":         rest.Counts{From: at(0), To: at(59), Bars: []rest.CountBar{{All: 40, Errors: 2}}, IsPartial: true},
		"settings":       settings(),
		"ticket":         rest.Ticket{Ticket: "t_1", ExpiresAt: at(30)},
	}
}

// TestALineIsCountedInItsPart of the time, also at its edges and beyond.
func TestALineIsCountedInItsPart(t *testing.T) {
	c := rest.Counts{From: at(0), To: at(40), Bars: make([]rest.CountBar, 4)}
	for _, s := range []int{0, 9, 10, 39, 40, 50} {
		c.Add(at(s), s == 10)
	}
	c.Add(at(0).Add(-time.Second), false)
	if got := fmt.Sprint(c.Bars); got != "[{3 0} {1 1} {0 0} {3 0}]" {
		t.Error(got)
	}
	(&rest.Counts{}).Add(at(0), true) // counts nothing, and doesn't fail
}

// A golden with an empty field says nothing of the field's name on the wire.
func TestGoldensFillEveryField(t *testing.T) {
	filled := map[string]bool{}
	for _, v := range goldens() {
		fillFields(reflect.ValueOf(v), filled)
	}
	for field, is := range filled {
		if !is {
			t.Errorf("no golden has a %s", field)
		}
	}
	for _, name := range wireTypes(t) {
		if !seen(filled, name) {
			t.Errorf("no golden has a %s", name)
		}
	}
}

// fillFields notes of each field of the package's structs below v whether one
// that is not zero was met.
func fillFields(v reflect.Value, filled map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			fillFields(v.Elem(), filled)
		}
	case reflect.Slice:
		for i := range v.Len() {
			fillFields(v.Index(i), filled)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			fillFields(v.MapIndex(key), filled)
		}
	case reflect.Struct:
		if !strings.HasSuffix(v.Type().PkgPath(), "shared/rest") {
			return
		}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.Tag.Get("json") == "-" {
				continue
			}
			// Page[T] is one type, whatever its items are.
			typeName, _, _ := strings.Cut(v.Type().Name(), "[")
			name := fmt.Sprintf("%s.%s", typeName, f.Name)
			filled[name] = filled[name] || !v.Field(i).IsZero()
			fillFields(v.Field(i), filled)
		}
	}
}

func seen(filled map[string]bool, typeName string) bool {
	for field := range filled {
		if before, _, _ := strings.Cut(field, "."); before == typeName {
			return true
		}
	}
	return false
}

// wireTypes names the structs of the package whose fields have names on the wire.
func wireTypes(t *testing.T) (names []string) {
	t.Helper()
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok && hasJSONTag(s) {
				names = append(names, spec.Name.Name)
			}
			return false
		})
	}
	return names
}

func hasJSONTag(s *ast.StructType) bool {
	for _, f := range s.Fields.List {
		if f.Tag != nil && strings.Contains(f.Tag.Value, `json:"`) && !strings.Contains(f.Tag.Value, `json:"-"`) {
			return true
		}
	}
	return false
}

// An int64 id is text on the wire: JavaScript's numbers end at 2^53.
func TestIDsKeepAllTheirDigits(t *testing.T) {
	for name, want := range map[string]string{
		"logs": `"id": "1152921504606846976"`, "audit": `"id": "2305843009213693952"`,
	} {
		if text := golden(t, name); !strings.Contains(text, want) {
			t.Errorf("%s: no %s in %s", name, want, text)
		}
	}
}

// Absent isn't zero: what was never measured, or never happened, has no name.
func TestWhatIsAbsentIsLeftOut(t *testing.T) {
	for name, c := range map[string]struct {
		v    any
		want string
	}{
		"nothing measured":     {rest.Metrics{}, `{}`},
		"nothing summed up":    {rest.Summary{}, `{}`},
		"a loss of nothing":    {rest.Metrics{LossRatio: new(0.0)}, `{"loss_ratio":0}`},
		"a switch's setting":   {rest.Setting{Value: true, Default: true, Applies: "now"}, `{"value":true,"default":true,"applies":"now"}`},
		"the last page":        {rest.Page[rest.Agent]{Items: []rest.Agent{}}, `{"items":[]}`},
		"a gap":                {rest.Point{At: at(1), Gap: true}, `{"at":"2026-03-04T05:06:01.089Z","metrics":{},"gap":true}`},
		"rights to nothing":    {rest.Rights{}, `{"call":false,"admin":false}`},
		"a receipt of nothing": {rest.Receipt{}, `{"audio_bytes_stored":0,"storage_attempts":0}`},
	} {
		if got := encode(t, c.v); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// What finds a person's lines never leaves the server.
func TestKeysStayInside(t *testing.T) {
	for _, v := range []any{rest.SessionRecord{UserKey: "k_1"}, rest.LogEntry{UserKey: "k_1"}} {
		if text := encode(t, v); strings.Contains(text, "k_1") {
			t.Errorf("%T: %s", v, text)
		}
	}
}

// A query's parameters are named once, in snake case, and its bounds are those
// of the contract: the API reads them from here.
func TestQueriesNameTheirParameters(t *testing.T) {
	for _, q := range []any{rest.SessionQuery{}, rest.LogQuery{}, rest.ActivityQuery{}, rest.AuditQuery{}, rest.AlertQuery{}} {
		names := map[string]bool{}
		typ := reflect.TypeOf(q)
		for i := range typ.NumField() {
			f := typ.Field(i)
			name := f.Tag.Get("query")
			switch {
			case names[name]:
				t.Errorf("%s: two parameters %s", typ.Name(), name)
			case name == "" && f.Tag != "":
				t.Errorf("%s.%s has bounds and no name", typ.Name(), f.Name)
			case name != "" && f.Type.Kind() == reflect.String && f.Tag.Get("maxLength")+f.Tag.Get("pattern")+f.Tag.Get("enum") == "":
				t.Errorf("%s: %s is without bounds", typ.Name(), name)
			}
			if name != "" {
				names[name] = true
			}
		}
		for _, inner := range []string{"Org", "Cursor", "Limit"} {
			if f, ok := typ.FieldByName(inner); !ok || f.Tag.Get("query") != "" {
				t.Errorf("%s: %s is a parameter of its own, or missing", typ.Name(), inner)
			}
		}
	}
}
