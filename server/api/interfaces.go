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
	Admission(user, org, host string) (rest.Admission, error)
	// Owner returns whose live session this is: the subject of the token as it
	// stands.
	Owner(id string) (user, org string, ok bool)
	// EndSession ends a live session as its caller wants it, with the cause
	// caller_left, whichever node holds it. fault.NotFound: there is none.
	EndSession(ctx context.Context, id string) error
	// EndToken ends the calls that a token carries, by its auth.Identity.ID, with
	// the cause revoked.
	EndToken(id string)
	// EndTokens is EndToken for all whose Identity.ID begins so.
	EndTokens(prefix string)
}

// NodeOperator does what admins want done to the servers of a cluster.
type NodeOperator interface {
	// DrainNode has one take no new calls, or take them again.
	DrainNode(ctx context.Context, name string, isDraining bool) error
	// EndNodeCalls ends all calls of one now, with a reason that the callers see.
	EndNodeCalls(ctx context.Context, name, reason string) (ended int, err error)
}

// Operator does what admins want done to callers. Each act is on record before
// it is done, or isn't done; by has all that its line needs of who and from
// where. With org, what is another organization's is fault.NotFound.
type Operator interface {
	// EndSession ends a live session: it is on the disk as ended when it returns
	// nil.
	EndSession(ctx context.Context, id, org, reason string, by rest.AuditEntry) error
	// ExtendSession begins the idle time of a live session anew.
	ExtendSession(ctx context.Context, id, org string, by rest.AuditEntry) error
	// RevokeUser refuses the tokens of who.UserKey, issued until now or with
	// who.Block all, and ends the live sessions: with who.Org those of this
	// organization, and none of who administers the server.
	RevokeUser(ctx context.Context, who rest.Revocation, by rest.AuditEntry) (rest.Revoked, error)
	// RestoreUser takes a revocation back.
	RestoreUser(ctx context.Context, id int64, org string, by rest.AuditEntry) error
	// RevealPerson gives who holds a live session, unmasked.
	RevealPerson(ctx context.Context, id, org, reason string, by rest.AuditEntry) (rest.Person, error)
	// ErasePerson deletes what is kept about who, of one organization only if who.Org
	// isn't empty. Somebody who is in a call is refused.
	ErasePerson(ctx context.Context, who rest.PersonRef, reason string, by rest.AuditEntry) (rest.Erased, error)
	// CheckTimeouts looks at every deadline now.
	CheckTimeouts(ctx context.Context, by rest.AuditEntry) (rest.TimeoutsChecked, error)
}

// AlertOperator changes alerts and their rules, on record like Operator.
type AlertOperator interface {
	Acknowledge(ctx context.Context, id, org string, by rest.AuditEntry) (rest.Alert, error)
	Silence(ctx context.Context, id, org string, minutes int, by rest.AuditEntry) (rest.Alert, error)
	// SetAlertRules replaces them all, if they still have rules.Version or that is
	// rest.AnyVersion.
	SetAlertRules(ctx context.Context, rules rest.AlertRules, by rest.AuditEntry) (rest.AlertRules, error)
	// TestWebhooks sends a test to each webhook and returns what came of it.
	TestWebhooks(ctx context.Context, by rest.AuditEntry) ([]rest.WebhookDelivery, error)
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
	// error is that of ctx, or events.ErrCursorLost when the cursor is lost. Data is as
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
	// Turns are those of a session that are over, and its interruptions, oldest first.
	Turns(ctx context.Context, session string) ([]rest.Turn, []rest.Interruption, error)
	// ToolUses are those of a session, oldest first.
	ToolUses(ctx context.Context, session string) ([]rest.ToolUse, error)
}

// History counts the ended calls of a time, and its requests.
type History interface {
	History(ctx context.Context, q rest.HistoryQuery) (*rest.HistoryCounter, error)
}

// Totals sums up the calls that ended, of one organization if org isn't empty: of all
// time, and of each of the last days.
type Totals interface {
	Totals(ctx context.Context, org string, days int) (rest.Totals, error)
}

// Revocations tells whose tokens are refused, as pages like those of Record.
type Revocations interface {
	Revocations(ctx context.Context, q rest.RevocationQuery) ([]rest.Revocation, string, error)
}

// Usage adds up what was used, as pages like those of Record.
type Usage interface {
	Usage(ctx context.Context, q rest.UsageQuery) ([]rest.UsageRow, string, error)
	// SessionUsage is what one session used; of one that used nothing it is zero.
	SessionUsage(ctx context.Context, session string) (rest.Usage, error)
}

// Ratings are what callers thought of their calls.
type Ratings interface {
	// RateSession takes the place of an older rating. fault.NotFound: there is no
	// such session.
	RateSession(ctx context.Context, id string, rating rest.Rating) error
}

// Agents tells how agents do.
type Agents interface {
	AgentStatuses() []rest.AgentStatus
	// CheckAgent makes a trial call. fault.NotFound: there is no such agent.
	CheckAgent(ctx context.Context, name string) (rest.AgentCheck, error)
}

// LogReader reads what was logged, as pages like those of Record.
type LogReader interface {
	Logs(ctx context.Context, q rest.LogQuery) ([]rest.LogEntry, string, error)
	Activities(ctx context.Context, q rest.ActivityQuery) ([]rest.Activity, string, error)
	Audit(ctx context.Context, q rest.AuditQuery) ([]rest.AuditEntry, string, error)
	// CountLogs and CountAudit count what passes in equal parts of the query's time,
	// which has both ends.
	CountLogs(ctx context.Context, q rest.LogQuery, bars int) (rest.Counts, error)
	CountAudit(ctx context.Context, q rest.AuditQuery, bars int) (rest.Counts, error)
}

// Audit keeps what admins see and change. It masks what it is given and fills in
// time and node. fault.Unrecorded comes within 2 s.
type Audit interface {
	// Record keeps a line: it is on the disk when Record returns nil.
	Record(ctx context.Context, e rest.AuditEntry) error
	// Chain is the state of the log as it was last checked.
	Chain() rest.Chain
}

// Settings are the values that change at run time.
type Settings interface {
	Get() rest.Settings
	// Why a setting's range is what it is, in a sentence for the description.
	Why(name string) string
	// Change records, keeps and applies new values, or does nothing. Its error is
	// fault.Conflict, fault.Unrecorded, or a *fault.BadField.
	Change(ctx context.Context, c rest.SettingsChange) (rest.Settings, error)
}

// Alerts are what is wrong now and was lately, and the rules that say so. Secrets
// never leave.
type Alerts interface {
	// List gives a page of them, the last raised first.
	List(q rest.AlertQuery) ([]rest.Alert, string, error)
	Rules() rest.AlertRules
	// Preview tells what a rule would have fired lately. Its error is a
	// *fault.BadField, or that of ctx.
	Preview(ctx context.Context, rule rest.AlertRule) (rest.AlertPreview, error)
	// Deliveries to webhooks of late, the last taken first; a hundred at most.
	Deliveries() []rest.WebhookDelivery
}

// Privacy is what protects callers.
type Privacy interface {
	// Status lacks retention and confinement, which the interface fills in.
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
