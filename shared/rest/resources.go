package rest

import (
	"time"

	"parley/shared/quality"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// Page is a list answer.
type Page[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor,omitempty"`
}

// SignedOutHere is the answer to DELETE /auth/session of who signed in by an identity
// provider that they should sign out at, too.
type SignedOutHere struct {
	ProviderLogout string `json:"provider_logout" doc:"where the browser goes next: the provider's session ends there, and it comes back to /sign-in"`
}

// Me is GET /api/v1/me: who the token says you are, and what you may do here.
type Me struct {
	Subject   string    `json:"sub"`
	Name      string    `json:"name,omitempty"`
	Org       string    `json:"org,omitempty"`
	ExpiresAt time.Time `json:"expires_at"`
	Rights    Rights    `json:"rights"`
	Mode      string    `json:"mode"` // of the server: production, demo, organization
	Version   string    `json:"version"`
	Address   string    `json:"address,omitempty" doc:"from which this was asked"`
	DemoData  bool      `json:"demo_data,omitempty"` // calls whose users and agents begin with demo are made up
}

// Rights are looked up by the server on every request. Org is the one
// organization that an admin administers; without it, all there is.
type Rights struct {
	Call  bool   `json:"call"`
	Admin bool   `json:"admin"`
	Org   string `json:"org,omitempty"`
	// ReadOnly: Admin is for looking alone.
	ReadOnly bool `json:"read_only,omitempty" doc:"an auditor: sees what an admin sees, and changes nothing"`
	// ForeignAddress: this came from where no admin may come from, whoever it is.
	ForeignAddress bool `json:"foreign_address,omitempty" doc:"this came from an address that is not on the admins' list, from which nobody is an admin"`
}

// TicketProtocol is the beginning of the subprotocol that carries a ticket. A
// browser can give a socket no header, and to another origin no cookie.
const TicketProtocol = "parley.ticket."

// Ticket is POST /api/v1/realtime/ticket: it opens one socket, for pages of another
// origin.
type Ticket struct {
	Ticket    string    `json:"ticket"`
	ExpiresAt time.Time `json:"expires_at"` // 30 s after it was given
}

// Subprotocol is what a socket offers beside wire.Subprotocol to show the ticket.
func (t Ticket) Subprotocol() string { return TicketProtocol + t.Ticket }

// Admission is GET /api/v1/realtime/admission: a call may start now.
type Admission struct {
	LinesFree int `json:"lines_free" doc:"calls that may begin now, on all nodes of a cluster together; what other nodes hold unused counts as taken until there is nothing else"`
	Cap       int `json:"cap"`
	// OrgCap is of the caller's organization, and counts for LinesFree, too.
	OrgCap int         `json:"org_cap,omitempty" doc:"calls that the caller's organization may have at the same time; without it there is no such cap"`
	Agents []Agent     `json:"agents"`
	Limits wire.Limits `json:"limits"`
	// ICEServers are for a look at the line before a call, over UDP, too; hello brings
	// those of the call.
	ICEServers []wire.ICEServer `json:"ice_servers" doc:"for a look at the line before a call, by UDP, TCP and TLS; hello brings those of the call"`
	// PrivacyOff: who calls is kept as it is, unmasked.
	PrivacyOff bool `json:"privacy_off,omitempty" doc:"privacy mode is off: names and addresses of callers are kept unmasked"`
	// Nodes and Held are for admins of a cluster.
	Nodes []NodePlaces `json:"nodes,omitempty" doc:"in a cluster, for its admins: the places of cap that each node holds"`
	Held  int          `json:"held,omitempty" doc:"in a cluster, for its admins: the places of cap that all nodes hold together"`
}

// NodePlaces are what a node holds of a cap: for its calls, and unused for its next ones.
type NodePlaces struct {
	Node string `json:"node"`
	Held int    `json:"held" doc:"for its calls, and unused for its next ones until another is short of them"`
}

// Agent is one the caller may choose.
type Agent struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	About string `json:"about,omitempty"`
	// Captions: what is said in a call comes to the caller as text, too, by events
	// on the data channel oai-events.
	Captions bool `json:"captions,omitempty" doc:"what is said comes as text, too, by events on the data channel oai-events"`
	// BudgetSpent is the caller's, in GET …/admission.
	BudgetSpent bool `json:"budget_spent,omitempty" doc:"what you may spend at this agent on a day (UTC) is spent: a call would be refused"`
}

