package api

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"parley/shared/rest"
	"parley/shared/wire"
)

var (
	//go:embed docs.html
	docsHTML string
	//go:embed docs.css
	docsCSS string
)

// description is how the interface is told to others. It takes longer to make than
// the rest of a start, and few ask: whoever is the first waits for it.
type description struct{ openAPI, page []byte }

// descriptionRoutes are those by which the interface tells of itself.
func (a *API) descriptionRoutes() {
	a.raw(http.MethodGet, rest.PathOpenAPI, anyone, "This interface, as OpenAPI 3.1", "application/json", a.serveOpenAPI)
	a.raw(http.MethodGet, rest.PathDocs, anyone, "This interface, as a page", "text/html", a.serveDocs)
}

// makeDescription describes routes that serve nobody: the schemas of those that do are
// what bodies are held against, which is not in all what goes over the wire.
func (a *API) makeDescription() description {
	told := &API{Config: a.Config, mux: http.NewServeMux(), encoder: a.encoder}
	told.register()
	told.describeWire()
	return description{
		openAPI: described(told.huma.OpenAPI().MarshalJSON()),
		page:    described(renderDocs(told.huma.OpenAPI(), told.channels())),
	}
}

// described is a description; a fault in one is the program's own.
func described(text []byte, err error) []byte {
	if err != nil {
		panic(fmt.Sprintf("api: describing the interface: %v", err))
	}
	return text
}

func (a *API) serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(a.description().openAPI) // the client is gone: nobody is left to tell
}

// serveDocs answers a page without a script, whose one style is named by its
// hash: nothing else can run or be fetched.
func (a *API) serveDocs(w http.ResponseWriter, _ *http.Request) {
	sum := sha256.Sum256([]byte(docsCSS))
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(a.description().page)
}

// docsPage is what the template shows.
type docsPage struct {
	Title, Version string
	Style          template.CSS
	Groups         []docsGroup
	Frames         []docsFrames // of the socket
	Channels       []channel
	Schemas        []docsSchema
}

// docsGroup are the operations of one purpose.
type docsGroup struct {
	Title      string
	Operations []docsOperation
}

// docsGroups are told in this order; an operation is of the first whose path begins its own.
func docsGroups() []struct{ path, title string } {
	return []struct{ path, title string }{
		{"/api/v1/realtime", "A call"}, {"/api/v1/auth", "Signing in"}, {"/api/v1/me", "Signing in"}, {"/api/v1/sessions", "A caller’s own calls"},
		{"/v1/realtime", "For clients of OpenAI’s Realtime API"}, {"/api/v1/monitoring/export", "Admins: files"},
		{"/api/v1/monitoring/sessions", "Admins: calls"}, {"/api/v1/monitoring/connection", "Admins: calls"}, {"/api/v1/monitoring/stream", "Admins: calls"},
		{"/api/v1/monitoring/alerts", "Admins: alerts"}, {"/api/v1/monitoring/logs", "Admins: logs"}, {"/api/v1/monitoring/audit", "Admins: logs"}, {"/api/v1/monitoring/activities", "Admins: logs"},
		{"/api/v1/monitoring/users", "Admins: people"}, {"/api/v1/monitoring/revocations", "Admins: people"},
		{"/api/v1/monitoring", "Admins: the server"}, {"", "The server itself"},
	}
}

// grouped puts operations into their groups.
func grouped(all []docsOperation) (groups []docsGroup) {
	at := make(map[string]int)
	for _, g := range docsGroups() {
		if _, known := at[g.title]; !known {
			at[g.title] = len(groups)
			groups = append(groups, docsGroup{Title: g.title})
		}
	}
	for _, op := range all {
		for _, g := range docsGroups() {
			if strings.HasPrefix(op.Path, g.path) {
				into := &groups[at[g.title]]
				into.Operations = append(into.Operations, op)
				break
			}
		}
	}
	return groups
}

// curlOf is a command that asks for an operation.
func curlOf(op docsOperation) string {
	command := "curl"
	if op.Method != http.MethodGet {
		command += " -X " + op.Method
	}
	command += ` -H "Authorization: Bearer $TOKEN"`
	if op.Body.Ref != "" || len(op.Fields) > 0 {
		command += " --json '{…}'"
	}
	return command + " $SERVER" + op.Path
}

type docsOperation struct {
	ID, Method, Path, Summary, Who string
	Curl                           string
	Params                         []docsField
	Body                           docsType
	Fields                         []docsField // of a body that has no schema of its own
	Answers                        []docsAnswer
}

type docsAnswer struct {
	Status, Kind string
	Type         docsType
}

type docsSchema struct {
	Name   string
	About  string
	Fields []docsField
}

