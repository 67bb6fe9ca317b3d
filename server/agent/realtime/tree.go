package realtime

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits of one message's form, beside its size.
const (
	// maxDepth is how deep values may nest: the schemas of tools are the deepest
	// that is documented, and few of them come near half of this.
	maxDepth = 64
	// maxNodes is how many values one message may hold. A large message is large by
	// its strings; ten million empty arrays are an attack on memory.
	maxNodes = 50_000
)

// What is wrong with a message as such.
var (
	errMalformed  = errors.New("not one JSON object in UTF-8 with each name once")
	errTooComplex = errors.New("too deep, or too many values")
)

// node is one JSON value: an object, a list, a string, a number, a bool, or nil
// for null.
type node any

type (
	object []member
	list   []node
	// number is as it was written, for what is passed on.
	number string
	member struct {
		name  string
		value node
	}
)

// get returns the value of a name, nil where there is none.
func (o object) get(name string) node {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// has reports whether there is a value of a name, if only null.
func (o object) has(name string) bool {
	return slices.ContainsFunc(o, func(m member) bool { return m.name == name })
}

// with returns o with a value of name, in place of the one that it had.
func (o object) with(name string, value node) object {
	for i, m := range o {
		if m.name == name {
			o[i].value = value
			return o
		}
	}
	return append(o, member{name, value})
}

func (o object) object(name string) object { v, _ := o.get(name).(object); return v }
func (o object) list(name string) list     { v, _ := o.get(name).(list); return v }
func (o object) string(name string) string { v, _ := o.get(name).(string); return v }

// parse reads a message once, whole. What is passed on is written from what it
// returns, never from the message, so that nobody can read it in another way.
func parse(message []byte) (object, error) {
	if !utf8.Valid(message) {
		return nil, errMalformed
	}
	// Half of a surrogate pair, escaped, becomes U+FFFD, as in a browser: a text cut
	// in the middle of an emoji is no reason to lose the event.
	p := parser{dec: jsontext.NewDecoder(bytes.NewReader(message), jsontext.AllowInvalidUTF8(true))}
	if p.dec.PeekKind() != '{' {
		return nil, errMalformed
	}
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	if _, err := p.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errMalformed
	}
	return v.(object), nil
}

type parser struct {
	dec   *jsontext.Decoder
	nodes int
}

func (p *parser) value() (node, error) {
	if p.nodes++; p.nodes > maxNodes || p.dec.StackDepth() > maxDepth {
		return nil, errTooComplex
	}
	t, err := p.dec.ReadToken()
	if err != nil {
		return nil, errMalformed
	}
	switch t.Kind() {
	case '{':
		return p.object()
	case '[':
		return p.list()
	case '"':
		return t.String(), nil
	case '0':
		return number(t.String()), nil
	case 't', 'f':
		return t.Bool(), nil
	}
	return nil, nil
}

func (p *parser) object() (node, error) {
	o := object{}
	for p.dec.PeekKind() != '}' {
		name, err := p.dec.ReadToken()
		if err != nil {
			return nil, errMalformed // a name that stands twice, too
		}
		m := member{name: name.String()}
		if m.value, err = p.value(); err != nil {
			return nil, err
		}
		o = append(o, m)
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, errMalformed
	}
	return o, nil
}

func (p *parser) list() (node, error) {
	l := list{}
	for p.dec.PeekKind() != ']' {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		l = append(l, v)
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, errMalformed
	}
	return l, nil
}

// encode writes o as a message.
func (o object) encode() []byte {
	var out bytes.Buffer
	e := jsontext.NewEncoder(&out, jsontext.AllowDuplicateNames(true))
	write(e, o)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// write writes to memory what parse or this package made: it can't fail.
func write(e *jsontext.Encoder, v node) {
	switch v := v.(type) {
	case object:
		_ = e.WriteToken(jsontext.BeginObject)
		for _, m := range v {
			_ = e.WriteToken(jsontext.String(m.name))
			write(e, m.value)
		}
		_ = e.WriteToken(jsontext.EndObject)
	case list:
		_ = e.WriteToken(jsontext.BeginArray)
		for _, of := range v {
			write(e, of)
		}
		_ = e.WriteToken(jsontext.EndArray)
	case string:
		_ = e.WriteToken(jsontext.String(v))
	case number:
		_ = e.WriteValue(jsontext.Value(v))
	case bool:
		_ = e.WriteToken(jsontext.Bool(v))
	default:
		_ = e.WriteToken(jsontext.Null)
	}
}
