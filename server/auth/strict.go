package auth

import (
	"errors"
	"strconv"
	"strings"

	"parley/server/strictjson"
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

// checkObject holds one JSON object to the rules of a token: no name twice at any
// level, none that only case tells from a known one, known ones of their kind,
// nothing after it. Its depth is bounded by the size of a token.
func checkObject(raw []byte, known map[string]memberKind) error {
	err := strictjson.Read(raw, MaxToken, objectCheck{known})
	duplicate, ours := (*strictjson.DuplicateNameError)(nil), (*refusal)(nil)
	switch {
	case err == nil || errors.As(err, &ours):
		return err
	case errors.As(err, &duplicate):
		return newRefusal("duplicate_name")
	}
	return newRefusal("malformed")
}

// objectCheck is of an object with members that are known, and others.
type objectCheck struct{ known map[string]memberKind }

func (objectCheck) Value(kind strictjson.Kind, _ []byte) error {
	if kind != '{' {
		return newRefusal("malformed")
	}
	return nil
}

func (c objectCheck) Member(name string) (strictjson.Check, error) {
	if kind, isKnown := c.known[name]; isKnown {
		return kind, nil
	}
	if foldsToKnown(name, c.known) {
		return nil, newRefusal("wrong_case")
	}
	return nil, nil
}

func (objectCheck) Item() strictjson.Check { return nil }

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

// Value refuses what is not of the kind.
func (k memberKind) Value(kind strictjson.Kind, text []byte) error {
	isOfKind := false
	switch kind {
	case '"':
		isOfKind = k == kindString || k == kindStrings
	case '0':
		n, err := strconv.ParseFloat(string(text), 64)
		isOfKind = k == kindNumericDate && err == nil && n >= 0 && n <= maxNumericDate
	case '[':
		isOfKind = k == kindStrings
	}
	switch {
	case k == kindForbidden:
		return newRefusal("header_not_allowed")
	case !isOfKind:
		return newRefusal("wrong_type")
	}
	return nil
}

// Member takes anything: an object is of no kind, and refused as a whole.
func (memberKind) Member(string) (strictjson.Check, error) { return nil, nil }

// Item is the kind of what an array holds.
func (memberKind) Item() strictjson.Check { return kindString }
