package api

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"parley/shared/rest"
)

// openAIRoot begins the paths of the interface that OpenAI's clients speak.
const openAIRoot = "/v1/"

func isOpenAIPath(path string) bool { return strings.HasPrefix(path, openAIRoot) }

// openAIError is an error as OpenAI's clients read it.
type openAIError struct {
	Type    string  `json:"type"`
	Code    *string `json:"code"`
	Message string  `json:"message"`
	Param   *string `json:"param"`
}

// Kinds of errors, and codes, that OpenAI's interface has a word for.
const (
	typeInvalidRequest = "invalid_request_error"
	typeRequests       = "requests"
	typeServerError    = "server_error"

	codeInvalidKey      = "invalid_api_key"
	codeInvalidValue    = "invalid_value"
	codeModelNotFound   = "model_not_found"
	codeCallNotFound    = "call_id_not_found"
	codeUnknownURL      = "unknown_url"
	codeMethod          = "method_not_supported"
	codeContentType     = "unsupported_content_type"
	codeRateLimit       = "rate_limit_exceeded"
	codeQuota           = "insufficient_quota" // of its own type, too
	codeInvalidOffer    = "invalid_offer"
	codeRequestTooLarge = "request_too_large"
)

// Fields that a problem of a call names.
const (
	// FieldModel is what names the agent.
	FieldModel = "model"
	// FieldCall is a call that isn't there.
	FieldCall = "call_id"
)

// asOpenAIError is a complete problem in the words of OpenAI's interface, where it
// has any; else the code is Parley's own.
func asOpenAIError(p rest.Problem, method, path string) (status int, e openAIError) {
	status, e = p.Status, openAIError{Type: typeInvalidRequest, Message: cmp.Or(p.Detail, p.Title) + "."}
	code := string(p.Code)
	switch p.Code {
	case rest.CodeUnauthorized:
		code, e.Message = codeInvalidKey, "The key is missing, expired, spent or not known here."
	case rest.CodeOutOfRange:
		status, code = http.StatusBadRequest, codeInvalidValue
		if p.Field == FieldModel || strings.HasSuffix(p.Field, "."+FieldModel) {
			status, code = http.StatusNotFound, codeModelNotFound
		}
	case rest.CodeNotFound:
		if code = codeCallNotFound; p.Field != FieldCall {
			code, e.Message = codeUnknownURL, "Unknown request URL: "+method+" "+path+"."
		} else {
			e.Message = "No call of yours has this id."
		}
	case rest.CodeMethod:
		code = codeMethod
	case rest.CodeMediaType:
		code, e.Message = codeContentType, cmp.Or(p.Detail, "This content type is not supported here")+"."
	case rest.CodeTooLarge:
		code = codeRequestTooLarge
	case rest.CodeRateLimited:
		e.Type, code = typeRequests, codeRateLimit
	case rest.CodeBudgetSpent:
		e.Type, code = codeQuota, codeQuota
	case rest.CodeBadOffer:
		code = codeInvalidOffer
	}
	if status >= http.StatusInternalServerError {
		e.Type = typeServerError
	}
	e.Code = &code
	if p.Field != "" && p.Field != FieldCall {
		e.Param = &p.Field
	}
	return status, e
}

// refuseAsOpenAI answers with a problem in the shape that OpenAI's clients read. Its
// headers are set.
func refuseAsOpenAI(w http.ResponseWriter, r *http.Request, p rest.Problem) {
	status, e := asOpenAIError(p, r.Method, r.URL.Path)
	body, _ := json.Marshal(map[string]openAIError{"error": e}) // plain fields: it can't fail
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone: nobody is left to tell
}
