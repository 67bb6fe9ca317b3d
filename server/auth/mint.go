package auth

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// ErrNoSecret says that this server mints nothing: its tokens come from the
// issuer whose keys it was given.
var ErrNoSecret = errors.New("no local secret: tokens come from the issuer of the configured keys")

// Claims are what a minted token says.
type Claims struct {
	Subject, Name, Phone, Email, Org, Role string
	// Mode is the server's own unless given.
	Mode string
}

// Mint makes a token for this server, good for ttl, with a jti of its own. It
// makes none that Verify would refuse, except one for another mode.
func (a *Auth) Mint(c Claims, ttl time.Duration) (string, error) {
	secrets := a.localSecrets()
	if len(secrets) == 0 {
		return "", ErrNoSecret
	}
	if ttl < time.Second || ttl > MaxLife {
		return "", fmt.Errorf("life of %s: a token lives 1s to %s", ttl, MaxLife)
	}
	if !isSubject(c.Subject) {
		return "", &ConfigError{"Subject", fmt.Errorf("%.140q: want 1 to %d visible ASCII characters, no spaces", c.Subject, MaxSubject)}
	}
	for _, text := range []struct{ field, value string }{
		{"Name", c.Name}, {"Phone", c.Phone}, {"Email", c.Email}, {"Org", c.Org}, {"Role", c.Role},
	} {
		if !isPlainText(text.value) {
			return "", &ConfigError{text.field, fmt.Errorf("%.40q…: want at most %d characters, all of which show", text.value, MaxText)}
		}
	}
	if c.Mode == "" && a.mode != Production {
		c.Mode = string(a.mode)
	}
	if Mode(c.Mode) == Organization && !validOrg(c.Org) {
		return "", &ConfigError{"Org", fmt.Errorf("%.40q: a token of this mode needs an organization, without spaces around it", c.Org)}
	}
	now := a.now()
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		optionalClaims: optionalClaims{Name: c.Name, Phone: c.Phone, Email: c.Email, Org: c.Org, Role: c.Role, Mode: c.Mode},
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: a.issuer, Audience: jwt.ClaimStrings{a.aud}, Subject: c.Subject, ID: rand.Text(),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
		},
	})
	return t.SignedString(secrets[0].key)
}
