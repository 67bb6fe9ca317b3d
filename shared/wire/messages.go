package wire

import (
	"encoding/json"
	"time"

	"parley/shared/quality"
	"parley/shared/rtcstats"
)

// Type is the discriminator of a message, its "type" field.
type Type string

// From the server.
const (
	TypeHello   Type = "hello"
	TypeAnswer  Type = "answer"
	TypeState   Type = "state"
	TypeWarning Type = "warning"
	TypeEnded   Type = "ended"
	TypeError   Type = "error"
	TypePong    Type = "pong"
)

// From the client.
const (
	TypeOffer    Type = "offer"
	TypeReport   Type = "report"
	TypeActivity Type = "activity"
	TypeResume   Type = "resume"
	TypePing     Type = "ping"
	TypeBye      Type = "bye"
)

// TypeCandidate goes both ways.
const TypeCandidate Type = "candidate"

// Message is one of the closed set; the decoders list it.
type Message interface {
	Type() Type
	validate() error
}

// Hello is the server's first message on a socket, new or resumed.
type Hello struct {
	SessionID       string      `json:"session_id" doc:"at least 128 random bits"`
	ResumeToken     string      `json:"resume_token" doc:"opens this session from another socket, once; each hello brings a new one"`
	ICEServers      []ICEServer `json:"ice_servers" doc:"for the RTCPeerConnection"`
	Agent           string      `json:"agent" doc:"its name"`
	Limits          Limits      `json:"limits" doc:"what the session lives under"`
	StatsIntervalMS int         `json:"stats_interval_ms" doc:"between two samples of a report, in milliseconds"`
	Node            string      `json:"node,omitempty" doc:"the server that holds the session, where it is one of a cluster"`
}

// Limits are the session's leash, in seconds. MaxDurationS 0 is none.
type Limits struct {
	IdleTimeoutS    int `json:"idle_timeout_s" doc:"seconds without a word or a sign of life, and the session ends"`
	IdleWarningS    int `json:"idle_warning_s" doc:"seconds before that end, a warning comes"`
	MaxDurationS    int `json:"max_duration_s" doc:"seconds a session may last; 0: no limit"`
	ReconnectGraceS int `json:"reconnect_grace_s" doc:"seconds that the place of a lost socket is kept"`
}

