package certificate

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/mholt/acmez/v3/acme"
	"go.uber.org/zap/zapcore"
)

// repeatInterval is how often the same fault is said again while it lasts: often
// enough to be found, too seldom to fill a log in the month that it may last.
const repeatInterval = time.Hour

// faultLog tells of what came of the attempts to get a certificate.
type faultLog struct {
	directory  string
	hasAccount bool // that was made at the authority beforehand
	log        *slog.Logger

	mu   sync.Mutex
	said map[string]time.Time // by the kind of fault
}

func newFaultLog(directory string, hasAccount bool, log *slog.Logger) *faultLog {
	return &faultLog{directory: directory, hasAccount: hasAccount, log: log, said: make(map[string]time.Time)}
}

// observe takes the library's events.
func (f *faultLog) observe(_ context.Context, event string, data map[string]any) error {
	if event != "cert_obtained" {
		return nil
	}
	f.mu.Lock()
	clear(f.said)
	f.mu.Unlock()
	f.log.Info("a certificate was issued", "event", "certificate", "domain", data["identifier"], "renewal", data["renewal"])
	return nil
}

// report says a fault, unless it was said of late.
func (f *faultLog) report(err error) {
	if sentence, isDue := f.next(err, time.Now()); isDue {
		f.log.Error("no certificate could be had; what was there before stays in use, and it is tried again", "event", "certificate", "err", sentence)
	}
}

// next returns the sentence of a fault and if it is to be said now: one of its kind
// was not said for some time. The library wraps an error again and again, and its
// details differ by the attempt, so a kind is a problem's type, or the text of an
// error that holds no other that was said.
func (f *faultLog) next(err error, now time.Time) (sentence string, isDue bool) {
	if errors.Is(err, context.Canceled) {
		return "", false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	kind := err.Error()
	var problem acme.Problem
	if errors.As(err, &problem) {
		kind = problem.Type
	}
	for said, at := range f.said {
		if strings.Contains(kind, said) && now.Sub(at) < repeatInterval {
			return "", false
		}
	}
	f.said[kind] = now
	return explain(f.directory, f.hasAccount, err), true
}

// zapCore takes what the library logs: its errors are told in our words, all else
// is for who looks for details.
type zapCore struct {
	faults *faultLog
	log    *slog.Logger
	fields []zapcore.Field
}

// Enabled implements zapcore.Core.
func (c *zapCore) Enabled(level zapcore.Level) bool {
	return level >= zapcore.ErrorLevel || c.log.Enabled(context.Background(), slog.LevelDebug)
}

// With implements zapcore.Core.
func (c *zapCore) With(fields []zapcore.Field) zapcore.Core {
	return &zapCore{faults: c.faults, log: c.log, fields: append(c.fields[:len(c.fields):len(c.fields)], fields...)}
}

// Check implements zapcore.Core.
func (c *zapCore) Check(entry zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return to.AddCore(entry, c)
	}
	return to
}

// Write implements zapcore.Core.
func (c *zapCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	values := zapcore.NewMapObjectEncoder()
	for _, field := range append(c.fields[:len(c.fields):len(c.fields)], fields...) {
		if err, ok := field.Interface.(error); ok && entry.Level >= zapcore.ErrorLevel && field.Type == zapcore.ErrorType {
			c.faults.report(err)
		}
		field.AddTo(values)
	}
	c.log.Debug(entry.Message, "event", "certificate", "details", values.Fields)
	return nil
}

// Sync implements zapcore.Core.
func (c *zapCore) Sync() error { return nil }
