package callapi

import (
	"errors"
	"net/http"

	"parley/server/accesslog"
	"parley/server/admission"
	"parley/server/fault"
	"parley/shared/rest"
)

// hangUp ends a call of who asks. Another's is as unknown as one that is over.
func (h *Handler) hangUp(w http.ResponseWriter, r *http.Request) *rest.Problem {
	id, p := h.authenticate(r)
	if p != nil {
		return p
	}
	if p := h.countRequest(id.Account()); p != nil {
		return p
	}
	c, session := h.find(r.PathValue("id")), sessionID(r.PathValue("id"))
	if c != nil && c.account != id.Account() {
		return unknownCall()
	}
	var err error
	if c == nil {
		err = h.cfg.EndElsewhere(r.Context(), session, admission.CallerOf(id, h.cfg.Remote(r)))
	} else {
		accesslog.LineOf(r.Context()).Session(session)
		err = h.cfg.EndSession(r.Context(), session)
	}
	if errors.Is(err, fault.NotFound) {
		return unknownCall()
	} else if err != nil {
		return admission.Problem(http.StatusInternalServerError, rest.CodeServerError)
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// FieldCall is what problems name when there is no such call.
const FieldCall = "call_id"

func unknownCall() *rest.Problem {
	p := admission.Problem(http.StatusNotFound, rest.CodeNotFound)
	p.Field = FieldCall
	return p
}
