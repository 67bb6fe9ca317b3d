package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"parley/shared/rest"
	"parley/shared/wire"
)

// maxAnswer bounds what is read of an answer: 1 MiB, more than any set of keys has.
const maxAnswer = 1 << 20

// running is a server that runs on the port of --http.
type running struct {
	base       string
	client     *http.Client
	isDraining bool
	degraded   []string // parts that fail
}

// findRunning asks who listens there; isHTTPS is how that one speaks, if it is a
// Parley. On this machine the certificate's name is not asked for: that is for the
// check of certificates.
func findRunning(ctx context.Context, addr string, expectHTTPS bool) (r *running, isHTTPS bool, err error) {
	client := newClient(&tls.Config{InsecureSkipVerify: true})
	for _, isHTTPS := range []bool{expectHTTPS, !expectHTTPS} {
		r := &running{base: "http://" + addr, client: client}
		if isHTTPS {
			r.base = "https://" + addr
		}
		failed := r.askReadiness(ctx, r.base)
		if failed == nil {
			return r, isHTTPS, nil
		}
		err = cmp.Or(err, failed)
	}
	return nil, false, err
}

// askReadiness fails unless a Parley answers.
func (r *running) askReadiness(ctx context.Context, base string) error {
	var ready struct {
		Status   string   `json:"status"`
		Degraded []string `json:"degraded"`
	}
	_, err := getJSON(ctx, r.client, base+rest.PathReady, "", &ready)
	refused, isProblem := errors.AsType[*rest.Problem](err)
	switch {
	case isProblem && refused.Code == rest.CodeDraining:
		r.isDraining = true
		return nil
	case err != nil:
		return err
	case ready.Status != "ready" && ready.Status != "degraded":
		return fmt.Errorf("%s answers something else", rest.PathReady)
	}
	r.degraded = ready.Degraded
	return nil
}

// iceServers are those that a caller would be told.
func (r *running) iceServers(ctx context.Context, token string) ([]wire.ICEServer, error) {
	var admission rest.Admission
	_, err := getJSON(ctx, r.client, r.base+rest.PathAdmission, token, &admission)
	return admission.ICEServers, err
}

// newClient makes a client that follows nobody elsewhere.
func newClient(t *tls.Config) *http.Client {
	return &http.Client{
		Timeout:       answerTimeout,
		Transport:     &http.Transport{TLSClientConfig: t, DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// getJSON asks for a document. The headers are there when somebody answered, whatever
// the error; that of a Parley's refusal is a rest.Problem.
func getJSON(ctx context.Context, client *http.Client, from, token string, into any) (http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer res.Body.Close()
	body := json.NewDecoder(io.LimitReader(res.Body, maxAnswer))
	if res.StatusCode != http.StatusOK {
		refused := new(rest.Problem)
		if body.Decode(refused) == nil && refused.Code != "" {
			return res.Header, refused
		}
		return res.Header, fmt.Errorf("it answers %s", res.Status)
	}
	if into == nil {
		return res.Header, nil
	}
	if body.Decode(into) != nil {
		return res.Header, errors.New("it answers no JSON")
	}
	return res.Header, nil
}

// withoutURL leaves out what the sentence around it says already.
func withoutURL(err error) error {
	if told, ok := errors.AsType[*url.Error](err); ok {
		return told.Err
	}
	return err
}
