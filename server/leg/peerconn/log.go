package peerconn

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/pion/logging"
)

// MaxLogRate bounds pion's lines a second, of all connections: a call that comes
// about makes some sixty, a stranger's garbage any number. Those left out are
// counted in the next line.
const MaxLogRate = 200

// Log is a logging.LoggerFactory that passes on what pion logs, all of it at
// debug, without what secures a call: pion names ICE user names, passwords and
// fingerprints in what it logs. At any other level it costs a look.
type Log struct {
	out  *slog.Logger
	mask func(string) string
	rate *logRate // shared by all that are made of one
}

// NewLog returns a Log that masks addresses by mask; nil leaves them.
func NewLog(out *slog.Logger, mask func(string) string) Log {
	if mask == nil {
		mask = func(s string) string { return s }
	}
	return Log{out, mask, new(logRate)}
}

// Of is the Log of one session.
func (l Log) Of(session string) Log {
	l.out = l.out.With("session", session)
	return l
}

// NewLogger implements logging.LoggerFactory.
func (l Log) NewLogger(scope string) logging.LeveledLogger { return scopedLog{l, scope} }

// logRate counts the lines of a second.
type logRate struct{ second, lines, omitted atomic.Int64 }

// take reports whether one more line may be written at now, and how many were left
// out since the newest.
func (r *logRate) take(now time.Time) (omitted int64, ok bool) {
	if second := now.Unix(); r.second.Swap(second) != second {
		r.lines.Store(0)
	}
	if r.lines.Add(1) > MaxLogRate {
		r.omitted.Add(1)
		return 0, false
	}
	return r.omitted.Swap(0), true
}

// secret is what pion calls a secret by, with what follows.
var secret = regexp.MustCompile(`(?i)\b(?:\w*(?:ufrag|pwd|password|fingerprint|username|credential|secret)\w*|userhash|realm|nonce|(?:session|master|private|shared) ?key)\b[^,;\n]*`)

// plain gives a value of pion's as it may stand in a line. A bare text may be
// anything, a password too; numbers, errors, states and addresses say what they
// are.
func plain(v any) any {
	switch v := v.(type) {
	case nil, bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, float32, float64, time.Duration, net.Addr, net.IP, error, fmt.Stringer:
		return v
	}
	return "•••"
}

// anyVerb is a verb that a mask couldn't be written by.
var anyVerb = regexp.MustCompile(`%[+#\-0-9.]*[a-zA-Z]`)

// scopedLog is the Log of one part of pion's.
type scopedLog struct {
	Log
	scope string
}

func (s scopedLog) writef(format string, args []any) {
	if !s.out.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	shown := make([]any, len(args))
	for i, arg := range args {
		shown[i] = plain(arg)
	}
	s.write(fmt.Sprintf(anyVerb.ReplaceAllString(format, "%v"), shown...))
}

func (s scopedLog) write(message string) {
	ctx := context.Background()
	if !s.out.Enabled(ctx, slog.LevelDebug) {
		return
	}
	omitted, ok := s.rate.take(time.Now())
	if !ok {
		return
	}
	attrs := []any{"event", "pion", "scope", s.scope}
	if omitted > 0 {
		attrs = append(attrs, "omitted", omitted)
	}
	s.out.DebugContext(ctx, s.mask(secret.ReplaceAllString(message, "•••")), attrs...)
}

// Trace implements logging.LeveledLogger: of each packet nothing is said.
func (scopedLog) Trace(string) {}

// Tracef implements logging.LeveledLogger.
func (scopedLog) Tracef(string, ...any) {}

// Debug implements logging.LeveledLogger.
func (s scopedLog) Debug(message string) { s.write(message) }

// Debugf implements logging.LeveledLogger.
func (s scopedLog) Debugf(format string, args ...any) { s.writef(format, args) }

// Info implements logging.LeveledLogger.
func (s scopedLog) Info(message string) { s.write(message) }

// Infof implements logging.LeveledLogger.
func (s scopedLog) Infof(format string, args ...any) { s.writef(format, args) }

// Warn implements logging.LeveledLogger.
func (s scopedLog) Warn(message string) { s.write(message) }

// Warnf implements logging.LeveledLogger.
func (s scopedLog) Warnf(format string, args ...any) { s.writef(format, args) }

// Error implements logging.LeveledLogger.
func (s scopedLog) Error(message string) { s.write(message) }

// Errorf implements logging.LeveledLogger.
func (s scopedLog) Errorf(format string, args ...any) { s.writef(format, args) }
