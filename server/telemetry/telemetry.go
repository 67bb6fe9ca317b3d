// Package telemetry owns handing traces, metrics and log records on by OTLP, over HTTP
// with protobuf. What it sends names nobody: no user, address, token, session or text of
// a caller's goes into an attribute, and of log lines only keys that are on a list. It
// refuses to be waited for: what can't be sent in time is dropped and counted.
package telemetry

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	collectorlogs "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	collectormetrics "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	logs "go.opentelemetry.io/proto/slim/otlp/logs/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"
)

// Limits of what waits and of how long it does. The intervals are defaults of Config.
const (
	// DefaultBatchInterval is how long spans and log records are gathered.
	DefaultBatchInterval = 5 * time.Second
	// DefaultMetricsInterval is how often metrics are sent.
	DefaultMetricsInterval = 30 * time.Second
	// MaxQueue is how many spans, and how many log records, wait at most.
	MaxQueue = 4096
	maxBatch = 512
	// maxAttempts is how often a batch is tried until it is dropped.
	maxAttempts = 5
	// patience is how long a collector may take for a batch.
	patience = 10 * time.Second
	// closePatience is how long the last batches may take when the server ends.
	closePatience = 2 * time.Second
)

// Config says where telemetry goes.
type Config struct {
	// Endpoint is the collector's base URL: the signals are below it, at /v1/traces,
	// /v1/metrics and /v1/logs.
	Endpoint *url.URL
	// Token gives the bearer token as it is by now; nil or "": none.
	Token func() string
	// RootCAs verify the collector; nil is the machine's own.
	RootCAs *x509.CertPool
	// SampleRatio is the share of traces that is sent, 0 to 1.
	SampleRatio   float64
	Node, Version string

	BatchInterval, MetricsInterval time.Duration
}

// Telemetry takes what is to be sent, and sends it while Run runs. All methods do
// nothing on a nil one. It is safe for use by many goroutines.
type Telemetry struct {
	cfg       Config
	startedAt time.Time
	to        *collector
	spans     *signal[*trace.Span]
	records   *signal[*logs.LogRecord]
	metrics   outage
}

// New returns a Telemetry with nothing to send.
func New(cfg Config) *Telemetry {
	if cfg.BatchInterval <= 0 {
		cfg.BatchInterval = DefaultBatchInterval
	}
	if cfg.MetricsInterval <= 0 {
		cfg.MetricsInterval = DefaultMetricsInterval
	}
	t := &Telemetry{cfg: cfg, startedAt: time.Now(), to: newCollector(cfg)}
	t.spans = &signal[*trace.Span]{name: "traces", send: t.sendSpans}
	t.records = &signal[*logs.LogRecord]{name: "logs", send: t.sendRecords}
	return t
}

// Run sends until ctx is done, then what is left, for closePatience at most. gather
// reads the metrics.
func (t *Telemetry) Run(ctx context.Context, gather func() ([]*dto.MetricFamily, error), log *slog.Logger) {
	if t == nil {
		return
	}
	defer t.to.client.CloseIdleConnections()
	var running sync.WaitGroup
	running.Go(func() { t.spans.run(ctx, t.cfg.BatchInterval, log) })
	running.Go(func() { t.records.run(ctx, t.cfg.BatchInterval, log) })
	running.Go(func() { t.runMetrics(ctx, gather, log) })
	running.Wait()
}

// runMetrics sends all metrics as they are, again and again. One that fails is no loss:
// the next has its sums.
func (t *Telemetry) runMetrics(ctx context.Context, gather func() ([]*dto.MetricFamily, error), log *slog.Logger) {
	each := time.NewTicker(t.cfg.MetricsInterval)
	defer each.Stop()
	for ctx.Err() == nil {
		select {
		case <-each.C:
		case <-ctx.Done():
		}
		sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), closePatience)
		families, err := gather()
		if err == nil {
			err = t.sendMetrics(sending, families)
		}
		cancel()
		t.metrics.note("metrics", err, log)
	}
}

// Dropped is how many spans and log records were given up since the start.
func (t *Telemetry) Dropped() (spans, records int64) {
	if t == nil {
		return 0, 0
	}
	return t.spans.dropped.Load(), t.records.dropped.Load()
}

func (t *Telemetry) sendSpans(ctx context.Context, spans []*trace.Span) error {
	return t.to.post(ctx, "/v1/traces", &collectortrace.ExportTraceServiceRequest{ResourceSpans: []*trace.ResourceSpans{{
		Resource: t.resource(), ScopeSpans: []*trace.ScopeSpans{{Scope: t.scope(), Spans: spans}},
	}}})
}

func (t *Telemetry) sendRecords(ctx context.Context, records []*logs.LogRecord) error {
	return t.to.post(ctx, "/v1/logs", &collectorlogs.ExportLogsServiceRequest{ResourceLogs: []*logs.ResourceLogs{{
		Resource: t.resource(), ScopeLogs: []*logs.ScopeLogs{{Scope: t.scope(), LogRecords: records}},
	}}})
}

func (t *Telemetry) sendMetrics(ctx context.Context, families []*dto.MetricFamily) error {
	return t.to.post(ctx, "/v1/metrics", &collectormetrics.ExportMetricsServiceRequest{ResourceMetrics: []*metrics.ResourceMetrics{{
		Resource: t.resource(), ScopeMetrics: []*metrics.ScopeMetrics{{Scope: t.scope(), Metrics: convertMetrics(families, t.startedAt, time.Now())}},
	}}})
}

// resource says whose all of it is, in the words of OpenTelemetry's conventions.
func (t *Telemetry) resource() *resource.Resource {
	return &resource.Resource{Attributes: []*common.KeyValue{
		text("service.name", "parley"), text("service.version", t.cfg.Version), text("service.instance.id", t.cfg.Node),
	}}
}

func (t *Telemetry) scope() *common.InstrumentationScope {
	return &common.InstrumentationScope{Name: "parley", Version: t.cfg.Version}
}

func text(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

func number(key string, value int64) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: value}}}
}

func nanos(at time.Time) uint64 { return uint64(at.UnixNano()) }

// isRetryable tells answers after which the same may be tried again (OTLP, "Retryable
// response codes").
func isRetryable(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}
