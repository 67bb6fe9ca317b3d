package rest

// Problem is an error answer: application/problem+json (RFC 9457) with a
// stable code. It never carries a stack, a cause or personal data.
type Problem struct {
	Type      string      `json:"type"` // about:blank
	Title     string      `json:"title"`
	Status    int         `json:"status"`
	Detail    string      `json:"detail,omitempty"`
	Code      ProblemCode `json:"code"`
	RequestID string      `json:"request_id"`
	// Field names what was out of range, with 400 and 422.
	Field string `json:"field,omitempty"`
	// RetryAfterS repeats the Retry-After header for clients that can't see it.
	RetryAfterS int `json:"retry_after_s,omitempty"`
	// Limit is how many there are of what has run out: with cap_reached, calls at
	// the same time.
	Limit int `json:"limit,omitempty"`
	// Nodes are, with draining, the addresses of other servers that take calls.
	Nodes []string `json:"nodes,omitempty" doc:"with draining: addresses of other servers of the cluster that take calls now"`
}

// Error makes a Problem an error.
func (p *Problem) Error() string { return string(p.Code) + ": " + p.Title }

// ProblemCode is a stable word for what went wrong.
type ProblemCode string

// The problem codes. Those of the micro-copy table keep its words.
const (
	CodeMalformed    ProblemCode = "malformed"              // 400
	CodeOutOfRange   ProblemCode = "out_of_range"           // 422
	CodeUnauthorized ProblemCode = "unauthorized"           // 401
	CodeForbidden    ProblemCode = "forbidden"              // 403
	CodeReadOnly     ProblemCode = "read_only"              // 403, of an auditor
	CodeOrigin       ProblemCode = "origin_not_allowed"     // 403
	CodeNotFound     ProblemCode = "not_found"              // 404
	CodeMethod       ProblemCode = "method_not_allowed"     // 405
	CodeTooLarge     ProblemCode = "too_large"              // 413
	CodeMediaType    ProblemCode = "unsupported_media_type" // 415
	CodeRateLimited  ProblemCode = "rate_limited"           // 429
	CodeCapReached   ProblemCode = "cap_reached"            // 503
	CodeUserCap      ProblemCode = "user_cap"               // 503
	CodeOrgCap       ProblemCode = "org_cap"                // 503: all lines of the caller's organization are in use
	CodeDraining     ProblemCode = "draining"               // 503
	CodePaused       ProblemCode = "paused"                 // 503
	CodeServerError  ProblemCode = "server_error"           // 500
	CodeConflict     ProblemCode = "conflict"               // 409
	CodePrivacyBlock ProblemCode = "privacy_block"          // 503
	CodeAudit        ProblemCode = "audit_unavailable"      // 503
	CodeStore        ProblemCode = "store_unavailable"      // 503
	CodeNetwork      ProblemCode = "network_not_allowed"    // 403

	// CodeNodeUnreachable: the call is on another node of a cluster. 503: that can't be
	// reached, and nothing was done; 504: it did not answer, and may have done it.
	CodeNodeUnreachable ProblemCode = "node_unreachable"

	// Of calls without a socket, whose interface has no other way to say so.
	CodeBadOffer         ProblemCode = "bad_offer"         // 400
	CodeAgentUnavailable ProblemCode = "agent_unavailable" // 503
	CodeBudgetSpent      ProblemCode = "budget_spent"      // 429
)
