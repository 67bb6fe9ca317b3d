package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"parley/server/api"
	"parley/server/auth"
	"parley/shared/rest"
)

// Each problem under /v1 is told as OpenAI's clients read it; the same problem
// elsewhere is Parley's.
func TestErrorsOfOpenAIsShape(t *testing.T) {
	for name, test := range map[string]struct {
		problem           rest.Problem
		status            int
		kind, code, param string
	}{
		"no key":            {rest.Problem{Code: rest.CodeUnauthorized}, 401, "invalid_request_error", "invalid_api_key", ""},
		"an origin":         {rest.Problem{Code: rest.CodeOrigin}, 403, "invalid_request_error", "origin_not_allowed", ""},
		"an unknown model":  {rest.Problem{Code: rest.CodeOutOfRange, Field: "model"}, 404, "invalid_request_error", "model_not_found", "model"},
		"a session's model": {rest.Problem{Code: rest.CodeOutOfRange, Field: "session.model"}, 404, "invalid_request_error", "model_not_found", "session.model"},
		"another value":     {rest.Problem{Code: rest.CodeOutOfRange, Field: "takeover"}, 400, "invalid_request_error", "invalid_value", "takeover"},
		"no such call":      {rest.Problem{Code: rest.CodeNotFound, Field: "call_id"}, 404, "invalid_request_error", "call_id_not_found", ""},
		"no such path":      {rest.Problem{Code: rest.CodeNotFound}, 404, "invalid_request_error", "unknown_url", ""},
		"a method":          {rest.Problem{Code: rest.CodeMethod}, 405, "invalid_request_error", "method_not_supported", ""},
		"a media type":      {rest.Problem{Code: rest.CodeMediaType}, 415, "invalid_request_error", "unsupported_content_type", ""},
		"too large":         {rest.Problem{Code: rest.CodeTooLarge, Field: "sdp"}, 413, "invalid_request_error", "request_too_large", "sdp"},
		"unreadable":        {rest.Problem{Code: rest.CodeMalformed}, 400, "invalid_request_error", "malformed", ""},
		"a bad offer":       {rest.Problem{Code: rest.CodeBadOffer, Field: "sdp", Detail: "no_audio: no m=audio section"}, 400, "invalid_request_error", "invalid_offer", "sdp"},
		"too often":         {rest.Problem{Code: rest.CodeRateLimited}, 429, "requests", "rate_limit_exceeded", ""},
		"no money":          {rest.Problem{Code: rest.CodeBudgetSpent}, 429, "insufficient_quota", "insufficient_quota", ""},
		"a full server":     {rest.Problem{Code: rest.CodeCapReached}, 503, "server_error", "cap_reached", ""},
		"an organization's": {rest.Problem{Code: rest.CodeOrgCap}, 503, "server_error", "org_cap", ""},
		"a user's cap":      {rest.Problem{Code: rest.CodeUserCap}, 503, "server_error", "user_cap", ""},
		"draining":          {rest.Problem{Code: rest.CodeDraining}, 503, "server_error", "draining", ""},
		"privacy":           {rest.Problem{Code: rest.CodePrivacyBlock}, 503, "server_error", "privacy_block", ""},
		"no agent":          {rest.Problem{Code: rest.CodeAgentUnavailable}, 503, "server_error", "agent_unavailable", ""},
		"our fault":         {rest.Problem{Code: rest.CodeServerError}, 500, "server_error", "server_error", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			api.Refuse(w, httptest.NewRequest(http.MethodPost, rest.PathCalls, nil), test.problem)
			var got struct {
				Error struct {
					Type, Code, Message string
					Param               *string
				}
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Header().Get("Content-Type") != "application/json" {
				t.Fatalf("%v: %s", err, w.Body)
			}
			param := ""
			if got.Error.Param != nil {
				param = *got.Error.Param
			}
			if w.Code != test.status || got.Error.Type != test.kind || got.Error.Code != test.code || param != test.param || got.Error.Message == "" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if again := w.Code == 429 || w.Code == 503; again != (w.Header().Get("Retry-After") != "") {
				t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
			}
			w = httptest.NewRecorder()
			api.Refuse(w, httptest.NewRequest(http.MethodPost, rest.PathTicket, nil), test.problem)
			if w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("elsewhere: %s", w.Body)
			}
		})
	}
}

// A page of an allowed origin may send what OpenAI's clients send, and read where the
// call is.
func TestCallsOfAPageElsewhere(t *testing.T) {
	r := newRigIn(t, auth.Config{AllowedOrigins: []string{elsewhere}}, func(c *api.Config) {
		c.Calls = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })
	})
	for path, want := range map[string]string{rest.PathCalls: "POST", "/v1/realtime/calls/rtc_1": "DELETE", "/v1/realtime/calls/rtc_1/hangup": "POST"} {
		got := r.do("OPTIONS", path, "", with("Origin", elsewhere), with("Access-Control-Request-Method", want),
			with("Access-Control-Request-Headers", "authorization,content-type,x-openai-agents-sdk"))
		cors := corsOf(got.header)
		if got.status != 204 || cors["Allow-Origin"] != elsewhere || cors["Allow-Methods"] != want || !strings.Contains(cors["Allow-Headers"], "X-OpenAI-Agents-SDK") {
			t.Errorf("%s: %d %v", path, got.status, cors)
		}
	}
	got := r.do("POST", rest.PathCalls, "", with("Origin", elsewhere))
	if cors := corsOf(got.header); got.status != 201 || !strings.Contains(cors["Expose-Headers"], "Location") {
		t.Errorf("%d %v", got.status, cors)
	}
	for path, want := range map[string]int{"/v1/models": 404, rest.PathCalls: 405} {
		got := r.do("PUT", path, "", with("Origin", elsewhere))
		if got.status != want || !strings.Contains(string(got.body), `{"error":{"type":"invalid_request_error"`) {
			t.Errorf("PUT %s: %d %s", path, got.status, got.body)
		}
	}
}
