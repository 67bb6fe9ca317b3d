package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Limits of a token.
const (
	// MaxToken is far above any token with the claims we read, and below what
	// makes a flood of them costly to decode.
	MaxToken = 8 << 10
	// MaxLife bounds what a stolen token is worth.
	MaxLife = 24 * time.Hour
	// Leeway is how far the issuer's clock may be from ours.
	Leeway = 60 * time.Second
	// MaxSubject is the limit of OpenID Connect Core §2, in characters of ASCII.
	MaxSubject = 255
	// MaxText bounds the other texts, in characters; they end in logs and pages.
	MaxText = 300
)

// The algorithms, as RFC 7518 §3.1 and RFC 8037 §3.1 name them.
const (
	algHS256 = "HS256"
	algRS256 = "RS256"
	algES256 = "ES256"
	algEdDSA = "EdDSA"
)

func (a *Auth) newParser() *jwt.Parser {
	return jwt.NewParser(
		jwt.WithValidMethods(a.methods()),
		jwt.WithStrictDecoding(),
		jwt.WithLeeway(Leeway),
		jwt.WithTimeFunc(a.now),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithIssuer(a.issuer),
		jwt.WithAudience(a.aud),
	)
}

// methods are the algorithms that a key is there for.
func (a *Auth) methods() []string {
	methods := []string{}
	if len(a.localSecrets()) > 0 {
		methods = append(methods, algHS256)
	}
	if a.keys != nil {
		methods = append(methods, algRS256, algES256, algEdDSA)
	}
	return methods
}

// Verify checks a token by itself. Every error is ErrUnauthorized.
func (a *Auth) Verify(token string) (Identity, error) {
	return a.verify(context.Background(), token)
}

// verify waits for keys, where the token names one not known yet, no longer
// than ctx or KeySource.Patience.
func (a *Auth) verify(ctx context.Context, token string) (Identity, error) {
	signed, err := preCheck(token)
	if err != nil {
		return Identity{}, err
	}
	var c claims
	parsed, err := a.parser.ParseWithClaims(token, &c, a.keyFor(ctx))
	if err != nil {
		if parsed != nil && (parsed.Method == nil || !slices.Contains(a.methods(), parsed.Method.Alg())) {
			return Identity{}, newRefusal("algorithm")
		}
		return Identity{}, a.withOrg(refusalOfParser(err), c.Org)
	}
	id, err := a.identity(c, signed)
	if err != nil {
		return Identity{}, a.withOrg(err, c.Org)
	}
	if id.Local = parsed.Method.Alg() == algHS256; id.Local {
		id.secretID = a.signerOf(signed, parsed.Signature)
	}
	id.ServerAdmin = a.isServerAdmin(id)
	if a.revoked.isRevoked(id, id.ServerAdmin) {
		return Identity{}, a.withOrg(newRefusal("revoked"), id.Org)
	}
	a.knownSubjects.add(id)
	return id, nil
}

// keyFor gives the keys: the secrets for HS256 and for nothing else, for the
// others the key of that kid if it was made for that algorithm. A secret is
// never looked for among public keys, nor a public key taken for a secret.
func (a *Auth) keyFor(ctx context.Context) jwt.Keyfunc {
	return func(t *jwt.Token) (any, error) {
		alg := t.Method.Alg()
		switch {
		case alg == algHS256 && len(a.localSecrets()) > 0:
			return a.secretKeys(), nil
		case alg == algHS256 || a.keys == nil:
			return nil, newRefusal("algorithm")
		}
		kid, _ := t.Header["kid"].(string)
		return a.keys.keysFor(ctx, kid, alg)
	}
}

// identity checks what golang-jwt doesn't: the life, the subject's characters,
// the mode. signed is the token without its signature.
func (a *Auth) identity(c claims, signed string) (Identity, error) {
	id := Identity{
		Subject: c.Subject, Name: displayName(c.Name), Phone: c.Phone, Email: c.Email,
		Org: c.Org, Role: c.Role, Mode: c.Mode, ID: c.ID,
		EmailVerified: c.EmailVerified, PhoneVerified: c.PhoneVerified,
	}
	if id.ID == "" {
		id.ID = fingerprint(signed)
	}
	if c.IssuedAt == nil || c.ExpiresAt == nil {
		return Identity{}, newRefusal("claim_missing")
	}
	id.IssuedAt, id.ExpiresAt = c.IssuedAt.Time, c.ExpiresAt.Time
	life := id.ExpiresAt.Sub(id.IssuedAt)
	switch {
	case life <= 0 || life > MaxLife:
		return Identity{}, newRefusal("lifetime")
	case !isSubject(id.Subject):
		return Identity{}, newRefusal("subject")
	case !isPlainText(c.ID):
		return Identity{}, newRefusal("jti")
	case !a.isServerMode(id.Mode):
		return Identity{}, newRefusal("mode")
	case a.mode == Organization && !validOrg(id.Org):
		return Identity{}, newRefusal("organization")
	}
	return id, nil
}

// validSubject: visible ASCII, 0x21 to 0x7E, as OpenID Connect has it.
func isSubject(s string) bool {
	return s != "" && len(s) <= MaxSubject && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x21 || r > 0x7e })
}

// validOrg: spaces around a name would make two of one that look alike.
func validOrg(s string) bool { return s != "" && isPlainText(s) && strings.TrimSpace(s) == s }

// fingerprint names a token without a jti. The signature is left out: some
// algorithms allow several for the same content.
func fingerprint(signed string) string {
	sum := sha256.Sum256([]byte(signed))
	return "sha256:" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// preCheck refuses what golang-jwt lets pass: long tokens, names that stand
// twice or in another case, extensions it doesn't know, numbers in quotes. It
// returns the token without its signature.
func preCheck(token string) (signed string, err error) {
	if len(token) > MaxToken {
		return "", newRefusal("too_long")
	}
	if strings.Count(token, ".") != 2 {
		return "", newRefusal("malformed")
	}
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	if !slices.ContainsFunc([]string{header, payload, signature}, isEmpty) {
		if err = checkPart(header, headerKinds()); err == nil {
			err = checkPart(payload, claimKinds())
		}
		return header + "." + payload, err
	}
	return "", newRefusal("malformed")
}

func isEmpty(s string) bool { return s == "" }

func checkPart(part string, known map[string]memberKind) error {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil || strings.ContainsAny(part, "\r\n") {
		return newRefusal("malformed")
	}
	return checkObject(raw, known)
}
