package api

import (
	"context"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parley/shared/rest"
)

// right is what a route asks of who comes.
type right int

const (
	anyone right = iota
	bearer       // a valid token in the header: the cookie is made from it
	user         // a valid token
	admin        // a valid token of somebody whom the configuration makes admin
)

// rightKey is where an operation carries its right.
const rightKey = "right"

func (a *API) routes() {
	on(a, http.MethodGet, rest.PathHealth, anyone, "Alive", a.health)
	on(a, http.MethodGet, rest.PathReady, anyone, "Ready for calls", a.ready)
	on(a, http.MethodGet, rest.PathMe, user, "Who you are and what you may do", a.me)
	on(a, http.MethodGet, rest.PathAdmission, user, "May a call start now", a.admission)
	on(a, http.MethodGet, rest.PathActive, admin, "Live sessions, oldest first", a.active)
	on(a, http.MethodGet, rest.PathStats, admin, "Counts of sessions", a.stats)
	on(a, http.MethodPost, rest.PathEnd, admin, "End a session now", a.end)
	on(a, http.MethodGet, rest.PathConnection, user, "Quality of a session, for its owner and admins", a.connection)

	a.raw(http.MethodPost, rest.PathAuthSession, bearer, "Sign in: the token becomes a cookie", "", a.signIn)
	a.raw(http.MethodDelete, rest.PathAuthSession, user, "Sign out: the token is revoked", "", a.signOut)
	a.raw(http.MethodGet, rest.PathStream, admin, "What changes, as server-sent events", "text/event-stream", a.stream)
	// The socket has guards of its own, in an order of its own.
	a.mux.Handle("GET "+rest.PathSocket, a.Socket)
}

// on registers one operation. What it answers is never cached.
func on[I, O any](a *API, method, path string, need right, summary string,
	do func(context.Context, *I) (*O, error),
) {
	op := huma.Operation{
		OperationID: operationID(method, path),
		Method:      method,
		Path:        path,
		Summary:     summary,
		Metadata:    map[string]any{rightKey: need},
		Responses:   a.problemResponse(),
	}
	if need != anyone {
		op.Security = []map[string][]string{{"token": {}}}
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, failure{a.problem(ctx, err)}
		}
		return out, nil
	})
}

// adapter puts every operation behind the same guard as the raw routes.
type adapter struct{ api *API }

// Handle implements huma.Adapter.
func (d *adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	need, _ := op.Metadata[rightKey].(right)
	d.api.mux.HandleFunc(op.Method+" "+op.Path, d.api.guard(need, d.api.bodySchema(op),
		func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Accept") // there is one form; huma would negotiate its name
			handler(humago.NewContext(op, r, w))
		}))
}

// ServeHTTP implements huma.Adapter.
func (d *adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.api.ServeHTTP(w, r) }

// describe configures huma: JSON only, no pages, no schema links, unknown query
// parameters refused, and every error as our problem.
func (a *API) describe() huma.Config {
	c := huma.DefaultConfig("Parley", a.Version)
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.CreateHooks = nil
	c.RejectUnknownQueryParameters = true
	c.Formats = map[string]huma.Format{
		"application/json": huma.DefaultJSONFormat,
		"json":             huma.DefaultJSONFormat, // what huma makes of application/problem+json
	}
	c.Transformers = []huma.Transformer{a.problemsOnly}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
	}
	return c
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
		Method: method, Path: path, Summary: summary, Responses: responses, OperationID: operationID(method, path),
		Security: []map[string][]string{{"token": {}}},
	})
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
