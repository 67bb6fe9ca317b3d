package telemetry_test

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"go.uber.org/goleak"

	"parley/server/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	spanID  = "b7ad6b7169203331"
)

// A proxy's header decides whose trace it is and whether it is sent; without one the
// ratio does.
func TestTracesAreSampledByParentOrRatio(t *testing.T) {
	for header, want := range map[string]struct{ isParent, isSent bool }{
		"00-" + traceID + "-" + spanID + "-01":                  {true, true},
		"00-" + traceID + "-" + spanID + "-00":                  {true, false},
		"01-" + traceID + "-" + spanID + "-03-more":             {true, true}, // of a version to come
		"00-" + traceID + "-" + spanID + "-01-more":             {},
		"ff-" + traceID + "-" + spanID + "-01":                  {},
		"00-" + strings.Repeat("0", 32) + "-" + spanID + "-01":  {},
		"00-" + traceID + "-0000000000000000-01":                {},
		"00-" + strings.ToUpper(traceID) + "-" + spanID + "-01": {},
		"00-" + traceID + "-" + spanID:                          {}, "": {}, "x": {},
	} {
		for _, ratio := range []float64{0, 1} {
			to := telemetry.SpanTo(ratio, nil)
			to.TraceRequest(telemetry.Request{Route: "GET /a/{id}", Status: 503, Begun: time.Now(), Traceparent: header})
			sent := to.Waiting()
			if isSent := want.isParent && want.isSent || !want.isParent && ratio == 1; (len(sent) == 1) != isSent {
				t.Errorf("%q at %v: %d spans", header, ratio, len(sent))
			}
			if len(sent) == 1 && want.isParent != (hex.EncodeToString(sent[0].TraceId) == traceID && hex.EncodeToString(sent[0].ParentSpanId) == spanID) {
				t.Errorf("%q: %v", header, sent[0])
			}
			if len(sent) == 1 && sent[0].Status.Code != trace.Status_STATUS_CODE_ERROR {
				t.Errorf("503 is no error: %v", sent[0])
			}
		}
	}
	to, n := telemetry.SpanTo(0.25, nil), 4000
	for range n {
		to.TraceRequest(telemetry.Request{Route: "GET /a", Status: 200, Begun: time.Now()})
	}
	if share := float64(len(to.Waiting())) / float64(n); share < 0.2 || share > 0.3 { // 7 standard deviations
		t.Errorf("%v of them", share)
	}
}

// A set-up that broke off says at which step.
func TestASetupThatFailed(t *testing.T) {
	to, at := telemetry.SpanTo(1, nil), time.Now()
	after := func(ms int) time.Time { return at.Add(time.Duration(ms) * time.Millisecond) }
	to.TraceSetup(telemetry.Setup{Agent: "a", Asked: at, Admitted: after(1), AgentAsked: after(2), AgentAnswered: after(5), Answered: after(6), Ended: after(100)})
	failed := map[string]bool{}
	for _, span := range to.Waiting() {
		failed[span.Name] = span.Status.Code == trace.Status_STATUS_CODE_ERROR
	}
	want := map[string]bool{"call set-up": true, "admission": false, "signaling": false, "agent": false, "ice": true}
	for name, isFailed := range want {
		if got, there := failed[name]; !there || got != isFailed {
			t.Errorf("%s failed: %v, there: %v", name, got, there)
		}
	}
	if len(failed) != len(want) {
		t.Errorf("%v", failed)
	}
}

// What was told late is no step that failed, and none lasts longer than the whole.
func TestStepsOfASetupAreInOrder(t *testing.T) {
	at := time.Now()
	after := func(ms int) time.Time { return at.Add(time.Duration(ms) * time.Millisecond) }
	for name, s := range map[string]telemetry.Setup{
		"all in time":       {Paired: after(20), Connected: after(30), Heard: after(40)},
		"no word of a path": {Connected: after(30), Heard: after(40)},
		"path, late":        {Paired: after(35), Connected: after(30), Heard: after(40)},
		"heard before":      {Paired: after(50), Connected: after(45), Heard: after(40)},
	} {
		to := telemetry.SpanTo(1, nil)
		s.Asked, s.Admitted, s.AgentAsked, s.AgentAnswered, s.Answered = at, after(1), after(2), after(5), after(6)
		to.TraceSetup(s)
		spans := to.Waiting()
		for _, span := range spans {
			if span.Status.Code != trace.Status_STATUS_CODE_UNSET || span.EndTimeUnixNano < span.StartTimeUnixNano || span.EndTimeUnixNano > spans[0].EndTimeUnixNano {
				t.Errorf("%s: %v of %v", name, span, spans[0])
			}
		}
		if len(spans) != 7 {
			t.Errorf("%s: %d spans", name, len(spans))
		}
	}
}

