// Package oidc signs people in with the accounts of their company: it is a relying
// party of OpenID Connect (authorization code with PKCE, state and nonce), and hears
// the provider's back-channel logout. It vouches for who came back; what they may do
// is for package auth to say.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"parley/server/auth"
	"parley/shared/rest"
)

// Limits of what is asked of a provider.
const (
	// timeout bounds what a provider may take for one answer: somebody waits.
	timeout = 10 * time.Second
	// discoverEvery is how often a provider that doesn't answer is tried again.
	discoverEvery = 5 * time.Second
	// FlowLife is how long somebody may take to sign in at the provider.
	FlowLife = 10 * time.Minute
)

// Config says which provider, and what its claims mean here.
type Config struct {
	Issuer   string // its URL, as its own discovery document spells it
	ClientID string
	Secret   string // "": a public client, whom PKCE alone protects
	// Redirect is the address of rest.PathProviderCallback at this server, as browsers reach it.
	Redirect   string
	Scopes     []string // beside openid
	GroupClaim string
	OrgClaim   string
	// UserGroups are groups one of which somebody must be in; none: everybody may call.
	UserGroups []string
	// KeepsSession: who signs out here stays signed in at the provider.
	KeepsSession bool
	Client       *http.Client     // default: one with a time-out, that follows no redirects
	Now          func() time.Time // default time.Now
}

// A Failure is why somebody didn't sign in.
type Failure struct {
	Code string // rest.SignInCanceled and the like
	Err  error  // for the log
}

// SignInProblem is what the page tells of it.
func (f *Failure) SignInProblem() string { return f.Code }

func (f *Failure) Error() string { return f.Code + ": " + f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// Provider is an identity provider. It is safe for concurrent use.
type Provider struct {
	cfg   Config
	flows *sealer

	mu         sync.Mutex
	discovered *oidc.Provider // nil: not yet
	triedAt    time.Time
	err        error
}

// New makes a Provider. It asks nothing of it: a provider that is down now keeps
// nobody from starting a server.
func New(c Config) (*Provider, error) {
	if err := checkIssuer(c.Issuer); err != nil {
		return nil, err
	}
	if c.ClientID == "" {
		return nil, errors.New("a provider needs the client ID that it gave this server")
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Provider{cfg: c, flows: newSealer()}, nil
}

// checkIssuer holds an issuer to OpenID Connect Discovery §3: https, without query and
// fragment. On this machine http is as good.
func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return fmt.Errorf("%q: want the issuer's URL, such as https://accounts.example.org", issuer)
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("%q: want https: a token that comes by plain HTTP could be anybody's", issuer)
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

// provider is what the provider says of itself (OpenID Connect Discovery §4), asked
// for once, and again while it doesn't answer.
func (p *Provider) provider(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.cfg.Now()
	if p.discovered != nil || p.err != nil && now.Sub(p.triedAt) < discoverEvery {
		return p.discovered, p.err
	}
	p.triedAt = now
	// The keys are fetched by this context long after the request that asked first.
	lasting := oidc.ClientContext(context.WithoutCancel(ctx), p.cfg.Client)
	p.discovered, p.err = oidc.NewProvider(lasting, p.cfg.Issuer)
	if p.err != nil {
		p.discovered, p.err = nil, &Failure{rest.SignInDown, p.err}
	}
	return p.discovered, p.err
}

func (p *Provider) oauth(of *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.Secret, Endpoint: of.Endpoint(),
		RedirectURL: p.cfg.Redirect, Scopes: append([]string{oidc.ScopeOpenID}, p.cfg.Scopes...),
	}
}

// algorithms are those with a public key. A client secret signs nothing: who has it
// could be anybody.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}

func (p *Provider) verifier(of *oidc.Provider) *oidc.IDTokenVerifier {
	return of.Verifier(&oidc.Config{ClientID: p.cfg.ClientID, SupportedSigningAlgs: algorithms, Now: p.cfg.Now})
}

// Begin starts a flow: the address to send the browser to, and what its cookie keeps
// until it comes back.
func (p *Provider) Begin(ctx context.Context, next string) (address, cookie string, err error) {
	of, err := p.provider(ctx)
	if err != nil {
		return "", "", err
	}
	f := newFlow(next, p.cfg.Now().Add(FlowLife))
	cookie, err = p.flows.seal(f)
	address = p.oauth(of).AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier))
	return address, cookie, err
}

