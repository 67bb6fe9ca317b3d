package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"parley/server/auth"
	"parley/server/fault"
	"parley/shared/rest"
)

const (
	problemType = "application/problem+json" // RFC 9457
	requestID   = "X-Request-Id"
)

// maxEcho bounds a name of the client's that an answer repeats.
const maxEcho = 64

// statusOf is the one table of problem codes, their statuses and titles.
func statusOf(code rest.ProblemCode) (status int, title string) {
	switch code {
	case rest.CodeMalformed:
		return http.StatusBadRequest, "The request can't be read"
	case rest.CodeOutOfRange:
		return http.StatusUnprocessableEntity, "A value is out of range"
	case rest.CodeUnauthorized:
		return http.StatusUnauthorized, "Sign in to continue"
	case rest.CodeForbidden:
		return http.StatusForbidden, "Not allowed"
	case rest.CodeReadOnly:
		return http.StatusForbidden, "You may look at this, and change nothing"
	case rest.CodeOrigin:
		return http.StatusForbidden, "This origin is not allowed"
	case rest.CodeNetwork:
		return http.StatusForbidden, "Your network is not allowed here"
	case rest.CodeBadOffer:
		return http.StatusBadRequest, "The offer can't be taken"
	case rest.CodeBudgetSpent:
		return http.StatusTooManyRequests, "The budget for calls to this agent is spent"
	case rest.CodeAgentUnavailable:
		return http.StatusServiceUnavailable, "The agent can't be reached now"
	case rest.CodeNotFound:
		return http.StatusNotFound, "Not found"
	case rest.CodeMethod:
		return http.StatusMethodNotAllowed, "This method is not allowed here"
	case rest.CodeTooLarge:
		return http.StatusRequestEntityTooLarge, "The body is too large"
	case rest.CodeMediaType:
		return http.StatusUnsupportedMediaType, "Send application/json"
	case rest.CodeConflict:
		return http.StatusConflict, "It was changed since you read it"
	case rest.CodeRateLimited:
		return http.StatusTooManyRequests, "Too many requests"
	case rest.CodeCapReached:
		return http.StatusServiceUnavailable, "All lines are busy"
	case rest.CodeUserCap:
		return http.StatusServiceUnavailable, "You are already in a call"
	case rest.CodeOrgCap:
		return http.StatusServiceUnavailable, "All lines of your organization are busy"
	case rest.CodeDraining:
		return http.StatusServiceUnavailable, "The server is restarting"
	case rest.CodePaused:
		return http.StatusServiceUnavailable, "New calls are paused; calls that are on go on"
	case rest.CodePrivacyBlock:
		return http.StatusServiceUnavailable, "Calls are blocked: privacy protection isn't active"
	case rest.CodeAudit:
		return http.StatusServiceUnavailable, "This can't be recorded now, so it isn't done"
	case rest.CodeStore:
		return http.StatusServiceUnavailable, "The record can't be reached now"
	case rest.CodeNodeUnreachable:
		return http.StatusServiceUnavailable, "The call is on another server, which can't be reached now"
	}
	return http.StatusInternalServerError, "Something broke on our side"
}

// completeProblem fills in what the code implies. Everyone who is told to come later
// is told when.
func completeProblem(p rest.Problem) rest.Problem {
	status, title := statusOf(p.Code)
	if p.Status == 0 {
		p.Status = status
	}
	if p.Title == "" {
		p.Title = title
	}
	if p.RetryAfterS == 0 && (p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable) {
		p.RetryAfterS = defaultRetry
	}
	p.Type = "about:blank"
	return p
}

// defaultRetry is in seconds: about what a line takes to get free when all are
// busy, and short enough to wait for.
const defaultRetry = 15

