package rest

import "time"

// EventName is the name of a server-sent event of the monitoring stream.
type EventName string

// The events of the stream.
const (
	EventSnapshot EventName = "snapshot" // first
	EventSessions EventName = "sessions"
	EventStats    EventName = "stats"
	EventActivity EventName = "activity"
	EventAlert    EventName = "alert"
	EventSettings EventName = "settings"
	EventResync   EventName = "resync" // what you missed is gone: a snapshot follows
	EventRenew    EventName = "renew"  // the hour is over: open the stream again
)

// StreamEvent is one event of the stream as it goes over the wire.
type StreamEvent struct {
	Seq  uint64
	Name EventName
	Data []byte // the frame that belongs to Name, as JSON; must not be changed
}

// Snapshot is the whole picture at one moment. Seq is the cursor after it.
type Snapshot struct {
	Seq        uint64     `json:"seq"`
	T          time.Time  `json:"t"`
	Sessions   []Session  `json:"sessions"`
	Stats      Stats      `json:"stats"`
	Activities []Activity `json:"activities"` // newest last
	Alerts     []Alert    `json:"alerts"`     // those that are firing, the last raised first
	// ActivityCount is how many activities there were since the server started, the newest
	// of Activities among them. While the part of the events' id before the dot stays the
	// same, what it grew by beyond what a reader was told is what that reader has missed.
	ActivityCount int64 `json:"activity_count"`
}

// SessionsFrame is what changed since the frame before. On the wire a row that the
// reader has is told by what changed of it (RFC 7396, JSON merge patch: null is a
// field that is gone; quality and metrics go down to the single field), and of mos_trend by
// mos_trend_add, the seconds that came behind it: the newest 60 stay. A row that is new
// is whole.
type SessionsFrame struct {
	Seq    uint64    `json:"seq"`
	T      time.Time `json:"t"`
	Upsert []Session `json:"upsert"`
	Remove []string  `json:"remove"`
}

// StatsFrame carries the counts when they changed.
type StatsFrame struct {
	Seq   uint64    `json:"seq"`
	T     time.Time `json:"t"`
	Stats Stats     `json:"stats"`
}

// ActivityFrame carries what happened since the frame before.
type ActivityFrame struct {
	Seq   uint64     `json:"seq"`
	T     time.Time  `json:"t"`
	Items []Activity `json:"items"`
	// ActivityCount is the snapshot's, with Items.
	ActivityCount int64 `json:"activity_count"`
}

// AlertFrame carries alerts as they are now: raised, taken, silenced, resolved.
type AlertFrame struct {
	Seq   uint64    `json:"seq"`
	T     time.Time `json:"t"`
	Items []Alert   `json:"items"`
}

// SettingsFrame carries the settings when they changed.
type SettingsFrame struct {
	Seq      uint64    `json:"seq"`
	T        time.Time `json:"t"`
	Settings Settings  `json:"settings"`
}
