package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
)

// scan refuses what encoding/json lets pass: a name that the type does not
// have, one in the wrong case, one that stands twice, and deep nesting. It
// expects valid JSON.
func scan(frame []byte, m Message) error {
	dec := json.NewDecoder(bytes.NewReader(frame))
	dec.UseNumber() // whether a number fits is for its field to say
	tok, err := dec.Token()
	if err != nil || tok != json.Delim('{') {
		return refuse(ErrMalformed, "", errors.New("not an object"))
	}
	return scanObject(dec, reflect.TypeOf(m), 1)
}

// scanObject reads the rest of an object of Go type t, its brace already taken.
func scanObject(dec *json.Decoder, t reflect.Type, depth int) error {
	known := fieldTypes(t)
	if depth == 1 {
		known["type"] = reflect.TypeFor[Type]()
	}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return refuse(ErrMalformed, "", err)
		}
		name, _ := tok.(string)
		of, ok := known[name]
		if !ok {
			return refuse(ErrUnknownField, name, nil)
		}
		if of == nil {
			return refuse(ErrMalformed, name, errors.New("named twice"))
		}
		known[name] = nil
		if err := scanValue(dec, of, depth+1); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return wrap(err)
}

func scanValue(dec *json.Decoder, t reflect.Type, depth int) error {
	tok, err := dec.Token()
	if err != nil {
		return wrap(err)
	}
	delim, nested := tok.(json.Delim)
	if !nested {
		return nil
	}
	if depth > MaxDepth {
		return refuse(ErrMalformed, "", errors.New("nested too deep"))
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case delim == '{' && t.Kind() == reflect.Struct:
		return scanObject(dec, t, depth)
	case delim == '[' && t.Kind() == reflect.Slice:
		return scanArray(dec, t.Elem(), depth)
	}
	return refuse(ErrOutOfRange, "", errors.New("an object or array where a plain value belongs"))
}

func scanArray(dec *json.Decoder, t reflect.Type, depth int) error {
	for dec.More() {
		if err := scanValue(dec, t, depth+1); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return wrap(err)
}

// fieldTypes gives the JSON names of a struct's fields. A nil type marks a name
// already seen.
func fieldTypes(t reflect.Type) map[string]reflect.Type {
	known := make(map[string]reflect.Type)
	if t.Kind() != reflect.Struct {
		return known
	}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		known[name] = f.Type
	}
	return known
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return refuse(ErrMalformed, "", err)
}
