package api

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// describe configures huma: JSON only, no pages, no schema links, unknown query
// parameters refused, and every error as our problem.
func (a *API) describe() huma.Config {
	c := huma.DefaultConfig("Parley", a.Version)
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.CreateHooks = nil
	c.RejectUnknownQueryParameters = true
	format := huma.Format{Marshal: a.encoder.Write, Unmarshal: huma.DefaultJSONFormat.Unmarshal}
	c.Formats = map[string]huma.Format{
		"application/json": format,
		"json":             format, // what huma makes of application/problem+json
	}
	c.Transformers = []huma.Transformer{a.problemsOnly}
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", frameNamer)
	c.Components.SecuritySchemes = securitySchemes()
	return c
}

// String says in a sentence who may.
func (need right) String() string {
	switch need {
	case anyone:
		return "For everyone."
	case bearer:
		return "For who sends a valid token in the Authorization header."
	case user:
		return "For who is signed in."
	case admin:
		return "For admins; who administers one organization sees and does what belongs to it. Auditors see as much, and change nothing (403 read_only)."
	case operator:
		return "For admins of the whole server. Its auditors see as much, and change nothing (403 read_only)."
	}
	return "For admins and auditors of the whole server, and for the metrics token."
}

// raw registers a handler that needs the connection or the whole request. It
// is described by hand; an empty kind is 204.
func (a *API) raw(method, path string, need right, summary, kind string, h http.HandlerFunc) {
	a.mux.HandleFunc(method+" "+path, a.guard(need, nil, h))
	a.describeRaw(method, path, need, summary, kind)
}

func (a *API) describeRaw(method, path string, need right, summary, kind string) {
	responses, status, content := a.problemResponse(), "204", map[string]*huma.MediaType(nil)
	if kind != "" {
		schema := &huma.Schema{Type: huma.TypeString}
		if kind == "application/json" {
			schema.Type, schema.AdditionalProperties = huma.TypeObject, true
		}
		status, content = "200", map[string]*huma.MediaType{kind: {Schema: schema}}
	}
	responses[status] = &huma.Response{Description: summary, Content: content}
	a.huma.OpenAPI().AddOperation(&huma.Operation{
		Method: method, Path: path, Summary: summary, Description: need.String(), Responses: responses,
		OperationID: operationID(method, path), Security: need.security(),
	})
}

// describeWire says of each schema what goes over the wire where huma says what
// Go has: a number in quotes, as 64-bit ids have them, is a string, since a reader
// in JavaScript would round it; a list without elements is [], never null. Bodies may
// have null for a list, as Go's clients write it, so these schemas are not theirs.
func (a *API) describeWire() {
	schemas := a.huma.OpenAPI().Components.Schemas
	for name, schema := range schemas.Map() {
		for _, property := range schema.Properties {
			if property.Type == huma.TypeArray && property.Nullable {
				property.Nullable = false
			}
		}
		t := schemas.TypeFromRef("#/components/schemas/" + name)
		if t == nil || t.Kind() != reflect.Struct {
			continue
		}
		for i := range t.NumField() {
			field, options := jsonName(t.Field(i)), t.Field(i).Tag.Get("json")
			if strings.Contains(","+options+",", ",string,") && schema.Properties[field] != nil {
				schema.Properties[field] = &huma.Schema{Type: huma.TypeString, Pattern: "^-?[0-9]+$"}
			}
		}
	}
}

// jsonName is a field's name on the wire.
func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

func operationID(method, path string) string {
	return strings.ToLower(method) + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path)
}
