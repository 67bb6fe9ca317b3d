package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

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
	if err != nil || !utf8.Valid(raw) || !json.Valid(raw) {
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
	s := scanner{api: a, dec: json.NewDecoder(bytes.NewReader(raw))}
	s.dec.UseNumber()
	if p := s.value(schema, 1); p != nil {
		return p
	}
	return nil
}

// scanner walks JSON that is known to be valid.
type scanner struct {
	api *API
	dec *json.Decoder
}

func (s scanner) value(schema *huma.Schema, depth int) *rest.Problem {
	tok, err := s.dec.Token()
	if err != nil {
		return &rest.Problem{Code: rest.CodeMalformed}
	}
	if _, nested := tok.(json.Delim); nested && depth > rest.MaxBodyDepth {
		return &rest.Problem{Code: rest.CodeMalformed, Detail: "nested too deep"}
	}
	schema = s.api.resolve(schema)
	switch tok {
	case json.Delim('{'):
		return s.object(schema, depth)
	case json.Delim('['):
		return s.array(schema, depth)
	}
	return nil
}

// object reads the rest of an object, its brace already taken.
func (s scanner) object(schema *huma.Schema, depth int) *rest.Problem {
	seen := make(map[string]bool)
	for s.dec.More() {
		tok, err := s.dec.Token()
		name, ok := tok.(string)
		if err != nil || !ok {
			return &rest.Problem{Code: rest.CodeMalformed}
		}
		if seen[name] {
			return &rest.Problem{Code: rest.CodeMalformed, Field: echo(name), Detail: "named twice"}
		}
		seen[name] = true
		of, known := member(schema, name)
		if !known {
			return &rest.Problem{Code: rest.CodeOutOfRange, Field: echo(name), Detail: "unknown name"}
		}
		if p := s.value(of, depth+1); p != nil {
			return p
		}
	}
	_, _ = s.dec.Token() // the closing brace: the JSON is valid
	return nil
}

func (s scanner) array(schema *huma.Schema, depth int) *rest.Problem {
	var items *huma.Schema
	if schema != nil {
		items = schema.Items
	}
	for s.dec.More() {
		if p := s.value(items, depth+1); p != nil {
			return p
		}
	}
	_, _ = s.dec.Token()
	return nil
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
