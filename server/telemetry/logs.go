package telemetry

import (
	"context"
	"log/slog"
	"time"

	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	logs "go.opentelemetry.io/proto/slim/otlp/logs/v1"
)

// sentKeys are the keys of log lines whose values are words and figures of ours. All
// others may name somebody, or hold what somebody sent: user, session, remote, err.
var sentKeys = map[string]bool{
	"event": true, "cause": true, "took": true, "operation": true, "signal": true, "log": true, "lines": true, "agent": true,
	"status": true, "is": true, "attempts": true, "calls": true, "logs": true, "audit": true, "quality": true,
}

// handler hands log lines on, and to another handler as they are.
type handler struct {
	slog.Handler
	to    *signal[*logs.LogRecord]
	attrs []slog.Attr
	// isGrouped: keys mean something else from here on, so that none is sent.
	isGrouped bool
}

// LogHandler returns a handler that sends what next handles, without what names
// somebody. On a nil Telemetry it is next.
func (t *Telemetry) LogHandler(next slog.Handler) slog.Handler {
	if t == nil {
		return next
	}
	return &handler{Handler: next, to: t.records}
}

// Handle implements slog.Handler.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelInfo { // the words of libraries, which may hold anything
		return h.Handler.Handle(ctx, r)
	}
	record := &logs.LogRecord{
		TimeUnixNano: nanos(r.Time), ObservedTimeUnixNano: nanos(time.Now()), SeverityText: r.Level.String(), SeverityNumber: severity(r.Level),
		Body: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: r.Message}},
	}
	add := func(a slog.Attr) bool {
		if sentKeys[a.Key] && !h.isGrouped {
			record.Attributes = append(record.Attributes, attribute(a))
		}
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	h.to.add(record)
	return h.Handler.Handle(ctx, r)
}

// attribute keeps figures figures; a duration is in seconds, as all of OpenTelemetry's.
func attribute(a slog.Attr) *common.KeyValue {
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindInt64:
		return number(a.Key, v.Int64())
	case slog.KindDuration:
		return &common.KeyValue{Key: a.Key, Value: &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: v.Duration().Seconds()}}}
	case slog.KindFloat64:
		return &common.KeyValue{Key: a.Key, Value: &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: v.Float64()}}}
	default:
		return text(a.Key, v.String())
	}
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	child := *h
	child.Handler = h.Handler.WithAttrs(attrs)
	if !h.isGrouped {
		child.attrs = append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)
	}
	return &child
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	child := *h
	child.Handler, child.isGrouped = h.Handler.WithGroup(name), true
	return &child
}

// severity is OpenTelemetry's number of a level.
func severity(l slog.Level) logs.SeverityNumber {
	switch {
	case l >= slog.LevelError:
		return logs.SeverityNumber_SEVERITY_NUMBER_ERROR
	case l >= slog.LevelWarn:
		return logs.SeverityNumber_SEVERITY_NUMBER_WARN
	case l >= slog.LevelInfo:
		return logs.SeverityNumber_SEVERITY_NUMBER_INFO
	}
	return logs.SeverityNumber_SEVERITY_NUMBER_DEBUG
}
