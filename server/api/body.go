package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"parley/server/strictjson"
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
	if err := ExpectBody(w, r); err != nil {
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
	if len(raw) == 0 {
		return nil // a body of unknown length that was none
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
	err := strictjson.Read(raw, rest.MaxBodyDepth, bodyCheck{a, a.resolve(schema)})
	duplicate, refused := (*strictjson.DuplicateNameError)(nil), (*rest.Problem)(nil)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &duplicate):
		return &rest.Problem{Code: rest.CodeMalformed, Field: echo(duplicate.Name), Detail: "named twice"}
	case errors.Is(err, strictjson.ErrTooDeep):
		return &rest.Problem{Code: rest.CodeMalformed, Detail: "nested too deep"}
	}
	return &rest.Problem{Code: rest.CodeMalformed}
}

// bodyCheck holds a value to the names that its schema has.
type bodyCheck struct {
	api    *API
	schema *huma.Schema // nil takes anything
}

// Value leaves types and ranges to huma.
func (bodyCheck) Value(strictjson.Kind, []byte) error { return nil }

// Member implements strictjson.Check.
func (c bodyCheck) Member(name string) (strictjson.Check, error) {
	of, isKnown := member(c.schema, name)
	if !isKnown {
		return nil, &rest.Problem{Code: rest.CodeOutOfRange, Field: echo(name), Detail: "unknown name"}
	}
	return bodyCheck{c.api, c.api.resolve(of)}, nil
}

// Item implements strictjson.Check.
func (c bodyCheck) Item() strictjson.Check { return bodyCheck{c.api, c.api.resolve(itemsOf(c.schema))} }

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
