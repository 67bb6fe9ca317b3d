package api

import (
	"context"
	"net/http"
	"time"

	"parley/shared/rest"
)

// What the interface asks of the other rooms. An error of theirs is a
// *rest.Problem, one of package fault, or a defect of ours.

// Sessions is what the interface needs of the calls under way.
type Sessions interface {
	// Admission tells what a call by user would get now, or the *rest.Problem
	// that the socket would answer.
	Admission(user, org string) (rest.Admission, error)
	// End ends a live session by an admin's hand. fault.NotFound: there is none.
	End(id, reason string) error
	// Owner returns whose live session this is: the subject of the token as it
	// stands.
	Owner(id string) (user, org string, ok bool)
}

// Operator acts on many calls at once.
type Operator interface {
	// CheckTimeouts looks at every deadline now.
	CheckTimeouts() rest.TimeoutsChecked
	// EndUser ends a user's live sessions, those of one organization only if org
	// isn't empty, and then none of who administers the server, with the cause
	// revoked, and counts them.
	EndUser(user, org string) int
	// EndToken ends the calls that a token carries, by its auth.Identity.ID, with
	// the cause revoked.
	EndToken(id string)
}

// Monitor is the picture that admins see, people in it masked as they have to be.
// Of an organization they are its own alone; "" is all.
type Monitor interface {
	Active(org string) []rest.Session
	Stats(org string) rest.Stats
	// Connection is the quality of a session between from and to (zero: its
	// beginning, now), one point a step.
	Connection(id string, from, to time.Time, step time.Duration) (rest.Connection, bool)
}

// MonitorStream is the picture as it changes. Every reader has a cursor of its own.
type MonitorStream interface {
	Snapshot(org string) rest.Snapshot
	// Follow waits for what came after cursor and returns the cursor after it. Its
	// error is that of ctx, or events.ErrGone when the cursor is lost. Data is as
	// an Encoder writes it.
	Follow(ctx context.Context, org string, cursor uint64) ([]rest.StreamEvent, uint64, error)
}

// Record is what was kept. Lists are newest first and give the cursor of the
// next page, empty at the end; a page may be short before the end.
type Record interface {
	Sessions(ctx context.Context, q rest.SessionQuery) ([]rest.SessionRecord, string, error)
	// Session gives one, live or ended. fault.NotFound: there is none.
	Session(ctx context.Context, id string) (rest.SessionRecord, error)
	// Streams is the quality of a session as it was kept; Rating and Latest are
	// left to fill in.
	Streams(ctx context.Context, session string, from, to time.Time, step time.Duration) ([]rest.StreamQuality, error)
}

// Lines is what was logged, as pages like those of Record.
type Lines interface {
	Logs(ctx context.Context, q rest.LogQuery) ([]rest.LogEntry, string, error)
	Activities(ctx context.Context, q rest.ActivityQuery) ([]rest.Activity, string, error)
}

// Audit is the record of what admins see and change. It masks what it is given
// and fills in time and node. fault.Unrecorded comes within 2 s.
type Audit interface {
	// Record keeps a line: it is on the disk when Record returns nil.
	Record(ctx context.Context, e rest.AuditEntry) error
	// Revoke keeps a line and, in the same transaction, that the tokens of a user
	// issued before a moment are refused, those of one organization only if org
	// isn't empty; or neither. They are refused from the next request on.
	Revoke(ctx context.Context, e rest.AuditEntry, user, org string, before time.Time) error
	Audit(ctx context.Context, q rest.AuditQuery) ([]rest.AuditEntry, string, error)
	// Chain is the state of the log as it was last checked.
	Chain() rest.Chain
}

// Settings are the values that change at run time.
type Settings interface {
	Get() rest.Settings
	// Change records, keeps and applies new values, or does nothing. Its error is
	// fault.Conflict, fault.Unrecorded, or a *fault.BadField.
	Change(ctx context.Context, c rest.SettingsChange) (rest.Settings, error)
}

// Alerts are what is wrong now and was lately. Changes are recorded together
// with by, which has all that its line needs, or don't happen.
type Alerts interface {
	// Alerts gives a page of them, the last raised first.
	Alerts(ctx context.Context, q rest.AlertQuery) ([]rest.Alert, string, error)
	Alert(ctx context.Context, id string) (rest.Alert, error)
	Acknowledge(ctx context.Context, id string, by rest.AuditEntry) (rest.Alert, error)
	Silence(ctx context.Context, id string, until time.Time, by rest.AuditEntry) (rest.Alert, error)
}

// Rules say when alerts are raised and who is told. Secrets never leave.
type Rules interface {
	Rules(ctx context.Context) (rest.AlertRules, error)
	// SetRules replaces them all, if they still have ifVersion.
	SetRules(ctx context.Context, rules rest.AlertRules, ifVersion int64, by rest.AuditEntry) (rest.AlertRules, error)
}

// Privacy is what protects callers.
type Privacy interface {
	// Status is complete: retention and confinement, too.
	Status() rest.Privacy
	// UserKey is what a subject is found by where only its mask is kept, and
	// Person is that mask, as it is shown now.
	UserKey(sub string) string
	Person(sub string) string
}

// Meter is what counts requests and knows how the server does.
type Meter interface {
	// Observe is told of each request that was answered by a route; sockets,
	// streams and exports, which last as long as somebody wants, are left out.
	Observe(route string, status int, took time.Duration)
	// CountStreams is told of each monitoring stream that opens (1) or closes (-1).
	CountStreams(change int)
	// Health lacks Degraded, which the interface fills in.
	Health(ctx context.Context) rest.Health
	// Metrics serves the Prometheus text; the guard is before it.
	Metrics() http.Handler
}