// Of a log line only what names nobody is sent; the other handler has all of it.
func TestLogLinesAreSentWithoutPeople(t *testing.T) {
	var kept strings.Builder
	to := telemetry.SpanTo(1, nil)
	log := slog.New(to.LogHandler(slog.NewTextHandler(&kept, &slog.HandlerOptions{Level: slog.LevelDebug})))
	log.With("session", "s_1", "event", "media").Warn("path failed", "user", "ada", "remote", "192.0.2.1", "cause", "no_path", "took", 1500*time.Millisecond, "lines", 3, "err", "dial 192.0.2.1")
	log.WithGroup("g").Info("grouped", "event", "ada")
	log.Debug("a library's words: 192.0.2.1")
	var sent strings.Builder
	for _, r := range to.Records() {
		sent.WriteString(r.String() + "\n")
	}
	if n := len(to.Records()); n != 2 {
		t.Errorf("%d records", n)
	}
	for _, secret := range []string{"ada", "192.0.2.1", "s_1"} {
		if strings.Contains(sent.String(), secret) || !strings.Contains(kept.String(), secret) {
			t.Errorf("%s: sent\n%s\nkept\n%s", secret, &sent, &kept)
		}
	}
	for _, want := range []string{"path failed", "media", "no_path", "1.5", "SEVERITY_NUMBER_WARN"} {
		if !strings.Contains(sent.String(), want) {
			t.Errorf("no %s in\n%s", want, &sent)
		}
	}
}

// What waits has a bound, and a batch that a collector does not take is given up.
func TestWhatCannotBeSentIsDropped(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want int // attempts of a batch
	}{"away": {errors.New("refused"), telemetry.MaxAttempts}, "busy": {telemetry.Refused(503), telemetry.MaxAttempts}, "wrong": {telemetry.Refused(400), 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				attempts := map[*trace.Span]int{}
				to := telemetry.SpanTo(1, func(spans []*trace.Span) error {
					mu.Lock()
					defer mu.Unlock()
					if len(spans) > telemetry.MaxBatch {
						t.Errorf("%d at once", len(spans))
					}
					attempts[spans[0]]++
					return test.err
				})
				for range telemetry.MaxQueue + 3 {
					to.TraceRequest(telemetry.Request{Route: "GET /a", Status: 200, Begun: time.Now()})
				}
				ctx, stop := context.WithCancel(t.Context())
				var running sync.WaitGroup
				var logs strings.Builder
				running.Go(func() {
					to.Run(ctx, func() ([]*dto.MetricFamily, error) { return nil, errors.New("none") }, slog.New(slog.NewTextHandler(&logs, nil)))
				})
				batches := telemetry.MaxQueue / telemetry.MaxBatch
				time.Sleep(time.Duration(batches*test.want)*telemetry.DefaultBatchInterval + time.Second)
				synctest.Wait()
				mu.Lock()
				for _, n := range attempts {
					if n != test.want {
						t.Errorf("%d attempts", n)
					}
				}
				if len(attempts) != batches {
					t.Errorf("%d batches", len(attempts))
				}
				mu.Unlock()
				if spans, _ := to.Dropped(); spans != telemetry.MaxQueue+3 {
					t.Errorf("%d dropped", spans)
				}
				stop()
				running.Wait()
				if n := strings.Count(logs.String(), "signal=traces"); n != 1 {
					t.Errorf("logged %d times", n)
				}
			})
		})
	}
}

// Figures are those of a scrape: sums are sums, and buckets count what is in them alone.
func TestMetricsAreThoseOfAScrape(t *testing.T) {
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c_total", Help: "C."}, []string{"l"})
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h", Buckets: []float64{1, 2}})
	summary := prometheus.NewSummary(prometheus.SummaryOpts{Name: "s", Objectives: map[float64]float64{0.5: 0.1}})
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "g"})
	registry.MustRegister(counter, histogram, summary, gauge)
	counter.WithLabelValues("v").Add(3)
	gauge.Set(-1.5)
	for _, v := range []float64{0.5, 1.5, 1.6, 9} {
		histogram.Observe(v)
		summary.Observe(v)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	since, now := time.Unix(1, 0), time.Unix(2, 0)
	got := telemetry.ConvertMetrics(families, since, now)
	if len(got) != 4 {
		t.Fatalf("%v", got)
	}
	sum, h := got[0].GetSum(), got[2].GetHistogram().GetDataPoints()[0]
	if p := sum.GetDataPoints()[0]; got[0].Name != "c_total" || got[0].Description != "C." || !sum.IsMonotonic || p.GetAsDouble() != 3 ||
		p.Attributes[0].Key != "l" || p.Attributes[0].Value.GetStringValue() != "v" || p.StartTimeUnixNano != 1e9 || p.TimeUnixNano != 2e9 {
		t.Errorf("%v", got[0])
	}
	if got[1].GetGauge().GetDataPoints()[0].GetAsDouble() != -1.5 {
		t.Errorf("%v", got[1])
	}
	if c := h.BucketCounts; len(c) != 3 || c[0] != 1 || c[1] != 2 || c[2] != 1 || len(h.ExplicitBounds) != 2 || h.Count != 4 || h.GetSum() != 12.6 {
		t.Errorf("%v", h)
	}
	if s := got[3].GetSummary().GetDataPoints()[0]; s.Count != 4 || len(s.QuantileValues) != 1 {
		t.Errorf("%v", s)
	}
}

// Whoever hands nothing on pays nothing.
func TestNoTelemetry(t *testing.T) {
	var none *telemetry.Telemetry
	none.TraceRequest(telemetry.Request{})
	none.TraceSetup(telemetry.Setup{})
	none.Run(t.Context(), nil, nil)
	next := slog.DiscardHandler
	if spans, records := none.Dropped(); spans+records != 0 || none.LogHandler(next) != next {
		t.Error("it does something")
	}
}
