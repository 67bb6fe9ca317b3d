// Package strictjson reads JSON that comes from outside, where two readers must
// not understand it differently (RFC 8259 §4, RFC 8725 §2.4): UTF-8, one value and
// nothing after it, no name twice in an object, a bounded depth. What the names
// and values have to be its callers decide, by a Check for each value. Socket
// frames, which become Go types at once, are read as strictly by shared/wire.
package strictjson

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrMalformed: the text is not one JSON value in UTF-8.
var ErrMalformed = errors.New("not JSON")

// ErrTooDeep: values are nested deeper than the caller allows.
var ErrTooDeep = errors.New("nested too deep")

// A DuplicateNameError is of a name that stands twice in one object.
type DuplicateNameError struct{ Name string }

func (e *DuplicateNameError) Error() string { return "a name stands twice: " + e.Name }

// Kind is the first byte of a value: { [ " 0 t f n, with 0 for any number.
type Kind = jsontext.Kind

// Check decides what one value may be. Each method returns an error to refuse
// what it was asked about; the rest of the text is read all the same, for what
// isn't JSON at all is told before anything else.
type Check interface {
	// Value takes the kind of the value, and its text where it is no object and no
	// array.
	Value(kind Kind, text []byte) error
	// Member returns the check of an object's member; nil takes anything.
	Member(name string) (Check, error)
	// Item returns the check of an array's items; nil takes anything.
	Item() Check
}

// Read reads raw to its end and returns why it is refused: ErrMalformed or a
// *DuplicateNameError, else the first refusal of a check, or ErrTooDeep.
func Read(raw []byte, maxDepth int, root Check) error {
	if !utf8.Valid(raw) {
		return ErrMalformed
	}
	// Half of an escaped surrogate pair is what a browser makes of a text that it
	// cut: no reason to refuse it. The bytes are UTF-8.
	r := reader{dec: jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowInvalidUTF8(true)), maxDepth: maxDepth}
	refusal, err := r.value(root, 1)
	if err != nil {
		return syntaxError(err)
	}
	if _, err := r.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return syntaxError(err)
	}
	return refusal
}

// Members returns the members of an object by their exact names. What they hold
// is not looked into: a list whose items stand each for itself goes on where one
// of them is refused.
func Members(raw []byte) (map[string][]byte, error) {
	if !utf8.Valid(raw) {
		return nil, ErrMalformed
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '{' {
		return nil, ErrMalformed
	}
	members := make(map[string][]byte)
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, ErrMalformed
		}
		key := name.String()
		if _, isTwice := members[key]; isTwice {
			return nil, &DuplicateNameError{key}
		}
		value, err := dec.ReadValue()
		if err != nil {
			return nil, ErrMalformed
		}
		members[key] = value.Clone()
	}
	if _, err := dec.ReadToken(); err != nil { // the closing brace
		return nil, ErrMalformed
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, ErrMalformed
	}
	return members, nil
}

// syntaxError names what stands twice; the rest is no JSON.
func syntaxError(err error) error {
	var syntax *jsontext.SyntacticError
	if errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntax) {
		return &DuplicateNameError{syntax.JSONPointer.LastToken()}
	}
	return ErrMalformed
}

// reader walks a text to its end. Its refusals are what checks said; its errors
// end it.
type reader struct {
	dec      *jsontext.Decoder
	maxDepth int
}

func (r reader) value(check Check, depth int) (refusal, err error) {
	kind := r.dec.PeekKind()
	if kind != '{' && kind != '[' {
		text, err := r.dec.ReadValue()
		if err != nil || check == nil {
			return nil, err
		}
		return check.Value(kind, text), nil
	}
	if depth > r.maxDepth {
		return ErrTooDeep, r.dec.SkipValue()
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, err
	}
	var first error
	if check != nil {
		first = check.Value(kind, nil)
	}
	for r.dec.PeekKind() != kind+2 { // '}' and ']' stand two after what they close
		refusal, err := r.member(check, kind, depth)
		if err != nil {
			return nil, err
		}
		first = cmp.Or(first, refusal)
	}
	_, err = r.dec.ReadToken()
	return first, err
}

// member reads one member of an object, or one item of an array.
func (r reader) member(check Check, kind jsontext.Kind, depth int) (refusal, err error) {
	if kind == '[' {
		if check != nil {
			check = check.Item()
		}
		return r.value(check, depth+1)
	}
	name, err := r.dec.ReadToken()
	if err != nil {
		return nil, err
	}
	if check == nil {
		return r.value(nil, depth+1)
	}
	of, refusal := check.Member(name.String())
	if refusal != nil {
		return refusal, r.dec.SkipValue()
	}
	return r.value(of, depth+1)
}
