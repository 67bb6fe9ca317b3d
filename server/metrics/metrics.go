// Package metrics owns how the server itself does: what Prometheus reads, and
// the last five minutes of every route. What others count it asks them for, so
// that nothing is counted twice; no label of its names a person, a session or
// an address.
package metrics

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"parley/shared/rest"
)

const (
	// MaxRoutes bounds the routes that are told apart, so that no mistake of a
	// caller makes a series of every path.
	MaxRoutes = 128
	// otherRoute is the route of what came after them, and of what matched none.
	otherRoute = "other"
	// maxScrapes at once: one that hangs must not hold up the next for ever.
	maxScrapes = 4
)

// Config is where figures come from: the methods of those who count, asked at the
// moment of a scrape. Every func may be nil: its figures are then left out.
type Config struct {
	// Observer is what was told; nil makes one.
	Observer        *Observer
	Version, Commit string
	// DataDir is the folder whose disk must not fill up.
	DataDir string

	Stats           func(org string) rest.Stats
	LogQueued       func() int // access-log lines
	LogDropped      func() int64
	AlertsFiring    func() int
	AuditIntact     func() bool // whether the newest check of the audit chain held
	WebhooksDropped func() int64
	HangUpsFailed   func() int64
	Privacy         func() rest.Privacy
	Unrecorded      func() int64    // of quality and ends
	Relayed         func() *Relayed // by the TURN server; nil: there is none
	DatabaseSize    func() int64
	DiskUsed        func() float64            // 0 to 1, of the record's disk; 0 where it can't be asked
	Agents          func() []rest.AgentStatus // those that callers may choose
	Degraded        func() map[string]bool    // whether they are, by part
	LogExports      func() []LogExport        // none: nobody takes the logs
	// TelemetryDropped are spans and log records that OTLP's collector did not take.
	TelemetryDropped func() (spans, records int64)

	// Bus is that of a node of a cluster; nil: the server is alone.
	Bus func() Bus

	// Totals are those of ended calls of all time, and of the newest days.
	Totals func(ctx context.Context, org string, days int) (rest.Totals, error)

	// CertificateValidity is of the certificate of HTTPS; both are zero without one.
	CertificateValidity func() (from, to time.Time)
}

// Relayed is what a TURN server did since its start.
type Relayed struct {
	Allocations    int64            // there are right now
	Opened         map[string]int64 // by transport
	Refused        map[string]int64 // by reason
	Received, Sent int64            // bytes of clients, and to them
	Dropped        int64            // packets over a session's rate
}

// Bus is what a node's bus did since the start. What is by reason has each, at 0 too.
type Bus struct {
	IsConnected    bool
	Sent, Received int64            // messages
	Dropped        map[string]int64 // of those received, by reason
	Requests       int64            // to other nodes
	Failures       map[string]int64 // of those, by reason
	Reconnects     int64
}

// LogExport is how far a log has come on its way to a collector.
type LogExport struct {
	Log   string
	Sent  int64 // lines since the start
	Aside int64 // lines that the collector refused for good, since the start
	Lost  int64 // lines that were deleted before, of all times
	Lag   time.Duration
}

// Metrics is safe for use by many goroutines.
type Metrics struct {
	*Observer
	cfg      Config
	registry *prometheus.Registry
	handler  http.Handler
	usage    usageMeter
}

// New makes Metrics with a registry of their own.
func New(c Config) *Metrics {
	if c.Observer == nil {
		c.Observer = NewObserver()
	}
	registry := prometheus.NewRegistry()
	m := &Metrics{Observer: c.Observer, cfg: c, registry: registry}
	registry.MustRegister(c.Observer.collectors()...)
	registry.MustRegister(&collector{cfg: c}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: maxScrapes,
	})
	return m
}

// Gather reads what a scrape would, for whoever sends it elsewhere.
func (m *Metrics) Gather() ([]*dto.MetricFamily, error) { return m.registry.Gather() }

// Metrics serves the Prometheus text. Who may read it is asked before.
func (m *Metrics) Metrics() http.Handler { return m.handler }
