package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/metrics"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// scrape reads what Prometheus would: the samples by name and labels.
func scrape(t *testing.T, m *metrics.Metrics) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Metrics().ServeHTTP(w, httptest.NewRequest("GET", rest.PathMetrics, nil))
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	out := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		i := strings.LastIndexByte(line, ' ')
		if _, twice := out[line[:i]]; twice {
			t.Errorf("twice: %s", line)
		}
		out[line[:i]] = line[i+1:]
	}
	return out
}

// full is what a busy server is made of.
func full() metrics.Config {
	told := metrics.NewObserver()
	told.CountStreams(12)
	told.CountStreams(-1)
	return metrics.Config{
		Observer: told,
		Version:  "1.2.3", Commit: "abc", DataDir: "/",
		Stats: func(string) rest.Stats {
			return rest.Stats{
				Live: 3, ByState: map[wire.SessionState]int{"active": 2, "connecting": 1}, Cap: 100, Started: 9,
				PoorSeconds: map[quality.Owner]int{quality.OwnerAgent: 6}, Anomalies: []rest.Anomaly{{Series: rest.AnomalyFirstWord}},
				Quality:   map[quality.Level]int{quality.Good: 2, quality.None: 1},
				EndCauses: map[wire.EndCause]int64{"caller_left": 5, "media_failed": 1}, Refused: map[string]int64{"cap_reached": 4, "malformed": 1},
			}
		},
		CertificateValidity: func() (from, to time.Time) { return time.Unix(1, 0), time.Unix(1700000000, 0) },

		LogQueued:       func() int { return 7 },
		LogDropped:      func() int64 { return 2 },
		AlertsFiring:    func() int { return 1 },
		AuditIntact:     func() bool { return true },
		WebhooksDropped: func() int64 { return 3 },
		HangUpsFailed:   func() int64 { return 4 },
		Privacy: func() rest.Privacy {
			return rest.Privacy{Audio: rest.AudioGuard{ByKind: map[string]int64{"record": 6}}}
		},
		Unrecorded: func() int64 { return 8 },
		Relayed: func() *metrics.Relayed {
			return &metrics.Relayed{
				Allocations: 2, Opened: map[string]int64{"tls": 5}, Refused: map[string]int64{"quota": 1}, Received: 100, Sent: 200, Dropped: 3,
			}
		},
		DatabaseSize: func() int64 { return 4096 },
		Totals: func(context.Context, string, int) (rest.Totals, error) {
			return rest.Totals{Calls: 1234, Minutes: 2, Days: []rest.DayTotal{{Day: rest.DayOf(time.Now()), Calls: 5, Users: 4}}}, nil
		},
		DiskUsed: func() float64 { return 0.25 },
		Agents: func() []rest.AgentStatus {
			return []rest.AgentStatus{{Agent: rest.Agent{Name: "polly"}, Calls: 2, Failures: make([]rest.AgentFailure, 3)}}
		},
		TelemetryDropped: func() (spans, records int64) { return 6, 7 },
		LogExports: func() []metrics.LogExport {
			return []metrics.LogExport{{Log: "audit", Sent: 5, Aside: 3, Lost: 2, Lag: 1500 * time.Millisecond}}
		},
		Bus: func() metrics.Bus {
			return metrics.Bus{
				IsConnected: true, Sent: 11, Received: 12, Dropped: map[string]int64{"slow": 3, "version": 0}, Requests: 9,
				Failures: map[string]int64{"unreachable": 2}, Reconnects: 1,
			}
		},
		Degraded: func() map[string]bool { return map[string]bool{"keys": true, "store": false} },
	}
}

