// Package metrics owns how the server itself does: what Prometheus reads, and
// the last five minutes of every route. What others count it asks them for, so
// that nothing is counted twice; no label of its names a person, a session or
// an address.
package metrics

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"parley/shared/quality"
	"parley/shared/rest"
)

const (
	// MaxRoutes bounds the routes that are told apart, so that no mistake of a
	// caller makes a series of every path.
	MaxRoutes = 128
	// other is the route of what came after them, and of what matched none.
	other = "other"
	// maxScrapes at once: one that hangs must not hold up the next for ever.
	maxScrapes = 4
)

// Config is where figures come from. Every func may be nil: its figures are
// then left out.
type Config struct {
	Version, Commit string
	// DataDir is the folder whose disk must not fill up.
	DataDir string

	Stats           func() rest.Stats
	Log             func() (queued int, dropped int64)
	Readers         func() int // of the monitoring stream
	AlertsFiring    func() int
	WebhooksDropped func() int64
	Attempts        func() map[string]int64 // on audio, all refused, by operation
	Unrecorded      func() int64            // of quality and ends
	DatabaseSize    func() int64
}

// Metrics is safe for use by many goroutines.
type Metrics struct {
	cfg      Config
	began    time.Time
	registry *prometheus.Registry
	handler  http.Handler

	took   *prometheus.HistogramVec
	asked  *prometheus.CounterVec
	commit *prometheus.HistogramVec
	loss   *prometheus.HistogramVec
	rtt    *prometheus.HistogramVec

	mu     sync.RWMutex
	routes map[string]*route
	all    *window
}

// route is one that is told apart: its series, and its last minutes.
type route struct {
	method, path string
	window       *window
}

// New makes Metrics with a registry of their own.
func New(c Config) *Metrics {
	m := &Metrics{
		cfg: c, began: time.Now(), registry: prometheus.NewRegistry(),
		routes: make(map[string]*route), all: new(window),
		took: histogram("parley_http_request_duration_seconds", "Time from a request to the end of its answer.",
			[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}, "method", "route"),
		asked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_http_requests_total", Help: "Requests that were answered.",
		}, []string{"method", "route", "code"}),
		commit: histogram("parley_audit_commit_duration_seconds", "Time until a line of the audit log was on the disk.",
			[]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .5, 2}, "outcome"),
		loss: histogram("parley_line_loss_ratio", "Effective loss of live calls over ten seconds, one observation a second.",
			[]float64{0, .005, .01, .02, .03, .05, .1, .2, .5}, "direction"),
		rtt: histogram("parley_line_round_trip_seconds", "Round trip of live calls over ten seconds, one observation a second.",
			[]float64{.02, .05, .1, .15, .25, .4, .6, 1, 2}, "direction"),
	}
	m.registry.MustRegister(m.took, m.asked, m.commit, m.loss, m.rtt, &picture{cfg: c},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: maxScrapes,
	})
	return m
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

// Metrics serves the Prometheus text. Who may read it is asked before.
func (m *Metrics) Metrics() http.Handler { return m.handler }

// Observe takes one answered request. pattern is the route that matched, as
// net/http's mux writes it ("GET /path/{id}"), never what was asked for.
func (m *Metrics) Observe(pattern string, status int, took time.Duration) {
	r := m.route(pattern)
	m.took.WithLabelValues(r.method, r.path).Observe(took.Seconds())
	m.asked.WithLabelValues(r.method, r.path, code(status)).Inc()
	now := time.Since(m.began)
	r.window.add(now, status, took)
	m.all.add(now, status, took)
}

func (m *Metrics) route(pattern string) *route {
	m.mu.RLock()
	r := m.routes[pattern]
	m.mu.RUnlock()
	if r != nil {
		return r
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.routes[pattern]; !known && (pattern == "" || len(m.routes) >= MaxRoutes-1) {
		pattern = other
	}
	if r := m.routes[pattern]; r != nil {
		return r
	}
	r = &route{path: pattern, window: new(window)}
	if method, path, ok := strings.Cut(pattern, " "); ok {
		r.method, r.path = method, path
	}
	m.routes[pattern] = r
	return r
}

// code is a status as a label: one of those HTTP has.
func code(status int) string {
	if status < 100 || status > 599 {
		return other
	}
	return string([]byte{'0' + byte(status/100), '0' + byte(status/10%10), '0' + byte(status%10)})
}

// AuditCommitted takes how long a line of the audit log took, and how it went.
func (m *Metrics) AuditCommitted(took time.Duration, err error) {
	outcome := "done"
	if err != nil {
		outcome = "failed"
	}
	m.commit.WithLabelValues(outcome).Observe(took.Seconds())
}

// LineSampled takes the newest figures of one direction of a live call.
func (m *Metrics) LineSampled(d quality.Direction, f rest.Metrics) {
	if f.LossRatio != nil {
		m.loss.WithLabelValues(string(d)).Observe(*f.LossRatio)
	}
	if f.RTTMS != nil {
		m.rtt.WithLabelValues(string(d)).Observe(*f.RTTMS / 1000)
	}
}
