package callapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"parley/server/accesslog"
	"parley/server/admission"
	"parley/server/auth"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

// visitor is who asks for a call: by a token, or by a client secret in its place.
type visitor struct {
	caller session.Caller
	secret *auth.ClientSecret
}

// create starts a call: 201, its answer, and where it is to be found.
func (h *Handler) create(w http.ResponseWriter, r *http.Request) *rest.Problem {
	v, p := h.identify(r)
	if p == nil {
		p = h.start(w, r, v)
	}
	if p != nil {
		h.cfg.Refused(v.caller.Org, p.Code)
	}
	return p
}

// identify says who asks. No body is read of one who may not come in.
func (h *Handler) identify(r *http.Request) (visitor, *rest.Problem) {
	found, isSecret, err := h.cfg.Secrets.FindClientSecret(r)
	id, v := found.Identity, visitor{}
	switch {
	case err != nil:
		return v, admission.Problem(http.StatusUnauthorized, rest.CodeUnauthorized)
	case isSecret:
		v.secret = &found
		accesslog.LineOf(r.Context()).User(id.Subject, id.Org)
	default:
		var p *rest.Problem
		if id, p = h.authenticate(r); p != nil {
			return v, p
		}
	}
	v.caller = admission.CallerOf(id, h.cfg.Remote(r))
	v.caller.IsSocketless = true
	return v, nil
}

// start makes the checks in the order of the socket's, takes a place, and answers. The
// place comes last, and is given back on every way out but the call itself.
func (h *Handler) start(w http.ResponseWriter, r *http.Request, v visitor) *rest.Problem {
	_, _, perUser := h.cfg.Sessions.Capacity()
	if p := h.cfg.Checks.Check(v.caller, perUser); p != nil {
		return p
	}
	asked, p := h.readOffer(w, r)
	if p != nil {
		return p
	}
	if v.caller.Agent, p = h.agentFor(v, asked.model); p != nil {
		return p
	}
	place, p := h.place(r, v)
	if p != nil {
		return p
	}
	accesslog.LineOf(r.Context()).Session(place.ID())
	c, answer, p := h.negotiate(r.Context(), place, v.caller, asked.sdp)
	if p != nil {
		return p
	}
	accept(w, c.id, answer)
	return nil
}

// agentFor is the agent that a call is for. One that a client secret was given for is
// fixed: whoever gave it meant that one.
func (h *Handler) agentFor(v visitor, model string) (string, *rest.Problem) {
	bound := v.secret != nil && v.secret.Agent != ""
	if bound && model == "" {
		model = v.secret.Agent
	}
	agent, ok := h.cfg.FindAgent(v.caller, model)
	if !ok || bound && agent != v.secret.Agent {
		return "", unknownModel(FieldModel)
	}
	return agent, nil
}

// FieldModel is what problems name when no agent was meant.
const FieldModel = "model"

func unknownModel(field string) *rest.Problem {
	p := admission.FieldProblem(field)
	p.Detail = "No agent that you may call has this name or this model"
	return p
}

// place takes a place, and spends the client secret that it is taken with.
func (h *Handler) place(r *http.Request, v visitor) (*session.Session, *rest.Problem) {
	admit := h.cfg.Sessions.Admit
	if query := r.URL.Query(); query.Has("takeover") {
		if query.Get("takeover") != "1" {
			return nil, admission.FieldProblem("takeover")
		}
		admit = h.cfg.Sessions.TakeOver
	}
	place, err := admit(v.caller)
	if err != nil {
		return nil, admission.RefusalProblem(admission.RefusalOf(err))
	}
	if v.secret != nil && h.cfg.Secrets.SpendClientSecret(*v.secret) != nil {
		place.End(wire.ConnectionLost, "") // no one has heard of it
		return nil, admission.Problem(http.StatusUnauthorized, rest.CodeUnauthorized)
	}
	return place, nil
}

// negotiate attaches the session and has its offer answered. Who goes away meanwhile
// has left.
func (h *Handler) negotiate(ctx context.Context, place *session.Session, caller session.Caller, sdp string) (*call, string, *rest.Problem) {
	link, err := place.Attach()
	if err != nil {
		return nil, "", ended(err)
	}
	c := &call{handler: h, id: callID(place), account: caller.Account(), link: link}
	link.Offer(wire.Offer{SDP: sdp})
	answer, p := c.waitForAnswer(ctx)
	if p == nil && !h.add(c) {
		p = admission.RefusalProblem(&session.Refusal{Code: session.Draining})
		place.End(wire.ServerShutdown, "")
	}
	if p != nil {
		link.Release()
		return nil, "", p
	}
	return c, answer, nil
}

// waitForAnswer waits for the answer to the call's offer. Without one the session is
// over.
func (c *call) waitForAnswer(ctx context.Context) (string, *rest.Problem) {
	for {
		select {
		case m := <-c.link.Outbox():
			switch m := m.(type) {
			case wire.Answer:
				return m.SDP, nil
			case wire.Error:
				c.link.End(wire.ProtocolError)
				return "", refusedOffer(m)
			case wire.Warning:
				c.early = append(c.early, m)
			}
		case <-c.link.Context().Done():
			return "", ended(context.Cause(c.link.Context()))
		case <-ctx.Done():
			c.link.End(wire.CallerLeft)
			return "", ended(context.Cause(ctx))
		}
	}
}

// refusedOffer says what is wrong with an offer, as the socket would.
func refusedOffer(m wire.Error) *rest.Problem {
	p := admission.Problem(http.StatusBadRequest, rest.CodeBadOffer)
	p.Field, p.Detail = "sdp", m.Reason
	return p
}

// ended says why a call that was about to start is over.
func ended(err error) *rest.Problem {
	var end *session.End
	if !errors.As(err, &end) {
		return admission.Problem(http.StatusInternalServerError, rest.CodeServerError)
	}
	switch end.Cause {
	case wire.AgentUnavailable, wire.AgentLeft:
		p := admission.Problem(http.StatusServiceUnavailable, rest.CodeAgentUnavailable)
		p.Detail = strings.TrimSuffix(end.Message(), ".")
		return p
	case wire.BudgetSpent:
		return admission.Later(admission.Problem(http.StatusTooManyRequests, rest.CodeBudgetSpent), budgetRetry)
	case wire.ServerShutdown:
		return admission.RefusalProblem(&session.Refusal{Code: session.Draining, RetryAfter: session.DefaultDrain})
	case wire.Revoked, wire.TokenExpired:
		return admission.Problem(http.StatusUnauthorized, rest.CodeUnauthorized)
	case wire.PrivacyBlocked:
		return admission.Later(admission.Problem(http.StatusServiceUnavailable, rest.CodePrivacyBlock), admission.ProtectedRetry)
	}
	return admission.Problem(http.StatusInternalServerError, rest.CodeServerError)
}

// accept answers with the description of a call that has started.
func accept(w http.ResponseWriter, id, answer string) {
	h := w.Header()
	h.Set("Content-Type", sdpType)
	h.Set("Location", rest.PathCalls+"/"+id)
	h.Set("Content-Length", strconv.Itoa(len(answer)))
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write([]byte(answer)) // who is gone doesn't connect, and that ends the call
}
