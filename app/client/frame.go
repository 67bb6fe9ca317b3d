package client

import (
	"encoding/json"
	"fmt"
	"time"

	"parley/shared/rest"
)

// Frame is what Watch tells. The set is closed: Snapshot, Sessions, Counts,
// Activities, Alerts, Status.
type Frame interface{ frame() }

// Snapshot is the whole picture; it replaces what was known.
type Snapshot struct {
	rest.Snapshot
	// Polled tells that it was asked for, not streamed: it has no activities and no alerts.
	Polled bool
	// IsAnew tells that it is of another start of the server, or of another server, than
	// what was told before: its ActivityCount is no continuation.
	IsAnew bool
}

// Sessions is what changed among the sessions.
type Sessions struct{ rest.SessionsFrame }

// Counts is the new counts.
type Counts struct{ rest.StatsFrame }

// Activities is what happened.
type Activities struct{ rest.ActivityFrame }

// Alerts is what became of alerts.
type Alerts struct{ rest.AlertFrame }

// Status is how the stream is doing.
type Status struct {
	State State
	// Since is when anything was last heard of the server; zero is never.
	Since time.Time
	// Until is when the stream is tried again, while it isn't open.
	Until time.Time
	// Polling tells that the picture is asked for every PollEvery meanwhile.
	Polling bool
	// Renewed tells that the server ended a stream at its hour and this one
	// goes on where that ended.
	Renewed bool
	// Problem is what the server said, if it answered at all.
	Problem *rest.Problem
}

// State is the one word for it.
type State string

// The states.
const (
	Connecting   State = "connecting"   // for the first time
	Live         State = "live"         // the stream is open
	Reconnecting State = "reconnecting" // it broke; tried again at Until
	Offline      State = "offline"      // three tries got no answer, nor did a poll
	RateLimited  State = "rate_limited" // opened too often; tried again at Until
)

func (Snapshot) frame()   {}
func (Sessions) frame()   {}
func (Counts) frame()     {}
func (Activities) frame() {}
func (Alerts) frame()     {}
func (Status) frame()     {}

// read makes a frame of an event of the stream. Events that this client does
// not know give a nil frame and their place in the sequence.
func (w *Watch) read(e event) (f Frame, seq uint64, err error) {
	switch rest.EventName(e.name) {
	case rest.EventSnapshot:
		var s Snapshot
		err = json.Unmarshal(e.data, &s.Snapshot)
		w.rows = newRows(s.Sessions)
		f, seq = s, s.Seq
	case rest.EventSessions:
		var s Sessions
		s.SessionsFrame, err = w.rows.read(e.data)
		f, seq = s, s.Seq
	case rest.EventStats:
		var s Counts
		err = json.Unmarshal(e.data, &s.StatsFrame)
		f, seq = s, s.Seq
	case rest.EventActivity:
		var s Activities
		err = json.Unmarshal(e.data, &s.ActivityFrame)
		f, seq = s, s.Seq
	case rest.EventAlert:
		var s Alerts
		err = json.Unmarshal(e.data, &s.AlertFrame)
		f, seq = s, s.Seq
	default:
		var s struct {
			Seq uint64 `json:"seq"`
		}
		err = json.Unmarshal(e.data, &s)
		seq = s.Seq
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read event %s: %w", e.name, err)
	}
	return f, seq, nil
}