// Session is a live (or, for a short while in the stream, just ended) session
// as admins see it. Times are absolute, so that a row changes only when
// something happened.
type Session struct {
	ID         string            `json:"id"`
	User       string            `json:"user"`
	Name       string            `json:"name,omitempty"`
	Phone      string            `json:"phone,omitempty"`  // masked in privacy mode
	Email      string            `json:"email,omitempty"`  // masked in privacy mode
	Remote     string            `json:"remote,omitempty"` // the caller's address, masked in privacy mode
	Org        string            `json:"org,omitempty"`
	Node       string            `json:"node,omitempty"` // the one that holds it; missing where the server is alone
	Agent      string            `json:"agent"`
	State      wire.SessionState `json:"state"`
	AgentState wire.AgentState   `json:"agent_state"`
	// AgentStuck is what the call is about to end for at EndsAt; missing: the agent goes on.
	AgentStuck   wire.EndCause `json:"agent_stuck,omitempty"`
	StartedAt    time.Time     `json:"started_at"`
	LastActiveAt time.Time     `json:"last_active_at"`
	EndsAt       *time.Time    `json:"ends_at,omitempty"` // the nearer of idle and longest duration
	EndedAt      *time.Time    `json:"ended_at,omitempty"`
	EndCause     wire.EndCause `json:"end_cause,omitempty"`
	EndReason    string        `json:"end_reason,omitempty"` // an admin's words, or the caller's of an agent that failed
	Muted        bool          `json:"muted"`
	ICERestarts  int64         `json:"ice_restarts"`
	// What came from the caller and went to them, as the server counted it: of audio,
	// without headers. Missing until it was measured.
	BytesReceived int64 `json:"bytes_received,omitempty"`
	BytesSent     int64 `json:"bytes_sent,omitempty"`
	// Path is missing until the caller's browser has told.
	Path *MediaPath `json:"path,omitempty"`

	Quality quality.Verdict `json:"quality"`
	// Metrics are the newest figures of the caller's leg, by direction.
	Metrics map[quality.Direction]Metrics `json:"metrics,omitempty"`
	// AgentLeg is missing for agents that are part of the server.
	AgentLeg *AgentLeg `json:"agent_leg,omitempty"`
	// MOSTrend is the estimated MOS of the last 60 s, oldest first; 0 is a gap.
	MOSTrend []float64 `json:"mos_trend,omitempty"`
	// FirstWord is missing until the agent has answered once.
	FirstWord *FirstWord `json:"first_word,omitempty"`
	// PoorSeconds is for how long the call was poor, by who has to be asked about it.
	PoorSeconds map[quality.Owner]int `json:"poor_seconds,omitempty"`
}

// AgentLeg is the line between the server and an agent's service, as the server
// measures it.
type AgentLeg struct {
	State   rtcstats.ConnectionState      `json:"state" enum:"connected,disconnected"`
	Metrics map[quality.Direction]Metrics `json:"metrics" doc:"the newest figures, by direction"`
}

// Metrics are interval figures of one direction, rolled over 10 s. A nil field
// was not measured.
type Metrics struct {
	LossRatio      *float64 `json:"loss_ratio,omitempty"`      // 0–1, effective
	JitterMS       *float64 `json:"jitter_ms,omitempty"`       // RFC 3550
	RTTMS          *float64 `json:"rtt_ms,omitempty"`          // round trip of the leg
	BufferMS       *float64 `json:"buffer_ms,omitempty"`       // receiver's jitter buffer
	DelayMS        *float64 `json:"delay_ms,omitempty"`        // mouth to ear, one way, estimated
	ConcealedRatio *float64 `json:"concealed_ratio,omitempty"` // 0–1
	BitrateBPS     *float64 `json:"bitrate_bps,omitempty"`     // bit/s
	R              *float64 `json:"r,omitempty"`               // 0–100
	MOS            *float64 `json:"mos,omitempty"`             // estimated, 1–4.5
}

// Stats is GET …/sessions/stats.
type Stats struct {
	At         time.Time                 `json:"at"`
	Live       int                       `json:"live"`
	ByState    map[wire.SessionState]int `json:"by_state"`
	Cap        int                       `json:"cap"`
	PerUserCap int                       `json:"per_user_cap"`
	Paused     bool                      `json:"paused"`  // no new calls, until an admin resumes them
	Started    int64                     `json:"started"` // since the server started
	Ended      int64                     `json:"ended"`
	Refused    map[string]int64          `json:"refused"`    // by problem code
	EndCauses  map[wire.EndCause]int64   `json:"end_causes"` // of those ended
	Durations  DurationStats             `json:"durations"`  // of those ended
	ErrorRate  float64                   `json:"error_rate"` // 0–1: ended by a fault of line, agent or server
	Quality    map[quality.Level]int     `json:"quality"`    // of live sessions
	Turns      TurnSummary               `json:"turns"`
	// PoorSeconds is for how long calls were poor, by who has to be asked about it.
	PoorSeconds map[quality.Owner]int `json:"poor_seconds"`
	// Nodes counts the one that answers, too.
	Nodes     int       `json:"nodes" doc:"servers whose sessions are counted here"`
	Anomalies []Anomaly `json:"anomalies" doc:"what is worse than it usually is at this hour; empty, too, until enough of the past is known"`
}

