package rest

import "time"

// AgentStatus is how one agent does, on this server.
type AgentStatus struct {
	Agent
	Calls     int            `json:"calls" doc:"on now"`
	Failures  []AgentFailure `json:"failures" doc:"of the last hour, the newest first, 20 at most"`
	FirstWord FirstWord      `json:"first_word"`
	Refused   []RefusedEvent `json:"refused" doc:"events that the firewall did not let pass, since the server started, the most first"`
}

// RefusedEvent counts events of one kind that did not pass, never by their content.
type RefusedEvent struct {
	Direction string `json:"direction" enum:"from_browser,from_agent,from_sideband"`
	Type      string `json:"type" doc:"of the documented ones, or unknown, or unread"`
	Reason    string `json:"reason" enum:"malformed,too_large,too_complex,unknown,not_allowed,rate"`
	Count     int64  `json:"count"`
}

// AgentFailure is a call that an agent did not take, or broke off.
type AgentFailure struct {
	At     time.Time `json:"at"`
	Detail string    `json:"detail" doc:"for admins: what went wrong, and what to do"`
}

// FirstWord is how long callers waited for an agent's answer, from the end of what
// they said to the first sound: of the newest 1,000 turns.
type FirstWord struct {
	Turns int     `json:"turns"`
	P50MS float64 `json:"p50_ms"`
	P95MS float64 `json:"p95_ms"`
}

// AgentCheck is what came of a trial call to an agent.
type AgentCheck struct {
	Agent  string           `json:"agent"`
	Result CheckResult      `json:"result" enum:"ok,missing,failed,untried" doc:"that of the worst step; untried: the agent is part of the server, no service is there to be tried"`
	Steps  []AgentCheckStep `json:"steps"`
}

// CheckResult says what came of a trial call, or of a step of it.
type CheckResult string

// What may come of it, from best to worst; and CheckUntried, where nothing was tried.
const (
	CheckOK      CheckResult = "ok"
	CheckMissing CheckResult = "missing" // calls work without it
	CheckFailed  CheckResult = "failed"
	CheckUntried CheckResult = "untried"
)

// AgentCheckStep is one step of a trial call.
type AgentCheckStep struct {
	Name   string      `json:"name"`
	Result CheckResult `json:"result" enum:"ok,missing,failed,untried" doc:"missing: calls work without it; untried: an earlier step failed"`
	TookMS float64     `json:"took_ms"`
	Detail string      `json:"detail,omitempty" doc:"what is missing, and what to do"`
}
