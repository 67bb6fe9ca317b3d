package upstream

import (
	"net/http"
	"net/url"
	"strings"

	"parley/server/agent"
)

// rawSDP asks by the bare offer, is answered 201 with a description and the call's
// Location, and hangs up by DELETE.
type rawSDP struct{}

func (rawSDP) newCall(to *url.URL, offer string, _ *Config, _ agent.Call) (*http.Request, error) {
	r, err := http.NewRequest(http.MethodPost, to.String(), strings.NewReader(offer))
	if err == nil {
		r.Header.Set("Content-Type", "application/sdp")
	}
	return r, err
}

func (rawSDP) readCall(header http.Header, body []byte) (string, string, error) {
	return readSDPCall(header, body)
}

func (rawSDP) newHangUp(to *url.URL, ref string) (*http.Request, error) {
	return http.NewRequest(http.MethodDelete, to.JoinPath(ref).String(), nil)
}

func (rawSDP) takesSession() bool { return false }
