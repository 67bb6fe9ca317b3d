package callapi

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"parley/server/admission"
	"parley/server/auth"
	"parley/server/session"
	"parley/shared/rest"
)

// secretRequest is what a client secret is asked for with.
type secretRequest struct {
	ExpiresAfter struct {
		Anchor  string `json:"anchor"`
		Seconds *int   `json:"seconds"`
	} `json:"expires_after"`
	Session json.RawMessage `json:"session"`
}

// secretAnswer is a client secret, and of its session what a client may know.
type secretAnswer struct {
	Value     string        `json:"value"`
	ExpiresAt int64         `json:"expires_at"` // in seconds
	Session   secretSession `json:"session"`
}

type secretSession struct {
	Type   string `json:"type"`
	Object string `json:"object"`
	Model  string `json:"model"`
}

// createSecret gives a client secret in place of the token that it is asked for with.
func (h *Handler) createSecret(w http.ResponseWriter, r *http.Request) *rest.Problem {
	id, p := h.authenticate(r)
	if p != nil {
		return p
	}
	if p := h.countRequest(id.Account()); p != nil {
		return p
	}
	asked, p := h.readSecretRequest(w, r)
	if p != nil {
		return p
	}
	agent, model, p := h.agentOf(admission.CallerOf(id, ""), asked)
	if p != nil {
		return p
	}
	if p := h.refusalOfAll(admission.CallerOf(id, "")); p != nil {
		return p
	}
	value, expires, err := h.cfg.Secrets.IssueClientSecret(id, agent, asked.life())
	if errors.Is(err, auth.ErrTooManyClientSecrets) {
		return admission.Later(admission.Problem(http.StatusTooManyRequests, rest.CodeRateLimited), auth.MinClientSecretLife)
	}
	if err != nil {
		return admission.Problem(http.StatusInternalServerError, rest.CodeServerError)
	}
	body := encode(secretAnswer{Value: value, ExpiresAt: expires.Unix(), Session: secretSession{"realtime", "realtime.session", model}})
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the client is gone: nobody is left to tell
	return nil
}

// refusalOfAll is why nobody gets a place now: then a secret would only be refused later.
// Who has no place left of their own may have one when they use it.
func (h *Handler) refusalOfAll(c session.Caller) *rest.Problem {
	err := h.cfg.Sessions.Check(c)
	if err == nil {
		return nil
	}
	if r := admission.RefusalOf(err); r.Code == session.Paused || r.Code == session.Draining {
		return admission.RefusalProblem(r)
	}
	return nil
}

// readSecretRequest reads the body; none asks for what is given by default.
func (h *Handler) readSecretRequest(w http.ResponseWriter, r *http.Request) (asked secretRequest, p *rest.Problem) {
	if r.Body == http.NoBody {
		return asked, nil
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != jsonType {
		p := admission.Problem(http.StatusUnsupportedMediaType, rest.CodeMediaType)
		p.Detail = "Send " + jsonType
		return asked, p
	}
	if err := h.cfg.ExpectBody(w, r); err != nil {
		return asked, unreadable(err, "")
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err == nil {
		err = json.Unmarshal(text, &asked)
	}
	if err != nil {
		return asked, unreadable(err, "")
	}
	if anchor := asked.ExpiresAfter.Anchor; anchor != "" && anchor != "created_at" {
		return asked, admission.FieldProblem("expires_after.anchor")
	}
	if s := asked.ExpiresAfter.Seconds; s != nil && (*s < minSecretSeconds || *s > maxSecretSeconds) {
		return asked, admission.FieldProblem("expires_after.seconds")
	}
	return asked, nil
}

func (a secretRequest) life() time.Duration {
	seconds := defaultSecretSeconds
	if a.ExpiresAfter.Seconds != nil {
		seconds = *a.ExpiresAfter.Seconds
	}
	return time.Duration(seconds) * time.Second
}

// agentOf is the agent that a secret is for, "" if its session names none, and the
// model that its session tells.
func (h *Handler) agentOf(c session.Caller, asked secretRequest) (agent, model string, p *rest.Problem) {
	var s sessionConfig
	if len(asked.Session) > 0 && string(asked.Session) != "null" {
		if s, p = readSession(asked.Session, "session"); p != nil {
			return "", "", p
		}
	}
	agent, ok := h.cfg.FindAgent(c, s.Model)
	if !ok {
		return "", "", unknownModel("session." + FieldModel)
	}
	if s.Model == "" {
		return "", agent, nil
	}
	return agent, s.Model, nil
}
