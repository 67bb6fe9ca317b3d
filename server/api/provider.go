package api

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"parley/server/accesslog"
	"parley/server/auth"
	"parley/server/limit"
	"parley/shared/rest"
)

// IdentityProvider signs people in with accounts of somebody else's. An error of its may
// have a SignInProblem; any other is one of the server's.
type IdentityProvider interface {
	// Begin gives where to send the browser, and what its cookie keeps meanwhile.
	Begin(ctx context.Context, next string) (address, cookie string, err error)
	// Finish takes what the browser came back with.
	Finish(ctx context.Context, cookie string, answer url.Values) (who auth.ProviderClaims, next string, err error)
	// LogoutAddress is where the browser of who shows an ID token signs out there; "": nowhere.
	LogoutAddress(ctx context.Context, idToken string) (string, error)
	// VerifyLogout gives what a logout token ends: a session of the provider's or,
	// where that is empty, all of a subject's.
	VerifyLogout(ctx context.Context, token string) (session, subject string, err error)
}

// flowCookie keeps what Begin gave until the browser comes back. It comes from the
// provider's page, so it is Lax where the session's cookie is Strict.
const flowCookie = "parley_sign_in"

// maxLogoutToken bounds the body of a back-channel logout.
const maxLogoutToken = 16 << 10

func (a *API) providerRoutes() {
	if a.Provider == nil {
		return
	}
	a.raw(http.MethodGet, rest.PathProviderStart, anyone, "Sign in with the company's accounts: on to the identity provider", "text/html", a.beginProviderSignIn)
	a.raw(http.MethodGet, rest.PathProviderCallback, anyone, "Back from the identity provider: the session's cookie", "text/html", a.finishProviderSignIn)
	a.mux.HandleFunc("POST "+rest.PathProviderLogout, a.endProviderSession)
}

func (a *API) beginProviderSignIn(w http.ResponseWriter, r *http.Request) {
	next := rest.LocalPath(r.URL.Query().Get("next"))
	address, cookie, err := a.Provider.Begin(r.Context(), next)
	if err != nil {
		a.signInFailed(w, r, next, err)
		return
	}
	c := a.flowCookie(r)
	c.Value = cookie // until the browser closes: the flow in it has an end of its own
	http.SetCookie(w, c)
	http.Redirect(w, r, address, http.StatusSeeOther)
}

func (a *API) flowCookie(r *http.Request) *http.Cookie {
	c := &http.Cookie{Name: flowCookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if a.Auth.Secure(r) {
		c.Name, c.Secure = "__Host-"+flowCookie, true
	}
	return c
}

// finishProviderSignIn signs in who came back. An address from which this failed too
// often waits: each try may cost the provider a request.
func (a *API) finishProviderSignIn(w http.ResponseWriter, r *http.Request) {
	c := a.flowCookie(r)
	var kept string
	if found := r.CookiesNamed(c.Name); len(found) == 1 {
		kept = found[0].Value
	}
	c.MaxAge = -1 // one use
	http.SetCookie(w, c)
	said, next, err := a.Provider.Finish(r.Context(), kept, r.URL.Query())
	if err != nil {
		a.signInFailed(w, r, next, err)
		return
	}
	id, err := a.Auth.IdentityOf(said, a.ProviderSession)
	if err != nil {
		a.Auth.LogRefusal(r.Context(), a.Remote(r), "sign_in", err.Error())
		a.showSignInProblem(w, r, next, rest.SignInForbidden)
		return
	}
	accesslog.LineOf(r.Context()).User(id.Subject, id.Org)
	v := caller(r.Context())
	v.Identity = id
	if err := a.startSession(w, r, v); err != nil {
		a.fail(w, r, err)
		return
	}
	a.serveNextPage(w, r, next, id)
}

// signInFailed shows why on the page where it began, and tells the log.
func (a *API) signInFailed(w http.ResponseWriter, r *http.Request, next string, err error) {
	var failed interface{ SignInProblem() string }
	if !errors.As(err, &failed) {
		a.fail(w, r, err)
		return
	}
	a.Log.InfoContext(r.Context(), "sign-in by the identity provider failed", "event", "sign_in", "cause", failed.SignInProblem(), "err", err.Error())
	if failed.SignInProblem() != rest.SignInDown && failed.SignInProblem() != rest.SignInCanceled {
		a.SignInRefused(a.Remote(r), auth.RefusedOrg(err))
	}
	a.showSignInProblem(w, r, next, failed.SignInProblem())
}

func (a *API) showSignInProblem(w http.ResponseWriter, r *http.Request, next, problem string) {
	query := url.Values{"problem": {problem}}
	if next != "" {
		query.Set("next", next)
	}
	http.Redirect(w, r, "/sign-in?"+query.Encode(), http.StatusSeeOther)
}

// nextPage leads on by itself. A redirect would not do: the browser came from the
// provider's site, and so a request that follows carries no cookie that is Strict.
var nextPage = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
	`<meta http-equiv="refresh" content="0;url={{.}}"><title>Signing in · Parley</title></head><body><p>You are signed in. <a href="{{.}}">Go on</a></p></body></html>`))

func (a *API) serveNextPage(w http.ResponseWriter, r *http.Request, next string, id auth.Identity) {
	if next == "" {
		next = "/call"
		if _, isAdmin := a.Auth.Scope(id); isAdmin && a.Auth.AdminAllowed(r) {
			next = "/admin"
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = nextPage.Execute(w, next) // the client is gone: nobody to tell
}

// endProviderSession is the provider's own word (OpenID Connect Back-Channel Logout
// §2.5): whoever signed in by that session is signed out here, and their calls end.
func (a *API) endProviderSession(w http.ResponseWriter, r *http.Request) {
	if err := ExpectBody(w, r); err != nil {
		a.fail(w, r, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxLogoutToken)
	session, subject, err := a.Provider.VerifyLogout(r.Context(), r.PostFormValue("logout_token"))
	if err != nil {
		a.refuseLogout(w, r, err)
		return
	}
	if session != "" {
		var prefix string
		prefix, err = a.Auth.EndProviderSession(r.Context(), session)
		a.Sessions.EndTokens(prefix)
	} else {
		_, err = a.Operator.RevokeUser(r.Context(), rest.Revocation{User: subject, UserKey: a.Privacy.UserKey(subject), Reason: "signed out at the identity provider"},
			rest.AuditEntry{Actor: "identity provider", Target: subject, Remote: a.Remote(r), RequestID: sentID(w)})
	}
	if err != nil {
		a.fail(w, r, err)
	}
}

// providerLogout is where somebody who signed out here ends their session at the provider.
// One that doesn't answer keeps nobody from signing out.
func (a *API) providerLogout(r *http.Request, id auth.Identity) string {
	if a.Provider == nil || id.IDToken == "" {
		return ""
	}
	address, err := a.Provider.LogoutAddress(r.Context(), id.IDToken)
	if err != nil {
		a.Log.InfoContext(r.Context(), "the session at the identity provider goes on", "event", "sign_in", "err", err.Error())
		return ""
	}
	return address
}

// refuseLogout answers as §2.8 has it. Who makes tokens up is told to wait: each may
// cost a look at the provider's keys.
func (a *API) refuseLogout(w http.ResponseWriter, r *http.Request, err error) {
	a.Log.InfoContext(r.Context(), "back-channel logout refused", "event", "sign_in", "err", err.Error())
	if wait := a.signIns.Take(addressKey(a.Remote(r))); wait > 0 {
		a.fail(w, r, &rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: limit.Seconds(wait)})
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = fmt.Fprint(w, `{"error":"invalid_request"}`)
}
