package client

import (
	"encoding/json"
	"strconv"
	"strings"

	"parley/shared/rest"
)

// problem reads an answer that is no success. What stands between server and
// page (a proxy, a captive portal) may answer in its own words: then the status
// alone gives the code.
func problem(res Response) *rest.Problem {
	p := &rest.Problem{}
	kind := res.Header["Content-Type"]
	if !strings.HasPrefix(kind, "application/problem+json") || json.Unmarshal(res.Body, p) != nil || p.Code == "" {
		p = &rest.Problem{Type: "about:blank", Title: "HTTP status " + strconv.Itoa(res.Status), Code: codeOf(res.Status)}
	}
	p.Status = res.Status
	if p.RequestID == "" {
		p.RequestID = res.Header["X-Request-Id"]
	}
	if p.RetryAfterS == 0 {
		// The HTTP-date form of RFC 9110 §10.2.3 is left to the back-off: a page's
		// clock may be wrong by hours.
		p.RetryAfterS, _ = strconv.Atoi(res.Header["Retry-After"])
	}
	p.RetryAfterS = max(p.RetryAfterS, 0)
	return p
}

func codeOf(status int) rest.ProblemCode {
	switch status {
	case 400:
		return rest.CodeMalformed
	case 401:
		return rest.CodeUnauthorized
	case 403:
		return rest.CodeForbidden
	case 404:
		return rest.CodeNotFound
	case 405:
		return rest.CodeMethod
	case 413:
		return rest.CodeTooLarge
	case 415:
		return rest.CodeMediaType
	case 422:
		return rest.CodeOutOfRange
	case 429:
		return rest.CodeRateLimited
	}
	return rest.CodeServerError
}
