package admin_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"parley/server/admin"
	"parley/server/alert"
	"parley/server/audit"
	"parley/server/privacy"
	"parley/server/session"
	"parley/server/store"
	"parley/shared/rest"
	"parley/shared/wire"
)

// rig is an Admin over the real rooms, on a directory of its own.
type rig struct {
	*admin.Admin
	t        *testing.T
	dir      string
	store    *store.Store
	mask     *privacy.Privacy
	sessions *session.Sessions
	alerts   *alert.Alerts
	revoked  tokens
	readings alert.Readings
	before   func() // runs in the transaction of an act, before it writes
}

// tx runs the test's function before the first thing that an act writes.
type tx struct {
	*store.Tx
	before func()
}

func (x tx) EndSession(r rest.SessionRecord) error {
	x.before()
	return x.Tx.EndSession(r)
}

// hooked is the real store, whose transactions are tx.
type hooked struct {
	*store.Store
	rig *rig
}

func (h hooked) AppendAudit(ctx context.Context, e rest.AuditEntry, seal func(string, rest.AuditEntry) string, change func(tx) error) (rest.AuditEntry, error) {
	return h.Store.AppendAudit(ctx, e, seal, func(inner *store.Tx) error { return change(tx{inner, h.rig.before}) })
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), revoked: tokens{}, before: func() {}}
	var err error
	if r.store, err = store.Open(t.Context(), r.dir, store.Options{Node: "n1"}); err != nil {
		t.Fatal(err)
	}
	if r.mask, err = privacy.New(privacy.Config{On: true, Key: []byte("0123456789abcdef0123456789abcdef")}); err != nil {
		t.Fatal(err)
	}
	log := audit.New(audit.Config[tx]{Store: hooked{r.store, r}, Mask: r.mask, Node: "n1"})
	r.sessions = session.New(session.Config{Media: noMedia{}, Settings: session.Settings{MaxSessions: 10, MaxPerUser: 3}, DefaultAgent: "parrot"})
	r.alerts = alert.New(alert.Config{Readings: func() alert.Readings { return r.readings }, Store: r.store, AllowPrivate: true})
	r.Admin = admin.New(admin.Config[tx]{
		Audit: log, Sessions: r.sessions, Record: r.record, Alerts: r.alerts, Tokens: r.revoked, Mask: r.mask, Telemetry: r.store,
	})
	t.Cleanup(func() {
		_ = r.sessions.Close()
		_ = log.Close()
		_ = r.store.Close()
	})
	return r
}

// noMedia opens no leg: no session of these tests offers any.
type noMedia struct{ session.MediaOpener }

// MaxDuration implements session.MediaOpener.
func (noMedia) MaxDuration(session.Caller) time.Duration { return 0 }

// tokens are the revocations in force, by organization and user key.
type tokens map[[2]string]rest.Revocation

// PutRevocation implements admin.Tokens.
func (t tokens) PutRevocation(v rest.Revocation) { t[[2]string{v.Org, v.UserKey}] = v }

// DeleteRevocation implements admin.Tokens.
func (t tokens) DeleteRevocation(v rest.Revocation) { delete(t, [2]string{v.Org, v.UserKey}) }

func (r *rig) record(s session.Snapshot) rest.SessionRecord {
	return rest.SessionRecord{
		ID: s.ID, User: r.mask.Person(s.Caller.User), UserKey: r.mask.UserKey(s.Caller.User), Org: s.Caller.Org,
		Agent: s.Agent, Node: "n1", State: s.State, StartedAt: s.StartedAt,
	}
}

// call makes a live session.
func (r *rig) call(user, org string) *session.Session {
	r.t.Helper()
	s, err := r.sessions.Admit(session.Caller{
		User: user, Name: "Name of " + user, Phone: "+15550100", Email: "a@b.example", Remote: "192.0.2.7",
		Org: org, ServerAdmin: user == "root", TokenExpires: time.Now().Add(time.Hour),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := s.Attach(); err != nil {
		r.t.Fatal(err)
	}
	return s
}

// causeOf is why a session ended; "" while it lives.
func causeOf(s *session.Session) wire.EndCause {
	if end, ok := context.Cause(s.Context()).(*session.End); ok {
		return end.Cause
	}
	return ""
}

// kept is a session as the store has it.
func (r *rig) kept(id string) rest.SessionRecord {
	r.t.Helper()
	found, err := r.store.Session(r.t.Context(), id)
	if err != nil {
		r.t.Fatalf("%s: %v", id, err)
	}
	return found
}

// lines are those of the audit log, newest first.
func (r *rig) lines() []rest.AuditEntry {
	r.t.Helper()
	found, _, err := r.store.Audit(context.Background(), rest.AuditQuery{})
	if err != nil {
		r.t.Fatal(err)
	}
	return found
}

// breakAudit makes the log impossible to write, as a full disk does.
func (r *rig) breakAudit() {
	r.t.Helper()
	if err := r.store.Close(); err != nil {
		r.t.Fatal(err)
	}
}

// copyOf opens what is on the disk now, as a server does after this one was
// killed.
func (r *rig) copyOf() *store.Store {
	r.t.Helper()
	dir := r.t.TempDir()
	for _, name := range []string{"control.db", "control.db-wal", "telemetry.db", "telemetry.db-wal"} {
		copyFile(r.t, filepath.Join(r.dir, name), filepath.Join(dir, name))
	}
	s, err := store.Open(r.t.Context(), dir, store.Options{Node: "n1"})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = s.Close() })
	return s
}
