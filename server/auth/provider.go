package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// ProviderClaims is what an identity provider (OpenID Connect) says of somebody who
// signed in there. What it says of a token's times is about the sign-in there, not
// about the session here.
type ProviderClaims struct {
	Subject, Name, Phone, Email  string
	PhoneVerified, EmailVerified bool
	Org                          string
	Groups                       []string
	// Session is the provider's own (sid), which it may end by itself; "" for none.
	Session string
	// IDToken is the one that said all this. It is shown to the provider when they sign out.
	IDToken string
}

// maxIDToken bounds what is kept of it, as MaxGroups does; a browser would hardly carry a
// longer one in an address.
const maxIDToken = 4 << 10

// MaxGroups bounds what is kept of the groups that somebody is in: the session that
// carries them is read on every request.
const MaxGroups = 200

// IdentityOf is who a provider says has signed in, until a life from now is over. It
// is held to what a token is held to. Every error is ErrUnauthorized.
func (a *Auth) IdentityOf(c ProviderClaims, life time.Duration) (Identity, error) {
	id := Identity{
		Subject: c.Subject, Name: displayName(c.Name), Phone: plainText(c.Phone), Email: plainText(c.Email),
		PhoneVerified: c.PhoneVerified, EmailVerified: c.EmailVerified, Org: c.Org, Mode: string(a.mode),
		Groups:  c.Groups[:min(len(c.Groups), MaxGroups)],
		IDToken: shortToken(c.IDToken), ID: sessionPrefix(c.Session) + rand.Text(), IssuedAt: a.now(), ExpiresAt: a.now().Add(life),
	}
	switch {
	case life <= 0 || life > MaxLife:
		return Identity{}, newRefusal("lifetime")
	case !isSubject(id.Subject):
		return Identity{}, newRefusal("subject")
	case a.mode == Organization && !validOrg(id.Org):
		return Identity{}, newRefusal("organization")
	}
	id.ServerAdmin = a.isServerAdmin(id)
	if a.revoked.isRevoked(id, id.ServerAdmin) {
		return Identity{}, newRefusal("revoked")
	}
	a.knownSubjects.add(id)
	return id, nil
}

func shortToken(token string) string {
	if len(token) > maxIDToken {
		return ""
	}
	return token
}

// EndProviderSession refuses from now on who signed in by a provider's session, after a
// restart too, and gives what the Identity.ID of each of them begins with.
func (a *Auth) EndProviderSession(ctx context.Context, session string) (idPrefix string, err error) {
	idPrefix = sessionPrefix(session)
	until := a.now().Add(MaxLife)
	a.Revoke(idPrefix, until)
	if a.revoked.store == nil {
		return idPrefix, nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := a.revoked.store.RevokeToken(ctx, idPrefix, until.Add(Leeway)); err != nil {
		return idPrefix, fmt.Errorf("ending a session of the identity provider: %w", err)
	}
	return idPrefix, nil
}

// providerPrefix begins the Identity.ID of who signed in at a provider.
const providerPrefix = "oidc:"

// sessionPrefix begins the Identity.ID of who signed in by a session of a provider's.
func sessionPrefix(session string) string {
	if session == "" {
		return providerPrefix + ":"
	}
	sum := sha256.Sum256([]byte(session))
	return providerPrefix + base64.RawURLEncoding.EncodeToString(sum[:]) + ":"
}

// providerSession is the prefix of an Identity.ID that sessionPrefix made.
func providerSession(id string) (prefix string, ok bool) {
	i := strings.LastIndexByte(id, ':')
	if !strings.HasPrefix(id, providerPrefix) || i <= len(providerPrefix) {
		return "", false
	}
	return id[:i+1], true
}

// plainText is s, or nothing if it has characters that don't show.
func plainText(s string) string {
	if isPlainText(s) {
		return s
	}
	return ""
}
