// Package wire owns what caller and server say to each other on the signaling
// WebSocket: the closed set of messages, their codec, their limits, close codes
// and end causes. It opens no socket and keeps no state.
package wire

import (
	"time"
)

// Limits of the signaling socket. Each is tested at its edge.
const (
	// Subprotocol is the WebSocket subprotocol (RFC 6455 §1.9) both ends speak.
	Subprotocol = "parley.v1"
	// MaxFrame bounds one text frame: the largest message is an offer, and a
	// browser's offer for one audio track and one data channel is below 8 KiB.
	MaxFrame = 64 << 10
	// MaxSDP bounds the session description inside an offer or answer.
	MaxSDP = 32 << 10
	// MaxCandidates bounds the candidates of one negotiation: hosts with many
	// interfaces send about a dozen.
	MaxCandidates = 20
	// MaxSamples bounds one report: a batch holds five, and after a lost socket ten say
	// all: those from before it and the newest (counters are absolute).
	MaxSamples = 10
	// MaxDepth bounds the nesting of a message; the deepest is a report's sample.
	MaxDepth = 8
	// MaxString bounds any text field but an SDP, in bytes: an admin's reason of
	// 300 characters takes at most 1,200.
	MaxString = 1200
	// MaxPing bounds a latency ping on the data channel, which is echoed verbatim.
	MaxPing = 64
)

// Rhythm of a call.
const (
	SampleInterval = time.Second     // one look at the counters
	ReportInterval = 5 * time.Second // one batch of looks to the server
	PingInterval   = 500 * time.Millisecond
	OfferTimeout   = 15 * time.Second // from hello to the first offer
	SocketPing     = 20 * time.Second // WebSocket ping (RFC 6455 §5.5.2)
	SocketTimeout  = 40 * time.Second // no pong for this long: the peer is dead
)

// Labels of the data channels (unordered without retransmits carries
// latency pings; the other is the agent's own).
const (
	PingChannel  = "parley"
	EventChannel = "oai-events"
)

// CloseCode is a WebSocket close code: RFC 6455 §7.4.1 below 4000, Parley's own above.
type CloseCode int

// The close codes Parley sends.
const (
	CloseNormalClosure           CloseCode = 1000
	CloseGoingAway               CloseCode = 1001
	CloseProtocolError           CloseCode = 1002
	CloseUnsupportedData         CloseCode = 1003
	CloseInvalidFramePayloadData CloseCode = 1007
	ClosePolicyViolation         CloseCode = 1008
	CloseMessageTooBig           CloseCode = 1009
	CloseInternalError           CloseCode = 1011
	CloseServiceRestart          CloseCode = 1012
	CloseTryAgainLater           CloseCode = 1013
	CloseIdleTimeout             CloseCode = 4001
	CloseMaxDuration             CloseCode = 4002
	CloseAdminEnded              CloseCode = 4003
	CloseRevoked                 CloseCode = 4004
	CloseTokenExpired            CloseCode = 4005
	CloseAgentLeft               CloseCode = 4006
	CloseAgentUnavailable        CloseCode = 4007
	CloseMediaFailed             CloseCode = 4008
	CloseBudgetSpent             CloseCode = 4009
	CloseSlowClient              CloseCode = 4010
	CloseRateLimited             CloseCode = 4011
	CloseReplaced                CloseCode = 4012
	CloseAgentSilent             CloseCode = 4013
	CloseAgentUnresponsive       CloseCode = 4014
	CloseResponseTimeout         CloseCode = 4015
	CloseAgentLost               CloseCode = 4016
	CloseNodeLost                CloseCode = 4017
)

// EndCause says why a session ended. The set is closed.
type EndCause string

// All the reasons a session ends for.
const (
	CallerLeft       EndCause = "caller_left"
	AgentLeft        EndCause = "agent_left"
	IdleTimeout      EndCause = "idle_timeout"
	MaxDuration      EndCause = "max_duration"
	AdminEnded       EndCause = "admin_ended"
	Revoked          EndCause = "revoked"
	TokenExpired     EndCause = "token_expired"
	BudgetSpent      EndCause = "budget_spent"
	MediaFailed      EndCause = "media_failed"
	ConnectionLost   EndCause = "connection_lost"
	AgentUnavailable EndCause = "agent_unavailable"
	PrivacyBlocked   EndCause = "privacy_blocked"
	ServerShutdown   EndCause = "server_shutdown"
	SlowClient       EndCause = "slow_client"
	RateLimited      EndCause = "rate_limited"
	ProtocolError    EndCause = "protocol_error"
	Replaced         EndCause = "replaced"
	// Of an agent that was there, and then did not do what a call needs.
	AgentSilent       EndCause = "agent_silent"       // it says that it speaks, and no sound comes
	AgentUnresponsive EndCause = "agent_unresponsive" // its connection stands, and no event comes
	ResponseTimeout   EndCause = "response_timeout"   // an answer began and neither went on nor ended
	AgentLost         EndCause = "agent_lost"         // the connection to it broke
	// NodeLost is of a cluster: the others took the call's server for dead.
	NodeLost EndCause = "node_lost"
)

// EndCauses lists the closed set.
func EndCauses() []EndCause {
	return []EndCause{
		CallerLeft, AgentLeft, IdleTimeout, MaxDuration, AdminEnded, Revoked, TokenExpired,
		BudgetSpent, MediaFailed, ConnectionLost, AgentUnavailable, PrivacyBlocked,
		ServerShutdown, SlowClient, RateLimited, ProtocolError, Replaced,
		AgentSilent, AgentUnresponsive, ResponseTimeout, AgentLost, NodeLost,
	}
}

