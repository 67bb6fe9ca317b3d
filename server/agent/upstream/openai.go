package upstream

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"

	"parley/server/agent"
)

// openAI asks by multipart/form-data with the offer and the session, is answered 201
// with a description and the call's Location, and hangs up by POST …/hangup. Azure
// speaks it at an address and with a header of its own.
type openAI struct{}

// safetyIdentifier tells one user's abuse from all others' at the service.
const safetyIdentifier = "OpenAI-Safety-Identifier"

func (openAI) newCall(to *url.URL, offer string, cfg *Config, call agent.Call) (*http.Request, error) {
	session, err := json.Marshal(cfg.Session.whole(cfg.definitions()))
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, part := range []struct {
		name, kind string
		content    []byte
	}{{"sdp", "application/sdp", []byte(offer)}, {"session", "application/json", session}} {
		w, err := form.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {`form-data; name="` + part.name + `"`}, "Content-Type": {part.kind},
		})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(part.content); err != nil {
			return nil, err
		}
	}
	if err := form.Close(); err != nil {
		return nil, err
	}
	r, err := http.NewRequest(http.MethodPost, to.String(), &body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set(safetyIdentifier, call.User)
	return r, nil
}

func (openAI) readCall(header http.Header, body []byte) (string, string, error) {
	return readSDPCall(header, body)
}

func (openAI) newHangUp(to *url.URL, ref string) (*http.Request, error) {
	return http.NewRequest(http.MethodPost, to.JoinPath(ref, "hangup").String(), nil)
}

func (openAI) takesSession() bool { return true }
