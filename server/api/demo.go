package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/server/accesslog"
	"parley/server/auth"
	"parley/server/limit"
	"parley/shared/rest"
)

// How many enter a demo server, in any span of a minute. Each sign-in is kept for a day,
// and nobody is asked for a token.
const (
	MaxDemoEntries    = 10  // from one address, of visitors; and as many tries of the passkey
	MaxAllDemoEntries = 120 // of visitors from all addresses
)

// newDemoEntries counts them.
func newDemoEntries() *limit.Limiter { return limit.NewSliding(MaxDemoEntries, time.Minute) }

// demoRoutes are there in demo mode alone.
func (a *API) demoRoutes() {
	if a.Auth.Mode() != auth.Demo {
		return
	}
	const summary = "Enter a demo server: as a caller, or with the passkey as its admin. It answers the session's cookie"
	body := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[rest.DemoSignIn](), true, "")
	a.mux.HandleFunc(http.MethodPost+" "+rest.PathDemoSignIn, a.guard(anyone, a.resolve(body), a.enterDemo))
	a.describeRaw(http.MethodPost, rest.PathDemoSignIn, anyone, summary, "")
	a.huma.OpenAPI().Paths[rest.PathDemoSignIn].Post.RequestBody = &huma.RequestBody{
		Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: body}},
	}
}

// enterDemo signs in whoever comes, as what they ask for. From there it is a sign-in like
// any other: an admin's is on record before they are let in.
func (a *API) enterDemo(w http.ResponseWriter, r *http.Request) {
	v := caller(r.Context())
	var asked rest.DemoSignIn
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		a.fail(w, r, &rest.Problem{Code: rest.CodeMalformed})
		return
	}
	id, err := a.demoIdentity(r, v, asked)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	accesslog.LineOf(r.Context()).User(id.Subject, id.Org)
	v.Identity = id
	if err := a.startSession(w, r, v); err != nil {
		a.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *API) demoIdentity(r *http.Request, v visitor, asked rest.DemoSignIn) (auth.Identity, error) {
	if asked.As != rest.DemoCaller && asked.As != rest.DemoAdmin {
		return auth.Identity{}, &rest.Problem{Code: rest.CodeOutOfRange, Field: "as", Detail: "caller or admin"}
	}
	// Tries are counted whether or not they are right: who guesses a passkey isn't told
	// by the answer that the limit doesn't hold for it.
	wait := a.demoEntries.Take(asked.As + " " + addressKey(v.remote))
	if wait == 0 && asked.As == rest.DemoCaller {
		wait = a.demoEntries.TakeAt(everyone, MaxAllDemoEntries, time.Now())
	}
	if wait > 0 {
		return auth.Identity{}, &rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: limit.Seconds(wait)}
	}
	if asked.As == rest.DemoCaller {
		return a.Auth.EnterDemo()
	}
	id, err := a.Auth.EnterDemoAdmin(asked.Passkey)
	if err != nil {
		a.Auth.LogRefusal(r.Context(), v.remote, "sign_in", "passkey")
		a.SignInRefused(v.remote, "")
	}
	return id, err
}