// busy is a server to which everything has happened that is counted.
func busy() *metrics.Metrics {
	m := metrics.New(full())
	m.Observe("GET /api/v1/sessions/{id}", 200, 3*time.Millisecond)
	m.Observe("GET /api/v1/sessions/{id}", 200, 30*time.Millisecond)
	m.Observe("GET /api/v1/sessions/{id}", 500, 3*time.Second)
	m.Observe("POST /api/v1/monitoring/timeout", 422, time.Millisecond)
	m.AuditCommitted(800*time.Microsecond, nil)
	m.AuditCommitted(2*time.Second, errors.New("away"))
	m.LineSampled(rtcstats.LegCaller, quality.ToAgent, rest.Metrics{LossRatio: new(0.021), RTTMS: new(81.0)})
	m.LineSampled(rtcstats.LegCaller, quality.ToCaller, rest.Metrics{})
	m.LineSampled(rtcstats.LegAgent, quality.ToCaller, rest.Metrics{LossRatio: new(0.0), JitterMS: new(4.0)})
	m.TurnsMeasured("polly", []rest.Turn{{WaitMS: 820, SilenceWindowMS: 500, NetworkMS: 40, ToolsMS: 80, ModelMS: 200}},
		[]rest.Interruption{{SilentMS: new(240.0)}, {ClearedMS: new(10.0)}}) // of the second nobody saw the end
	m.Delayed(3 * time.Millisecond)
	return m
}