// ICEServer is RTCIceServer.
type ICEServer struct {
	URLs       []string `json:"urls" doc:"stun: and turn: addresses"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// Offer carries the client's session description; the server answers.
type Offer struct {
	SDP string `json:"sdp" doc:"session description (RFC 8829) with one audio and the data channel parley, 32 KiB at most"`
}

// Answer is the server's answer to the newest offer.
type Answer struct {
	SDP string `json:"sdp" doc:"session description (RFC 8829)"`
}

// Candidate carries one ICE candidate (RTCIceCandidateInit), either way. An
// empty candidate string is end-of-candidates.
type Candidate struct {
	Candidate CandidateInit `json:"candidate" doc:"RTCIceCandidateInit; its candidate is empty at the end of them"`
}

// CandidateInit is RTCIceCandidateInit.
type CandidateInit struct {
	Candidate        string  `json:"candidate"`
	SDPMid           *string `json:"sdpMid,omitempty"`
	SDPMLineIndex    *uint16 `json:"sdpMLineIndex,omitempty"`
	UsernameFragment *string `json:"usernameFragment,omitempty"`
}

// State is the server's view, sent when it changes and at most once a second.
// Quality is how the server rates the line just now.
type State struct {
	Session SessionState     `json:"session" doc:"where the session stands"`
	Agent   AgentState       `json:"agent" doc:"what the agent does"`
	Quality *quality.Verdict `json:"quality,omitempty" doc:"the server's rating of the caller's leg; missing until there is something to rate"`
	Turn    *AgentTurn       `json:"turn,omitempty" doc:"the newest answer; missing until the agent has answered"`
}

// AgentTurn is how long the caller waited for the first word of an answer, and what that wait
// was made of, in milliseconds: the parts sum up to it. It is no part of any rating.
type AgentTurn struct {
	Number          int     `json:"number" doc:"1 is the call's first"`
	WaitMS          float64 `json:"wait_ms" doc:"from the end of the caller's speech to the first of the agent's voice, at the server"`
	SilenceWindowMS float64 `json:"silence_window_ms" doc:"of it: what the agent waited to be sure that the caller was done"`
	NetworkMS       float64 `json:"network_ms" doc:"of it: the way to the agent and back"`
	ToolsMS         float64 `json:"tools_ms" doc:"of it: functions that the model called before it spoke"`
	ModelMS         float64 `json:"model_ms" doc:"of it: the rest"`
}

// Warning says that the session ends at EndsAt unless something happens first.
// A zero EndsAt takes an earlier warning of the same code back.
type Warning struct {
	Code   WarningCode `json:"code" doc:"which end is near"`
	EndsAt time.Time   `json:"ends_at,omitzero" doc:"RFC 3339 in UTC with milliseconds; missing: the warning of this code is taken back"`
}

// timeForm is RFC 3339 in UTC with milliseconds, always three digits of them.
const timeForm = "2006-01-02T15:04:05.000Z07:00"

// MarshalJSON writes EndsAt in the one form that times have on the wire.
func (m Warning) MarshalJSON() ([]byte, error) {
	out := struct {
		Code   WarningCode `json:"code"`
		EndsAt string      `json:"ends_at,omitempty"`
	}{Code: m.Code}
	if !m.EndsAt.IsZero() {
		out.EndsAt = m.EndsAt.UTC().Format(timeForm)
	}
	return json.Marshal(out)
}

// Ended is the last message of a session; the close frame follows.
type Ended struct {
	Cause   EndCause `json:"cause" doc:"why; the code of the close frame that follows says the same"`
	Message string   `json:"message,omitempty" doc:"an admin's reason, who signed the caller out, or what a caller can do about an agent that failed"`
}

// Error says why the client's newest frame was refused. Field is its name
// where one is at fault; Reason says of an offer which section it is, and what
// is wrong with it, to who develops the client.
type Error struct {
	Code   ErrorCode `json:"code" doc:"why the newest frame was refused"`
	Field  string    `json:"field,omitempty" doc:"the one at fault, where one is"`
	Reason string    `json:"reason,omitempty" doc:"of a refused offer: which section, and what is wrong with it"`
}

// Error implements error, for those who find what the client is to be told.
func (m Error) Error() string {
	s := string(m.Code)
	if m.Field != "" {
		s += " " + m.Field
	}
	if m.Reason != "" {
		s += ": " + m.Reason
	}
	return s
}

// Report carries the client's samples since the last report, oldest first.
type Report struct {
	Samples []rtcstats.Sample `json:"samples" doc:"since the last report, oldest first, 1 to 10; one a second"`
}

// Activity is a sign of life from the caller.
type Activity struct {
	Kind ActivityKind `json:"kind" doc:"what the caller did; each moves the idle end"`
}

// Resume is the first message of a new socket for a session within its grace.
type Resume struct {
	SessionID   string `json:"session_id" doc:"of the newest hello"`
	ResumeToken string `json:"resume_token" doc:"of the newest hello"`
}

// Ping asks for a pong with the same id: a browser can't send WebSocket pings.
type Ping struct {
	ID int64 `json:"id,omitempty" doc:"comes back in pong"`
}

// Pong answers Ping.
type Pong struct {
	ID int64 `json:"id,omitempty" doc:"of the ping"`
}

// Bye ends the session from the caller's side.
type Bye struct{}

// Type implements Message.
func (Hello) Type() Type { return TypeHello }

// Type implements Message.
func (Answer) Type() Type { return TypeAnswer }

// Type implements Message.
func (Candidate) Type() Type { return TypeCandidate }

// Type implements Message.
func (State) Type() Type { return TypeState }

// Type implements Message.
func (Warning) Type() Type { return TypeWarning }

// Type implements Message.
func (Ended) Type() Type { return TypeEnded }

// Type implements Message.
func (Error) Type() Type { return TypeError }

// Type implements Message.
func (Pong) Type() Type { return TypePong }

// Type implements Message.
func (Offer) Type() Type { return TypeOffer }

// Type implements Message.
func (Report) Type() Type { return TypeReport }

// Type implements Message.
func (Activity) Type() Type { return TypeActivity }

// Type implements Message.
func (Resume) Type() Type { return TypeResume }

// Type implements Message.
func (Ping) Type() Type { return TypePing }

// Type implements Message.
func (Bye) Type() Type { return TypeBye }
