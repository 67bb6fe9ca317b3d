package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"slices"

	"parley/server/strictjson"
)

// Limits of a key.
const (
	// MaxKid bounds a key's name; names in use are thumbprints and UUIDs.
	MaxKid = 256
	// minRSA is the least that RFC 7518 §3.3 allows; maxRSA is what one check
	// may cost at most, about a millisecond.
	minRSA, maxRSA = 2048, 8192
	// maxExponent is the largest that crypto/rsa takes, in bytes.
	maxExponent = 4
)

// keyName is what a token names a key by: one kid may stand for keys of
// different kinds (RFC 7517 §4.5).
type keyName struct{ kid, alg string }

// keySet holds public keys, each bound to the one algorithm it checks. Where an
// issuer gave two keys of a kind one kid, either may have signed.
type keySet map[keyName][]crypto.PublicKey

// MaxSameKid bounds the keys that one token may be tried with: two while a key
// is replaced under its old kid, and some for issuers that do worse.
const MaxSameKid = 4

func (s keySet) add(name keyName, key crypto.PublicKey) {
	isSame := func(other crypto.PublicKey) bool {
		k, ok := other.(interface{ Equal(crypto.PublicKey) bool })
		return ok && k.Equal(key)
	}
	if len(s[name]) < MaxSameKid && !slices.ContainsFunc(s[name], isSame) {
		s[name] = append(s[name], key)
	}
}

// size counts the keys.
func (s keySet) size() (n int) {
	for _, keys := range s {
		n += len(keys)
	}
	return n
}

// jwk is what we read of a JSON Web Key (RFC 7517 §4). Certificates, by value or
// by URL, are not: the key set itself is what is trusted.
type jwk struct {
	kty, kid, alg, use, crv, n, e, x, y string
	keyOps                              []string
	hasSecret                           bool // d or k: it is no public key
}

// parseKeySet reads a JWK Set (RFC 7517 §5) and gives the keys of it that check
// tokens. What can't be used is passed over, as §5 has it, however the keys
// beside it look: keys for something else, of other algorithms, without a kid,
// or with their private part in them. A set without any key left is an error.
func parseKeySet(raw []byte) (keySet, error) {
	members, ok := exactMembers(raw)
	var list []json.RawMessage
	if !ok || json.Unmarshal(members["keys"], &list) != nil {
		return nil, errors.New("not a JWK Set")
	}
	keys := make(keySet)
	for _, one := range list {
		if j, ok := readJWK(one); ok {
			if alg, key := j.publicKey(); key != nil {
				keys.add(keyName{j.kid, alg}, key)
			}
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("no key in it checks RS256, ES256 or EdDSA by a kid of its own")
	}
	return keys, nil
}

// exactMembers reads an object by the exact names of its members, none of them
// twice. What is null is absent.
func exactMembers(raw []byte) (members map[string][]byte, ok bool) {
	members, err := strictjson.Members(raw)
	maps.DeleteFunc(members, func(_ string, v []byte) bool { return string(v) == "null" })
	return members, err == nil
}

// readJWK reads a key whose members have the types that RFC 7517 gives them.
func readJWK(raw []byte) (j jwk, ok bool) {
	members, ok := exactMembers(raw)
	if !ok {
		return j, false
	}
	for name, to := range map[string]any{
		"kty": &j.kty, "kid": &j.kid, "alg": &j.alg, "use": &j.use, "key_ops": &j.keyOps,
		"crv": &j.crv, "n": &j.n, "e": &j.e, "x": &j.x, "y": &j.y,
	} {
		if value, has := members[name]; has && json.Unmarshal(value, to) != nil {
			return j, false
		}
	}
	j.hasSecret = members["d"] != nil || members["k"] != nil
	return j, true
}

// publicKey gives the key and the one algorithm it checks, or nil for a key that
// checks no tokens here.
func (j jwk) publicKey() (alg string, key crypto.PublicKey) {
	checks := (j.use == "" || j.use == "sig") && (len(j.keyOps) == 0 || slices.Contains(j.keyOps, "verify"))
	if !checks || j.hasSecret || !isKeyID(j.kid) {
		return "", nil
	}
	switch {
	case j.kty == "RSA":
		alg, key = algRS256, j.rsaKey()
	case j.kty == "EC" && j.crv == "P-256":
		alg, key = algES256, j.ecKey()
	case j.kty == "OKP" && j.crv == "Ed25519":
		alg, key = algEdDSA, j.ed25519Key()
	}
	if j.alg != "" && j.alg != alg {
		return "", nil
	}
	return alg, key
}

// validKid: a kid is looked up in a map and nothing else, never in a path or a
// query; the bound is what one may cost to compare.
func isKeyID(kid string) bool { return kid != "" && len(kid) <= MaxKid }

// rsaKey is the key of RFC 7518 §6.3.1, nil if it is none. An exponent of 1 would
// let anything pass for a signature.
func (j jwk) rsaKey() crypto.PublicKey {
	n, e := decodeBase64URL(j.n), decodeBase64URL(j.e)
	if len(e) == 0 || len(e) > maxExponent {
		return nil
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	bits := key.N.BitLen()
	if bits < minRSA || bits > maxRSA || key.N.Bit(0) == 0 || key.E < 3 || key.E%2 == 0 || key.E > 1<<31-1 {
		return nil
	}
	return key
}

// ecKey is the key of RFC 7518 §6.2.1, nil if it isn't a point of the curve.
func (j jwk) ecKey() crypto.PublicKey {
	x, y := decodeBase64URL(j.x), decodeBase64URL(j.y)
	if len(x) != 32 || len(y) != 32 {
		return nil
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil
	}
	return key
}

// ed25519Key is the key of RFC 8037 §2, nil if it has another size.
func (j jwk) ed25519Key() crypto.PublicKey {
	x := decodeBase64URL(j.x)
	if len(x) != ed25519.PublicKeySize {
		return nil
	}
	return ed25519.PublicKey(x)
}

// decodeBase64URL is nil for what isn't base64url.
func decodeBase64URL(s string) []byte {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}