func TestWhatPrometheusReads(t *testing.T) {
	got := scrape(t, busy())
	for series, want := range map[string]string{
		`parley_http_requests_total{code="200",method="GET",route="/api/v1/sessions/{id}"}`:                  "2",
		`parley_http_requests_total{code="500",method="GET",route="/api/v1/sessions/{id}"}`:                  "1",
		`parley_http_requests_total{code="422",method="POST",route="/api/v1/monitoring/timeout"}`:            "1",
		`parley_http_request_duration_seconds_bucket{method="GET",route="/api/v1/sessions/{id}",le="0.005"}`: "1",
		`parley_http_request_duration_seconds_bucket{method="GET",route="/api/v1/sessions/{id}",le="0.05"}`:  "2",
		`parley_http_request_duration_seconds_count{method="GET",route="/api/v1/sessions/{id}"}`:             "3",
		`parley_audit_commit_duration_seconds_bucket{outcome="done",le="0.001"}`:                             "1",
		`parley_audit_commit_duration_seconds_count{outcome="failed"}`:                                       "1",
		`parley_line_loss_ratio_bucket{direction="to_agent",leg="caller",le="0.02"}`:                         "0",
		`parley_line_loss_ratio_bucket{direction="to_agent",leg="caller",le="0.03"}`:                         "1",
		`parley_line_round_trip_seconds_sum{direction="to_agent",leg="caller"}`:                              "0.081",
		`parley_line_jitter_seconds_sum{direction="to_caller",leg="agent"}`:                                  "0.004",
		`parley_line_loss_ratio_count{direction="to_caller",leg="agent"}`:                                    "1",
		`parley_first_word_seconds_sum{agent="polly"}`:                                                       "0.82",
		`parley_first_word_seconds_count{agent="polly"}`:                                                     "1",
		`parley_first_word_part_seconds_sum{agent="polly",part="silence_window"}`:                            "0.5",
		`parley_first_word_part_seconds_sum{agent="polly",part="network"}`:                                   "0.04",
		`parley_first_word_part_seconds_sum{agent="polly",part="tools"}`:                                     "0.08",
		`parley_first_word_part_seconds_sum{agent="polly",part="model"}`:                                     "0.2",
		`parley_interruption_seconds_sum{agent="polly"}`:                                                     "0.24",
		`parley_interruption_seconds_count{agent="polly"}`:                                                   "1",
		`parley_scheduling_delay_seconds_sum`:                                                                "0.003",
		`parley_poor_seconds_total{owner="agent_network"}`:                                                   "6",
		`parley_poor_seconds_total{owner="server"}`:                                                          "0",
		`parley_sessions{state="active"}`:                                                                    "2",
		`parley_sessions{state="connecting"}`:                                                                "1",
		`parley_sessions{state="reconnecting"}`:                                                              "0",
		`parley_bus_connected`:                                                                               "1",
		`parley_bus_messages_sent_total`:                                                                     "11",
		`parley_bus_messages_dropped_total{reason="slow"}`:                                                   "3",
		`parley_bus_request_failures_total{reason="unreachable"}`:                                            "2",
		`parley_sessions_limit`:                                                                              "100",
		`parley_sessions_started_total`:                                                                      "9",
		`parley_sessions_ended_total{cause="caller_left"}`:                                                   "5",
		`parley_sessions_ended_total{cause="media_failed"}`:                                                  "1",
		`parley_sessions_ended_total{cause="agent_lost"}`:                                                    "0",
		`parley_sessions_ended_total{cause="node_lost"}`:                                                     "0",
		`parley_admission_refused_total{code="cap_reached"}`:                                                 "4",
		`parley_admission_refused_total{code="malformed"}`:                                                   "1",
		`parley_admission_refused_total{code="paused"}`:                                                      "0",
		`parley_sessions_by_quality{level="good"}`:                                                           "2",
		`parley_sessions_by_quality{level="poor"}`:                                                           "0",
		`parley_turn_allocations`:                                                                            "2",
		`parley_turn_allocations_total{transport="tls"}`:                                                     "5",
		`parley_turn_refused_total{reason="quota"}`:                                                          "1",
		`parley_turn_bytes_total{direction="to_agent"}`:                                                      "100",
		`parley_turn_bytes_total{direction="to_caller"}`:                                                     "200",
		`parley_turn_dropped_total`:                                                                          "3",
		`parley_log_queue_lines`:                                                                             "7",
		`parley_log_dropped_total`:                                                                           "2",
		`parley_stream_readers`:                                                                              "11",
		`parley_anomalies{series="first_word"}`:                                                              "1",
		`parley_anomalies{series="mos"}`:                                                                     "0",
		`parley_alerts_firing`:                                                                               "1",
		`parley_audit_chain_intact`:                                                                          "1",
		`parley_agent_hang_ups_failed_total`:                                                                 "4",
		`parley_webhooks_dropped_total`:                                                                      "3",
		`parley_privacy_attempts_blocked_total{operation="record"}`:                                          "6",
		`parley_record_dropped_total`:                                                                        "8",
		`parley_certificate_expiry_timestamp_seconds`:                                                        "1.7e+09",
		`parley_calls_total`:                                                                                 "1234",
		`parley_call_seconds_total`:                                                                          "120",
		`parley_users_today`:                                                                                 "4",
		`parley_database_bytes`:                                                                              "4096",
		`parley_disk_used_ratio`:                                                                             "0.25",
		`parley_agent_calls{agent="polly"}`:                                                                  "2",
		`parley_agent_failures{agent="polly"}`:                                                               "3",
		`parley_otlp_dropped_total{signal="traces"}`:                                                         "6",
		`parley_otlp_dropped_total{signal="logs"}`:                                                           "7",
		`parley_log_export_sent_total{log="audit"}`:                                                          "5",
		`parley_log_export_set_aside_total{log="audit"}`:                                                     "3",
		`parley_log_export_lost_total{log="audit"}`:                                                          "2",
		`parley_log_export_lag_seconds{log="audit"}`:                                                         "1.5",
		`parley_degraded{part="keys"}`:                                                                       "1",
		`parley_degraded{part="store"}`:                                                                      "0",
	} {
		if got[series] != want {
			t.Errorf("%s is %q, want %s", series, got[series], want)
		}
	}
	for _, name := range []string{"parley_build_info{", "go_goroutines", "go_memstats_heap_alloc_bytes", "process_resident_memory_bytes"} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(got)), func(s string) bool { return strings.HasPrefix(s, name) }) {
			t.Errorf("no %s", name)
		}
	}
}

