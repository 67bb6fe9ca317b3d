package api

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"parley/server/auth"
	"parley/shared/rest"
	"parley/shared/wire"
)

// Names of the ways to say who one is, as the description has them.
const (
	schemeToken        = "token"
	schemeCookie       = "cookie"
	schemeSecureCookie = "secure_cookie"
	schemeMetrics      = "metrics_token"
	schemeTicket       = "ticket"
)

// securitySchemes are all ways to say who one is (OpenAPI 3.1 §4.8.27).
func securitySchemes() map[string]*huma.SecurityScheme {
	return map[string]*huma.SecurityScheme{
		schemeToken: {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "A token of the issuer's, or of parley token."},
		schemeCookie: {
			Type: "apiKey", In: "cookie", Name: auth.CookieHTTP,
			Description: "What signing in sets over plain HTTP. What changes something asks for an acceptable Origin beside it.",
		},
		schemeSecureCookie: {Type: "apiKey", In: "cookie", Name: auth.CookieHTTPS, Description: "The same over HTTPS."},
		schemeMetrics:      {Type: "http", Scheme: "bearer", Description: "The token of --metrics-token-file or PARLEY_METRICS_TOKEN."},
		schemeClientSecret: {Type: "http", Scheme: "bearer", Description: "A client secret (ek_…). It starts one call, within ten minutes."},
		schemeServiceToken: {Type: "http", Scheme: "bearer", Description: "The token of an agent's sideband, as the operator's file has it."},
		schemeTicket: {
			Type: "apiKey", In: "header", Name: "Sec-WebSocket-Protocol",
			Description: "A ticket as the second subprotocol, for a page that can't send a header: " + wire.Subprotocol + ", " + rest.TicketProtocol + "{ticket}. It opens one socket, within 30 seconds.",
		},
	}
}

// security lists the schemes that satisfy need, each by itself.
func (need right) security() (alternatives []map[string][]string) {
	var schemes []string
	switch need {
	case anyone:
	case bearer:
		schemes = []string{schemeToken}
	case user, admin, operator:
		schemes = []string{schemeToken, schemeCookie, schemeSecureCookie}
	case scraper:
		schemes = []string{schemeMetrics, schemeToken, schemeCookie, schemeSecureCookie}
	}
	for _, scheme := range schemes {
		alternatives = append(alternatives, map[string][]string{scheme: {}})
	}
	return alternatives
}

// socketRefusals are the problems by which a socket isn't opened, by status.
var socketRefusals = map[int][]rest.ProblemCode{
	http.StatusBadRequest:          {rest.CodeMalformed},
	http.StatusUnauthorized:        {rest.CodeUnauthorized},
	http.StatusForbidden:           {rest.CodeOrigin},
	http.StatusUnprocessableEntity: {rest.CodeOutOfRange},
	http.StatusTooManyRequests:     {rest.CodeRateLimited},
	http.StatusServiceUnavailable:  {rest.CodePrivacyBlock, rest.CodeDraining, rest.CodePaused, rest.CodeCapReached, rest.CodeUserCap, rest.CodeOrgCap},
}

// describeSocket: the socket is not ours to guard, but ours to tell of.
func (a *API) describeSocket() {
	responses := a.problemResponse()
	problem := responses["default"].Content
	for status, codes := range socketRefusals {
		words := make([]string, len(codes))
		for i, code := range codes {
			words[i] = string(code)
		}
		responses[fmt.Sprint(status)] = &huma.Response{Description: "Not opened: " + strings.Join(words, ", "), Content: problem}
	}
	responses["101"] = &huma.Response{Description: "The WebSocket is open; frames are JSON objects, one a text frame: those of x-frames. Calls have the data channels of x-data-channels."}
	text := func(about string, values ...any) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Description: about, Enum: values}
	}
	a.huma.OpenAPI().AddOperation(&huma.Operation{
		Method: http.MethodGet, Path: rest.PathSocket, Summary: "Signaling WebSocket, subprotocol " + wire.Subprotocol,
		Description: user.String() + " A browser can't read why a socket isn't opened: " + rest.PathAdmission + " tells the same.",
		Extensions:  map[string]any{"x-frames": a.describeFrames(), "x-data-channels": describeChannels(a.channels())},
		Responses:   responses, OperationID: operationID(http.MethodGet, rest.PathSocket),
		Security: append(user.security(), map[string][]string{schemeTicket: {}}),
		Parameters: []*huma.Param{
			{Name: "agent", In: "query", Schema: text("One of the agents that the admission lists")},
			{Name: "takeover", In: "query", Schema: text("1: when all your places are taken, end the oldest of your sessions (replaced) and take its place", "1")},
			{Name: "Sec-WebSocket-Protocol", In: "header", Required: true, Schema: text(wire.Subprotocol + ", and a ticket, if that is how you come")},
		},
	})
}

func (a *API) problemResponse() map[string]*huma.Response {
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[rest.Problem](), true, "")
	return map[string]*huma.Response{"default": {
		Description: "Problem",
		Content:     map[string]*huma.MediaType{problemType: {Schema: schema}},
	}}
}
