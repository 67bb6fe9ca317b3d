package api

import (
	"context"
	"net/http"
	"time"

	"parley/server/auth"
	"parley/shared/rest"
)

type nothing struct{}

type healthOutput struct {
	Body struct {
		Status string `json:"status" enum:"ok"`
	}
}

func (a *API) health(context.Context, *nothing) (*healthOutput, error) {
	out := new(healthOutput)
	out.Body.Status = "ok"
	return out, nil
}

type readyOutput struct {
	Body struct {
		Status   string   `json:"status" enum:"ready,degraded"`
		Degraded []string `json:"degraded,omitempty" doc:"parts that don't work while calls do"`
	}
}

func (a *API) ready(context.Context, *nothing) (*readyOutput, error) {
	state := a.Ready()
	if state.Draining {
		return nil, &rest.Problem{Code: rest.CodeDraining}
	}
	out := new(readyOutput)
	out.Body.Status, out.Body.Degraded = "ready", state.Degraded
	if len(state.Degraded) > 0 {
		out.Body.Status = "degraded"
	}
	return out, nil
}

// signIn makes the token that was shown the browser's cookie.
func (a *API) signIn(w http.ResponseWriter, r *http.Request) {
	id := caller(r.Context())
	token, _ := r.Context().Value(tokenKey{}).(string)
	a.Auth.SetSession(w, r, token, id.ExpiresAt)
	a.act(rest.ActivitySignIn, rest.SignedIn, id, "", "")
	w.WriteHeader(http.StatusNoContent)
}

// signOut takes the cookie back and refuses the token from now on, whoever
// kept a copy.
func (a *API) signOut(w http.ResponseWriter, r *http.Request) {
	id := caller(r.Context())
	a.Auth.Revoke(id.ID, id.ExpiresAt)
	a.Auth.ClearSession(w, r)
	a.act(rest.ActivitySignIn, rest.SignedOut, id, "", "")
	w.WriteHeader(http.StatusNoContent)
}

type meOutput struct{ Body rest.Me }

func (a *API) me(ctx context.Context, _ *nothing) (*meOutput, error) {
	id := caller(ctx)
	return &meOutput{rest.Me{
		Subject:   id.Subject,
		Name:      id.Name,
		Org:       id.Org,
		ExpiresAt: id.ExpiresAt.UTC(),
		Rights:    rest.Rights{Call: true, Admin: a.Auth.Admin(id)},
		Mode:      string(a.Auth.Mode()),
		Version:   a.Version,
	}}, nil
}

type admissionOutput struct{ Body rest.Admission }

func (a *API) admission(ctx context.Context, _ *nothing) (*admissionOutput, error) {
	found, err := a.Sessions.Admission(caller(ctx).Subject)
	return &admissionOutput{found}, err
}

// act tells the feed of activities.
func (a *API) act(kind, what string, by auth.Identity, session, detail string) {
	a.Act(rest.Activity{
		At: time.Now().UTC(), Kind: kind, What: what,
		User: by.Subject, Name: by.Name, Org: by.Org, Session: session, Detail: detail,
	})
}
