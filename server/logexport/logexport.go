// Package logexport owns handing the access log and the audit log on to a collector
// outside: syslog over TLS or TCP, or HTTP. The record's own tables are the spool, with
// a cursor beside them that moves when the collector has what was sent: each line
// arrives at least once, in the order of its log, a restart or an outage between. It
// keeps no copy and never more than a batch in memory; nobody waits for it.
package logexport

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"parley/server/metrics"
	"parley/shared/rest"
)

// Limits of what is sent at once, and of how often it is tried.
const (
	// maxLogs and maxAudit bound the lines of one batch, which is held in memory: an
	// audit line has up to 256 KiB of details.
	maxLogs  = 500
	maxAudit = 50
	// maxBatch bounds its bytes, unless one line alone has more: what collectors take.
	maxBatch = 1 << 20
	// DefaultInterval is of Config: a line is on its way a second after it was written.
	DefaultInterval = time.Second
	// maxRetry bounds the pause after a failure, which doubles each time.
	maxRetry = time.Minute
	// maxRetryAfter is the longest pause that a collector may ask for.
	maxRetryAfter = 15 * time.Minute
	// patience is how long a collector may take for a batch.
	patience = 30 * time.Second
	// failingAfter is how long nothing is taken until the server counts as degraded.
	failingAfter = time.Minute
)

// The logs, as lines, metrics and messages name them.
const (
	accessLog = "access"
	auditLog  = "audit"
)

// doneOutcome is of an act that an admin was let do.
const doneOutcome = "done"

// Store is where lines wait.
type Store interface {
	UnsentLogs(ctx context.Context, most int) ([]rest.LogEntry, error)
	LogsSent(ctx context.Context, last int64) error
	UnsentAudit(ctx context.Context, most int) ([]rest.AuditEntry, error)
	AuditSent(ctx context.Context, last int64) error
	LostLines(ctx context.Context) (access, audit int64, err error)
}

// Config is what an Exporter needs.
type Config struct {
	// Destination is where lines go: https, http, syslog+tls or syslog+tcp.
	Destination *url.URL
	// Token gives the bearer token for HTTP as it is by now; nil or "": none.
	Token func() string
	// RootCAs verify the collector; nil is the machine's own.
	RootCAs *x509.CertPool
	Store   Store
	// Patience is how long a collector may take for a batch; 0 is patience.
	Patience time.Duration
	// Interval is how often the logs are looked at while there is nothing to send, and
	// the pause after a first failure; 0 is DefaultInterval.
	Interval time.Duration
	Node     string // of whom lines are, where they don't say
	Version  string
	// Encode writes a line as the API writes it; nil is encoding/json's.
	Encode func(any) ([]byte, error)
	Logger *slog.Logger // may be nil
}

// line is one of a log, ready to be sent.
type line struct {
	number   int64 // by which its log orders it
	at       time.Time
	log      string
	node     string
	severity severity
	body     []byte // JSON, one line
}

// sender hands a batch to a collector. It returns nil once the collector has all of it.
type sender interface {
	send(ctx context.Context, batch []line) error
}

// Exporter hands on both logs. It is safe for use by many goroutines.
type Exporter struct{ streams []*stream }

// New returns an Exporter to a destination that CheckDestination takes. Nothing is
// sent before Run.
func New(cfg Config) (*Exporter, error) {
	if cfg.Encode == nil {
		cfg.Encode = json.Marshal
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Interval <= 0 {
		cfg.Interval = DefaultInterval
	}
	if cfg.Patience <= 0 {
		cfg.Patience = patience
	}
	if err := CheckDestination(cfg.Destination); err != nil {
		return nil, err
	}
	to := newSender(cfg)
	access := &stream{log: accessLog, most: maxLogs, interval: cfg.Interval, to: to, logger: cfg.Logger, read: cfg.readAccess, confirm: cfg.Store.LogsSent}
	access.lostLines = func(ctx context.Context) (int64, error) {
		lost, _, err := cfg.Store.LostLines(ctx)
		return lost, err
	}
	audit := &stream{log: auditLog, most: maxAudit, interval: cfg.Interval, to: to, logger: cfg.Logger, read: cfg.readAudit, confirm: cfg.Store.AuditSent}
	audit.lostLines = func(ctx context.Context) (int64, error) {
		_, lost, err := cfg.Store.LostLines(ctx)
		return lost, err
	}
	return &Exporter{streams: []*stream{access, audit}}, nil
}

func newSender(cfg Config) sender {
	if isHTTP(cfg.Destination) {
		return newHTTPSender(cfg)
	}
	return newSyslogSender(cfg)
}

// Run hands lines on until ctx is done. What is left waits for the next start.
func (e *Exporter) Run(ctx context.Context) {
	if e == nil {
		return
	}
	var running sync.WaitGroup
	for _, s := range e.streams {
		running.Go(func() { s.run(ctx) })
	}
	running.Wait()
}

// Figures tell how far each log has come.
func (e *Exporter) Figures() (all []metrics.LogExport) {
	if e == nil {
		return nil
	}
	for _, s := range e.streams {
		all = append(all, s.figures())
	}
	return all
}

// IsFailing reports whether the collector has taken nothing of a log for a minute while
// lines wait.
func (e *Exporter) IsFailing() bool {
	if e == nil {
		return false
	}
	for _, s := range e.streams {
		if s.isFailing() {
			return true
		}
	}
	return false
}

func (c *Config) readAccess(ctx context.Context) ([]line, error) {
	entries, err := c.Store.UnsentLogs(ctx, maxLogs)
	if err != nil {
		return nil, err
	}
	lines := make([]line, len(entries))
	for i := range entries {
		e := &entries[i]
		lines[i] = line{number: e.ID, at: e.T, log: accessLog, node: e.Node, severity: informational}
		if e.Status >= http.StatusInternalServerError {
			lines[i].severity = warning
		}
		if lines[i].body, err = c.encode(accessLog, e); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

func (c *Config) readAudit(ctx context.Context) ([]line, error) {
	entries, err := c.Store.UnsentAudit(ctx, maxAudit)
	if err != nil {
		return nil, err
	}
	lines := make([]line, len(entries))
	for i := range entries {
		e := &entries[i]
		lines[i] = line{number: e.Seq, at: e.T, log: auditLog, node: e.Node, severity: warning}
		if e.Outcome == doneOutcome {
			lines[i].severity = notice
		}
		if lines[i].body, err = c.encode(auditLog, e); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

// encode writes an entry as one object that begins with the name of its log.
func (c *Config) encode(log string, entry any) ([]byte, error) {
	body, err := c.Encode(entry)
	if err != nil {
		return nil, fmt.Errorf("a line of the %s log can't be encoded: %w", log, err)
	}
	return append([]byte(`{"log":"`+log+`",`), bytes.TrimPrefix(body, []byte("{"))...), nil
}
