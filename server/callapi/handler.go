// Package callapi owns the calls of OpenAI's clients: the HTTP interface by which an
// unchanged client of the OpenAI Realtime API starts a call over WebRTC, hangs it up,
// and is given a client secret for one. It plays for one HTTP request the part that
// package signaling plays for a socket: it turns the request into calls of package
// session and back, holds the session's link while the call lasts, and tells the caller
// of its limits by the call's own data channel. It decides nothing about a session, and
// knows nothing of media. PROTOCOL.md has the shapes.
package callapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"parley/server/accesslog"
	"parley/server/admission"
	"parley/server/auth"
	"parley/server/fault"
	"parley/server/limit"
	"parley/server/session"
	"parley/shared/rest"
)

// Auth says who asks, and from which page. *auth.Auth is one.
type Auth interface {
	CheckOrigin(*http.Request) error
	Authenticate(*http.Request) (auth.Identity, error)
}

// Secrets are client secrets. *auth.Auth keeps them.
type Secrets interface {
	IssueClientSecret(id auth.Identity, agent string, life time.Duration) (value string, expires time.Time, err error)
	FindClientSecret(*http.Request) (found auth.ClientSecret, isOne bool, err error)
	SpendClientSecret(auth.ClientSecret) error
}

// Sessions give places. *session.Sessions is one.
type Sessions interface {
	Admit(session.Caller) (*session.Session, error)
	TakeOver(session.Caller) (*session.Session, error)
	Check(session.Caller) error
	Capacity() (live, limit, perUser int)
}

// Config wires a Handler. All of the first part must be given.
type Config struct {
	Auth     Auth
	Secrets  Secrets
	Sessions Sessions
	Checks   *admission.Checks // those of the socket, too
	// FindAgent returns the agent that a caller means by a model: an agent's name, or
	// the model of one. "" is the agent of who asks for none.
	FindAgent func(c session.Caller, model string) (agent string, ok bool)
	// EndSession ends a session as its caller wants it, and returns once that is on
	// record. fault.NotFound: it is over.
	EndSession func(ctx context.Context, id string) error
	// EndElsewhere is EndSession for a session that another node holds, if it is the
	// caller's. nil: there are no others.
	EndElsewhere func(ctx context.Context, id string, c session.Caller) error
	// Steer joins a backend of the operator's to a live session until ctx is done, or
	// ended is called. write, which doesn't wait, gets the events that the backend sees;
	// handle takes what it says. fault.NotFound: no session that this token steers.
	// fault.Conflict: no room for one more. Any other error: the token is nobody's.
	Steer func(ctx context.Context, session, token string, write func([]byte) error, ended func()) (handle func([]byte), err error)
	// Refuse writes the problem of a request that was refused.
	Refuse func(http.ResponseWriter, *http.Request, rest.Problem)
	// ExpectBody gives one who may come in the time to send a body.
	ExpectBody func(http.ResponseWriter, *http.Request) error

	// Refused is told of each call that was not started: the organization of the token,
	// if there was a good one, and why. nil: nobody is.
	Refused func(org string, code rest.ProblemCode)
	// Remote gives the peer's address; nil takes the TCP connection's.
	Remote func(*http.Request) string
	Logger *slog.Logger // nil discards
}

// Handler serves rest.PathCalls and what is beside it.
type Handler struct {
	cfg           Config
	mux           *http.ServeMux
	requests      *limit.Limiter // hang-ups and client secrets, by account
	sidebandTries *limit.Limiter // by address
	running       sync.WaitGroup

	mu     sync.Mutex
	closed bool
	calls  map[string]*call // live ones, by their id
}

// New makes a Handler. It starts nothing.
func New(cfg Config) *Handler {
	if cfg.Refused == nil {
		cfg.Refused = func(string, rest.ProblemCode) {}
	}
	if cfg.EndElsewhere == nil {
		cfg.EndElsewhere = func(context.Context, string, session.Caller) error { return fault.NotFound }
	}
	if cfg.Remote == nil {
		cfg.Remote = func(r *http.Request) string { return r.RemoteAddr }
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Handler{
		cfg: cfg, mux: http.NewServeMux(), calls: make(map[string]*call),
		requests: limit.NewSliding(MaxRequests, time.Minute), sidebandTries: limit.NewSliding(maxSidebandTries, time.Minute),
	}
	h.mux.HandleFunc("POST "+rest.PathCalls, h.answering(h.create))
	h.mux.HandleFunc("POST "+rest.PathHangUp, h.answering(h.hangUp))
	h.mux.HandleFunc("DELETE "+rest.PathCall, h.answering(h.hangUp))
	h.mux.HandleFunc("GET "+rest.PathSideband, h.answering(h.sideband))
	h.mux.HandleFunc("POST "+rest.PathClientSecrets, h.answering(h.createSecret))
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// answering checks the origin, and answers with the problem that do returns, if it
// returns one; else do has answered.
func (h *Handler) answering(do func(w http.ResponseWriter, r *http.Request) *rest.Problem) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var p *rest.Problem
		if h.cfg.Auth.CheckOrigin(r) != nil {
			p = admission.Problem(http.StatusForbidden, rest.CodeOrigin)
		} else {
			p = do(w, r)
		}
		if p != nil {
			accesslog.LineOf(r.Context()).Code(string(p.Code))
			h.cfg.Refuse(w, r, *p)
		}
	}
}

// authenticate says who shows a token of Parley's.
func (h *Handler) authenticate(r *http.Request) (auth.Identity, *rest.Problem) {
	id, err := h.cfg.Auth.Authenticate(r)
	if err != nil {
		return auth.Identity{}, admission.Problem(http.StatusUnauthorized, rest.CodeUnauthorized)
	}
	accesslog.LineOf(r.Context()).User(id.Subject, id.Org)
	return id, nil
}

// countRequest counts a request of a user's that starts no call.
func (h *Handler) countRequest(account string) *rest.Problem {
	if wait := h.requests.Take(account); wait > 0 {
		return admission.Later(admission.Problem(http.StatusTooManyRequests, rest.CodeRateLimited), wait)
	}
	return nil
}

// idPrefix begins the id of each call. The rest is that of its session: who finds one
// finds the other.
const idPrefix = "rtc_"

func callID(s *session.Session) string { return idPrefix + strings.TrimPrefix(s.ID(), sessionPrefix) }

// sessionPrefix is what the ids of sessions begin with.
const sessionPrefix = "sess_"

// sessionID is the session of a call.
func sessionID(call string) string { return sessionPrefix + strings.TrimPrefix(call, idPrefix) }

// add has the handler know a call and hold it until it is over, unless it is closed.
func (h *Handler) add(c *call) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.calls[c.id] = c
	h.running.Go(c.hold)
	return true
}

// begin has Close wait for one more, unless the handler is closed.
func (h *Handler) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.running.Add(1)
	return true
}

func (h *Handler) remove(c *call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.calls, c.id)
}

func (h *Handler) find(id string) *call {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls[id]
}

// Close takes no more calls, and waits until those that there are are over. End their
// sessions before.
func (h *Handler) Close() error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.running.Wait()
	return nil
}
