// Package signaling owns the caller's WebSocket: who may open one, what is
// read from it and written to it, how fast, and how it is closed. It turns
// frames into calls of package session and back; it decides nothing about a
// session but that its socket is gone, and knows nothing of media.
package signaling

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"

	"parley/server/accesslog"
	"parley/server/admission"
	"parley/server/auth"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

// Auth says who opens a socket, and from which page. *auth.Auth is one.
type Auth interface {
	CheckOrigin(*http.Request) error
	Authenticate(*http.Request) (auth.Identity, error)
}

// Sessions give places. *session.Sessions is one.
type Sessions interface {
	Admit(session.Caller) (*session.Session, error)
	TakeOver(session.Caller) (*session.Session, error)
	Resume(c session.Caller, id, token string) (*session.Session, error)
	Resumable(session.Caller) bool
	Capacity() (live, limit, perUser int)
}

// Config wires a Handler.
type Config struct {
	Auth     Auth
	Sessions Sessions
	// Refuse writes the problem of a socket that was not opened; Retry-After is
	// set already.
	Refuse func(http.ResponseWriter, *http.Request, rest.Problem)
	// Refused is told of each socket that was not opened: the organization of the
	// token, if there was a good one, and why. nil: nobody is.
	Refused func(org string, code rest.ProblemCode)
	// Checks are those before a place is taken, for every way in. nil: its own, with
	// the defaults.
	Checks *admission.Checks
	// Remote gives the peer's address; nil takes the TCP connection's.
	Remote func(*http.Request) string
	// BudgetProblem says that a caller has spent what they may at c.Agent; nil: they have
	// not. nil func: nobody has a budget.
	BudgetProblem func(ctx context.Context, c session.Caller) *rest.Problem
	// HasAgent reports whether a user may ask for an agent with ?agent=, "" being that
	// of who asks for none. Anything else is refused.
	HasAgent func(agent, user, org string) bool
	// IsSecure reports whether the caller used HTTPS; nil looks at the connection.
	IsSecure func(*http.Request) bool
	// Elsewhere is what other nodes hold; nil: the server is alone.
	Elsewhere Elsewhere
	Limits    Limits
	Logger    *slog.Logger // nil discards
}

// Handler serves rest.PathSocket.
type Handler struct {
	cfg      Config
	limits   Limits
	upgrader websocket.Upgrader
	stopping chan struct{} // closed by Close
	serving  sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	sockets map[string]map[*socket]struct{} // open ones, by session.Caller.Account
}

// New makes a Handler. It starts nothing.
func New(cfg Config) *Handler {
	if cfg.Remote == nil {
		cfg.Remote = func(r *http.Request) string { return r.RemoteAddr }
	}
	if cfg.Refused == nil {
		cfg.Refused = func(string, rest.ProblemCode) {}
	}
	if cfg.BudgetProblem == nil {
		cfg.BudgetProblem = func(context.Context, session.Caller) *rest.Problem { return nil }
	}
	if cfg.IsSecure == nil {
		cfg.IsSecure = func(r *http.Request) bool { return r.TLS != nil }
	}
	if cfg.Checks == nil {
		cfg.Checks = admission.NewChecks(admission.Config{})
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Handler{
		cfg:      cfg,
		limits:   cfg.Limits.orDefaults(),
		stopping: make(chan struct{}),
		sockets:  make(map[string]map[*socket]struct{}),
	}
	h.upgrader = websocket.Upgrader{
		HandshakeTimeout: h.limits.HandshakeTimeout,
		ReadBufferSize:   ioBuffer,
		WriteBufferSize:  ioBuffer,
		WriteBufferPool:  &sync.Pool{},
		Subprotocols:     []string{wire.Subprotocol},
		CheckOrigin:      func(*http.Request) bool { return true }, // Auth did, before anything else
	}
	return h
}

// ServeHTTP checks, upgrades, and returns when the socket is gone.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.beginServing() {
		h.refuse(w, r, "", admission.RefusalProblem(&session.Refusal{Code: session.Draining}))
		return
	}
	defer h.serving.Done()
	a, problem := h.admit(r)
	if problem != nil {
		h.refuse(w, r, a.caller.Org, problem)
		return
	}
	a.origin = h.originOf(r)
	upgrader := h.upgrader
	upgrader.Error = func(w http.ResponseWriter, r *http.Request, status int, _ error) {
		h.refuseHandshake(w, r, a.caller.Org, status)
	}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil { // answered by refuseHandshake, or the peer is gone
		a.release()
		return
	}
	logLastSession(accesslog.LineOf(r.Context()), h.serve(conn, a))
}

// logLastSession puts the session of a socket that is gone into its log line.
func logLastSession(line *accesslog.Line, last *session.Link) {
	if last == nil {
		return
	}
	line.Session(last.Session().ID())
	var end *session.End
	if errors.As(context.Cause(last.Session().Context()), &end) {
		line.Code(string(end.Cause))
	}
}

func (h *Handler) beginServing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.serving.Add(1)
	return true
}

// Close closes every socket with 1012 and waits until all are gone. Sessions
// that still live keep their grace; end them before.
func (h *Handler) Close() error {
	h.mu.Lock()
	if !h.closed {
		h.closed = true
		close(h.stopping)
		for _, sockets := range h.sockets {
			for s := range sockets {
				s.boundWrites()
			}
		}
	}
	h.mu.Unlock()
	h.serving.Wait()
	return nil
}

func (h *Handler) add(s *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sockets[s.caller.Account()] == nil {
		h.sockets[s.caller.Account()] = make(map[*socket]struct{})
	}
	h.sockets[s.caller.Account()][s] = struct{}{}
}

func (h *Handler) remove(s *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets[s.caller.Account()], s)
	if len(h.sockets[s.caller.Account()]) == 0 {
		delete(h.sockets, s.caller.Account())
	}
}

func (h *Handler) socketsOf(account string) []*socket {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*socket, 0, len(h.sockets[account]))
	for s := range h.sockets[account] {
		list = append(list, s)
	}
	return list
}
