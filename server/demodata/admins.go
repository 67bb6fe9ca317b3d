package demodata

import (
	"context"
	"time"

	"parley/shared/rest"
)

// Who administers in demo data: the server's own demo admin, at an address for examples.
const (
	adminName   = "demo-admin"
	adminRemote = "198.51.100.7"
)

// act is something that an admin did, so long before the end of the past.
type act struct {
	before  time.Duration
	action  rest.AuditAction
	target  string
	outcome string // "": done
	reason  string
	details map[string]any
}

// acts are a day of an admin's, oldest first.
var acts = []act{
	{1425 * time.Minute, rest.AuditSignIn, "", "", "", nil},
	{1424 * time.Minute, rest.AuditStreamOpened, "", "", "", nil},
	{1401 * time.Minute, rest.AuditView, "sessions", "", "", map[string]any{"resource": "sessions", "rows": 100}},
	{1390 * time.Minute, rest.AuditStreamClosed, "", "", "", map[string]any{"cause": "left", "seconds": 2040}},
	{1130 * time.Minute, rest.AuditSignIn, "", "", "", nil},
	{1128 * time.Minute, rest.AuditView, "logs", "", "", map[string]any{"resource": "logs", "status": "5xx", "rows": 12}},
	{1110 * time.Minute, rest.AuditExport, "logs", "", "", map[string]any{"format": "csv", "rows": 812}},
	{1045 * time.Minute, rest.AuditDenied, rest.PathStats, "denied", "", nil},
	{960 * time.Minute, rest.AuditSettings, "max_sessions", "", "Demo: a busy Monday", map[string]any{rest.SettingMaxSessions: map[string]any{"old": 80, "new": 100}}},
	{900 * time.Minute, rest.AuditView, "session", "", "", map[string]any{"resource": "session", "rows": 1}},
	{842 * time.Minute, rest.AuditReveal, "sess_demo", "", "Demo: the caller asked to be called back", nil},
	{700 * time.Minute, rest.AuditCheckTimeouts, "", "", "", map[string]any{"checked": 31, "ended": 1}},
	{655 * time.Minute, rest.AuditEndSession, "sess_demo", "", "Demo: maintenance.", nil},
	{640 * time.Minute, rest.AuditAcknowledge, "poor_calls", "", "", nil},
	{520 * time.Minute, rest.AuditSilence, "poor_call", "", "", map[string]any{"minutes": 60}},
	{410 * time.Minute, rest.AuditRules, "alert_rules", "", "Demo: fewer alerts at night", map[string]any{"changed": []string{"poor_calls"}}},
	{300 * time.Minute, rest.AuditView, "audit", "", "", map[string]any{"resource": "audit", "rows": 50}},
	{260 * time.Minute, rest.AuditDenied, rest.PathSettings, "denied", "", nil},
	{185 * time.Minute, rest.AuditRevoke, "demo-047", "", "Demo: a lost phone", nil},
	{170 * time.Minute, rest.AuditRestore, "demo-047", "", "Demo: found again", nil},
	{121 * time.Minute, rest.AuditExport, "sessions", "", "", map[string]any{"format": "ndjson", "rows": 214}},
	{64 * time.Minute, rest.AuditSignIn, "", "", "", nil},
	{63 * time.Minute, rest.AuditStreamOpened, "", "", "", nil},
	{40 * time.Minute, rest.AuditView, "usage", "", "", map[string]any{"resource": "usage", "rows": 24}},
	{22 * time.Minute, rest.AuditStreamClosed, "", "", "", map[string]any{"cause": "left", "seconds": 2460}},
}

// pastAlert is an alert of the past, which is over.
type pastAlert struct {
	before, lasted     time.Duration
	rule, title, unit  string
	value, limit       float64
	isAcknowledgedByUs bool
}

var pastAlerts = []pastAlert{
	{1310 * time.Minute, 4 * time.Minute, "poor_calls", "Poor calls above 10 %", "ratio", .143, .1, false},
	{1044 * time.Minute, 6 * time.Minute, "refused_sign_ins", "Failed sign-ins from one address", "count", 12, 10, false},
	{645 * time.Minute, 11 * time.Minute, "poor_calls", "Poor calls above 10 %", "ratio", .182, .1, true},
	{430 * time.Minute, 5 * time.Minute, "setup_failures", "Setup failures above 5 %", "ratio", .071, .05, false},
	{96 * time.Minute, 2 * time.Minute, "streams_refused", "Admin stream refused", "count", 1, 1, false},
}

// KeepActs keeps what admins did and which alerts there were. Unlike all else it is
// kept before the server is up: an audit log is in the order of its lines, and alerts
// are loaded once.
func (d *Demo) KeepActs(ctx context.Context) error {
	at := &clock{}
	log := d.cfg.Audit(at.now)
	for _, a := range acts {
		if at.at = d.to.Add(-a.before); at.at.Before(d.from) {
			continue
		}
		err := log.Record(ctx, rest.AuditEntry{
			T: at.at, Actor: adminName, Remote: adminRemote, Action: a.action, Target: a.target, Outcome: a.outcome, Reason: a.reason, Details: a.details, Node: Node,
		})
		if err != nil {
			return err
		}
	}
	store := d.cfg.Store(at.now)
	for i, a := range pastAlerts {
		if at.at = d.to.Add(-a.before); at.at.Before(d.from) {
			continue
		}
		if err := store.PutAlert(ctx, a.alert(i, at.at)); err != nil {
			return err
		}
	}
	return nil
}

func (a *pastAlert) alert(i int, raised time.Time) rest.Alert {
	over := raised.Add(a.lasted)
	out := rest.Alert{
		ID: "alert_demo" + raised.UTC().Format("20060102150405") + string(rune('a'+i)), Rule: a.rule, Title: a.title, State: rest.AlertResolved,
		Value: a.value, Limit: a.limit, Unit: a.unit, RaisedAt: raised.UTC(), ResolvedAt: &over,
	}
	if a.rule == "refused_sign_ins" {
		out.Detail = "198.51.100.0/24"
	}
	if a.isAcknowledgedByUs {
		taken := raised.Add(a.lasted / 2)
		out.AcknowledgedAt, out.AcknowledgedBy = &taken, adminName
	}
	return out
}
