// Package auth owns who is asking: it checks tokens and the origin a request
// comes from, knows who is an admin, and mints and revokes tokens. It refuses
// everything it doesn't fully understand, always with the same error, and
// never logs or returns a token.
package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// ErrUnauthorized is the one refusal: what was wrong with a token is nobody's
// business but the operator's. The wrapping error says it in a few words that
// hold nothing of the token, for a debug log.
var ErrUnauthorized = errors.New("not signed in")

// Mode says who a server is for. A server has one, told by no request.
type Mode string

// The modes.
const (
	Production Mode = "production" // admins are those of Config.Admins
	Demo       Mode = "demo"       // the only admin is DemoAdmin
)

// DemoAdmin is the subject of the only admin of a demo server.
const DemoAdmin = "demo-admin"

// Config is what an Auth needs. Only Secret must be given.
type Config struct {
	Mode     Mode     // default Production
	Admins   []string // sub, phone or e-mail, compared exactly; unused in demo mode
	Secret   []byte   // HS256 key, see CheckSecret
	Issuer   string   // default parley
	Audience string   // default parley
	// AllowedOrigins may open sockets and send unsafe requests beside the
	// server's own origin: scheme://host[:port], nothing more.
	AllowedOrigins []string
	// Hosts are the names the server answers to, with port where it isn't the
	// scheme's own. None: any well-formed one.
	Hosts []string
	// Secure tells whether a request came by HTTPS. Default: by the connection
	// itself; behind a proxy that ends TLS, the caller of New knows better.
	Secure func(*http.Request) bool
	Now    func() time.Time // default time.Now
}

// Auth checks requests. It is safe for concurrent use.
type Auth struct {
	mode    Mode
	admins  []string
	secret  []byte
	issuer  string
	aud     string
	origins []string
	hosts   []string
	secure  func(*http.Request) bool
	now     func() time.Time
	cross   *http.CrossOriginProtection
	parser  *jwt.Parser

	mu      sync.Mutex
	revoked map[string]time.Time // by Identity.ID, until it expires
}

// New makes an Auth. It refuses a weak secret, an unknown mode, and admins or
// origins that could never be meant.
func New(c Config) (*Auth, error) {
	a := &Auth{
		mode:    orDefault(c.Mode, Production),
		admins:  slices.Clone(c.Admins),
		secret:  slices.Clone(c.Secret),
		issuer:  orDefault(c.Issuer, "parley"),
		aud:     orDefault(c.Audience, "parley"),
		hosts:   lowered(c.Hosts),
		secure:  c.Secure,
		now:     c.Now,
		cross:   http.NewCrossOriginProtection(),
		revoked: make(map[string]time.Time),
	}
	if a.mode != Production && a.mode != Demo {
		return nil, fmt.Errorf("unknown mode %q", a.mode)
	}
	if err := CheckSecret(a.secret); err != nil {
		return nil, err
	}
	if a.secure == nil {
		a.secure = func(r *http.Request) bool { return r.TLS != nil }
	}
	if a.now == nil {
		a.now = time.Now
	}
	for _, admin := range a.admins {
		if strings.TrimSpace(admin) != admin || admin == "" {
			return nil, fmt.Errorf("admin %q: empty or with spaces around it", admin)
		}
	}
	if err := a.allowOrigins(c.AllowedOrigins); err != nil {
		return nil, err
	}
	a.parser = a.newParser()
	return a, nil
}

// Mode is the server's.
func (a *Auth) Mode() Mode { return a.mode }

// Secure tells whether the request came by HTTPS.
func (a *Auth) Secure(r *http.Request) bool { return a.secure(r) }

// Identity is who a valid token says is asking.
type Identity struct {
	Subject string
	Name    string // for display: no control or bidirectional characters, at most MaxText
	Phone   string
	Email   string
	Org     string
	Role    string
	Mode    string
	// ID is the token's jti or, without one, a fingerprint of the token. It is
	// what Revoke takes.
	ID                  string
	IssuedAt, ExpiresAt time.Time
	ByCookie            bool
}

// Authenticate checks the request's token: exactly one bearer, or else the
// session cookie. Every error is ErrUnauthorized.
func (a *Auth) Authenticate(r *http.Request) (Identity, error) {
	token, byCookie, err := a.carried(r)
	if err != nil {
		return Identity{}, err
	}
	id, err := a.Verify(token)
	id.ByCookie = byCookie
	return id, err
}

// Bearer checks the request's bearer token only and returns it too: the cookie
// is made of what a caller showed, never of the cookie before it.
func (a *Auth) Bearer(r *http.Request) (Identity, string, error) {
	token, byCookie, err := a.carried(r)
	if err == nil && byCookie {
		err = refused("no bearer")
	}
	if err != nil {
		return Identity{}, "", err
	}
	id, err := a.Verify(token)
	return id, token, err
}

// Admin looks up in the server's own configuration whether id administers it.
// Comparison is exact: no folding, no trimming, no claim that says so itself.
func (a *Auth) Admin(id Identity) bool {
	if !a.sameMode(id.Mode) {
		return false
	}
	if a.mode == Demo {
		return id.Subject == DemoAdmin
	}
	return slices.ContainsFunc(a.admins, func(admin string) bool {
		return admin == id.Subject || admin == id.Phone || admin == id.Email
	})
}

// sameMode: a token without a mode belongs to production.
func (a *Auth) sameMode(mode string) bool {
	return Mode(orDefault(mode, string(Production))) == a.mode
}

func (a *Auth) allowOrigins(origins []string) error {
	for _, o := range origins {
		u, err := url.Parse(o)
		if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || o != u.Scheme+"://"+u.Host {
			return fmt.Errorf("allowed origin %q: want scheme://host[:port]", o)
		}
		if err := a.cross.AddTrustedOrigin(o); err != nil {
			return fmt.Errorf("allowed origin %q: %w", o, err)
		}
	}
	a.origins = lowered(origins)
	return nil
}

func lowered(in []string) []string {
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

func refused(why string) error { return fmt.Errorf("%w: %s", ErrUnauthorized, why) }
