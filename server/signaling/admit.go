package signaling

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gorilla/websocket"

	"parley/server/accesslog"
	"parley/server/limit"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

// admission is a caller whose socket may be opened, with a place, or without
// one: then a session of this caller waits for its socket, and the first
// message says whether this is it.
type admission struct {
	caller session.Caller
	place  *session.Session // nil: not decided
}

// release frees the place of a socket that never opened. No one has heard of it.
func (a admission) release() {
	if a.place != nil {
		a.place.End(wire.ConnectionLost, "")
	}
}

// admit makes the checks before the upgrade, in the order of the contract. The
// cheap and the anonymous ones come first; the place comes last, so that there
// is nothing to wait for once it is taken.
func (h *Handler) admit(r *http.Request) (admission, *rest.Problem) {
	if err := h.cfg.Auth.CheckOrigin(r); err != nil {
		return admission{}, problem(http.StatusForbidden, rest.CodeOrigin)
	}
	id, err := h.cfg.Auth.Authenticate(r)
	if err != nil {
		return admission{}, problem(http.StatusUnauthorized, rest.CodeUnauthorized)
	}
	accesslog.LineOf(r.Context()).User(id.Subject, id.Org)
	c := session.Caller{
		User: id.Subject, Name: id.Name, Phone: id.Phone, Email: id.Email, Org: id.Org, Remote: h.cfg.Remote(r), TokenExpires: id.ExpiresAt,
		TokenID: id.ID, ServerAdmin: id.ServerAdmin,
		Agent: r.URL.Query().Get("agent"),
	}
	if problem := h.check(r, c); problem != nil {
		return admission{caller: c}, problem
	}
	return h.findSession(r, c)
}

// check makes those checks that a caller who is known can fail.
func (h *Handler) check(r *http.Request, c session.Caller) *rest.Problem {
	_, _, perUser := h.cfg.Sessions.Capacity()
	if wait := h.upgrades.TakeAt(c.Account(), h.limits.Upgrades+2*perUser, time.Now()); wait > 0 {
		return retryLater(problem(http.StatusTooManyRequests, rest.CodeRateLimited), wait)
	}
	if err := h.cfg.Protected(); err != nil {
		return retryLater(problem(http.StatusServiceUnavailable, rest.CodePrivacyBlock), protectedRetry)
	}
	if !websocket.IsWebSocketUpgrade(r) || !slices.Contains(websocket.Subprotocols(r), wire.Subprotocol) {
		return problem(http.StatusBadRequest, rest.CodeMalformed)
	}
	if !h.cfg.HasAgent(c.Agent, c.User, c.Org) {
		p := problem(http.StatusUnprocessableEntity, rest.CodeOutOfRange)
		p.Field = "agent"
		return p
	}
	if takeover := r.URL.Query().Get("takeover"); takeover != "" && takeover != "1" {
		p := problem(http.StatusUnprocessableEntity, rest.CodeOutOfRange)
		p.Field = "takeover"
		return p
	}
	return nil
}

// protectedRetry is when to ask again while nothing protects callers: somebody
// has to mend that first.
const protectedRetry = 15 * time.Second

// findSession takes a place, unless the caller may be here for the one already held:
// when a session waits for its socket, or when none is free and the socket that
// holds the caller's does not answer. A takeover leaves the caller no session that
// waits: it takes a place now.
func (h *Handler) findSession(r *http.Request, c session.Caller) (admission, *rest.Problem) {
	if r.URL.Query().Get("takeover") == "1" {
		s, err := h.cfg.Sessions.TakeOver(c)
		if err != nil {
			return admission{caller: c}, refusal(refusalOf(err))
		}
		return admission{caller: c, place: s}, nil
	}
	if h.cfg.Sessions.Resumable(c) {
		return admission{caller: c}, nil
	}
	s, err := h.cfg.Sessions.Admit(c)
	if err == nil {
		return admission{caller: c, place: s}, nil
	}
	refused := refusalOf(err)
	if refused.Code != session.Draining && h.isSilent(r.Context(), c.Account()) {
		return admission{caller: c}, nil
	}
	return admission{caller: c}, refusal(refused)
}

func refusalOf(err error) *session.Refusal {
	var refused *session.Refusal
	if !errors.As(err, &refused) {
		refused = &session.Refusal{Code: session.Draining}
	}
	return refused
}

// refusal is a refused admission as a problem: the words are the same.
func refusal(r *session.Refusal) *rest.Problem {
	p := retryLater(problem(http.StatusServiceUnavailable, rest.ProblemCode(r.Code)), r.RetryAfter)
	p.Limit = r.Limit
	return p
}

func problem(status int, code rest.ProblemCode) *rest.Problem {
	return &rest.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code}
}

// retryLater says when to ask again, in whole seconds and at least one.
func retryLater(p *rest.Problem, d time.Duration) *rest.Problem {
	p.RetryAfterS = max(1, limit.Seconds(d))
	return p
}

// refuse answers a socket that isn't opened, and tells of it.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, org string, p *rest.Problem) {
	if p.RetryAfterS > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.RetryAfterS))
	}
	accesslog.LineOf(r.Context()).Code(string(p.Code))
	h.cfg.Refused(org, p.Code)
	h.cfg.Refuse(w, r, *p)
}

// refuseHandshake answers what gorilla finds wrong with a handshake.
func (h *Handler) refuseHandshake(w http.ResponseWriter, r *http.Request, org string, status int) {
	code := rest.CodeMalformed
	if status >= http.StatusInternalServerError {
		code = rest.CodeServerError
	}
	h.refuse(w, r, org, problem(status, code))
}
