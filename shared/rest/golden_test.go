package rest_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

var update = flag.Bool("update", false, "write the golden files anew")

func at(second int) time.Time { return time.Date(2026, 3, 4, 5, 6, second, 89_000_000, time.UTC) }

func metrics() rest.Metrics {
	return rest.Metrics{
		LossRatio: new(0.021), JitterMS: new(4.2), RTTMS: new(81.5), BufferMS: new(60.0), DelayMS: new(160.2),
		ConcealedRatio: new(0.011), BitrateBPS: new(31900.0), R: new(76.4), MOS: new(3.87),
	}
}

func live() rest.Session {
	return rest.Session{
		ID: "s_1", User: "ada", Name: "Ada", Phone: "+15550100", Email: "ada@example.org", Remote: "192.0.2.7", Org: "acme", Node: "n1", Agent: "parrot", State: "active", AgentState: "speaking",
		StartedAt: at(0), LastActiveAt: at(30), EndsAt: new(at(50)), Muted: true,
		ICERestarts: 1, BytesReceived: 78400, BytesSent: 80000, Path: &rest.MediaPath{Protocol: "udp", Relay: "tls"},
		Quality:    quality.Verdict{Level: quality.Good, R: 76.4, MOS: 3.87, Cause: quality.CauseLoss, Direction: quality.ToAgent, Value: 2.1},
		Metrics:    map[quality.Direction]rest.Metrics{quality.ToAgent: metrics(), quality.ToCaller: {RTTMS: new(81.5)}},
		MOSTrend:   []float64{0, 4.3, 3.87},
		AgentStuck: wire.ResponseTimeout, AgentLeg: &rest.AgentLeg{State: "connected", Metrics: map[quality.Direction]rest.Metrics{quality.ToAgent: metrics()}},
		FirstWord: &turnSummary().FirstWord, PoorSeconds: map[quality.Owner]int{quality.OwnerCaller: 4},
	}
}

func turnSummary() *rest.TurnSummary {
	return &rest.TurnSummary{
		FirstWord: rest.FirstWord{Turns: 7, P50MS: 820.5, P95MS: 1400}, Silenced: rest.Silenced{Interruptions: 2, P50MS: 240, P95MS: 310},
	}
}

func sessionTurns() rest.SessionTurns {
	return rest.SessionTurns{
		TurnSummary: *turnSummary(),
		Latest: []rest.Turn{{
			Number: 3, Started: new(at(16)), SpokeMS: new(2000.0), AgentSpokeMS: new(3100.0), IsInterrupted: true,
			EndOfSpeech: at(20), WaitMS: 820.5, SilenceWindowMS: 500, NetworkMS: 40.5, ToolsMS: 80, ModelMS: 200,
			IsSpeechMeasured: true, IsAudioMeasured: true, EventLagMS: new(-12.5),
		}},
		LatestInterruptions: []rest.Interruption{{At: at(30), ClearedMS: new(120.0), SilentMS: new(240.0)}},
	}
}

func ended() rest.Session {
	s := live()
	s.State, s.EndsAt, s.EndedAt, s.EndCause, s.EndReason = "ended", nil, new(at(45)), "admin_ended", "maintenance"
	s.Metrics, s.MOSTrend = nil, nil
	return s
}

func stats() rest.Stats {
	return rest.Stats{
		At: at(46), Live: 1, ByState: map[wire.SessionState]int{"active": 1}, Cap: 100, PerUserCap: 1, Started: 3, Ended: 2,
		Refused: map[string]int64{"cap_reached": 1}, EndCauses: map[wire.EndCause]int64{"caller_left": 1, "media_failed": 1},
		Durations: rest.DurationStats{MinS: 1.5, AvgS: 20, MaxS: 38.5}, ErrorRate: 0.5, Quality: map[quality.Level]int{quality.Good: 1},
		Paused: true, Turns: *turnSummary(), PoorSeconds: map[quality.Owner]int{quality.OwnerCaller: 4, quality.OwnerModel: 2},
		Nodes: 3, Anomalies: []rest.Anomaly{
			{Series: rest.AnomalyFirstWord, Text: "First word takes 2.4 s; usual at this hour: 0.8 s (0.6–1.1)", Value: 2.4, Usual: .8, Low: .6, High: 1.1, Unit: "s", Basis: rest.AnomalyHourOfWeek, Since: at(30)},
			{Series: rest.AnomalySignInsOrg, Text: "Sign-ins refused of acme: 160 an hour; usual at this hour of the day: 2 (0–6)", Value: 160, Usual: 2, High: 6, Unit: "per_hour", Basis: rest.AnomalyHourOfDay, Org: "acme", Since: at(30)},
			{Series: rest.AnomalySignInsNetwork, Text: "Sign-ins refused from 192.0.2.0/24: 40 in 15 min; usual of the busiest network so far: 1 (0–3)", Value: 40, Usual: 1, High: 3, Unit: "count", Basis: rest.AnomalyAllHours, Network: "192.0.2.0/24", Since: at(30)},
		},
	}
}