type docsField struct {
	Name, In, Limits, About string
	Required                bool
	Type                    docsType
}

// docsType is a type in words; Ref names the schema that it is or is made of.
type docsType struct{ Before, Ref, After string }

func renderDocs(spec *huma.OpenAPI, channels []channel) ([]byte, error) {
	page := docsPage{
		Title: spec.Info.Title, Version: spec.Info.Version, Style: template.CSS(docsCSS), Channels: channels,
		Frames: []docsFrames{framesOf("server", wire.ServerMessages()), framesOf("client", wire.ClientMessages())},
	}
	var all []docsOperation
	for path, item := range spec.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				all = append(all, docsOf(path, op))
			}
		}
	}
	slices.SortFunc(all, func(x, y docsOperation) int {
		return cmp.Or(cmp.Compare(x.Path, y.Path), cmp.Compare(x.Method, y.Method))
	})
	page.Groups = grouped(all)
	for name, schema := range spec.Components.Schemas.Map() {
		page.Schemas = append(page.Schemas, docsSchema{Name: name, About: schema.Description, Fields: fieldsOf(schema)})
	}
	slices.SortFunc(page.Schemas, func(x, y docsSchema) int { return cmp.Compare(x.Name, y.Name) })
	t, err := template.New("docs").Parse(docsHTML)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, page)
	return b.Bytes(), err
}

func docsOf(path string, op *huma.Operation) docsOperation {
	d := docsOperation{ID: op.OperationID, Method: op.Method, Path: path, Summary: op.Summary, Who: op.Description}
	for _, p := range op.Parameters {
		d.Params = append(d.Params, docsField{
			Name: p.Name, In: p.In, Required: p.Required, Type: typeOf(p.Schema), Limits: schemaLimits(p.Schema),
			About: cmp.Or(p.Description, p.Schema.Description),
		})
	}
	if op.RequestBody != nil {
		if content := op.RequestBody.Content["application/json"]; content != nil {
			d.Body, d.Fields = typeOf(content.Schema), fieldsOf(content.Schema)
		}
	}
	for status, r := range op.Responses {
		answer := docsAnswer{Status: status, Kind: strings.Join(slices.Sorted(maps.Keys(r.Content)), " or ")}
		for _, content := range r.Content {
			answer.Type = typeOf(content.Schema)
		}
		d.Answers = append(d.Answers, answer)
	}
	d.Curl = curlOf(d)
	slices.SortFunc(d.Answers, func(x, y docsAnswer) int { return cmp.Compare(x.Status, y.Status) })
	return d
}

func fieldsOf(s *huma.Schema) (fields []docsField) {
	for name, p := range s.Properties {
		fields = append(fields, docsField{
			Name: name, Required: slices.Contains(s.Required, name), Type: typeOf(p), Limits: schemaLimits(p), About: p.Description,
		})
	}
	slices.SortFunc(fields, func(x, y docsField) int { return cmp.Compare(x.Name, y.Name) })
	return fields
}

func typeOf(s *huma.Schema) docsType {
	switch {
	case s == nil:
		return docsType{}
	case s.Ref != "":
		return docsType{Ref: s.Ref[strings.LastIndex(s.Ref, "/")+1:]}
	case s.Items != nil:
		t := typeOf(s.Items)
		return docsType{Before: "list of " + t.Before, Ref: t.Ref, After: t.After}
	}
	if inner, ok := s.AdditionalProperties.(*huma.Schema); ok {
		t := typeOf(inner)
		return docsType{Before: "map of " + t.Before, Ref: t.Ref, After: t.After}
	}
	return docsType{Before: strings.TrimSpace(cmp.Or(s.Type, "any") + " " + s.Format)}
}

// schemaLimits says what is refused.
func schemaLimits(s *huma.Schema) string {
	var limits []string
	add := func(format string, v any) { limits = append(limits, fmt.Sprintf(format, v)) }
	if s.Minimum != nil {
		add("≥ %v", *s.Minimum)
	}
	if s.Maximum != nil {
		add("≤ %v", *s.Maximum)
	}
	if s.MinLength != nil {
		add("at least %d characters", *s.MinLength)
	}
	if s.MaxLength != nil {
		add("at most %d characters", *s.MaxLength)
	}
	if s.MaxItems != nil {
		add("at most %d", *s.MaxItems)
	}
	if len(s.Enum) > 0 {
		add("one of %v", strings.Trim(fmt.Sprint(s.Enum), "[]"))
	}
	if s.Pattern != "" {
		add("%s", s.Pattern)
	}
	if s.Default != nil {
		add("default %v", s.Default)
	}
	return strings.Join(limits, ", ")
}
