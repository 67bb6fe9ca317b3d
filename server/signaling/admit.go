package signaling

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/gorilla/websocket"

	"parley/server/accesslog"
	"parley/server/admission"
	"parley/server/auth"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

// admitted is a caller whose socket may be opened, with a place, or without
// one: then a session of this caller waits for its socket, and the first
// message says whether this is it.
type admitted struct {
	caller session.Caller
	place  *session.Session // nil: not decided
	origin origin
}

// release frees the place of a socket that never opened. No one has heard of it.
func (a admitted) release() {
	if a.place != nil {
		a.place.End(wire.ConnectionLost, "")
	}
}

// admit makes the checks before the upgrade, in the order of the contract. The
// cheap and the anonymous ones come first; the place comes last, so that there
// is nothing to wait for once it is taken.
func (h *Handler) admit(r *http.Request) (admitted, *rest.Problem) {
	if err := h.cfg.Auth.CheckOrigin(r); err != nil {
		return admitted{}, admission.Problem(http.StatusForbidden, rest.CodeOrigin)
	}
	id, err := h.cfg.Auth.Authenticate(r)
	if err != nil {
		return admitted{}, admission.Problem(http.StatusUnauthorized, rest.CodeUnauthorized)
	}
	accesslog.LineOf(r.Context()).User(id.Subject, id.Org)
	c := admission.CallerOf(id, h.cfg.Remote(r))
	c.Agent, c.Host = r.URL.Query().Get("agent"), auth.HTTPSHost(r)
	if problem := h.check(r, c); problem != nil {
		return admitted{caller: c}, problem
	}
	return h.findSession(r, c)
}

// check makes those checks that a caller who is known can fail.
func (h *Handler) check(r *http.Request, c session.Caller) *rest.Problem {
	_, _, perUser := h.cfg.Sessions.Capacity()
	if p := h.cfg.Checks.Check(c, perUser); p != nil {
		return p
	}
	if !websocket.IsWebSocketUpgrade(r) || !slices.Contains(websocket.Subprotocols(r), wire.Subprotocol) {
		return admission.Problem(http.StatusBadRequest, rest.CodeMalformed)
	}
	// An empty value is a value, and none that these take.
	query := r.URL.Query()
	if !h.cfg.HasAgent(c.Agent, c.User, c.Org) || query.Has("agent") && c.Agent == "" {
		return admission.FieldProblem("agent")
	}
	if query.Has("takeover") && query.Get("takeover") != "1" {
		return admission.FieldProblem("takeover")
	}
	return nil
}

// findSession takes a place, unless the caller may be here for the one already held:
// when a session waits for its socket, or when none is free and the socket that
// holds the caller's does not answer. A takeover leaves the caller no session that
// waits: it takes a place now.
func (h *Handler) findSession(r *http.Request, c session.Caller) (admitted, *rest.Problem) {
	isTakeover := r.URL.Query().Get("takeover") == "1"
	if isTakeover || !h.cfg.Sessions.Resumable(c) { // a call that is on has the notice that it was given
		if p := h.cfg.BudgetProblem(r.Context(), c); p != nil {
			return admitted{caller: c}, p
		}
	}
	if isTakeover {
		s, err := h.cfg.Sessions.TakeOver(c)
		if err != nil {
			return admitted{caller: c}, admission.RefusalProblem(admission.RefusalOf(err))
		}
		return admitted{caller: c, place: s}, nil
	}
	if h.cfg.Sessions.Resumable(c) || h.isElsewhere(c) {
		return admitted{caller: c}, nil
	}
	s, err := h.cfg.Sessions.Admit(c)
	if err == nil {
		return admitted{caller: c, place: s}, nil
	}
	refused := admission.RefusalOf(err)
	if refused.Code != session.Draining && h.isSilent(r.Context(), c.Account()) {
		return admitted{caller: c}, nil
	}
	if h.cfg.Elsewhere != nil && h.cfg.Elsewhere.HoldsOnRecord(r.Context(), c) {
		return admitted{caller: c}, nil
	}
	return admitted{caller: c}, admission.RefusalProblem(refused)
}

// isElsewhere reports whether another node holds what the caller may come back for.
func (h *Handler) isElsewhere(c session.Caller) bool {
	return h.cfg.Elsewhere != nil && h.cfg.Elsewhere.Holds(c)
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
	h.refuse(w, r, org, admission.Problem(status, code))
}