// DurationStats are seconds; all zero while nothing has ended.
type DurationStats struct {
	MinS float64 `json:"min_s"`
	AvgS float64 `json:"avg_s"`
	MaxS float64 `json:"max_s"`
}

// EndRequest is the body of POST …/sessions/{id}/end and of …/nodes/{id}/end.
type EndRequest struct {
	Reason string `json:"reason" minLength:"1" maxLength:"300"` // MaxReason
}

// Connection is GET …/connection/{sessionId}: the quality of one session, as
// each end measured it.
type Connection struct {
	SessionID string          `json:"session_id"`
	Rating    quality.Verdict `json:"rating"`
	Streams   []StreamQuality `json:"streams"`
	Errors    []ErrorCount    `json:"errors"`
	Turns     SessionTurns    `json:"turns"`
	// Path is missing until the caller's browser has told, and of a session that is over.
	Path *MediaPath `json:"path,omitempty"`
	// PoorSeconds is for how long the call was poor, by who has to be asked about it:
	// the caller's network, this server, the agent's network, the agent itself.
	PoorSeconds map[quality.Owner]int `json:"poor_seconds,omitempty"`
}

// MediaPath is how a caller's packets go, by what their browser says of the pair of
// candidates that it uses.
type MediaPath struct {
	Protocol string `json:"protocol" enum:"udp,tcp"`
	Relay    string `json:"relay,omitempty" enum:"udp,tcp,tls" doc:"how the caller reaches a relay; missing: the way is direct"`
}

// PathKind says whether somebody stands between a caller and the server.
type PathKind string

// The kinds of path; "" where it is not known.
const (
	PathDirect PathKind = "direct"
	PathRelay  PathKind = "relay"
)

// Kind is the path's; a nil one is not known.
func (p *MediaPath) Kind() PathKind {
	switch {
	case p == nil:
		return ""
	case p.Relay != "":
		return PathRelay
	}
	return PathDirect
}

// StreamQuality is one direction of one leg as one end measured it.
type StreamQuality struct {
	Leg        rtcstats.Leg        `json:"leg"`
	Direction  quality.Direction   `json:"direction"` // to_agent, to_caller
	MeasuredBy rtcstats.MeasuredBy `json:"measured_by"`
	Rating     quality.Verdict     `json:"rating"`
	Latest     Metrics             `json:"latest"`
	Summary    Summary             `json:"summary"` // over from…to, or the whole session
	Series     []Point             `json:"series"`  // one a step, oldest first
	// Counts over the same time.
	PacketsReceived int64 `json:"packets_received"`
	PacketsLost     int64 `json:"packets_lost"`
	// Bytes of audio, without headers, that the end which measured received or sent.
	Bytes int64 `json:"bytes"`
}

// Summary is min, max and average of each figure. LossRatio's average is
// weighted by packets: all lost over all expected.
type Summary struct {
	LossRatio *Range `json:"loss_ratio,omitempty"`
	JitterMS  *Range `json:"jitter_ms,omitempty"`
	RTTMS     *Range `json:"rtt_ms,omitempty"`
	BufferMS  *Range `json:"buffer_ms,omitempty"`
	DelayMS   *Range `json:"delay_ms,omitempty"`
	R         *Range `json:"r,omitempty"`
	MOS       *Range `json:"mos,omitempty"`
}

// Range is the spread of one figure.
type Range struct {
	Min float64 `json:"min"`
	Max float64 `json:"max"`
	Avg float64 `json:"avg"`
}

// Point is one step of a series.
type Point struct {
	At      time.Time `json:"at"`
	Metrics Metrics   `json:"metrics"`
	Gap     bool      `json:"gap,omitempty"` // nothing was measured in this step
}

// ErrorCount counts the faults of one session by kind.
type ErrorCount struct {
	Kind  string    `json:"kind"` // reconnect, ice_restart, media_stall, bad_report, …
	Count int64     `json:"count"`
	Last  time.Time `json:"last"`
	// MeasuredBy is whose numbers they were, where they were numbers.
	MeasuredBy rtcstats.MeasuredBy `json:"measured_by,omitempty"`
}

// Activity is one line of the feed.
type Activity struct {
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"` // ActivitySignIn and the like
	What    string    `json:"what"` // a code of the client's copy: CallStarted and the like
	User    string    `json:"user,omitempty"`
	Name    string    `json:"name,omitempty"`
	Phone   string    `json:"phone,omitempty"`  // masked in privacy mode
	Email   string    `json:"email,omitempty"`  // masked in privacy mode
	Remote  string    `json:"remote,omitempty"` // masked in privacy mode
	Org     string    `json:"org,omitempty"`
	Session string    `json:"session,omitempty"`
	Detail  string    `json:"detail,omitempty"` // cause, level, reason
}