// Refuse answers with a problem; only its Code must be set. The handler of the
// socket refuses by it too, so that both speak alike.
func Refuse(w http.ResponseWriter, r *http.Request, p rest.Problem) {
	p = completeProblem(p)
	logCode(r.Context(), p.Code)
	p.RequestID = sentID(w)
	for name, values := range problemHeaders(p) {
		w.Header()[name] = values
	}
	if isOpenAIPath(r.URL.Path) {
		refuseAsOpenAI(w, r, p)
		return
	}
	body, _ := json.Marshal(p) // plain fields: it can't fail
	w.Header().Set("Content-Type", problemType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n')) // the client is gone: nobody is left to tell
}

func problemHeaders(p rest.Problem) http.Header {
	h := make(http.Header)
	if p.RetryAfterS > 0 {
		h.Set("Retry-After", strconv.Itoa(p.RetryAfterS))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer") // RFC 9110 §11.6.1
	}
	return h
}

// problemKind is a kind of error and the problem it becomes. One with an event
// is ours: the log tells what the client isn't told.
type problemKind struct {
	kind    error
	problem rest.Problem
	event   string
}

// problemKinds is the one table of kinds of errors and their problems. The
// first that fits counts: what can't be recorded because the store is away is
// both, and unrecorded.
func problemKinds() []problemKind {
	return []problemKind{
		{kind: auth.ErrUnauthorized, problem: rest.Problem{Code: rest.CodeUnauthorized}},
		{kind: auth.ErrOrigin, problem: rest.Problem{Code: rest.CodeOrigin}},
		{kind: auth.ErrHost, problem: rest.Problem{Code: rest.CodeMalformed, Detail: "Host"}},
		{kind: fault.NotFound, problem: rest.Problem{Code: rest.CodeNotFound}},
		{kind: fault.Conflict, problem: rest.Problem{Code: rest.CodeConflict}},
		{kind: fault.BadCursor, problem: rest.Problem{Code: rest.CodeOutOfRange, Field: "cursor"}},
		{kind: fault.Unrecorded, problem: rest.Problem{Code: rest.CodeAudit}, event: "audit"},
		{kind: fault.Unavailable, problem: rest.Problem{Code: rest.CodeStore}, event: "store"},
	}
}

// problem turns an error into what the client may know of it. What it may not
// know is logged, once, here.
func (a *API) problem(ctx context.Context, err error) rest.Problem {
	var p *rest.Problem
	var field *fault.BadField
	switch {
	case errors.As(err, &p):
		return completeProblem(*p)
	case errors.As(err, &field):
		return completeProblem(rest.Problem{Code: rest.CodeOutOfRange, Field: field.Field, Detail: field.Detail})
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return completeProblem(rest.Problem{Code: rest.CodeServerError}) // nobody is left to read it
	}
	kinds := problemKinds()
	i := slices.IndexFunc(kinds, func(k problemKind) bool { return errors.Is(err, k.kind) })
	if i < 0 {
		a.Log.ErrorContext(ctx, "request failed", "err", err)
		return completeProblem(rest.Problem{Code: rest.CodeServerError})
	}
	k := kinds[i]
	if k.event != "" {
		a.Log.ErrorContext(ctx, "request failed", "event", k.event, "err", err)
	}
	if said := (*fault.Explained)(nil); errors.As(err, &said) {
		k.problem.Detail = said.Detail
	}
	return completeProblem(k.problem)
}

// failure is a problem as huma wants its errors.
type failure struct{ p rest.Problem }

func (f failure) Error() string               { return f.p.Error() }
func (f failure) GetStatus() int              { return f.p.Status }
func (f failure) GetHeaders() http.Header     { return problemHeaders(f.p) }
func (f failure) ContentType(_ string) string { return problemType }

// problemsOnly replaces huma's error bodies, which echo what was sent and why it
// failed, by problems that name the field.
func (a *API) problemsOnly(ctx huma.Context, _ string, v any) (any, error) {
	var p rest.Problem
	switch e := v.(type) {
	case failure:
		p = e.p
	case *huma.ErrorModel:
		p = a.fromHuma(ctx.Context(), e)
	default:
		return v, nil
	}
	_, w := unwrap(ctx)
	logCode(ctx.Context(), p.Code)
	p.RequestID = sentID(w)
	return p, nil
}

func (a *API) fromHuma(ctx context.Context, e *huma.ErrorModel) rest.Problem {
	p := rest.Problem{Status: e.Status}
	switch e.Status {
	case http.StatusBadRequest:
		p.Code = rest.CodeMalformed
	case http.StatusUnprocessableEntity:
		p.Code = rest.CodeOutOfRange
	case http.StatusRequestEntityTooLarge:
		p.Code = rest.CodeTooLarge
	case http.StatusUnsupportedMediaType:
		p.Code = rest.CodeMediaType
	default:
		a.Log.ErrorContext(ctx, "request failed", "err", e.Detail)
		p.Code, p.Status = rest.CodeServerError, http.StatusInternalServerError
		return completeProblem(p)
	}
	if len(e.Errors) > 0 {
		p.Field = fieldOf(e.Errors[0].Location)
		if name, ok := strings.CutPrefix(e.Errors[0].Message, "expected required property "); ok && p.Field == "" {
			p.Field, _, _ = strings.Cut(name, " ") // huma names what holds it
		}
		if p.Code == rest.CodeOutOfRange { // of what can't be read, it would tell in Go's words
			p.Detail = e.Errors[0].Message
		}
	}
	return completeProblem(p)
}

// fieldOf takes "body.reason" or "query.step_s" to the name alone.
func fieldOf(location string) string {
	_, name, ok := strings.Cut(location, ".")
	if !ok {
		return ""
	}
	return echo(name)
}

func echo(name string) string {
	if len(name) > maxEcho {
		name = strings.ToValidUTF8(name[:maxEcho], "")
	}
	return name
}
