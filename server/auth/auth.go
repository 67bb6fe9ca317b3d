// Package auth owns who is asking and from where: it checks tokens, with the
// local secret or with the keys of an issuer, the origin and the address a
// request comes from, knows what an admin may see, and mints and revokes
// tokens. It refuses everything it doesn't fully understand, always with the
// same error, and never logs or returns a token.
package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"parley/shared/rest"
)

// ErrUnauthorized is the one refusal: what was wrong with a token is nobody's
// business but the operator's. The log has one stable word for it, and nothing
// of the token.
var ErrUnauthorized = errors.New("not signed in")

// Config is what an Auth needs. Secret or Keys must be given.
type Config struct {
	Mode   Mode     // default Production
	Admins []string // sub, or verified phone or e-mail, compared exactly; unused in demo mode
	// AdminGroups and OrgAdminGroups are groups of the identity provider whose members
	// administer everything, or their own organization; unused in demo mode.
	AdminGroups, OrgAdminGroups []string
	// Auditors, and the members of AuditorGroups and OrgAuditorGroups, see what such an
	// admin sees, and change nothing.
	Auditors, AuditorGroups, OrgAuditorGroups []string
	// Secret is the local HS256 key, see CheckSecret. It signs what Mint makes,
	// and tokens signed with it are taken beside those of Keys. With Keys it may
	// be missing, except in demo mode, whose server mints its own links.
	Secret []byte
	// PreviousSecret is the one that Secret has taken the place of: it signs nothing
	// any more, and what it signed is good until it is replaced in turn. nil: none.
	PreviousSecret []byte
	// Generated: nobody gave Secret, the server made it for itself. Whoever named
	// the keys of an issuer has said who signs tokens, and must not find a second
	// signer in a file they never asked for: with Keys, outside demo mode, such a
	// secret is not used at all.
	Generated bool
	Keys      KeySource // an issuer's public keys; Run keeps them fresh
	Issuer    string    // default parley; of the local secret and of Keys alike
	Audience  string    // default parley
	// AllowedOrigins may open sockets and send unsafe requests beside the
	// server's own origin: scheme://host[:port], nothing more.
	AllowedOrigins []string
	// Hosts are the names the server answers to, with port where it isn't the
	// scheme's own. None: any well-formed one.
	Hosts []string
	// TrustedProxies are addresses or networks (CIDR) whose word on where a
	// request comes from is taken: X-Forwarded-For and X-Forwarded-Proto.
	TrustedProxies []string
	AdminAllow     []string // addresses or networks that admins come from; none: any
	// SignInStore keeps revocations and sign-ins beyond this life of the server.
	// Revocations and RevokedTokens (by Identity.ID: until when) are what it holds
	// at the start; the latter must be given with it. Without a store they are
	// kept in memory only.
	SignInStore SignInStore
	// SharedSignIns has those that other servers made; nil: there are none.
	SharedSignIns SharedSignIns
	Revocations   []rest.Revocation
	RevokedTokens map[string]time.Time
	// UserKey names a user in the store. It must be given with one.
	UserKey func(sub string) string
	// MaskAddress makes an address fit for the log; without it none is logged.
	MaskAddress func(string) string
	Logger      *slog.Logger     // default: discards; told of keys that fail to load, and why requests are refused
	Now         func() time.Time // default time.Now
}

// A ConfigError is a field of Config, or of Claims, that can't be used. Err says what it takes.
type ConfigError struct {
	Field string
	Err   error
}

func (e *ConfigError) Error() string { return e.Field + ": " + e.Err.Error() }
func (e *ConfigError) Unwrap() error { return e.Err }

// Auth checks requests. It is safe for concurrent use.
type Auth struct {
	mode          Mode
	admins        []string
	adminGroups   groups
	auditors      []string
	auditorGroups groups
	secrets       atomic.Pointer[[]localSecret] // nil: none; changed by SetSecrets
	issuer        string
	aud           string
	origins       []string
	hosts         []string
	proxies       networks
	allow         atomic.Pointer[networks] // changed by SetAdminAllow
	now           func() time.Time
	crossOrigin   *http.CrossOriginProtection
	parser        *jwt.Parser
	keys          *keyRing // nil: the secret alone
	revoked       *revocations
	signIns       *signIns
	tickets       *tickets
	// clientSecrets start calls without a socket.
	clientSecrets *clientSecrets
	// refusals are told to the log.
	refusals      *refusalLog
	knownSubjects *knownSubjects
}

