package auth

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth of a token's JSON: providers nest an address or a list of roles.
const maxDepth = 8

// maxNumericDate is the largest date taken (year 9999): beyond it, conversions
// to time.Time lose their meaning.
const maxNumericDate = 253402300799

// kind is what a known member of header or claims must be.
type kind int

const (
	text     kind = iota // a string
	date                 // NumericDate, RFC 7519 §2
	strs                 // a string or an array of strings
	anything             // the name counts, the value is read elsewhere
	refuses              // must not be there at all
)

// headerKinds: members that bring or point to a key (RFC 8725 §3.5), or change
// how the token must be read (crit, b64, zip), are refused: none is followed.
func headerKinds() map[string]kind {
	return map[string]kind{
		"alg": text, "typ": text, "cty": text, "kid": text,
		"crit": refuses, "jku": refuses, "jwk": refuses, "x5u": refuses, "x5c": refuses,
		"b64": refuses, "zip": refuses, "enc": refuses,
	}
}

func claimKinds() map[string]kind {
	return map[string]kind{
		"iss": text, "sub": text, "jti": text, "aud": strs,
		"exp": date, "iat": date, "nbf": date,
		"name": text, "phone": text, "email": text, "mode": text, "org": text, "role": text,
	}
}

// checkObject reads one JSON object without building it: no name twice at any
// level, none that only case tells from a known one, known ones of their kind,
// nothing after it.
func checkObject(raw []byte, known map[string]kind) error {
	if !utf8.Valid(raw) {
		return refused("not UTF-8")
	}
	if !json.Valid(raw) {
		return refused("not JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return refused("not an object")
	}
	return walkObject(dec, known, 1)
}

// walkObject reads the rest of an object, its brace already taken.
func walkObject(dec *json.Decoder, known map[string]kind, depth int) error {
	seen := make(map[string]bool)
	for dec.More() {
		tok, err := dec.Token()
		name, ok := tok.(string)
		if err != nil || !ok || seen[name] {
			return refused("a name twice")
		}
		seen[name] = true
		k, isKnown := known[name]
		if !isKnown && foldsToKnown(name, known) {
			return refused("a name in another case")
		}
		if err := walkValue(dec, depth+1, k, isKnown && k != anything); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

// foldsToKnown uses the folding of encoding/json, which takes such a name for
// the known one: the long s and the Kelvin sign included.
func foldsToKnown(name string, known map[string]kind) bool {
	for k := range known {
		if strings.EqualFold(k, name) {
			return true
		}
	}
	return false
}

func walkValue(dec *json.Decoder, depth int, k kind, typed bool) error {
	if depth > maxDepth {
		return refused("nested too deep")
	}
	tok, err := dec.Token()
	if err != nil {
		return refused("not JSON")
	}
	if typed && !fits(tok, k) {
		return refused("a member's type")
	}
	switch tok {
	case json.Delim('{'):
		return walkObject(dec, nil, depth)
	case json.Delim('['):
		for dec.More() {
			if err := walkValue(dec, depth+1, text, typed); err != nil {
				return err
			}
		}
		_, err = dec.Token()
	}
	return err
}

func fits(tok json.Token, k kind) bool {
	switch v := tok.(type) {
	case string:
		return k == text || k == strs
	case json.Number:
		n, err := strconv.ParseFloat(v.String(), 64)
		return k == date && err == nil && n >= 0 && n <= maxNumericDate && !math.IsNaN(n)
	case json.Delim:
		return k == strs && v == '['
	}
	return false
}