// CloseCode is the code the socket of a session that ended so is closed with.
func (c EndCause) CloseCode() CloseCode {
	switch c {
	case CallerLeft:
		return CloseNormalClosure
	case AgentLeft:
		return CloseAgentLeft
	case IdleTimeout:
		return CloseIdleTimeout
	case MaxDuration:
		return CloseMaxDuration
	case AdminEnded:
		return CloseAdminEnded
	case Revoked:
		return CloseRevoked
	case TokenExpired:
		return CloseTokenExpired
	case BudgetSpent:
		return CloseBudgetSpent
	case MediaFailed:
		return CloseMediaFailed
	case ConnectionLost:
		return CloseGoingAway
	case AgentUnavailable:
		return CloseAgentUnavailable
	case PrivacyBlocked:
		return ClosePolicyViolation
	case ServerShutdown:
		return CloseServiceRestart
	case SlowClient:
		return CloseSlowClient
	case RateLimited:
		return CloseRateLimited
	case ProtocolError:
		return CloseProtocolError
	case Replaced:
		return CloseReplaced
	case AgentSilent:
		return CloseAgentSilent
	case AgentUnresponsive:
		return CloseAgentUnresponsive
	case ResponseTimeout:
		return CloseResponseTimeout
	case AgentLost:
		return CloseAgentLost
	case NodeLost:
		return CloseNodeLost
	}
	return CloseInternalError
}

// Valid reports whether c is of the closed set.
func (c EndCause) Valid() bool { return c.CloseCode() != CloseInternalError }

// IsFault reports whether line, agent or server failed, rather than that someone
// or a limit ended the session.
func (c EndCause) IsFault() bool {
	switch c {
	case MediaFailed, ConnectionLost, SlowClient, ProtocolError, PrivacyBlocked,
		AgentUnavailable, AgentSilent, AgentUnresponsive, ResponseTimeout, AgentLost, NodeLost:
		return true
	}
	return false
}

// SessionState is where a session stands.
type SessionState string

// The states of a session. Reconnecting: the socket is gone and the place is
// kept for the grace; media may flow on.
const (
	StateConnecting   SessionState = "connecting"
	StateActive       SessionState = "active"
	StateReconnecting SessionState = "reconnecting"
	StateEnded        SessionState = "ended"
)

// SessionStates lists the closed set.
func SessionStates() []SessionState {
	return []SessionState{StateConnecting, StateActive, StateReconnecting, StateEnded}
}

// AgentState is what the agent is doing.
type AgentState string

// The states of an agent.
const (
	AgentConnecting AgentState = "connecting"
	AgentListening  AgentState = "listening"
	AgentThinking   AgentState = "thinking"
	AgentSpeaking   AgentState = "speaking"
)

// AgentStates lists the closed set.
func AgentStates() []AgentState {
	return []AgentState{AgentConnecting, AgentListening, AgentThinking, AgentSpeaking}
}

// WarningCode says which end is near.
type WarningCode string

// The warnings a caller can get.
const (
	WarnIdle        WarningCode = "idle"
	WarnMaxDuration WarningCode = "max_duration"
	WarnDraining    WarningCode = "draining"
	WarnBudget      WarningCode = "budget"
	WarnAgentStuck  WarningCode = "agent_stuck"
)

// WarningCodes lists the closed set.
func WarningCodes() []WarningCode {
	return []WarningCode{WarnIdle, WarnMaxDuration, WarnDraining, WarnBudget, WarnAgentStuck}
}

// ActivityKind is what a caller did, beside speaking.
type ActivityKind string

// The activities a caller reports. Each is a sign of life.
const (
	ActivityMute      ActivityKind = "mute"
	ActivityUnmute    ActivityKind = "unmute"
	ActivityKeepAlive ActivityKind = "keep_alive"
	ActivityTyping    ActivityKind = "typing"
)

// ActivityKinds lists the closed set.
func ActivityKinds() []ActivityKind {
	return []ActivityKind{ActivityMute, ActivityUnmute, ActivityKeepAlive, ActivityTyping}
}

// ErrorCode is why a frame was refused.
type ErrorCode string

// The refusals. The socket stays open unless a close follows.
const (
	ErrMalformed     ErrorCode = "malformed"      // not one flat JSON object of the set
	ErrUnknownType   ErrorCode = "unknown_type"   // a type outside the set
	ErrUnknownField  ErrorCode = "unknown_field"  // a field the type does not have
	ErrOutOfRange    ErrorCode = "out_of_range"   // a value outside its range
	ErrOutOfOrder    ErrorCode = "out_of_order"   // e.g. a candidate before the offer, resume after it
	ErrBadOffer      ErrorCode = "bad_offer"      // SDP refused
	ErrBadCandidate  ErrorCode = "bad_candidate"  // candidate refused
	ErrBadReport     ErrorCode = "bad_report"     // samples that can't be
	ErrUnknownResume ErrorCode = "unknown_resume" // no such session, or not yours
	ErrRateLimited   ErrorCode = "rate_limited"   // too many frames
)

// ErrorCodes lists the closed set.
func ErrorCodes() []ErrorCode {
	return []ErrorCode{
		ErrMalformed, ErrUnknownType, ErrUnknownField, ErrOutOfRange, ErrOutOfOrder,
		ErrBadOffer, ErrBadCandidate, ErrBadReport, ErrUnknownResume, ErrRateLimited,
	}
}
