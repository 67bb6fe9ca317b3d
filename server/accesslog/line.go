package accesslog

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode"

	"parley/shared/rest"
)

// MaxField bounds a text of a line, in characters: none of ours comes near, and
// a stranger's is cut.
const MaxField = 300

// lineKey is where a request's line is in its context.
type lineKey struct{}

// Line is the line of one request, while it lasts. The methods say what the
// middleware can't see, and do nothing on a nil Line.
type Line struct {
	mu      sync.Mutex
	user    string
	org     string
	session string
	route   string
	code    string
	kind    rest.LogKind
}

// LineOf gives the line of a request, or nil where none is written.
func LineOf(ctx context.Context) *Line {
	l, _ := ctx.Value(lineKey{}).(*Line)
	return l
}

// User says who asks.
func (l *Line) User(sub, org string) {
	l.set(func() { l.user, l.org = sub, org })
}

// Session says which session it is about.
func (l *Line) Session(id string) {
	l.set(func() { l.session = id })
}

// Route says which route answers, with its parameters as names.
func (l *Line) Route(pattern string) {
	l.set(func() { l.route = pattern })
}

// Code says why it was refused or how it ended.
func (l *Line) Code(code string) {
	l.set(func() { l.code = code })
}

// Kind says that it isn't a plain request.
func (l *Line) Kind(kind rest.LogKind) {
	l.set(func() { l.kind = kind })
}

func (l *Line) set(change func()) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// Wrap logs every request that next answers, when it is answered.
func (l *Log) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !l.cfg.Enabled() {
			next.ServeHTTP(w, r)
			return
		}
		begun := time.Now()
		line := &Line{kind: kindOf(r.URL.Path)}
		seen := &responseRecorder{ResponseWriter: w}
		defer func() { l.finish(line, seen, r, begun) }() // a panic is answered with 500 above us, or cut
		next.ServeHTTP(seen.writer(), r.WithContext(context.WithValue(r.Context(), lineKey{}, line)))
	})
}

// finish adds the line, or counts the request with others of the same stranger.
func (l *Log) finish(line *Line, seen *responseRecorder, r *http.Request, begun time.Time) {
	remote := l.cfg.Remote(r)
	if !line.hasUser() && !l.strangers.takeLine(remote, l.cfg.Mask.Address(remote)) {
		return
	}
	l.add(l.entry(line, seen, r, begun))
}

func (l *Line) hasUser() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.user != ""
}

func kindOf(path string) rest.LogKind {
	switch {
	case path == rest.PathSocket, path == rest.PathSideband:
		return rest.LogSocket
	case path == rest.PathStream:
		return rest.LogStream
	case strings.HasPrefix(path, "/api/"), strings.HasPrefix(path, "/v1/"), path == rest.PathHealth, path == rest.PathReady, path == rest.PathMetrics:
		return rest.LogAPI
	}
	return rest.LogPage
}

func (l *Log) entry(line *Line, seen *responseRecorder, r *http.Request, begun time.Time) rest.LogEntry {
	line.mu.Lock()
	defer line.mu.Unlock()
	e := rest.LogEntry{
		T: time.Now().UTC().Truncate(time.Millisecond), Kind: line.kind, Method: cleanField(r.Method),
		Path: cleanField(l.cfg.Mask.Path(r.URL.Path)), Route: line.route, Status: seen.outcome(),
		DurationMS: float64(time.Since(begun).Microseconds()) / 1000,
		User:       cleanField(l.cfg.Mask.Person(line.user)), Org: cleanField(line.org), Remote: l.cfg.Mask.Address(l.cfg.Remote(r)),
		Session: cleanField(l.cfg.Mask.Text(line.session)), RequestID: seen.Header().Get("X-Request-Id"), Node: l.cfg.Node,
		Bytes: seen.bytes, UserAgent: cleanField(l.cfg.Mask.Text(r.UserAgent())), Code: line.code,
	}
	if l.cfg.UserKey != nil && line.user != "" {
		e.UserKey = l.cfg.UserKey(line.user)
	}
	return e
}

// cleanField makes a stranger's text one harmless piece of a line: no control, no
// bidirectional or other invisible characters, at most MaxField long.
func cleanField(s string) string {
	var out strings.Builder
	n := 0
	for _, r := range s {
		if n == MaxField {
			break
		}
		if !unicode.IsPrint(r) && r != ' ' || r == unicode.ReplacementChar {
			r = '·'
		}
		out.WriteRune(r)
		n++
	}
	return out.String()
}
