package telemetry

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"math"
	"net/http"
	"strings"
	"time"

	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"
)

// parent is the span of somebody else's that a request belongs to (W3C Trace Context).
type parent struct {
	traceID, spanID []byte
	isSampled       bool
}

// parseTraceparent reads the header; nil if it is none, or of a version that has no
// meaning yet.
func parseTraceparent(value string) *parent {
	parts := strings.Split(value, "-")
	if len(parts) < 4 || len(parts[0]) != 2 || parts[0] == "ff" || parts[0] == "00" && len(parts) != 4 || value != strings.ToLower(value) {
		return nil
	}
	fields := make([][]byte, 4)
	for i, length := range []int{1, 16, 8, 1} {
		var err error
		if fields[i], err = hex.DecodeString(parts[i]); err != nil || len(fields[i]) != length {
			return nil
		}
	}
	if isZero(fields[1]) || isZero(fields[2]) {
		return nil
	}
	return &parent{traceID: fields[1], spanID: fields[2], isSampled: fields[3][0]&1 == 1}
}

func isZero(id []byte) bool { return strings.Trim(string(id), "\x00") == "" }

func randomID(length int) []byte {
	id := make([]byte, length)
	_, _ = rand.Read(id) // never fails (crypto/rand)
	return id
}

// isSampled decides for a trace of our own by its id, as OpenTelemetry's TraceIdRatioBased
// does, so that whoever else decides by the same ratio decides the same.
func (t *Telemetry) isSampled(traceID []byte) bool {
	return float64(binary.BigEndian.Uint64(traceID[8:])>>1) < t.cfg.SampleRatio*math.MaxInt64
}

// Request is one that was answered.
type Request struct {
	Route  string // the pattern that matched, "GET /path/{id}"
	ID     string // as the access log has it
	Status int
	Begun  time.Time
	// Traceparent is the header of one that a trusted proxy handed on; "" of all others,
	// for whoever sends it says whether the trace is sent.
	Traceparent string
}

// TraceRequest takes a request that is over.
func (t *Telemetry) TraceRequest(r Request) {
	if t == nil {
		return
	}
	of := parseTraceparent(r.Traceparent)
	if of == nil {
		of = &parent{traceID: randomID(16)}
		of.isSampled = t.isSampled(of.traceID)
	}
	if !of.isSampled {
		return
	}
	method, route, _ := strings.Cut(r.Route, " ")
	span := newSpan(of, r.Route, r.Begun, time.Now(), r.Status >= http.StatusInternalServerError)
	span.Kind = trace.Span_SPAN_KIND_SERVER
	span.Attributes = []*common.KeyValue{
		text("http.request.method", method), text("http.route", route), number("http.response.status_code", int64(r.Status)), text("parley.request_id", r.ID),
	}
	t.spans.add(span)
}

func newSpan(of *parent, name string, begun, ended time.Time, isFailed bool) *trace.Span {
	span := &trace.Span{
		TraceId: of.traceID, SpanId: randomID(8), ParentSpanId: of.spanID, Name: name, Kind: trace.Span_SPAN_KIND_INTERNAL,
		StartTimeUnixNano: nanos(begun), EndTimeUnixNano: nanos(ended), Status: &trace.Status{},
	}
	if isFailed {
		span.Status.Code = trace.Status_STATUS_CODE_ERROR
	}
	return span
}

// Setup is how a call was set up: when each step was over. What didn't come has the
// zero time.
type Setup struct {
	Agent string
	// Asked is when the caller came, Admitted when a place was taken, Answered when
	// the caller's offer had its answer.
	Asked, Admitted, Answered time.Time
	// AgentAsked and AgentAnswered are of the agent's leg, within the answering.
	AgentAsked, AgentAnswered time.Time
	// Paired is when ICE found a path, Connected when DTLS stood on it, Heard when the
	// caller's first packet came.
	Paired, Connected, Heard time.Time
	// Ended is of a call that ended before it was heard.
	Ended time.Time
}

// ordered puts no step later than what follows from it: what carries media tells of its
// states by goroutines of its own, and on a busy machine a packet may be there before.
func (s Setup) ordered() Setup {
	for _, step := range []struct {
		at   *time.Time
		next time.Time
	}{{&s.Connected, s.Heard}, {&s.Paired, earlier(s.Connected, s.Heard)}} {
		*step.at = earlier(*step.at, step.next)
	}
	return s
}

// earlier is the first of two times, of which one may not have come.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// TraceSetup takes a call's set-up that is over, one way or the other.
func (t *Telemetry) TraceSetup(s Setup) {
	if t == nil {
		return
	}
	of := &parent{traceID: randomID(16)}
	if !t.isSampled(of.traceID) {
		return
	}
	over := s.Heard
	if over.IsZero() {
		over = s.Ended
	}
	s = s.ordered()
	root := newSpan(of, "call set-up", s.Asked, over, s.Heard.IsZero())
	root.Kind = trace.Span_SPAN_KIND_SERVER
	root.Attributes = []*common.KeyValue{text("parley.agent", s.Agent)}
	in := &parent{traceID: of.traceID, spanID: root.SpanId}
	spans := []*trace.Span{root}
	step := func(in *parent, name string, begun, ended time.Time) *parent {
		if begun.IsZero() {
			return in
		}
		isFailed := ended.IsZero()
		if isFailed {
			ended = over
		}
		if ended.Before(begun) {
			ended = begun
		}
		span := newSpan(in, name, begun, ended, isFailed)
		spans = append(spans, span)
		return &parent{traceID: in.traceID, spanID: span.SpanId}
	}
	step(in, "admission", s.Asked, s.Admitted)
	signaling := step(in, "signaling", s.Admitted, s.Answered)
	step(signaling, "agent", s.AgentAsked, s.AgentAnswered)
	step(in, "ice", s.Answered, s.Paired)
	step(in, "dtls", s.Paired, s.Connected)
	step(in, "first media", s.Connected, s.Heard)
	for _, span := range spans[1:] {
		if span.Name == "agent" {
			span.Kind = trace.Span_SPAN_KIND_CLIENT
		}
	}
	t.spans.add(spans...)
}