func activity() rest.Activity {
	return rest.Activity{
		At: at(1), Kind: rest.ActivityCall, What: rest.CallEnded, User: "ada", Name: "Ada", Phone: "+15550100", Email: "ada@example.org", Remote: "192.0.2.7",
		Org: "acme", Session: "s_1", Detail: "caller_left",
	}
}

func firing() rest.Alert {
	return rest.Alert{
		ID: "a_1", Rule: "poor_call", Title: "A call is poor", Detail: "203.0.113.0/24", State: rest.AlertFiring,
		Value: 2.6, Limit: 3.1, Unit: "mos", Session: "s_1", Org: "acme", RaisedAt: at(2), ResolvedAt: new(at(50)),
		AcknowledgedAt: new(at(5)), AcknowledgedBy: "root", SilencedUntil: new(at(59)),
	}
}

func settings() rest.Settings {
	return rest.Settings{Version: 3, Settings: map[string]rest.Setting{
		rest.SettingIdleTimeout: {Value: 20.0, Default: 30.0, Min: new(1), Max: new(240), Unit: "min", Applies: "now"},
		rest.SettingPrivacy:     {Value: true, Default: true, Applies: "now"},
	}, Fixed: []rest.FixedSetting{{Flag: "mode", Value: "demo"}}}
}

// goldens are one of each resource with every field filled.
func goldens() map[string]any {
	listed := firing()
	listed.Trend = []float64{3, 2.8, 2.6}
	limits := wire.Limits{IdleTimeoutS: 1800, IdleWarningS: 120, MaxDurationS: 3600, ReconnectGraceS: 30}
	all := map[string]any{
		"problem": rest.Problem{
			Type: "about:blank", Title: "All lines are busy", Status: 503, Detail: "Try again soon.", Code: rest.CodeCapReached,
			RequestID: "r_1", Field: "reason", RetryAfterS: 5, Limit: 100, Nodes: []string{"https://b.example.org"},
		},
		"signed-out": rest.SignedOutHere{ProviderLogout: "https://id.example.org/end?id_token_hint=e30"},
		"me": rest.Me{
			Subject: "ada", Name: "Ada", Org: "acme", ExpiresAt: at(59), Rights: rest.Rights{Call: true, Admin: true, Org: "acme", ForeignAddress: true, ReadOnly: true}, Mode: "demo", Version: "v1", Address: "192.0.2.7", DemoData: true,
		},
		"admission": rest.Admission{
			LinesFree: 99, Cap: 100, OrgCap: 100, Agents: []rest.Agent{{Name: "parrot", Title: "Parrot", About: "Says it back."}, {Name: "support", Title: "Support", Captions: true, BudgetSpent: true}}, Limits: limits,
			ICEServers: []wire.ICEServer{{URLs: []string{"turn:turn.example:3478"}, Username: "u", Credential: "c"}}, PrivacyOff: true,
			Nodes: []rest.NodePlaces{{Node: "a", Held: 1}}, Held: 1,
		},
		"sessions": rest.Page[rest.Session]{Items: []rest.Session{live()}, NextCursor: "c_1"},
		"stats":    stats(),
		"history": rest.History{
			From: at(0), To: at(59), StepS: 60, IsPartial: true, Causes: map[wire.EndCause]int64{wire.CallerLeft: 1}, Agents: map[string]rest.HistoryAgents{"parrot": {Calls: 2, Poor: 1}},
			First: &rest.FirstWord{Turns: 3, P50MS: 800, P95MS: 1200},
			Buckets: []rest.HistoryBucket{{
				At: at(0), Calls: map[quality.Level]int{quality.Poor: 1}, Started: 2, Failed: 1, FailedBy: map[wire.EndCause]int{wire.MediaFailed: 1}, Ended: 1,
				First: &rest.FirstWord{Turns: 3, P50MS: 800, P95MS: 1200}, Requests: new(int64(40)), Errors: new(int64(1)),
			}},
		},
		"end-request": rest.EndRequest{Reason: "maintenance"},
		"connection": rest.Connection{
			SessionID: "s_1", Rating: live().Quality,
			Streams: []rest.StreamQuality{{
				Leg: "caller", Direction: quality.ToAgent, MeasuredBy: "server", Rating: live().Quality, Latest: metrics(),
				Summary: rest.Summary{LossRatio: &rest.Range{Min: 0, Max: 0.1, Avg: 0.02}, RTTMS: &rest.Range{Min: 80, Max: 90, Avg: 82}},
				Series:  []rest.Point{{At: at(2), Metrics: metrics()}, {At: at(3), Gap: true}}, PacketsReceived: 980, PacketsLost: 20, Bytes: 78400,
			}},
			Errors: []rest.ErrorCount{{Kind: "bad_report", Count: 2, Last: at(9), MeasuredBy: "client"}},
			Turns:  sessionTurns(), PoorSeconds: map[quality.Owner]int{quality.OwnerAgent: 3}, Path: &rest.MediaPath{Protocol: "udp", Relay: "tls"},
		},
		"frame-snapshot": rest.Snapshot{
			Seq: 7, T: at(46), Sessions: []rest.Session{live(), ended()}, Stats: stats(), Activities: []rest.Activity{activity()},
			Alerts: []rest.Alert{firing()}, ActivityCount: 1312,
		},
		"alerts":      rest.Page[rest.Alert]{Items: []rest.Alert{listed}, NextCursor: "c_6"},
		"frame-alert": rest.AlertFrame{Seq: 11, T: at(47), Items: []rest.Alert{firing()}},
		"deliveries": rest.Page[rest.WebhookDelivery]{Items: []rest.WebhookDelivery{{
			ID: "d_1", At: at(3), Event: "alert.firing", Alert: "a_1", Webhook: "https://hooks.example", State: rest.DeliveryRetrying,
			Attempts: 2, Status: 503, TookMS: 41.5, Error: rest.DeliveryStatus,
		}}},
		"frame-settings": rest.SettingsFrame{Seq: 12, T: at(47), Settings: settings()},
		"frame-sessions": rest.SessionsFrame{Seq: 8, T: at(47), Upsert: []rest.Session{live()}, Remove: []string{"s_0"}},
		"frame-stats":    rest.StatsFrame{Seq: 9, T: at(47), Stats: stats()},
		"frame-activity": rest.ActivityFrame{Seq: 10, T: at(47), Items: []rest.Activity{activity()}, ActivityCount: 1313},
	}
	maps.Copy(all, recordGoldens())
	maps.Copy(all, usageGoldens())
	return all
}

