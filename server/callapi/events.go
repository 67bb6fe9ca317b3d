package callapi

import (
	"encoding/json"
	"fmt"
	"time"

	"parley/server/session"
	"parley/shared/wire"
)

// Events of the server's own on the call's data channel. Their ids begin with parley_,
// as those of the firewall's do.

// WarningType is the type of the event that tells of an end that is near. It is no
// event of OpenAI's: their clients hand it on to who asks for all events, and do
// nothing else.
const WarningType = "parley.warning"

// warning is a WarningType event. Without EndsAt the end is not near any more.
type warning struct {
	Type    string           `json:"type"`
	EventID string           `json:"event_id"`
	Code    wire.WarningCode `json:"code"`
	Message string           `json:"message"`
	EndsAt  *time.Time       `json:"ends_at"`
}

// farewell is an event of type error: what OpenAI's service sends before it closes a
// call for its length.
type farewell struct {
	Type    string        `json:"type"`
	EventID string        `json:"event_id"`
	Error   farewellError `json:"error"`
}

type farewellError struct {
	Type    string  `json:"type"`
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Param   *string `json:"param"`
	EventID *string `json:"event_id"`
}

// CodeSessionExpired is OpenAI's code for wire.MaxDuration. The other causes keep their
// own words.
const CodeSessionExpired = "session_expired"

func warningEvent(n int, w wire.Warning) []byte {
	e := warning{Type: WarningType, EventID: fmt.Sprintf("parley_w%d", n), Code: w.Code}
	if w.EndsAt.IsZero() {
		e.Message = "The call goes on."
	} else {
		e.EndsAt = &w.EndsAt
		e.Message = warningMessage(w.Code)
	}
	return encode(e)
}

func warningMessage(code wire.WarningCode) string {
	switch code {
	case wire.WarnIdle:
		return "Nobody has spoken for a while: the call is about to end. Speak to go on."
	case wire.WarnMaxDuration:
		return "The call is about to reach its longest duration, and ends then."
	case wire.WarnDraining:
		return "The server is about to restart, and the call ends with it."
	case wire.WarnBudget:
		return "The budget of the call is nearly spent, and the call ends with it."
	case wire.WarnAgentStuck:
		return "The agent does not go on: the call ends if it stays so."
	}
	return "The call is about to end."
}

func endEvent(n int, end *session.End) []byte {
	code := string(end.Cause)
	if end.Cause == wire.MaxDuration {
		code = CodeSessionExpired
	}
	e := farewellError{Type: "invalid_request_error", Code: code, Message: endMessage(end.Cause)}
	if isServers(end.Cause) {
		e.Type = "server_error"
	}
	switch said := end.Message(); {
	case said == "":
	case isAgents(end.Cause):
		e.Message += " " + said
	default:
		e.Message += " Reason: " + said
	}
	return encode(farewell{Type: "error", EventID: fmt.Sprintf("parley_w%d", n), Error: e})
}

// isServers reports whether an end is the doing of the server's side, not of the
// caller's or of a limit.
func isServers(cause wire.EndCause) bool {
	switch cause {
	case wire.MediaFailed, wire.ConnectionLost, wire.ServerShutdown, wire.PrivacyBlocked, wire.NodeLost:
		return true
	}
	return isAgents(cause)
}

// isAgents reports whether an end is the agent's doing: what is said of it beside the
// cause is in words for the caller.
func isAgents(cause wire.EndCause) bool {
	switch cause {
	case wire.AgentLeft, wire.AgentUnavailable, wire.AgentSilent, wire.AgentUnresponsive, wire.ResponseTimeout, wire.AgentLost:
		return true
	}
	return false
}

func endMessage(cause wire.EndCause) string {
	switch cause {
	case wire.IdleTimeout:
		return "The call ended: nobody had spoken for too long."
	case wire.MaxDuration:
		return "Your session hit the maximum duration."
	case wire.AdminEnded:
		return "The call was ended by an administrator."
	case wire.Revoked:
		return "The call ended: you were signed out."
	case wire.TokenExpired:
		return "The call ended: its token has expired."
	case wire.BudgetSpent:
		return "The call ended: its budget is spent."
	case wire.AgentLeft:
		return "The agent has left the call."
	case wire.AgentUnavailable:
		return "The agent could not be reached."
	case wire.AgentSilent:
		return "The call ended: no sound came from the agent."
	case wire.AgentUnresponsive:
		return "The call ended: the agent noticed nothing anymore."
	case wire.ResponseTimeout:
		return "The call ended: the agent did not finish its answer."
	case wire.AgentLost:
		return "The connection to the agent was lost."
	case wire.MediaFailed, wire.ConnectionLost:
		return "The connection of the call was lost."
	case wire.PrivacyBlocked:
		return "The call ended: privacy protection is not active."
	case wire.ServerShutdown:
		return "The call ended: the server restarts."
	case wire.NodeLost:
		return "The call ended: its server was cut off from the others."
	case wire.RateLimited:
		return "The call ended: too many events were sent."
	case wire.Replaced:
		return "The call ended: another of yours took its place."
	}
	return "The call ended."
}

func encode(event any) []byte {
	text, _ := json.Marshal(event) // plain fields: it can't fail
	return text
}
