package rest

import (
	"encoding/json"
	"time"

	"parley/shared/quality"
)

// A query asks for a page of a list, newest first. Its fields that carry a query
// tag are the parameters of the path, under these names and within these bounds;
// the others stay inside of the server. A zero field asks for nothing in
// particular. From ≤ when < To.

// SessionQuery asks for sessions, the last begun first.
type SessionQuery struct {
	User  string        `query:"user" maxLength:"128" doc:"whose: the subject, or as it is shown"` // with UserKey, either fits
	Cause string        `query:"cause" pattern:"^[a-z_]{1,32}$" doc:"end cause"`
	Level quality.Level `query:"quality" enum:"none,poor,fair,good,excellent" doc:"the level it stood at longest"`
	Agent string        `query:"agent" maxLength:"64"`
	From  time.Time     `query:"from" doc:"RFC 3339; began at or after it"`
	To    time.Time     `query:"to" doc:"RFC 3339; began before it"`

	UserKey string // whose it is, however they are shown
	Org     string // only sessions of this organization
	Ended   bool   // leave live ones out
	Cursor  string // NextCursor of the page before
	Limit   int    // DefaultLimit if it is 0, at most MaxLimit
}

// ActiveQuery asks for live sessions.
type ActiveQuery struct {
	Quality string        `query:"quality" pattern:"^(none|poor|fair|good|excellent)(,(none|poor|fair|good|excellent))*$" maxLength:"64" doc:"one level, or several with commas between"`
	Doing   Doing         `query:"state" enum:"connecting,listening,thinking,speaking,quiet,muted,reconnecting" doc:"what goes on in it"`
	Agent   string        `query:"agent" maxLength:"64"`
	Node    string        `query:"node" maxLength:"253" doc:"the server of a cluster that holds it"`
	Cause   quality.Cause `query:"cause" pattern:"^[a-z_]{1,32}$" doc:"the main thing that is wrong with the line"`
	Path    PathKind      `query:"path" enum:"direct,relay" doc:"by which way the caller's packets go; a call whose browser has not told is in neither"`
	LongerS int           `query:"longer_s" minimum:"1" maximum:"86400" doc:"on for as many seconds at least"`
	IdleS   int           `query:"idle_s" minimum:"1" maximum:"86400" doc:"quiet for as many seconds at least"`
	Q       string        `query:"q" maxLength:"100" doc:"part of id, user, name, organization, agent, state, level or cause, whatever its case"`
}

// LogQuery asks for lines of the access log.
type LogQuery struct {
	User    string    `query:"user" maxLength:"128" doc:"whose: the subject, or as it is shown"` // with UserKey, either fits
	Session string    `query:"session" maxLength:"128"`
	Path    string    `query:"path" maxLength:"300" pattern:"^/" doc:"exact, or its beginning and a *"`
	Method  string    `query:"method" pattern:"^[A-Z]{1,16}$"`
	Status  string    `query:"status" pattern:"^[1-5]([0-9][0-9]|xx)$" doc:"exact, or a class: 4xx"`
	Kind    LogKind   `query:"kind" enum:"api,ws,stream,page,counted"`
	LeastMS int       `query:"least_ms" minimum:"0" maximum:"86400000" doc:"answered after this many milliseconds, or later"`
	Node    string    `query:"node" maxLength:"253" doc:"the server of a cluster that answered"`
	From    time.Time `query:"from" doc:"RFC 3339; answered at or after it"`
	To      time.Time `query:"to" doc:"RFC 3339; answered before it"`
	Q       string    `query:"q" maxLength:"100" doc:"part of path, user, address, agent, request id or code, whatever its case"`

	UserKey string // the person, however they are shown
	Org     string // only lines of this organization
	Cursor  string // NextCursor of the page before
	Limit   int    // DefaultLimit if it is 0, at most MaxLimit
}

// BarsQuery asks in how many equal parts of a time to count.
type BarsQuery struct {
	Bars int `query:"bars" minimum:"1" maximum:"500" default:"60" doc:"how many equal parts of from to to"`
}

// ActivityQuery asks for activities.
type ActivityQuery struct {
	Kind    string    `query:"kind" pattern:"^(sign_in|call|quality|timeout|admin|privacy|error)(,(sign_in|call|quality|timeout|admin|privacy|error))*$" maxLength:"64" doc:"one kind, or several with commas between"`
	User    string    `query:"user" maxLength:"128" doc:"whose: the subject, or as it is shown"`
	Session string    `query:"session" maxLength:"128"`
	From    time.Time `query:"from" doc:"RFC 3339; at or after it"`
	To      time.Time `query:"to" doc:"RFC 3339; before it"`
	Q       string    `query:"q" maxLength:"100" doc:"part of what happened, user, name, session, address or detail, whatever its case"`

	Org    string // only activities of this organization
	Cursor string // NextCursor of the page before
	Limit  int    // DefaultLimit if it is 0, at most MaxLimit
}

// AuditQuery asks for lines of the audit log.
type AuditQuery struct {
	Actor   string      `query:"actor" maxLength:"128" doc:"who: the subject, or as it is shown"`
	Action  AuditAction `query:"action" pattern:"^[a-z_]{1,32}$"`
	Target  string      `query:"target" maxLength:"300"`
	Outcome string      `query:"outcome" enum:"done,denied,failed"`
	Node    string      `query:"node" maxLength:"253" doc:"the server of a cluster that it was done at"`
	From    time.Time   `query:"from" doc:"RFC 3339; at or after it"`
	To      time.Time   `query:"to" doc:"RFC 3339; before it"`
	Q       string      `query:"q" maxLength:"100" doc:"part of who, action, target, reason, address or request id, whatever its case"`

	Org    string // only lines that touch this organization
	Cursor string // NextCursor of the page before
	Limit  int    // DefaultLimit if it is 0, at most MaxLimit
}

// AlertQuery asks for alerts, the last raised first.
type AlertQuery struct {
	State string `query:"state" enum:"firing,resolved"`

	Org    string // only alerts about a session of this organization
	Cursor string // NextCursor of the page before
	Limit  int    // DefaultLimit if it is 0, at most MaxLimit
}

// AnyVersion changes whatever there is, for who read nothing first.
const AnyVersion int64 = -1

// SettingsChange is what an admin wants changed.
type SettingsChange struct {
	// By is who, as the audit line has it: Actor, ActorOrg, Remote, RequestID.
	By AuditEntry
	// Patch has the new values by name, as they are on the wire.
	Patch map[string]json.RawMessage
	// IfVersion is the version that was read, or AnyVersion.
	IfVersion int64
	Reason    string
	Confirm   string // PrivacyOffPhrase, to turn privacy off
	// Now has limits that are lowered hold for live calls at once, without notice.
	Now bool
}