// Finish ends a flow with what the browser came back with: who signed in, and where
// they wanted to go. Every error is a Failure.
func (p *Provider) Finish(ctx context.Context, cookie string, answer url.Values) (who auth.ProviderClaims, next string, err error) {
	f, err := p.flows.unseal(cookie, p.cfg.Now())
	if err != nil {
		return who, "", &Failure{rest.SignInExpired, err}
	}
	if err := f.check(answer, p.cfg.Issuer); err != nil {
		return who, f.Next, err
	}
	of, err := p.provider(ctx)
	if err != nil {
		return who, f.Next, err
	}
	ctx = oidc.ClientContext(ctx, p.cfg.Client)
	tokens, err := p.oauth(of).Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return who, f.Next, exchangeFailure(err)
	}
	who, err = p.claims(ctx, of, tokens, f)
	return who, f.Next, err
}

// exchangeFailure tells a provider that refused a code from one that doesn't answer.
func exchangeFailure(err error) *Failure {
	if refused := (*oauth2.RetrieveError)(nil); errors.As(err, &refused) && refused.Response.StatusCode < http.StatusInternalServerError {
		return &Failure{rest.SignInUntrusted, fmt.Errorf("the code was refused: %d %s", refused.Response.StatusCode, refused.ErrorCode)}
	}
	return &Failure{rest.SignInDown, err}
}

// claims are those of the ID token, once it is verified, and where it has no groups
// those of the provider's userinfo.
func (p *Provider) claims(ctx context.Context, of *oidc.Provider, tokens *oauth2.Token, f flow) (who auth.ProviderClaims, err error) {
	raw, _ := tokens.Extra("id_token").(string)
	token, err := p.verifier(of).Verify(ctx, raw)
	if err != nil {
		return who, &Failure{rest.SignInUntrusted, err}
	}
	if token.Nonce != f.Nonce {
		return who, &Failure{rest.SignInUntrusted, errors.New("the ID token is of another flow: nonce")}
	}
	if token.AccessTokenHash != "" {
		if err := token.VerifyAccessToken(tokens.AccessToken); err != nil {
			return who, &Failure{rest.SignInUntrusted, err}
		}
	}
	var said claimSet
	if err := token.Claims(&said); err != nil {
		return who, &Failure{rest.SignInUntrusted, err}
	}
	if said.isMissing(p.cfg.GroupClaim) && of.UserInfoEndpoint() != "" {
		more, err := of.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
		if err != nil {
			return who, &Failure{rest.SignInDown, err}
		}
		if more.Subject != token.Subject {
			return who, &Failure{rest.SignInUntrusted, errors.New("userinfo is of another subject")}
		}
		if err := said.add(more); err != nil {
			return who, &Failure{rest.SignInUntrusted, err}
		}
	}
	who = said.claims(p.cfg)
	who.IDToken = raw
	if who.Subject = token.Subject; !p.isUser(who.Groups) {
		return who, &Failure{rest.SignInForbidden, errors.New("in none of the groups that may use this server")}
	}
	return who, nil
}

func (p *Provider) isUser(groups []string) bool {
	return len(p.cfg.UserGroups) == 0 ||
		slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(p.cfg.UserGroups, g) })
}

// VerifyLogout checks a logout token (OpenID Connect Back-Channel Logout §2.6), and gives
// what it ends: a session of the provider's or, where that is empty, all of a subject's.
func (p *Provider) VerifyLogout(ctx context.Context, token string) (session, subject string, err error) {
	of, err := p.provider(ctx)
	if err != nil {
		return "", "", err
	}
	said, err := p.verifier(of).VerifyLogout(oidc.ClientContext(ctx, p.cfg.Client), token)
	if err != nil {
		return "", "", &Failure{rest.SignInUntrusted, err}
	}
	return said.SessionID, said.Subject, nil
}
