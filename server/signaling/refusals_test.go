package signaling_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/server/admission"
	"parley/server/auth"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

// spentAtEcho is a budget that is spent at the agent echo.
func spentAtEcho(_ context.Context, c session.Caller) *rest.Problem {
	if c.Agent != "echo" {
		return nil
	}
	return admission.Problem(http.StatusTooManyRequests, rest.CodeBudgetSpent)
}

// Each refusal is told once, with the organization of a good token.
func TestRefusalsAreToldByOrganization(t *testing.T) {
	secret := make([]byte, 48)
	rand.Read(secret)
	authority, err := auth.New(auth.Config{Secret: secret, Mode: auth.Organization})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		token, query, proto string
		version             string
		full                bool
		want                []refusal
	}{
		"no good token": {token: "x", want: []refusal{{"", rest.CodeUnauthorized}}},
		"no agent":      {query: "?agent=", want: []refusal{{"acme", rest.CodeOutOfRange}}},
		"no takeover":   {query: "?takeover=", want: []refusal{{"acme", rest.CodeOutOfRange}}},
		"agent":         {query: "?agent=x", want: []refusal{{"acme", rest.CodeOutOfRange}}},
		"subprotocol":   {proto: "no", want: []refusal{{"acme", rest.CodeMalformed}}},
		"cap":           {full: true, want: []refusal{{"acme", rest.CodeCapReached}}},
		"budget":        {query: "?agent=echo", want: []refusal{{"acme", rest.CodeBudgetSpent}}},
		"budget, too":   {query: "?agent=echo&takeover=1", want: []refusal{{"acme", rest.CodeBudgetSpent}}},
		"handshake":     {version: "12", want: []refusal{{"acme", rest.CodeMalformed}}},
	} {
		t.Run(name, func(t *testing.T) {
			var told refusals
			h := open(t, roomy, patient, caps(1, 1), func(s *setup) {
				s.signaling.Auth, s.signaling.Refused, s.signaling.BudgetProblem = authority, told.add, spentAtEcho
			})
			if c.full {
				if _, err := h.sessions.Admit(callerOf("z")); err != nil {
					t.Fatal(err)
				}
			}
			token, err := authority.Mint(auth.Claims{Subject: "a", Org: "acme"}, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http"+h.url(c.query)[2:], nil)
			if err != nil {
				t.Fatal(err)
			}
			for key, value := range map[string]string{
				"Authorization": "Bearer " + token + c.token, "Connection": "Upgrade", "Upgrade": "websocket",
				"Sec-WebSocket-Version": cmp.Or(c.version, "13"), "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
				"Sec-WebSocket-Protocol": cmp.Or(c.proto, wire.Subprotocol),
			} {
				r.Header.Set(key, value)
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if answer.StatusCode < 400 {
				t.Fatalf("status %d", answer.StatusCode)
			}
			if got := told.all(); !slices.Equal(got, c.want) {
				t.Errorf("told %v, want %v", got, c.want)
			}
		})
	}
}

type refusal struct {
	org  string
	code rest.ProblemCode
}

// refusals remembers what it was told.
type refusals struct {
	mu   sync.Mutex
	list []refusal
}

func (r *refusals) add(org string, code rest.ProblemCode) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, refusal{org, code})
}

func (r *refusals) all() []refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.list)
}
