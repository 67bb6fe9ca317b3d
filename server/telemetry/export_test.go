package telemetry

import (
	"context"
	"net/url"

	logs "go.opentelemetry.io/proto/slim/otlp/logs/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"
)

// What tests look at.
const (
	MaxBatch    = maxBatch
	MaxAttempts = maxAttempts
)

var ConvertMetrics = convertMetrics

// Refused is the error of an answer.
func Refused(status int) error { return &answerError{status} }

// SpanTo returns a Telemetry of a ratio whose spans go to a function.
func SpanTo(ratio float64, send func([]*trace.Span) error) *Telemetry {
	t := New(Config{Endpoint: &url.URL{Scheme: "https", Host: "collector.example"}, SampleRatio: ratio})
	t.spans.send = func(_ context.Context, spans []*trace.Span) error { return send(spans) }
	t.records.send = func(context.Context, []*logs.LogRecord) error { return nil }
	return t
}

// Waiting are the spans that were not sent yet.
func (t *Telemetry) Waiting() []*trace.Span { return t.spans.waiting }

// Records are the log records that were not sent yet.
func (t *Telemetry) Records() []*logs.LogRecord { return t.records.waiting }
