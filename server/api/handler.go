package api

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"parley/server/accesslog"
	"parley/shared/rest"
)

// Deadlines of one request. There is none for the whole server: a global one
// would end every stream, and none at all lets a dead reader hold a connection.
const (
	// bodyTimeout ends a body that trickles in; 64 KiB need less on any line.
	bodyTimeout = 30 * time.Second
	// answerTimeout ends an answer that nobody takes. The program's 2 MB take
	// two minutes at 140 kbit/s, below which no call would work either.
	answerTimeout = 2 * time.Minute
)

// ServeHTTP is the way of every request: it gets an id, deadlines and the host
// check, then goes to the interface, the socket or the pages.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(requestID, "req_"+rand.Text()[:16])
	a.setDeadlines(w, r)
	out := &answer{ResponseWriter: w}
	defer a.recovered(out, r)
	if isSocket(r.URL.Path) {
		out.hasBegun = true // it may be: the socket's connection is its own
		a.route(w, r)       // whoever takes it over needs the server's bare writer
		return
	}
	a.route(out, r)
}

func (a *API) route(w http.ResponseWriter, r *http.Request) {
	if err := a.Auth.CheckHost(r); err != nil && !isOldProbe(r) {
		a.fail(w, r, err)
		return
	}
	if redirectToCanonical(w, r) {
		return
	}
	if !isAPIPath(r.URL.Path) {
		a.Site.ServeHTTP(w, r)
		return
	}
	setAPIHeaders(w.Header())
	a.setCORS(w, r)
	_, pattern := a.mux.Handler(r)
	if pattern == "" {
		if !a.preflight(w, r) {
			a.refuseUnrouted(w, r)
		}
		return
	}
	_, path, _ := strings.Cut(pattern, " ")
	accesslog.LineOf(r.Context()).Route(path)
	if out, ok := w.(*answer); ok && a.Meter != nil && !isLongLived(path) {
		defer a.observe(r, pattern, out, time.Now())
	}
	a.mux.ServeHTTP(w, r)
}

// isOldProbe tells a load balancer's check by HTTP/1.0 (HAProxy's httpchk), which
// knows no Host. What it asks for is the same under any name.
func isOldProbe(r *http.Request) bool {
	health := r.URL.Path == rest.PathHealth || r.URL.Path == rest.PathReady
	return health && r.Host == "" && !r.ProtoAtLeast(1, 1)
}

// isSocket tells paths of WebSockets.
func isSocket(path string) bool { return path == rest.PathSocket || path == rest.PathSideband }

// isLongLived tells routes whose answers last as long as somebody wants: how long
// they took says nothing of the server.
func isLongLived(path string) bool {
	return isSocket(path) || path == rest.PathStream || path == rest.PathPersonData || strings.HasPrefix(path, exportRoot)
}

// observe tells how a request went; one that panicked before it answered gets
// a 500 after this.
func (a *API) observe(r *http.Request, route string, out *answer, begun time.Time) {
	status := out.status
	if status == 0 {
		status = http.StatusInternalServerError
	}
	a.Meter.Observe(route, status, time.Since(begun))
	if a.OnAnswer != nil {
		a.OnAnswer(r, out.Header().Get(requestID), route, status, begun)
	}
}

// answer knows whether it has begun, and how.
type answer struct {
	http.ResponseWriter
	hasBegun bool
	status   int
}

func (a *answer) WriteHeader(status int) {
	if !a.hasBegun {
		a.hasBegun, a.status = true, status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if !a.hasBegun {
		a.hasBegun, a.status = true, http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController what it needs for flushes and deadlines.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// isAPIPath tells the interface's paths from the pages'.
func isAPIPath(path string) bool {
	switch path {
	case "/api", rest.PathHealth, rest.PathReady, rest.PathMetrics:
		return true
	}
	return strings.HasPrefix(path, "/api/") || isOpenAIPath(path)
}

// setAPIHeaders: answers of the interface are nobody's to keep, frame, sniff or
// run.
func setAPIHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
}

// setDeadlines has nobody's body waited for until ExpectBody: over HTTP/1
// net/http reads up to 256 KiB of what was left unread before it answers. On a
// connection that is closed anyway it answers first; see lingering.
func (a *API) setDeadlines(w http.ResponseWriter, r *http.Request) {
	rc, now := http.NewResponseController(w), time.Now()
	err := rc.SetWriteDeadline(now.Add(answerTimeout))
	switch {
	case err != nil || r.Body == http.NoBody:
	case r.ProtoMajor == 1:
		w.Header().Set("Connection", "close")
		err = rc.SetReadDeadline(now)
	default:
		err = rc.SetReadDeadline(now.Add(bodyTimeout))
	}
	if err != nil {
		a.Log.WarnContext(r.Context(), "no deadline for a request", "err", err)
	}
}

// ExpectBody gives one who may come in the time to send a body. A handler that is not
// behind the guard calls it before it reads.
func ExpectBody(w http.ResponseWriter, r *http.Request) error {
	if r.ProtoMajor != 1 {
		return nil
	}
	w.Header().Del("Connection")
	return http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
}

// recovered answers for a handler that panicked. Where the answer had begun,
// the connection is cut, so that nobody takes half of it for the whole.
func (a *API) recovered(w *answer, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause != http.ErrAbortHandler {
		a.Log.ErrorContext(r.Context(), "handler panicked", "err", fmt.Sprint(cause), "stack", string(debug.Stack()))
	}
	if w.hasBegun || cause == http.ErrAbortHandler {
		panic(http.ErrAbortHandler)
	}
	Refuse(w, r, rest.Problem{Code: rest.CodeServerError})
}

// refuseUnrouted says 405 with what is allowed, or 404, as the mux would, but
// as a problem.
func (a *API) refuseUnrouted(w http.ResponseWriter, r *http.Request) {
	if allow := a.allowed(r); allow != "" {
		w.Header().Set("Allow", withImplied(allow))
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent) // that was the question (RFC 9110 §9.3.7)
			return
		}
		Refuse(w, r, rest.Problem{Code: rest.CodeMethod})
		return
	}
	notFound(w, r)
}

// allowed asks the mux which of our methods have a route at this path.
func (a *API) allowed(r *http.Request) string {
	var found []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe := *r
		probe.Method = method
		if _, pattern := a.mux.Handler(&probe); pattern != "" {
			found = append(found, method)
		}
	}
	return strings.Join(found, ", ")
}

// withImplied adds the methods that every path takes which has others: HEAD where
// GET is, and the question itself.
func withImplied(allow string) string {
	if strings.HasPrefix(allow, http.MethodGet) {
		allow = http.MethodGet + ", " + http.MethodHead + strings.TrimPrefix(allow, http.MethodGet)
	}
	return allow + ", " + http.MethodOptions
}

func notFound(w http.ResponseWriter, r *http.Request) {
	Refuse(w, r, rest.Problem{Code: rest.CodeNotFound})
}