// Labels are words of ours: nothing that was asked for, nobody's name.
func TestLabelsAreClosed(t *testing.T) {
	m := metrics.New(full())
	for i := range 10_000 {
		m.Observe(fmt.Sprintf("GET /made/up/%d", i), 200+i, time.Millisecond)
	}
	m.Observe("", 404, time.Millisecond)
	allowed := map[string]*regexp.Regexp{
		"route":     regexp.MustCompile(`^(/made/up/\d{1,3}|other)$`),
		"method":    regexp.MustCompile(`^(GET)?$`),
		"code":      regexp.MustCompile(`^([1-5]\d\d|[a-z_]+)$`),
		"state":     regexp.MustCompile(`^[a-z]+$`),
		"level":     regexp.MustCompile(`^[a-z]+$`),
		"cause":     regexp.MustCompile(`^[a-z_]+$`),
		"owner":     regexp.MustCompile(`^[a-z_]+$`),
		"transport": regexp.MustCompile(`^(udp|tcp|tls)$`),
		"reason":    regexp.MustCompile(`^[a-z]+$`),
		"direction": regexp.MustCompile(`^to_(agent|caller)$`),
		"operation": regexp.MustCompile(`^[a-z]+$`),
		"signal":    regexp.MustCompile(`^(traces|logs)$`),
		"log":       regexp.MustCompile(`^(access|audit)$`),
		"part":      regexp.MustCompile(`^[a-z_]+$`),
		"series":    regexp.MustCompile(`^[a-z_]+$`),
		"agent":     regexp.MustCompile(`^polly$`), // a name that the operator gave
		"le":        regexp.MustCompile(`^[0-9.e+\-]+$|^\+Inf$`),
		"quantile":  regexp.MustCompile(`^[0-9.]+$`),
		"version":   regexp.MustCompile(`^`), "commit": regexp.MustCompile(`^`), "goversion": regexp.MustCompile(`^go`),
	}
	routes := map[string]bool{}
	for series := range scrape(t, m) {
		for _, label := range regexp.MustCompile(`(\w+)="([^"]*)"`).FindAllStringSubmatch(series, -1) {
			if label[1] == "version" && strings.HasPrefix(series, "go_info") {
				continue
			}
			if r := allowed[label[1]]; r == nil || !r.MatchString(label[2]) {
				t.Errorf("%s", series)
			}
			if label[1] == "route" {
				routes[label[2]] = true
			}
		}
	}
	if len(routes) != metrics.MaxRoutes || !routes["other"] {
		t.Errorf("%d routes are told apart", len(routes))
	}
}

// Two servers in one process have nothing in common, and nothing is needed.
func TestMetricsOfTheirOwn(t *testing.T) {
	a, b := metrics.New(metrics.Config{}), metrics.New(full())
	a.Observe("GET /a", 200, time.Millisecond)
	b.Observe("GET /b", 200, time.Millisecond)
	for series := range scrape(t, a) {
		if strings.Contains(series, `"/b"`) || strings.HasPrefix(series, "parley_sessions") {
			t.Errorf("a has %s", series)
		}
	}
	if h := a.Health(t.Context()); h.Requests.Requests != 1 || h.DatabaseBytes != 0 {
		t.Errorf("%+v", h)
	}
}

func TestEveryoneObserves(t *testing.T) {
	m := metrics.New(full())
	var working sync.WaitGroup
	for n := range 8 {
		working.Go(func() {
			for i := range 500 {
				m.Observe(fmt.Sprint("GET /", (n+i)%200), 200, time.Millisecond)
				m.LineSampled(rtcstats.LegCaller, quality.ToAgent, rest.Metrics{LossRatio: new(0.0)})
				m.AuditCommitted(time.Millisecond, nil)
			}
		})
	}
	working.Go(func() {
		for range 20 {
			scrape(t, m)
			m.Health(t.Context())
		}
	})
	working.Wait()
	if h := m.Health(t.Context()); h.Requests.Requests != 4000 {
		t.Errorf("%d requests", h.Requests.Requests)
	}
}
