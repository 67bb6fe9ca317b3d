package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collectorlogs "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	collectormetrics "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"parley/shared/rest"
)

const otlpTokenOfTests = "otlp-token-of-the-tests"

// otlpReceiver is a collector of OpenTelemetry.
type otlpReceiver struct {
	*httptest.Server

	mu      sync.Mutex
	spans   []*trace.Span
	metrics []string
	records []string
	all     bytes.Buffer // as text
}

func receiveOTLP(t *testing.T) *otlpReceiver {
	t.Helper()
	o := &otlpReceiver{}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Authorization") != "Bearer "+otlpTokenOfTests || r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s %v %v", r.URL, r.Header, err)
		}
		if err := o.take(r.URL.Path, body); err != nil {
			t.Errorf("%s: %v", r.URL, err)
		}
	}))
	t.Cleanup(o.Close)
	return o
}

func (o *otlpReceiver) take(path string, body []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var message proto.Message
	switch path {
	case "/in/v1/traces":
		message = new(collectortrace.ExportTraceServiceRequest)
	case "/in/v1/metrics":
		message = new(collectormetrics.ExportMetricsServiceRequest)
	case "/in/v1/logs":
		message = new(collectorlogs.ExportLogsServiceRequest)
	}
	if err := proto.Unmarshal(body, message); err != nil {
		return err
	}
	switch m := message.(type) {
	case *collectortrace.ExportTraceServiceRequest:
		o.spans = append(o.spans, m.ResourceSpans[0].ScopeSpans[0].Spans...)
	case *collectormetrics.ExportMetricsServiceRequest:
		for _, one := range m.ResourceMetrics[0].ScopeMetrics[0].Metrics {
			o.metrics = append(o.metrics, one.Name)
		}
	case *collectorlogs.ExportLogsServiceRequest:
		for _, one := range m.ResourceLogs[0].ScopeLogs[0].LogRecords {
			o.records = append(o.records, one.Body.GetStringValue())
		}
	}
	o.all.WriteString(prototext.Format(message))
	return nil
}

// span returns the newest of a name, or nil.
func (o *otlpReceiver) span(name string) *trace.Span {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range slices.Backward(o.spans) {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// A real call's set-up arrives as a trace whose steps follow each other; requests,
// metrics and log lines arrive, too; and nobody can be found in any of it.
func TestTelemetryOfACall(t *testing.T) {
	t.Parallel()
	o := receiveOTLP(t)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(otlpTokenOfTests), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "--otlp-endpoint="+o.URL+"/in/", "--otlp-sample=1", "--otlp-token-file="+token, "--privacy=off")
	const ada = "ada.lovelace@example.com"
	begun := time.Now()
	k := p.talking(t, ada, "echo")
	k.say(t, 200*time.Millisecond, true)
	session := k.session()
	eventually(t, "the call's trace", func() bool { return o.span("call set-up") != nil })
	p.ask(t, "demo-admin", http.MethodPost, strings.Replace(rest.PathEnd, "{id}", session, 1), rest.EndRequest{Reason: "over and out"}, nil)
	k.over(t)
	p.stop()
	p.finished(t)

	root := o.span("call set-up")
	if root.ParentSpanId != nil || len(root.TraceId) != 16 || root.Kind != trace.Span_SPAN_KIND_SERVER || root.Status.Code != trace.Status_STATUS_CODE_UNSET {
		t.Errorf("%v", root)
	}
	if from, to := int64(root.StartTimeUnixNano), int64(root.EndTimeUnixNano); from < begun.UnixNano() || to <= from || to > time.Now().UnixNano() {
		t.Errorf("the set-up lasted from %d to %d", from, to)
	}
	at := root.StartTimeUnixNano
	for _, name := range []string{"admission", "signaling", "ice", "dtls", "first media"} {
		step := o.span(name)
		if step == nil || !bytes.Equal(step.TraceId, root.TraceId) || !bytes.Equal(step.ParentSpanId, root.SpanId) || step.Status.Code != trace.Status_STATUS_CODE_UNSET ||
			step.StartTimeUnixNano != at || step.EndTimeUnixNano < at || step.EndTimeUnixNano > root.EndTimeUnixNano {
			t.Fatalf("%s: %v of %v", name, step, root)
		}
		at = step.EndTimeUnixNano
	}
	signaling, agent := o.span("signaling"), o.span("agent")
	if agent == nil || !bytes.Equal(agent.ParentSpanId, signaling.SpanId) || agent.StartTimeUnixNano < signaling.StartTimeUnixNano || agent.EndTimeUnixNano > signaling.EndTimeUnixNano {
		t.Errorf("agent: %v of %v", agent, signaling)
	}
	if end := o.span("POST " + rest.PathEnd); end == nil || end.ParentSpanId != nil {
		t.Errorf("the request: %v", end)
	}
	o.check(t, ada, p.token(t, ada), session)
}

// check holds that figures and lines arrived, and that nobody stands in them.
func (o *otlpReceiver) check(t *testing.T, subject, token, session string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, name := range []string{"parley_sessions_started_total", "parley_http_request_duration_seconds", "go_gc_duration_seconds", "parley_agent_calls"} {
		if !slices.Contains(o.metrics, name) {
			t.Errorf("no %s", name)
		}
	}
	if !slices.Contains(o.records, "session ended") || !slices.Contains(o.records, "draining") {
		t.Errorf("log lines: %q", o.records)
	}
	all := o.all.String()
	for _, secret := range []string{subject, "lovelace", token, token[len(token)-20:], session, "127.0.0.1", "demo-admin", "over and out", "Bearer", "a=candidate", "ufrag"} {
		if strings.Contains(all, secret) {
			i := strings.Index(all, secret)
			t.Errorf("%q stands in what is sent: …%s…", secret, all[max(0, i-200):min(len(all), i+200)])
		}
	}
}

// A collector that is gone costs no call anything, and the server's end only a moment.
func TestACollectorOfTelemetryThatIsGone(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	gone.Close()
	p := start(t, "--otlp-endpoint="+gone.URL, "--otlp-sample=1")
	k := p.talking(t, "ada", "echo")
	k.say(t, 100*time.Millisecond, true)
	eventually(t, "audio comes back", func() bool { return len(k.back()) > 0 })
	eventually(t, "a line says so", func() bool { return strings.Contains(p.logs.String(), "telemetry can't be sent") })
	k.say(t, 100*time.Millisecond, true)
	p.stop()
	p.finished(t)
}
