package auth

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxNumericDate is the largest date taken (year 9999): beyond it, conversions
// to time.Time lose their meaning.
const maxNumericDate = 253402300799

// memberKind is what a known member of header or claims must be.
type memberKind int

const (
	kindString      memberKind = iota // a string
	kindNumericDate                   // NumericDate, RFC 7519 §2
	kindStrings                       // a string or an array of strings
	kindForbidden                     // must not be there at all
)

// headerKinds: members that change how the token must be read (crit, b64, zip,
// enc) are refused. Those that bring or point to a key (jku, jwk, x5u, x5c, RFC
// 8725 §3.5) are never read, and so of no kind: the token stands by its kid.
func headerKinds() map[string]memberKind {
	return map[string]memberKind{
		"alg": kindString, "kid": kindString,
		"crit": kindForbidden, "b64": kindForbidden, "zip": kindForbidden, "enc": kindForbidden,
	}
}

// claimKinds are the registered claims (RFC 7519 §4.1). Nothing else in a token
// can refuse it.
func claimKinds() map[string]memberKind {
	return map[string]memberKind{
		"iss": kindString, "sub": kindString, "jti": kindString, "aud": kindStrings,
		"exp": kindNumericDate, "iat": kindNumericDate, "nbf": kindNumericDate,
	}
}

// checkObject reads one JSON object without building it: no name twice at any
// level, none that only case tells from a known one, known ones of their kind,
// nothing after it. Its depth is bounded by encoding/json, and by the size of a
// token.
func checkObject(raw []byte, known map[string]memberKind) error {
	if !utf8.Valid(raw) {
		return newRefusal("malformed")
	}
	if !json.Valid(raw) {
		return newRefusal("malformed")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return newRefusal("malformed")
	}
	return walkObject(dec, known)
}

// walkObject reads the rest of an object, its brace already taken.
func walkObject(dec *json.Decoder, known map[string]memberKind) error {
	seen := make(map[string]bool)
	for dec.More() {
		tok, err := dec.Token()
		name, ok := tok.(string)
		if err != nil || !ok || seen[name] {
			return newRefusal("duplicate_name")
		}
		seen[name] = true
		k, isKnown := known[name]
		if !isKnown && foldsToKnown(name, known) {
			return newRefusal("wrong_case")
		}
		if err := walkValue(dec, k, isKnown); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

// foldsToKnown uses the folding of encoding/json, which takes such a name for
// the known one: the long s and the Kelvin sign included.
func foldsToKnown(name string, known map[string]memberKind) bool {
	for k := range known {
		if strings.EqualFold(k, name) {
			return true
		}
	}
	return false
}

func walkValue(dec *json.Decoder, k memberKind, typed bool) error {
	tok, err := dec.Token()
	if err != nil {
		return newRefusal("malformed")
	}
	if typed && k == kindForbidden {
		return newRefusal("header_not_allowed")
	}
	if typed && !isOfKind(tok, k) {
		return newRefusal("wrong_type")
	}
	switch tok {
	case json.Delim('{'):
		return walkObject(dec, nil)
	case json.Delim('['):
		for dec.More() {
			if err := walkValue(dec, kindString, typed); err != nil {
				return err
			}
		}
		_, err = dec.Token()
	}
	return err
}

func isOfKind(tok json.Token, k memberKind) bool {
	switch v := tok.(type) {
	case string:
		return k == kindString || k == kindStrings
	case json.Number:
		n, err := strconv.ParseFloat(v.String(), 64)
		return k == kindNumericDate && err == nil && n >= 0 && n <= maxNumericDate && !math.IsNaN(n)
	case json.Delim:
		return k == kindStrings && v == '['
	}
	return false
}
