package api

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"parley/shared/rest"
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
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
	}
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
		return "For admins; who administers one organization sees and does what belongs to it."
	case operator:
		return "For admins of the whole server."
	}
	return "For admins of the whole server, and for the metrics token."
}

func (need right) security() []map[string][]string {
	if need == anyone {
		return nil
	}
	return []map[string][]string{{"token": {}}}
}

// describeSocket: the socket is not ours to guard, but ours to tell of.
func (a *API) describeSocket() {
	responses := a.problemResponse()
	responses["101"] = &huma.Response{Description: "The WebSocket is open."}
	a.huma.OpenAPI().AddOperation(&huma.Operation{
		Method: http.MethodGet, Path: rest.PathSocket, Summary: "Signaling WebSocket, subprotocol parley.v1",
		Description: user.String(), Responses: responses, OperationID: operationID(http.MethodGet, rest.PathSocket),
		Security: user.security(),
		Parameters: []*huma.Param{
			{Name: "agent", In: "query", Description: "One of the agents that the admission lists", Schema: &huma.Schema{Type: huma.TypeString}},
			{
				Name: "takeover", In: "query", Description: "1: when all your places are taken, end the oldest of your sessions (replaced) and take its place",
				Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"1"}},
			},
		},
	})
}

// raw registers a handler that needs the connection or the whole request. It
// is described by hand; an empty kind is 204.
func (a *API) raw(method, path string, need right, summary, kind string, h http.HandlerFunc) {
	a.mux.HandleFunc(method+" "+path, a.guard(need, nil, h))
	responses, status, content := a.problemResponse(), "204", map[string]*huma.MediaType(nil)
	if kind != "" {
		status, content = "200", map[string]*huma.MediaType{kind: {Schema: &huma.Schema{Type: huma.TypeString}}}
	}
	responses[status] = &huma.Response{Description: summary, Content: content}
	a.huma.OpenAPI().AddOperation(&huma.Operation{
		Method: method, Path: path, Summary: summary, Description: need.String(), Responses: responses,
		OperationID: operationID(method, path), Security: need.security(),
	})
}

// describeQuotedNumbers says string where a number goes over the wire in quotes,
// as 64-bit ids do: a reader in JavaScript would round them.
func (a *API) describeQuotedNumbers() {
	schemas := a.huma.OpenAPI().Components.Schemas
	for name, schema := range schemas.Map() {
		t := schemas.TypeFromRef("#/components/schemas/" + name)
		if t == nil || t.Kind() != reflect.Struct {
			continue
		}
		for i := range t.NumField() {
			field, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			if strings.Contains(","+options+",", ",string,") && schema.Properties[field] != nil {
				schema.Properties[field] = &huma.Schema{Type: huma.TypeString, Pattern: "^-?[0-9]+$"}
			}
		}
	}
}

func operationID(method, path string) string {
	return strings.ToLower(method) + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path)
}

func (a *API) problemResponse() map[string]*huma.Response {
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[rest.Problem](), true, "")
	return map[string]*huma.Response{"default": {
		Description: "Problem",
		Content:     map[string]*huma.MediaType{problemType: {Schema: schema}},
	}}
}