// New makes an Auth. It refuses a weak secret, a key file without a key, an
// unknown mode, a store without what it holds, and admins, origins or networks
// that could never be meant. Keys by URL are fetched by Run: until then, and
// while the issuer can't be reached, KeyHealth says so.
func New(c Config) (*Auth, error) {
	a := &Auth{
		mode:          orDefault(c.Mode, Production),
		admins:        slices.Clone(c.Admins),
		adminGroups:   groups{slices.Clone(c.AdminGroups), slices.Clone(c.OrgAdminGroups)},
		auditors:      slices.Clone(c.Auditors),
		auditorGroups: groups{slices.Clone(c.AuditorGroups), slices.Clone(c.OrgAuditorGroups)},
		issuer:        orDefault(c.Issuer, "parley"),
		aud:           orDefault(c.Audience, "parley"),
		hosts:         lowerAll(c.Hosts),
		now:           c.Now,
		crossOrigin:   http.NewCrossOriginProtection(),
		knownSubjects: newKnownSubjects(),
	}
	if a.now == nil {
		a.now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	for _, step := range []struct {
		field string
		take  func(Config) error
	}{
		{"Mode", a.checkMode}, {"Admins", checkAdmins}, {"Auditors", checkAuditors}, {"Secret", a.setLocalSecret}, {"Keys", a.setKeyRing},
		{"AllowedOrigins", a.setOrigins}, {"TrustedProxies", a.setTrustedProxies}, {"AdminAllow", a.setAdminNetworks},
		{"SignInStore", a.setSignInStore},
	} {
		if err := step.take(c); err != nil {
			return nil, &ConfigError{Field: step.field, Err: err}
		}
	}
	a.refusals = newRefusalLog(c.Logger, c.MaskAddress, a.now)
	a.parser, a.tickets, a.clientSecrets = a.newParser(), newTickets(a.now), newClientSecrets(a.now)
	return a, nil
}

// setLocalSecret decides whether there is a local secret, see Config.
func (a *Auth) setLocalSecret(c Config) error {
	configured := c.Keys.isConfigured()
	if configured && a.mode != Demo && (c.Generated || len(c.Secret) == 0) {
		return nil
	}
	return a.SetSecrets(c.Secret, c.PreviousSecret)
}

func (a *Auth) setKeyRing(c Config) (err error) {
	if c.Keys.isConfigured() {
		a.keys, err = newKeyRing(c.Keys, c.Logger)
	}
	return err
}

// Identity is who a valid token says is asking.
type Identity struct {
	Subject string
	Name    string // for display: only characters that show, at most MaxText
	Phone   string
	Email   string
	// PhoneVerified and EmailVerified: the issuer says so.
	PhoneVerified, EmailVerified bool
	Org                          string
	Role                         string
	IDToken                      string   // of the identity provider, for its logout; a token has none
	Groups                       []string // of the identity provider that vouched for them; a token has none
	Mode                         string
	// ID is the token's jti or, without one, a fingerprint of the token. It is
	// what Revoke takes.
	ID                  string
	IssuedAt, ExpiresAt time.Time
	ByCookie            bool
	// ServerAdmin: administered everything when the token was checked. It exempts
	// from what an organization's admin does; rights are asked of Scope.
	ServerAdmin bool
	Local       bool   // signed with the server's own secret, not by an issuer
	secretID    string // of which one, where Local
}

// Account names a user among all: a subject of one organization is not that of
// another. It is a key to count by, to be neither shown nor kept.
func (id Identity) Account() string { return id.Org + "\x00" + id.Subject }

// Authenticate checks who asks: by exactly one bearer or, for a socket, by a
// ticket, or else by the session cookie. Every error is ErrUnauthorized.
func (a *Auth) Authenticate(r *http.Request) (Identity, error) {
	id, err := a.authenticate(r)
	if err != nil {
		a.LogRefusal(r.Context(), a.Remote(r), "token", reasonOf(err))
	}
	return id, err
}

func (a *Auth) authenticate(r *http.Request) (Identity, error) {
	if value, ok := ticketOf(r); ok && len(r.Header.Values("Authorization")) == 0 {
		return a.authenticateTicket(value)
	}
	value, byCookie, err := a.credentialOf(r)
	switch {
	case err != nil:
		return Identity{}, err
	case byCookie:
		return a.authenticateSession(value)
	}
	return a.verify(r.Context(), value)
}

// Bearer checks the request's bearer token only: a session starts with what a
// caller showed, never with the cookie before it.
func (a *Auth) Bearer(r *http.Request) (Identity, error) {
	token, byCookie, err := a.credentialOf(r)
	if err == nil && byCookie {
		err = newRefusal("no_bearer")
	}
	var id Identity
	if err == nil {
		id, err = a.verify(r.Context(), token)
	}
	if err != nil {
		a.LogRefusal(r.Context(), a.Remote(r), "token", reasonOf(err))
	}
	return id, err
}

func (a *Auth) setOrigins(c Config) error {
	for _, o := range c.AllowedOrigins {
		u, err := url.Parse(o)
		if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || o != u.Scheme+"://"+u.Host {
			return fmt.Errorf("%q: want scheme://host[:port], such as https://pages.example", o)
		}
		if err := a.crossOrigin.AddTrustedOrigin(o); err != nil {
			return fmt.Errorf("%q: %w", o, err)
		}
	}
	a.origins = lowerAll(c.AllowedOrigins)
	return nil
}

func lowerAll(in []string) []string {
	out := make([]string, 0, len(in))
	for _, s := range in {
		out = append(out, strings.ToLower(s))
	}
	return out
}

func orDefault[T ~string](v, otherwise T) T {
	if v == "" {
		return otherwise
	}
	return v
}
