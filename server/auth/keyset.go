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
	"math/big"
	"slices"
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

// verifier is a public key bound to the one algorithm it checks.
type verifier struct {
	alg string
	key crypto.PublicKey
}

// jwk is what we read of a JSON Web Key (RFC 7517 §4). Certificates, by value or
// by URL, are not: the key set itself is what is trusted.
type jwk struct {
	Kty    string   `json:"kty"`
	Kid    string   `json:"kid"`
	Alg    string   `json:"alg"`
	Use    string   `json:"use"`
	KeyOps []string `json:"key_ops"`
	Crv    string   `json:"crv"`
	N      string   `json:"n"`
	E      string   `json:"e"`
	X      string   `json:"x"`
	Y      string   `json:"y"`
	D      string   `json:"d"`
}

// keyKinds: k, a secret, has no place among public keys.
func keyKinds() map[string]kind {
	return map[string]kind{
		"kty": text, "kid": text, "alg": text, "use": text, "key_ops": strs,
		"crv": text, "n": text, "e": text, "x": text, "y": text, "d": text, "k": refuses,
	}
}

// parseKeySet reads a JWK Set (RFC 7517 §5) and gives the keys of it that check
// tokens, by kid. Keys for something else, of other algorithms, without a kid,
// or with their private part in it are passed over, and so are two of one kid:
// either could be meant. A set without any key left is an error.
func parseKeySet(raw []byte) (map[string]verifier, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if checkObject(raw, map[string]kind{"keys": anything}) != nil || json.Unmarshal(raw, &set) != nil {
		return nil, errors.New("not a JWK Set")
	}
	keys, twice := make(map[string]verifier), []string{}
	for _, one := range set.Keys {
		kid, v, ok := parseKey(one)
		if !ok {
			continue
		}
		if _, known := keys[kid]; known {
			twice = append(twice, kid)
		}
		keys[kid] = v
	}
	for _, kid := range twice {
		delete(keys, kid)
	}
	if len(keys) == 0 {
		return nil, errors.New("no key in it checks RS256, ES256 or EdDSA by a kid of its own")
	}
	return keys, nil
}

func parseKey(raw []byte) (kid string, v verifier, ok bool) {
	var j jwk
	if checkObject(raw, keyKinds()) != nil || json.Unmarshal(raw, &j) != nil {
		return "", verifier{}, false
	}
	signs := (j.Use == "" || j.Use == "sig") && (len(j.KeyOps) == 0 || slices.Contains(j.KeyOps, "verify"))
	if !signs || j.D != "" || !validKid(j.Kid) {
		return "", verifier{}, false
	}
	switch {
	case j.Kty == "RSA":
		v = verifier{alg: algRS256, key: j.rsa()}
	case j.Kty == "EC" && j.Crv == "P-256":
		v = verifier{alg: algES256, key: j.ec()}
	case j.Kty == "OKP" && j.Crv == "Ed25519":
		v = verifier{alg: algEdDSA, key: j.ed25519()}
	}
	return j.Kid, v, v.key != nil && (j.Alg == "" || j.Alg == v.alg)
}

// validKid: a kid is looked up in a map and nothing else, never in a path or a
// query; the bound is what one may cost to compare.
func validKid(kid string) bool { return kid != "" && len(kid) <= MaxKid }

// rsa is the key of RFC 7518 §6.3.1, nil if it is none. An exponent of 1 would
// let anything pass for a signature.
func (j jwk) rsa() crypto.PublicKey {
	n, e := unpack(j.N), unpack(j.E)
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

// ec is the key of RFC 7518 §6.2.1, nil if it isn't a point of the curve.
func (j jwk) ec() crypto.PublicKey {
	x, y := unpack(j.X), unpack(j.Y)
	if len(x) != 32 || len(y) != 32 {
		return nil
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil
	}
	return key
}

// ed25519 is the key of RFC 8037 §2, nil if it has another size.
func (j jwk) ed25519() crypto.PublicKey {
	x := unpack(j.X)
	if len(x) != ed25519.PublicKeySize {
		return nil
	}
	return ed25519.PublicKey(x)
}

// unpack is nil for what isn't base64url.
func unpack(s string) []byte {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}
