package rest

import (
	"time"

	"parley/shared/quality"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// LogEntry is one line of the access log: who asked for what, from where, and
// how it went. Its fields and their names are stable.
type LogEntry struct {
	ID         int64     `json:"id,string"` // grows with time; the cursor
	T          time.Time `json:"t"`         // when the answer was done
	Kind       LogKind   `json:"kind"`
	Method     string    `json:"method"`
	Path       string    `json:"path"` // without query; parts that name a person are masked
	Route      string    `json:"route,omitempty"`
	Status     int       `json:"status"`
	DurationMS float64   `json:"duration_ms"`
	User       string    `json:"user,omitempty"` // masked in privacy mode
	Org        string    `json:"org,omitempty"`
	Remote     string    `json:"remote,omitempty"` // masked in privacy mode
	Session    string    `json:"session,omitempty"`
	RequestID  string    `json:"request_id"`
	Node       string    `json:"node"`
	Bytes      int64     `json:"bytes"` // of the answer's body
	UserAgent  string    `json:"user_agent,omitempty"`
	Code       string    `json:"code,omitempty"` // problem code or end cause
	// Count is how many requests a line of kind counted stands for; 0 in all others.
	Count int64 `json:"count,omitempty"`
	// UserKey is what the user's lines are found by; it never leaves the server.
	UserKey string `json:"-"`
}

// LogKind is what kind of asking a log line is.
type LogKind string

// The kinds of log lines.
const (
	LogAPI    LogKind = "api"
	LogSocket LogKind = "ws"     // a signaling socket, logged when it closes
	LogStream LogKind = "stream" // a monitoring stream, logged when it closes
	LogPage   LogKind = "page"   // a page or one of its files
	// LogCounted is one line for many requests: those that an address made within a
	// second, without a valid token, beyond those that have a line each.
	LogCounted LogKind = "counted"
)

// AuditEntry is one line of the audit log. Hash covers every field before it
// and PrevHash, so that no line can be changed, added or taken out unseen.
type AuditEntry struct {
	ID        int64          `json:"id,string"` // grows with time; the cursor
	Seq       int64          `json:"seq"`       // 1, 2, 3, … without a gap
	T         time.Time      `json:"t"`
	Actor     string         `json:"actor"` // masked in privacy mode
	ActorOrg  string         `json:"actor_org,omitempty"`
	Org       string         `json:"org,omitempty"` // whose people or things it touched
	Remote    string         `json:"remote,omitempty"`
	Action    AuditAction    `json:"action"`
	Target    string         `json:"target,omitempty"` // a session id, a setting, a masked user
	Outcome   string         `json:"outcome"`          // done, denied, failed
	Reason    string         `json:"reason,omitempty"`
	RequestID string         `json:"request_id,omitempty"`
	Node      string         `json:"node"`
	Details   map[string]any `json:"details,omitempty"` // filters, ids, rows, old and new values
	PrevHash  string         `json:"prev_hash"`         // hex SHA-256
	Hash      string         `json:"hash"`              // hex SHA-256
}

// AuditAction is what an admin did.
type AuditAction string

// What is audited.
const (
	AuditView          AuditAction = "view" // read of people; details name resource, filters, ids, rows
	AuditExport        AuditAction = "export"
	AuditEndSession    AuditAction = "end_session"
	AuditExtend        AuditAction = "extend_session"
	AuditRevoke        AuditAction = "revoke_user"
	AuditRestore       AuditAction = "restore_user" // a revocation was taken back
	AuditReveal        AuditAction = "reveal_person"
	AuditHandOut       AuditAction = "hand_out_person" // all that is kept of a person was exported; details name the stage
	AuditErase         AuditAction = "erase_person"    // details name the stage and, once it is done, what went
	AuditSettings      AuditAction = "change_settings"
	AuditPrivacyOff    AuditAction = "privacy_off"
	AuditPrivacyOn     AuditAction = "privacy_on"
	AuditMonitoringOff AuditAction = "monitoring_off"
	AuditMonitoringOn  AuditAction = "monitoring_on"
	AuditPause         AuditAction = "pause"        // no new calls
	AuditResume        AuditAction = "resume"       // new calls again
	AuditDrain         AuditAction = "drain_node"   // a server of the cluster takes no new calls
	AuditUndrain       AuditAction = "undrain_node" // it takes them again
	AuditEndNodeCalls  AuditAction = "end_calls_of_node"
	AuditCheckTimeouts AuditAction = "check_timeouts"
	AuditStreamOpened  AuditAction = "stream_opened"
	AuditStreamClosed  AuditAction = "stream_closed"
	AuditSignIn        AuditAction = "admin_sign_in"
	AuditDenied        AuditAction = "denied" // an admin path asked for without the right
	AuditRules         AuditAction = "change_alert_rules"
	AuditWebhookTest   AuditAction = "test_webhooks"
	AuditAgentCheck    AuditAction = "check_agent"
	AuditAcknowledge   AuditAction = "acknowledge_alert"
	AuditSilence       AuditAction = "silence_alert"
	AuditRetention     AuditAction = "retention" // old lines were deleted; details carry the chain's anchor
	AuditStarted       AuditAction = "server_started"
)

// AuditPage is GET …/audit: a page of the log and the state of its chain.
type AuditPage struct {
	Items      []AuditEntry `json:"items"`
	NextCursor string       `json:"next_cursor,omitempty"`
	Chain      Chain        `json:"chain"`
}

// Counts is how many lines of a log there were in equal parts of a time, in GET
// …/logs/counts and …/audit/counts.
type Counts struct {
	From time.Time  `json:"from"`
	To   time.Time  `json:"to"`
	Bars []CountBar `json:"bars"` // the oldest first
	// IsPartial tells that counting took too long: what is older than some moment is
	// not counted, or nothing is.
	IsPartial bool `json:"is_partial,omitempty"`
}

// CountBar is one part of the time.
type CountBar struct {
	All    int64 `json:"all"`
	Errors int64 `json:"errors"` // of requests, 5xx; of what admins did, what was denied or failed
}

// Add counts a line at t.
func (c *Counts) Add(t time.Time, isError bool) {
	n := int64(len(c.Bars))
	if n == 0 {
		return
	}
	bar := &c.Bars[min(max(t.Sub(c.From).Milliseconds()*n/max(c.To.Sub(c.From).Milliseconds(), 1), 0), n-1)]
	bar.All++
	if isError {
		bar.Errors++
	}
}

// Chain is the state of the audit log's hash chain.
type Chain struct {
	Intact    bool      `json:"intact"`
	CheckedTo int64     `json:"checked_to"` // seq of the newest line checked
	CheckedAt time.Time `json:"checked_at"`
	BrokenAt  int64     `json:"broken_at,omitempty"` // seq of the first line that doesn't fit
}

// SessionRecord is one session as it is kept: live or ended.
type SessionRecord struct {
	ID        string            `json:"id"`
	User      string            `json:"user"` // masked in privacy mode
	Name      string            `json:"name,omitempty"`
	Phone     string            `json:"phone,omitempty"` // masked in privacy mode
	Email     string            `json:"email,omitempty"` // masked in privacy mode
	Org       string            `json:"org,omitempty"`
	Remote    string            `json:"remote,omitempty"` // masked in privacy mode
	Agent     string            `json:"agent"`
	Node      string            `json:"node"`
	State     wire.SessionState `json:"state"`
	StartedAt time.Time         `json:"started_at"`
	EndedAt   *time.Time        `json:"ended_at,omitempty"`
	DurationS float64           `json:"duration_s"`
	EndCause  wire.EndCause     `json:"end_cause,omitempty"`
	EndReason string            `json:"end_reason,omitempty"`
	Quality   RecordQuality     `json:"quality"`
	Receipt   Receipt           `json:"privacy_receipt"`
	Rating    *Rating           `json:"rating,omitempty"` // the caller's, once they gave one
	// UserKey says whose session it is, masked or not. It stays inside.
	UserKey string `json:"-"`
}

// RecordQuality is what a whole session was like. Seconds says for how long the
// line stood at each level.
type RecordQuality struct {
	Level   quality.Level         `json:"level"` // the one it stood at longest
	Summary Summary               `json:"summary"`
	Seconds map[quality.Level]int `json:"seconds"`
	// What came from the caller and went to them, as the server counted it: of audio,
	// without headers.
	BytesReceived int64       `json:"bytes_received"`
	BytesSent     int64       `json:"bytes_sent"`
	ICERestarts   int64       `json:"ice_restarts"` // of either leg
	Turns         TurnSummary `json:"turns"`
	// PoorSeconds is for how long the call was poor, by who has to be asked about it.
	PoorSeconds map[quality.Owner]int `json:"poor_seconds,omitempty"`
}

// QualityChunk is at most a minute of one direction of one leg, as one end
// measured it: what the monitor hands on and the store keeps.
type QualityChunk struct {
	Session    string
	Leg        rtcstats.Leg
	Direction  quality.Direction
	MeasuredBy rtcstats.MeasuredBy
	Start      time.Time // of its first second
	Points     []Point   // one a second at most, oldest first; gaps may be left out, and are when read
	Received   int64     // packets
	Lost       int64
	Bytes      int64 // of audio
	// Summary is what the points amount to. What is nil when a chunk is kept is
	// worked out from its points.
	Summary Summary
}

// Receipt says what was kept of a call.
type Receipt struct {
	AudioBytesStored int64      `json:"audio_bytes_stored"`
	StorageAttempts  int64      `json:"storage_attempts"`
	Uses             []string   `json:"uses,omitempty" doc:"what audio and words were used for within the call and forgotten with it: buffer, caption, transcribe_in_call"`
	LogDeletedAt     *time.Time `json:"log_deleted_at,omitempty"`
	LogKeptUntil     *time.Time `json:"log_kept_until,omitempty" doc:"when the lines of the access log will be deleted, as retention stands now"`
}

// Settings is GET …/settings. Version is the ETag, too.
type Settings struct {
	Version  int64              `json:"version"`
	Settings map[string]Setting `json:"settings"`
	Fixed    []FixedSetting     `json:"fixed,omitempty" doc:"what was set when the server started, for its own admins; in the answer of GET alone"`
}

// FixedSetting is what a flag was given when the server started.
type FixedSetting struct {
	Flag  string `json:"flag"`
	Value string `json:"value" doc:"of an address of others, its host alone"`
}

// Setting is one of them. Min and Max are missing where it is on or off.
type Setting struct {
	Value   any    `json:"value"`
	Default any    `json:"default"`
	Min     *int   `json:"min,omitempty"`
	Max     *int   `json:"max,omitempty"`
	Unit    string `json:"unit,omitempty"` // min, s, days
	Applies string `json:"applies"`        // now, or new_calls
}

// Names of the runtime settings, as PATCH …/settings takes them.
const (
	SettingIdleTimeout    = "idle_timeout_minutes"
	SettingIdleWarning    = "idle_warning_s"
	SettingMaxDuration    = "max_duration_minutes"
	SettingMaxSessions    = "max_sessions"
	SettingMaxPerUser     = "max_sessions_per_user"
	SettingMaxPerOrg      = "max_sessions_per_org"
	SettingOrgCaps        = "org_caps" // organizations with a cap of their own: acme=20, globex=5
	SettingLogRetention   = "log_retention_days"
	SettingAuditRetention = "audit_retention_days"
	SettingPrivacy        = "privacy_mode"
	SettingMonitoring     = "monitoring"
	SettingPaused         = "paused"
	SettingAdminAllow     = "admin_allow" // addresses and networks, with commas between; "": admins come from anywhere
)

// MaxAdminNetworks is how many addresses and networks SettingAdminAllow has at most:
// more than an organization has sites, and few enough to look through on each request.
const MaxAdminNetworks = 100

// MaxOrgCaps is how many organizations SettingOrgCaps has at most: it is looked through
// whenever somebody of an organization calls.
const MaxOrgCaps = 100

// PrivacyOffPhrase is what turning privacy off has to be confirmed with.
const PrivacyOffPhrase = "turn off privacy"

// TimeoutRequest is the body of POST …/timeout. Its range is SettingIdleTimeout's.
type TimeoutRequest struct {
	TimeoutMinutes int `json:"timeout_minutes"`
	// Now ends the calls that are over it at once: else they are warned, and have 20 s.
	Now bool `json:"now,omitempty"`
}

// PauseRequest is the body of POST …/pause and …/resume, which may be left out.
type PauseRequest struct {
	Reason string `json:"reason,omitempty" maxLength:"300"` // MaxReason; for the audit log
}

// TimeoutsChecked is the answer of POST …/check-timeouts.
type TimeoutsChecked struct {
	Checked int `json:"checked"`
	Ended   int `json:"ended"`
	// Unreachable are nodes of a cluster whose calls were not looked at.
	Unreachable []string `json:"unreachable,omitempty" doc:"nodes of a cluster whose calls were not looked at"`
}
