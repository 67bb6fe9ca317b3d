package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/server/fault"
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
	isDraining, degraded := a.Ready()
	if isDraining {
		return nil, &rest.Problem{Code: rest.CodeDraining}
	}
	out := new(readyOutput)
	out.Body.Status, out.Body.Degraded = "ready", degraded
	if len(degraded) > 0 {
		out.Body.Status = "degraded"
	}
	return out, nil
}

// signIn gives the browser a cookie for the token that was shown. That an admin came
// is on record before they are let in.
func (a *API) signIn(w http.ResponseWriter, r *http.Request) {
	if err := a.startSession(w, r, caller(r.Context())); err != nil {
		a.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *API) startSession(w http.ResponseWriter, r *http.Request, v visitor) error {
	if scope, ok := a.Auth.Scope(v.Identity); ok {
		e := with(v.entry(rest.AuditSignIn, ""), scope.Org, nil)
		if err := a.Audit.Record(r.Context(), e); err != nil {
			return err
		}
	}
	if err := a.Auth.StartSession(w, r, v.Identity); err != nil {
		return fmt.Errorf("%w: %w", fault.Unavailable, err)
	}
	a.tellActivity(rest.ActivitySignIn, rest.SignedIn, v, "", "")
	return nil
}

// signOut takes the cookie back, refuses the token from now on, whoever kept a
// copy, and ends the calls that it carries. If that can't be kept, it holds for this life of the server, and the
// caller is told.
func (a *API) signOut(w http.ResponseWriter, r *http.Request) {
	v := caller(r.Context())
	err := a.Auth.SignOut(w, r, v.Identity)
	a.Sessions.EndToken(v.ID)
	if err != nil {
		a.fail(w, r, fmt.Errorf("%w: %w", fault.Unavailable, err))
		return
	}
	a.tellActivity(rest.ActivitySignIn, rest.SignedOut, v, "", "")
	address := a.providerLogout(r, v.Identity)
	if address == "" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(rest.SignedOutHere{ProviderLogout: address}) // the client is gone: nobody to tell
}

// describeSignOut adds the answer of who signed in by an identity provider.
func (a *API) describeSignOut() {
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[rest.SignedOutHere](), true, "")
	a.huma.OpenAPI().Paths[rest.PathAuthSession].Delete.Responses["200"] = &huma.Response{
		Description: "Signed out here; the identity provider's session goes on until the browser was there",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}},
	}
}

type meOutput struct{ Body rest.Me }

func (a *API) me(ctx context.Context, _ *nothing) (*meOutput, error) {
	v := caller(ctx)
	rights := rest.Rights{Call: true, ForeignAddress: !v.network}
	if scope, ok := a.Auth.Scope(v.Identity); ok && v.network {
		rights.Admin, rights.Org, rights.ReadOnly = true, scope.Org, scope.ReadOnly
	}
	return &meOutput{rest.Me{
		Subject:   v.Subject,
		Name:      v.Name,
		Org:       v.Org,
		ExpiresAt: v.ExpiresAt.UTC(),
		Rights:    rights,
		Mode:      string(a.Auth.Mode()),
		Version:   a.Version,
		Address:   v.remote,
		DemoData:  a.DemoData,
	}}, nil
}

type admissionOutput struct{ Body rest.Admission }

func (a *API) admission(ctx context.Context, _ *nothing) (*admissionOutput, error) {
	v := caller(ctx)
	found, err := a.Sessions.Admission(v.Subject, v.Org, v.host)
	if scope, isAdmin := a.Auth.Scope(v.Identity); err == nil && a.PlacesHeld != nil && isAdmin && scope.All && v.network {
		found.Nodes, err = a.PlacesHeld(ctx)
		for _, of := range found.Nodes {
			found.Held += of.Held
		}
	}
	return &admissionOutput{found}, err
}

// tellActivity tells the feed of activities.
func (a *API) tellActivity(kind, what string, by visitor, session, detail string) {
	a.Act(rest.Activity{
		At: time.Now().UTC(), Kind: kind, What: what,
		User: by.Subject, Name: by.Name, Phone: by.Phone, Email: by.Email, Remote: by.remote, Org: by.Org,
		Session: session, Detail: detail,
	})
}
