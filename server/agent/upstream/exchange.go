package upstream

import (
	"context"
	"io"
	"net/http"

	"parley/server/agent"
	"parley/server/outbound"
)

// maxAnswer is the largest answer that is read: a description with 20 candidates has
// 4 KiB, and JSON around it costs little.
const maxAnswer = 64 << 10

// created is a call that a service has opened.
type created struct{ answer, reference string }

// create asks the service for a call.
func (a *Agent) create(ctx context.Context, offer string, call agent.Call) (created, error) {
	r, err := a.dialect.newCall(a.url, offer, &a.cfg, call)
	if err != nil {
		return created{}, a.problem(Broken, "the request can't be written")
	}
	status, header, body, err := a.exchange(ctx, r)
	if err != nil {
		_, ref, _ := a.dialect.readCall(header, nil) // of an answer that is too large, say
		return created{reference: ref}, err
	}
	if err := a.statusProblem(status, body); err != nil {
		return created{}, err
	}
	answer, ref, err := a.dialect.readCall(header, body)
	if err != nil {
		return created{reference: ref}, a.problem(BadAnswer, err.Error())
	}
	return created{answer, ref}, nil
}

// credentials are the headers by which a service knows who asks.
func (a *Agent) credentials() http.Header {
	h := http.Header{}
	if a.cfg.Key != "" {
		h.Set("Authorization", "Bearer "+string(a.cfg.Key))
	}
	for name, value := range a.cfg.Headers {
		h.Set(name, string(value))
	}
	h.Set("User-Agent", "parley")
	return h
}

// exchange sends one request and reads the answer whole.
func (a *Agent) exchange(ctx context.Context, r *http.Request) (status int, header http.Header, body []byte, err error) {
	for name, values := range a.credentials() {
		r.Header[name] = values
	}
	answer, err := a.client.Do(r.WithContext(ctx))
	if err != nil {
		return 0, http.Header{}, nil, a.exchangeProblem(outbound.WithoutURL(err))
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return 0, answer.Header, nil, a.exchangeProblem(outbound.WithoutURL(err))
	case len(body) > maxAnswer:
		return 0, answer.Header, nil, a.problem(BadAnswer, "the answer is larger than 64 KiB")
	}
	return answer.StatusCode, answer.Header, body, nil
}

// hangUp asks the service to end a call. A call that it doesn't know is over.
func (a *Agent) hangUp(ctx context.Context, ref string) error {
	r, err := a.dialect.newHangUp(a.url, ref)
	if err != nil || r == nil {
		return err
	}
	status, _, body, err := a.exchange(ctx, r)
	switch {
	case err != nil:
		return err
	case status == http.StatusNoContent, status == http.StatusAccepted, status == http.StatusNotFound, status == http.StatusGone:
		return nil
	}
	return a.statusProblem(status, body)
}

// canHangUp reports whether a call can be hung up by a request.
func (a *Agent) canHangUp(ref string) bool {
	r, err := a.dialect.newHangUp(a.url, ref)
	return ref != "" && err == nil && r != nil
}