// golden is the text of a golden file.
func golden(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func encode(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestGoldenResources(t *testing.T) {
	for name, v := range goldens() {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name+".json")
			encoded, err := json.MarshalIndent(v, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(path, append(encoded, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if string(encoded)+"\n" != string(want) {
				t.Errorf("written %s\nthe file %s", encoded, want)
			}
			back := reflect.New(reflect.TypeOf(v))
			dec := json.NewDecoder(bytes.NewReader(want))
			dec.DisallowUnknownFields()
			if err := dec.Decode(back.Interface()); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(back.Elem().Interface(), v) {
				t.Errorf("read    %#v\nwritten %#v", back.Elem().Interface(), v)
			}
		})
	}
	if files, _ := filepath.Glob(filepath.Join("testdata", "*.json")); len(files) != len(goldens()) {
		t.Errorf("%d files, %d resources", len(files), len(goldens()))
	}
}

func TestNamesAreSnakeCase(t *testing.T) {
	for name, v := range goldens() {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(bytes.NewReader(raw))
		var loose any
		if err := dec.Decode(&loose); err != nil {
			t.Fatal(err)
		}
		eachName(loose, func(field string) {
			if field != strings.ToLower(field) || strings.ContainsAny(field, "- ") {
				t.Errorf("%s: %q", name, field)
			}
		})
	}
}

func eachName(v any, f func(string)) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			f(name)
			eachName(inner, f)
		}
	case []any:
		for _, inner := range v {
			eachName(inner, f)
		}
	}
}

func TestMetricsOfFigures(t *testing.T) {
	f := rtcstats.Figures{RTTMS: new(80.0), EffectiveLossRatio: new(0.02), LossRatio: new(0.01)}
	s := quality.ScoreOf(quality.ToAgent, f)
	m := rest.NewMetrics(f, s)
	if *m.LossRatio != 0.02 || *m.RTTMS != 80 || *m.R != s.R || *m.MOS != s.MOS || *m.DelayMS != *s.DelayMS {
		t.Errorf("%+v", m)
	}
	f.Quiet = true
	if m := rest.NewMetrics(f, s); m.R != nil || m.MOS != nil {
		t.Error("rated what was quiet")
	}
	f.Unanswered = true
	if m := rest.NewMetrics(f, s); m.R == nil || m.JitterMS != nil {
		t.Errorf("%+v", m)
	}
}

func TestProblemIsAnError(t *testing.T) {
	var err error = &rest.Problem{Code: rest.CodeDraining, Title: "Restarting"}
	if err.Error() != "draining: Restarting" {
		t.Errorf("%q", err)
	}
}
