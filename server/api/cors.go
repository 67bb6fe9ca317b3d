package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"parley/server/auth"
	"parley/server/limit"
	"parley/shared/rest"
)

// preflightAge is how long a browser may remember what a page elsewhere may ask
// for: an origin that is taken off the list loses its sight in ten minutes.
const preflightAge = "600"

// setCORS lets a page of an allowed origin read the answer (Fetch Standard
// §3.2). It shows its token itself: without Allow-Credentials a browser lets it
// read nothing that a cookie opened.
func (a *API) setCORS(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Origin")
	origin, ok := a.Auth.AllowedOrigin(r)
	if !ok {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "ETag, Location, Retry-After, X-Request-Id")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// preflight answers a browser's question whether a page elsewhere may ask what
// it is about to ask (Fetch Standard §4.8), and says whether that was one.
func (a *API) preflight(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	if _, ok := a.Auth.AllowedOrigin(r); !ok {
		return false
	}
	allowed := a.allowed(r)
	if allowed == "" {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", allowed)
	h.Set("Access-Control-Allow-Headers", allowedHeaders(r.URL.Path))
	h.Set("Access-Control-Max-Age", preflightAge)
	w.WriteHeader(http.StatusNoContent)
	return true
}

// allowedHeaders are those that a page elsewhere may send to a path.
func allowedHeaders(path string) string {
	if isOpenAIPath(path) { // all that OpenAI's own clients send
		return "Authorization, Content-Type, X-OpenAI-Agents-SDK, OpenAI-Safety-Identifier, OpenAI-Organization, OpenAI-Project, OpenAI-Beta"
	}
	return "Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID"
}

type ticketOutput struct{ Body rest.Ticket }

// ticket gives who is signed in a ticket for one socket.
func (a *API) ticket(ctx context.Context, _ *nothing) (*ticketOutput, error) {
	value, expires, err := a.Auth.IssueTicket(caller(ctx).Identity)
	if errors.Is(err, auth.ErrTooManyTickets) {
		return nil, &rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: limit.Seconds(auth.TicketLife)}
	}
	return &ticketOutput{rest.Ticket{Ticket: value, ExpiresAt: expires.UTC().Truncate(time.Millisecond)}}, err
}
