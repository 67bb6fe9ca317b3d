package oidc

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"parley/shared/rest"
)

// LogoutAddress is where a browser ends its session at the provider, too (OpenID Connect
// RP-Initiated Logout 1.0 §2), and comes back to the page of signing in; "" where the
// provider has no such place, or isn't asked to.
func (p *Provider) LogoutAddress(ctx context.Context, idToken string) (string, error) {
	if p.cfg.KeepsSession || idToken == "" {
		return "", nil
	}
	of, err := p.provider(ctx)
	if err != nil {
		return "", err
	}
	u := endSession(of)
	if u == nil {
		return "", nil
	}
	q := u.Query()
	q.Set("id_token_hint", idToken)
	q.Set("client_id", p.cfg.ClientID)
	q.Set("post_logout_redirect_uri", strings.TrimSuffix(p.cfg.Redirect, rest.PathProviderCallback)+pathSignIn)
	q.Set("state", rand.Text()) // there is nothing left that an answer could change: nobody compares it
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// pathSignIn is the page that a browser comes back to.
const pathSignIn = "/sign-in"

// endSession is the provider's end_session_endpoint (§2.1); nil: it has none that is safe
// to carry an ID token to.
func endSession(of *oidc.Provider) *url.URL {
	var said struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if of.Claims(&said) != nil || said.EndSession == "" {
		return nil
	}
	u, err := url.Parse(said.EndSession)
	if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())) {
		return nil
	}
	return u
}
