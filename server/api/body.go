package api

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"parley/shared/rest"
)

// bodySchema is the schema of an operation's body; nil for one that takes none.
func (a *API) bodySchema(op *huma.Operation) *huma.Schema {
	if op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil {
		return nil
	}
	return a.resolve(op.RequestBody.Content["application/json"].Schema)
}

func (a *API) resolve(s *huma.Schema) *huma.Schema {
	for s != nil && s.Ref != "" {
		s = a.huma.OpenAPI().Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}

// checkBody reads the body and holds it to the rules that huma is lenient about:
// type, size, depth, names twice, in another case or unknown, and what follows.
// The handler gets what was read.
func (a *API) checkBody(w http.ResponseWriter, r *http.Request, schema *huma.Schema) error {
	if r.ContentLength == 0 || r.Body == http.NoBody {
		return nil
	}
	if r.ContentLength > rest.MaxBody {
		return &rest.Problem{Code: rest.CodeTooLarge}
	}
	if !isJSON(r) {
		return &rest.Problem{Code: rest.CodeMediaType}
	}
	if err := expectBody(w, r); err != nil {
		return err
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, rest.MaxBody))
	if tooBig := (*http.MaxBytesError)(nil); errors.As(err, &tooBig) {
		w.Header().Set("Connection", "close")
		return &rest.Problem{Code: rest.CodeTooLarge}
	}
	if err != nil || !utf8.Valid(raw) {
		return &rest.Problem{Code: rest.CodeMalformed}
	}
	if schema == nil && string(bytes.TrimSpace(raw)) != "{}" {
		return &rest.Problem{Code: rest.CodeMalformed, Detail: "no body belongs here"}
	}
	if err := a.scanBody(raw, schema); err != nil {
		return err
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	return nil
}

func isJSON(r *http.Request) bool {
	given := r.Header.Values("Content-Type")
	if len(given) != 1 || r.Header.Get("Content-Encoding") != "" {
		return false
	}
	kind, params, err := mime.ParseMediaType(given[0])
	if err != nil || kind != "application/json" {
		return false
	}
	charset, ok := params["charset"]
	return len(params) == 0 || ok && len(params) == 1 && strings.EqualFold(charset, "utf-8")
}

func (a *API) scanBody(raw []byte, schema *huma.Schema) error {
	// Half of an escaped surrogate pair is what a browser makes of a text that it
	// cut: no reason to refuse it. The bytes are UTF-8.
	s := scanner{api: a, dec: jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowInvalidUTF8(true))}
	refused, err := s.value(schema, 1)
	if err == nil {
		_, err = s.dec.ReadToken()
	}
	switch {
	case !errors.Is(err, io.EOF):
		return malformed(err)
	case refused != nil:
		return refused
	}
	return nil
}

// malformed names what stands twice; the rest is no JSON.
func malformed(err error) *rest.Problem {
	var syntax *jsontext.SyntacticError
	if errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntax) {
		return &rest.Problem{Code: rest.CodeMalformed, Field: echo(syntax.JSONPointer.LastToken()), Detail: "named twice"}
	}
	return &rest.Problem{Code: rest.CodeMalformed}
}

// scanner walks a body to its end. What it refuses is told only of what is JSON
// as a whole; the reader itself refuses a name that stands twice.
type scanner struct {
	api *API
	dec *jsontext.Decoder
}

func (s scanner) value(schema *huma.Schema, depth int) (*rest.Problem, error) {
	kind := s.dec.PeekKind()
	if kind != '{' && kind != '[' {
		return nil, s.dec.SkipValue()
	}
	if depth > rest.MaxBodyDepth {
		return &rest.Problem{Code: rest.CodeMalformed, Detail: "nested too deep"}, s.dec.SkipValue()
	}
	schema = s.api.resolve(schema)
	if _, err := s.dec.ReadToken(); err != nil {
		return nil, err
	}
	var first *rest.Problem
	for s.dec.PeekKind() != kind+2 { // '}' and ']' stand two after what they close
		refused, err := s.member(schema, kind, depth)
		if err != nil {
			return nil, err
		}
		first = cmp.Or(first, refused)
	}
	_, err := s.dec.ReadToken()
	return first, err
}

// member reads one member of an object, or one item of an array.
func (s scanner) member(schema *huma.Schema, kind jsontext.Kind, depth int) (*rest.Problem, error) {
	if kind == '[' {
		return s.value(itemsOf(schema), depth+1)
	}
	name, err := s.dec.ReadToken()
	if err != nil {
		return nil, err
	}
	of, known := member(schema, name.String())
	if !known {
		return &rest.Problem{Code: rest.CodeOutOfRange, Field: echo(name.String()), Detail: "unknown name"}, s.dec.SkipValue()
	}
	return s.value(of, depth+1)
}

func itemsOf(schema *huma.Schema) *huma.Schema {
	if schema == nil {
		return nil
	}
	return schema.Items
}

// member is the schema of an object's member. Names are compared exactly; one
// without a schema is let through where the schema is open or not an object:
// huma says what is wrong there.
func member(schema *huma.Schema, name string) (of *huma.Schema, known bool) {
	if schema == nil || schema.Type != huma.TypeObject {
		return nil, true
	}
	if of, known = schema.Properties[name]; known {
		return of, true
	}
	switch more := schema.AdditionalProperties.(type) {
	case *huma.Schema:
		return more, true
	case bool:
		return nil, more
	}
	return nil, true
}
