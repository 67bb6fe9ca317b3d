package callapi

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"

	"parley/server/admission"
	"parley/shared/rest"
	"parley/shared/wire"
)

// Media types of bodies.
const (
	sdpType  = "application/sdp"
	formType = "multipart/form-data"
	jsonType = "application/json"
)

// asked is what a call is asked for with.
type asked struct {
	sdp   string
	model string // as it was written; "": none was
}

// sessionConfig is what is read of a session as a client writes it. The rest of it,
// the server's agent has from nobody: it is left unread.
type sessionConfig struct {
	Type  string `json:"type"`
	Model string `json:"model"`
}

// readOffer reads the body in either form.
func (h *Handler) readOffer(w http.ResponseWriter, r *http.Request) (asked, *rest.Problem) {
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != sdpType && kind != formType {
		p := admission.Problem(http.StatusUnsupportedMediaType, rest.CodeMediaType)
		p.Detail = "Send " + sdpType + ", or " + formType + " with the fields sdp and session"
		return asked{}, p
	}
	if err := h.cfg.ExpectBody(w, r); err != nil {
		return asked{}, unreadable(err, "")
	}
	body := http.MaxBytesReader(w, r.Body, MaxBody)
	a := asked{model: r.URL.Query().Get("model")}
	var p *rest.Problem
	if kind == sdpType {
		a.sdp, p = readText(body, "sdp", wire.MaxSDP)
	} else {
		p = a.readForm(multipart.NewReader(body, params["boundary"]))
	}
	if p == nil && a.sdp == "" {
		p = admission.Problem(http.StatusBadRequest, rest.CodeBadOffer)
		p.Field, p.Detail = "sdp", "There is no offer"
	}
	return a, p
}

// readForm reads the parts of a form. Others than the two that there are mean nothing.
func (a *asked) readForm(form *multipart.Reader) *rest.Problem {
	seen := map[string]bool{}
	for range maxParts {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return unreadable(err, "")
		}
		name := part.FormName()
		if seen[name] {
			return unreadable(errors.New("given twice"), name)
		}
		seen[name] = true
		if p := a.readPart(name, part); p != nil {
			return p
		}
	}
	return unreadable(errors.New("too many parts"), "")
}

func (a *asked) readPart(name string, part io.Reader) (p *rest.Problem) {
	switch name {
	case "sdp":
		a.sdp, p = readText(part, name, wire.MaxSDP)
	case "session":
		var text string
		if text, p = readText(part, name, MaxBody); p != nil {
			return p
		}
		s, p := readSession([]byte(text), name)
		if p == nil && s.Model != "" {
			a.model = s.Model
		}
		return p
	}
	return p
}

// readSession reads a session as a client writes it.
func readSession(text []byte, field string) (s sessionConfig, p *rest.Problem) {
	if json.Unmarshal(text, &s) != nil {
		return s, unreadable(errors.New("not a JSON object"), field)
	}
	if s.Type != "" && s.Type != "realtime" {
		p = admission.FieldProblem(field + ".type")
		p.Detail = "Sessions are of type realtime"
	}
	return s, p
}

// readText reads all there is, up to a limit.
func readText(from io.Reader, field string, limit int64) (string, *rest.Problem) {
	text, err := io.ReadAll(io.LimitReader(from, limit+1))
	if err != nil {
		return "", unreadable(err, field)
	}
	if int64(len(text)) > limit {
		return "", tooLarge(field)
	}
	return string(text), nil
}

func tooLarge(field string) *rest.Problem {
	p := admission.Problem(http.StatusRequestEntityTooLarge, rest.CodeTooLarge)
	p.Field = field
	return p
}

// unreadable is a body that can't be read: it is too large, or no such body at all.
func unreadable(err error, field string) *rest.Problem {
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return tooLarge(field)
	}
	p := admission.Problem(http.StatusBadRequest, rest.CodeMalformed)
	p.Field = field
	return p
}
