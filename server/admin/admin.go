// Package admin owns an admin's act: what it changes and the audit line that
// says so are one transaction, and only then is anything done to a call, a
// token or an alert. What can't be recorded isn't done, and what was answered is
// so on the disk, whatever becomes of the server a moment later. It refuses to
// decide who may: whoever calls has asked, and says of which organization.
package admin

import (
	"context"
	"errors"
	"time"

	"parley/server/alert"
	"parley/server/audit"
	"parley/server/fault"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

// Tx writes what an act changes, in the transaction of its audit line.
type Tx interface {
	// EndSession keeps how a live session ends. fault.NotFound: it has ended.
	EndSession(r rest.SessionRecord) error
	PutRevocation(v rest.Revocation) (id int64, err error)
	// DeleteRevocation takes one back, of an organization only if org isn't empty.
	DeleteRevocation(id int64, org string) (rest.Revocation, error)
	// ErasePerson deletes a person's sessions, and takes them out of what they used.
	ErasePerson(who rest.PersonRef) (rest.Erased, error)
	PutAlert(a rest.Alert) error
	// PutAlertRules fails with fault.Conflict if the version isn't ifVersion
	// anymore.
	PutAlertRules(ifVersion int64, rules []rest.AlertRule, webhooks []rest.Webhook) (version int64, err error)
}

// Mask takes people out of texts, as far as the server's mode wants that.
type Mask interface {
	Person(sub string) string
	Text(text string) string
	// UserKey is what a subject is found by where only its mask is kept.
	UserKey(sub string) string
}

// Tokens refuses tokens, or takes that back, from the next request on.
type Tokens interface {
	PutRevocation(v rest.Revocation)
	DeleteRevocation(v rest.Revocation)
}

// Sessions are the live ones. *session.Sessions is one.
type Sessions interface {
	Snapshot(id string) (session.Snapshot, bool)
	SnapshotsWhere(meant func(session.Caller) bool) []session.Snapshot
	// End fails if the session has ended.
	End(id string, cause wire.EndCause, reason string) error
	EndWhere(meant func(session.Caller) bool, cause wire.EndCause, reason string) (ended int)
	// Extend reports false where there is no live session.
	Extend(id string, now time.Time) bool
	CheckTimeouts(now time.Time) (checked, ended int)
}

// Telemetry is what is kept beside the record. *store.Store is one.
type Telemetry interface {
	// ErasePerson deletes all of it that is of a person, and may be done again.
	ErasePerson(ctx context.Context, who rest.PersonRef) (rest.Erased, error)
	// IsInCall reports whether a session of theirs has not ended on record, also on
	// another node.
	IsInCall(ctx context.Context, who rest.PersonRef) (bool, error)
}

// Config is what an Admin needs. All must be given.
type Config[T Tx] struct {
	Audit    *audit.Log[T]
	Sessions Sessions
	// Record is a session as it is kept: masked, with the server's name.
	Record    func(session.Snapshot) rest.SessionRecord
	Alerts    *alert.Alerts
	Tokens    Tokens
	Mask      Mask
	Telemetry Telemetry
}

// Admin does what admins want done. It is safe for concurrent use.
type Admin struct {
	sessions  Sessions
	record    func(session.Snapshot) rest.SessionRecord
	alerts    *alert.Alerts
	tokens    Tokens
	mask      Mask
	telemetry Telemetry
	// commit keeps a line together with a change, or neither.
	commit func(ctx context.Context, e rest.AuditEntry, change func(Tx) error) error
}

// New makes an Admin.
func New[T Tx](c Config[T]) *Admin {
	return &Admin{
		sessions: c.Sessions, record: c.Record, alerts: c.Alerts, tokens: c.Tokens, mask: c.Mask, telemetry: c.Telemetry,
		commit: func(ctx context.Context, e rest.AuditEntry, change func(Tx) error) error {
			return c.Audit.Change(ctx, e, func(tx T) error { return change(tx) })
		},
	}
}

// EndSession ends a live session now, of one organization only if org isn't
// empty; the caller sees the reason. by says who and from where. When it returns
// nil, the session is on the disk as ended by an admin. fault.NotFound: there is
// none, or it ended by itself first.
func (a *Admin) EndSession(ctx context.Context, id, org, reason string, by rest.AuditEntry) error {
	live, ok := a.sessions.Snapshot(id)
	if !ok || org != "" && live.Caller.Org != org {
		return fault.NotFound
	}
	reason = a.mask.Text(reason)
	by.Action, by.Target, by.Reason = rest.AuditEndSession, id, reason
	if live.Caller.Org != "" {
		by.Org = live.Caller.Org
	}
	err := a.commit(ctx, by, func(tx Tx) error { return tx.EndSession(a.ended(live, wire.AdminEnded, reason)) })
	if err != nil {
		return err
	}
	if err := a.sessions.End(id, wire.AdminEnded, reason); err != nil {
		// It ended by itself while this was being written; its own end is kept over
		// this one, and the log says that the act came too late.
		by.Outcome = audit.Failed
		return errors.Join(fault.NotFound, a.commit(ctx, by, func(Tx) error { return nil }))
	}
	return nil
}

// ExtendSession begins the idle time of a live session anew, of one organization
// only if org isn't empty, once that is on record. fault.NotFound: there is none.
func (a *Admin) ExtendSession(ctx context.Context, id, org string, by rest.AuditEntry) error {
	live, ok := a.sessions.Snapshot(id)
	if !ok || org != "" && live.Caller.Org != org {
		return fault.NotFound
	}
	by.Action, by.Target = rest.AuditExtend, id
	if live.Caller.Org != "" {
		by.Org = live.Caller.Org
	}
	if err := a.commit(ctx, by, func(Tx) error { return nil }); err != nil {
		return err
	}
	if !a.sessions.Extend(id, time.Now()) {
		return fault.NotFound
	}
	return nil
}

// ended is the record of a live session as if it ended now.
func (a *Admin) ended(live session.Snapshot, cause wire.EndCause, reason string) rest.SessionRecord {
	r := a.record(live)
	now := time.Now()
	r.State, r.EndedAt, r.EndCause, r.EndReason = wire.StateEnded, &now, cause, reason
	r.DurationS = now.Sub(r.StartedAt).Seconds()
	return r
}

// CheckTimeouts looks at every deadline now, on record.
func (a *Admin) CheckTimeouts(ctx context.Context, by rest.AuditEntry) (rest.TimeoutsChecked, error) {
	by.Action = rest.AuditCheckTimeouts
	if err := a.commit(ctx, by, func(Tx) error { return nil }); err != nil {
		return rest.TimeoutsChecked{}, err
	}
	checked, ended := a.sessions.CheckTimeouts(time.Now())
	return rest.TimeoutsChecked{Checked: checked, Ended: ended}, nil
}
