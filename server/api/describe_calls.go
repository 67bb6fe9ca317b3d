package api

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"parley/shared/rest"
)

const (
	schemeClientSecret = "client_secret"
	schemeServiceToken = "service_token"
)

// callOperation is one operation of the interface that OpenAI's clients speak, told of
// by hand: its shapes are theirs.
type callOperation struct {
	method, path, summary string
	takes                 []string // media types of its body
	gives                 string   // media type of its answer; "": none
	status                string
	bySecret              bool // a client secret opens it, too
	byService             bool // a service token of the operator's opens it, and nothing else
}

func callOperations() []callOperation {
	return []callOperation{
		{
			method: http.MethodPost, path: rest.PathCalls, status: "201", gives: "application/sdp", bySecret: true,
			summary: "Start a call without a socket, as OpenAI's WebRTC clients do: the offer, alone or with a session beside it",
			takes:   []string{"application/sdp", "multipart/form-data"},
		},
		{
			method: http.MethodGet, path: rest.PathSideband, status: "101", byService: true,
			summary: "Steer a live call by a WebSocket, with the token of its agent's sideband: the agent's events come, and what the agent's file allows goes to it",
		},
		{method: http.MethodPost, path: rest.PathHangUp, status: "200", summary: "Hang up a call of yours"},
		{method: http.MethodDelete, path: rest.PathCall, status: "200", summary: "Hang up a call of yours"},
		{
			method: http.MethodPost, path: rest.PathClientSecrets, status: "200", gives: "application/json",
			summary: "A client secret: it starts one call, within ten minutes",
			takes:   []string{"application/json"},
		},
	}
}

// describeCall describes one.
func (a *API) describeCall(c callOperation) {
	answer := &huma.Response{Description: c.summary}
	if c.gives != "" {
		answer.Content = map[string]*huma.MediaType{c.gives: {Schema: &huma.Schema{Type: huma.TypeString}}}
	}
	if c.gives == "application/json" {
		answer.Content[c.gives].Schema = clientSecretSchema()
	}
	if c.status == "201" {
		answer.Headers = map[string]*huma.Param{"Location": {Description: "The path of the call: its last part is the call's id", Schema: &huma.Schema{Type: huma.TypeString}}}
	}
	op := &huma.Operation{
		Method: c.method, Path: c.path, Summary: c.summary, OperationID: operationID(c.method, c.path),
		Description: user.String() + " Errors are in the shape of OpenAI's.", Security: user.security(),
		Responses: map[string]*huma.Response{c.status: answer, "default": {
			Description: "Error", Content: map[string]*huma.MediaType{"application/json": {Schema: openAIErrorSchema()}},
		}},
	}
	if c.byService {
		op.Description, op.Security = "For backends of the operator's. Errors are in the shape of OpenAI's.", []map[string][]string{{schemeServiceToken: {}}}
		op.Parameters = []*huma.Param{{Name: "call_id", In: "query", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}}
	}
	if c.bySecret {
		op.Security = append(op.Security, map[string][]string{schemeClientSecret: {}})
		op.Parameters = []*huma.Param{
			{Name: "model", In: "query", Schema: &huma.Schema{Type: huma.TypeString, Description: "An agent, by its name or its model"}},
			{Name: "takeover", In: "query", Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"1"}, Description: "1: when all your places are taken, end the oldest of your sessions (replaced) and take its place"}},
		}
	}
	if strings.Contains(c.path, "{id}") {
		op.Parameters = append(op.Parameters, &huma.Param{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
	}
	if len(c.takes) > 0 {
		op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{}}
		for _, kind := range c.takes {
			op.RequestBody.Content[kind] = &huma.MediaType{Schema: callBodySchema(kind)}
		}
	}
	a.huma.OpenAPI().AddOperation(op)
}

// callBodySchema is what a body of a media type holds.
func callBodySchema(kind string) *huma.Schema {
	text := &huma.Schema{Type: huma.TypeString}
	switch kind {
	case "multipart/form-data":
		return object(map[string]*huma.Schema{"sdp": text, "session": {Type: huma.TypeObject, AdditionalProperties: true}})
	case "application/json":
		return object(map[string]*huma.Schema{
			"expires_after": object(map[string]*huma.Schema{"anchor": text, "seconds": {Type: huma.TypeInteger}}),
			"session":       {Type: huma.TypeObject, AdditionalProperties: true},
		})
	}
	return text
}

func clientSecretSchema() *huma.Schema {
	return object(map[string]*huma.Schema{
		"value": {Type: huma.TypeString}, "expires_at": {Type: huma.TypeInteger}, "session": {Type: huma.TypeObject, AdditionalProperties: true},
	})
}

func openAIErrorSchema() *huma.Schema {
	text, maybe := &huma.Schema{Type: huma.TypeString}, &huma.Schema{Type: huma.TypeString, Nullable: true}
	return object(map[string]*huma.Schema{"error": object(map[string]*huma.Schema{
		"type": text, "code": maybe, "message": text, "param": maybe,
	})})
}

// object is a schema of these properties; others may be beside them.
func object(properties map[string]*huma.Schema) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Properties: properties, AdditionalProperties: true}
}
