package rest

import "time"

// EraseRequest is the body of DELETE …/users/{sub}/data, which may be left out.
type EraseRequest struct {
	Reason string `json:"reason,omitempty" maxLength:"300"` // MaxReason; for the record
}

// PersonRef says of whom something is kept.
type PersonRef struct {
	UserKey string // what the person is found by; it never leaves the server
	Org     string // only of this organization
	// Shown is how the person is shown where nothing else tells who it was; "" where
	// others may be shown so, too.
	Shown string
}

// Erased is DELETE …/users/{sub}/data: how many rows went, by what they were of.
type Erased struct {
	Sessions   int64 `json:"sessions"`
	Logs       int64 `json:"logs"`
	Quality    int64 `json:"quality" doc:"minutes of a direction"`
	Turns      int64 `json:"turns"`
	Activities int64 `json:"activities"`
	Usage      int64 `json:"usage" doc:"days of a session, which stay without the person"`
}

// PersonData is GET …/users/{sub}/data: all that is kept about one person, as admins
// see it. Complete comes last: without it the file was cut off.
type PersonData struct {
	User        string          `json:"user"`
	Org         string          `json:"org,omitempty"` // of this one alone
	MadeAt      time.Time       `json:"made_at"`
	Sessions    []PersonSession `json:"sessions"`
	Logs        []LogEntry      `json:"logs"`
	Activities  []Activity      `json:"activities"`
	Alerts      []Alert         `json:"alerts"` // about those sessions
	Revocations []Revocation    `json:"revocations"`
	Audit       []AuditEntry    `json:"audit"` // lines about the person, and of what they did as an admin
	Complete    bool            `json:"complete"`
}

// PersonSession is a session with all that is kept of it.
type PersonSession struct {
	SessionRecord

	Usage         Usage           `json:"usage"`
	Streams       []StreamQuality `json:"streams"`
	Turns         []Turn          `json:"turns"`
	Interruptions []Interruption  `json:"interruptions"`
	ToolUses      []ToolUse       `json:"tool_uses"`
}
