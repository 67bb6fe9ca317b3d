package upstream

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"

	"parley/server/agent"
)

// jsonSDP asks by JSON with offer and model, and is answered by JSON: LocalAI's form.
// It has no hang-up: the end of the connection is the end of the call.
type jsonSDP struct{}

func (jsonSDP) newCall(to *url.URL, offer string, cfg *Config, _ agent.Call) (*http.Request, error) {
	body, err := json.Marshal(struct {
		SDP   string `json:"sdp"`
		Model string `json:"model,omitempty"`
	}{offer, cfg.Session.Model})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest(http.MethodPost, to.String(), bytes.NewReader(body))
	if err == nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, err
}

func (jsonSDP) readCall(header http.Header, body []byte) (answer, ref string, err error) {
	if err := checkMediaType(header, "application/json"); err != nil {
		return "", "", err
	}
	var said struct {
		SDP string `json:"sdp"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return "", "", answerError("the answer is no JSON with sdp")
	}
	return said.SDP, "", nil
}

func (jsonSDP) newHangUp(*url.URL, string) (*http.Request, error) { return nil, nil }

func (jsonSDP) takesSession() bool { return false }
