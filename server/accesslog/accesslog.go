// Package accesslog owns the record of who asked for what, from where, and how
// it went: one line for every request, socket and stream. People are masked
// before a line exists; a line never stands in a request's way, and one that
// can't be written is counted and given up, for calls go on. Who asks for much
// without a valid token has one line a second for what is beyond a limit.
package accesslog

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"parley/shared/rest"
)

// How lines are gathered. Defaults of Config.
const (
	// DefaultQueue is how many lines may wait: two seconds at the rate that the
	// store is proved for. Beyond it lines are dropped and counted.
	DefaultQueue = 40_000
	// DefaultBatch and DefaultDelay bound one commit: a line is on disk 50 ms
	// after its answer, or sooner when there are many.
	DefaultBatch = 512
	DefaultDelay = 50 * time.Millisecond
	// retryAfter is how long a store that refused a batch is left alone. The
	// queue holds what comes meanwhile.
	retryAfter = time.Second
	// closeTimeout bounds the last commit.
	closeTimeout = 2 * time.Second
)

// Sink keeps lines. One call is one commit.
type Sink interface {
	AppendLogs(ctx context.Context, lines []rest.LogEntry) error
}

// Mask takes people out of a line.
type Mask interface {
	Address(string) string
	Person(string) string
	Path(string) string
	Text(string) string
}

// Config is what a Log needs.
type Config struct {
	Sink Sink
	Mask Mask
	Node string
	// Remote gives a request's peer address; nil takes the socket's.
	Remote func(*http.Request) string
	// Enabled tells whether monitoring is on; nil is always.
	Enabled func() bool
	// UserKey is what a user's lines are found by, whoever reads their masks.
	UserKey func(sub string) string
	Out     io.Writer // each line as JSON, for collectors; may be nil
	// Encode writes a line for Out as the API writes it; nil is encoding/json's.
	Encode func(any) ([]byte, error)
	// NewID gives a line the id by which Sink keeps it and Out tells it; nil leaves
	// that to Sink.
	NewID  func() int64
	Logger *slog.Logger // may be nil
	Queue  int
	Batch  int
	Delay  time.Duration
	// StrangerLines is how many lines a second an address without a valid token
	// has; what it asks beyond is counted in one.
	StrangerLines int
}

// Log takes lines and commits them in groups. It is safe for concurrent use.
type Log struct {
	cfg       Config
	queue     chan *rest.LogEntry // by pointer: what may wait is 10 MB, and seldom does
	strangers *strangerLimiter
	dropped   atomic.Int64
	failing   atomic.Bool
}

// New makes a Log. Nothing is kept before Run.
func New(cfg Config) *Log {
	if cfg.Remote == nil {
		cfg.Remote = func(r *http.Request) string { return r.RemoteAddr }
	}
	if cfg.Enabled == nil {
		cfg.Enabled = func() bool { return true }
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Queue <= 0 {
		cfg.Queue = DefaultQueue
	}
	if cfg.Batch <= 0 {
		cfg.Batch = DefaultBatch
	}
	if cfg.Delay <= 0 {
		cfg.Delay = DefaultDelay
	}
	if cfg.Encode == nil {
		cfg.Encode = json.Marshal
	}
	if cfg.NewID == nil {
		cfg.NewID = func() int64 { return 0 }
	}
	if cfg.StrangerLines <= 0 {
		cfg.StrangerLines = DefaultStrangerLines
	}
	return &Log{cfg: cfg, queue: make(chan *rest.LogEntry, cfg.Queue), strangers: newStrangerLimiter(cfg.StrangerLines)}
}

// Dropped is how many lines were given up since the start.
func (l *Log) Dropped() int64 { return l.dropped.Load() }

// Queued is how many lines wait.
func (l *Log) Queued() int { return len(l.queue) }

// Failing tells that the newest commit failed.
func (l *Log) Failing() bool { return l.failing.Load() }

func (l *Log) add(e rest.LogEntry) {
	select {
	case l.queue <- &e:
	default:
		l.dropped.Add(1)
	}
}

// Run commits lines until ctx is done, then what is left.
func (l *Log) Run(ctx context.Context) {
	var counting sync.WaitGroup
	counting.Go(func() { l.addSurplus(ctx) })
	defer counting.Wait()
	batch := make([]rest.LogEntry, 0, l.cfg.Batch)
	for {
		select {
		case e := <-l.queue:
			batch = l.gatherBatch(ctx, append(batch[:0], *e))
			l.commitBatch(ctx, batch)
		case <-ctx.Done():
			l.drain(ctx, batch[:0])
			return
		}
	}
}

// gatherBatch waits for more lines, until the batch is full or its first line is due.
func (l *Log) gatherBatch(ctx context.Context, batch []rest.LogEntry) []rest.LogEntry {
	due := time.NewTimer(l.cfg.Delay)
	defer due.Stop()
	for len(batch) < l.cfg.Batch {
		select {
		case e := <-l.queue:
			batch = append(batch, *e)
		case <-due.C:
			return batch
		case <-ctx.Done():
			return batch
		}
	}
	return batch
}

// commitBatch keeps one batch, trying again until ctx is done: while it waits, the
// queue fills, and what doesn't fit is counted.
func (l *Log) commitBatch(ctx context.Context, batch []rest.LogEntry) {
	l.printLines(batch)
	for {
		err := l.cfg.Sink.AppendLogs(context.WithoutCancel(ctx), batch)
		if err == nil {
			l.failing.Store(false)
			return
		}
		if !l.failing.Swap(true) { // once an outage, not once a second
			l.cfg.Logger.Error("access log can't be written", "event", "accesslog", "err", err)
		}
		select {
		case <-time.After(retryAfter):
		case <-ctx.Done():
			l.dropped.Add(int64(len(batch)))
			return
		}
	}
}

func (l *Log) drain(ctx context.Context, batch []rest.LogEntry) {
	l.addCounted(time.Now())
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	for {
		select {
		case e := <-l.queue:
			if batch = append(batch, *e); len(batch) < l.cfg.Batch {
				continue
			}
		default:
			if len(batch) == 0 {
				return
			}
		}
		l.printLines(batch)
		if err := l.cfg.Sink.AppendLogs(last, batch); err != nil {
			l.dropped.Add(int64(len(batch) + len(l.queue)))
			l.cfg.Logger.Error("the last log lines are lost", "event", "accesslog", "err", err)
			return
		}
		batch = batch[:0]
	}
}

// printLines gives the lines their ids and writes them for whoever collects standard
// output, whether or not the store takes them. A collector that is gone is no
// reason to stop.
func (l *Log) printLines(batch []rest.LogEntry) {
	for i := range batch {
		batch[i].ID = l.cfg.NewID()
	}
	if l.cfg.Out == nil {
		return
	}
	for i := range batch {
		line, err := l.cfg.Encode(&batch[i])
		if err != nil {
			continue
		}
		_, _ = l.cfg.Out.Write(append(line, '\n'))
	}
}
