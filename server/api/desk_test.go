package api_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"parley/server/fault"
	"parley/server/session"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// desk holds live sessions in memory, tells the monitor and keeps the record, as
// the real ones do.
type desk struct {
	parts *parts

	mu     sync.Mutex
	live   map[string]rest.Session
	owners map[string]owner
	due    int      // sessions past a deadline
	out    []string // tokens whose calls were ended
}

type owner struct{ user, org string }

func (d *desk) start(id, user string) { d.startIn(id, user, "") }

func (d *desk) startIn(id, user, org string) {
	now := time.Now()
	row := rest.Session{
		ID: id, User: d.parts.privacy.Person(user), Org: org, Agent: "parrot",
		State: "active", AgentState: "listening", StartedAt: now, LastActiveAt: now,
	}
	d.mu.Lock()
	d.live[id], d.owners[id] = row, owner{user, org}
	d.mu.Unlock()
	d.parts.monitor.SessionChanged(row)
	d.keep(row, d.parts.store.SessionStarted)
}

func (d *desk) keep(row rest.Session, how func(context.Context, rest.SessionRecord) error) {
	d.mu.Lock()
	of := d.owners[row.ID]
	d.mu.Unlock()
	r := rest.SessionRecord{
		ID: row.ID, User: row.User, Name: row.Name, Org: of.org, Agent: row.Agent, Node: "a", State: row.State,
		StartedAt: row.StartedAt, EndedAt: row.EndedAt, EndCause: row.EndCause, EndReason: row.EndReason,
		UserKey: d.parts.privacy.UserKey(of.user),
	}
	if row.EndedAt != nil {
		r.Quality.Level = quality.Good
	}
	if err := how(context.Background(), r); err != nil {
		panic(err)
	}
}

func (d *desk) Admission(user, _ string) (rest.Admission, error) {
	if user == "busy" {
		return rest.Admission{}, &rest.Problem{Code: rest.CodeUserCap}
	}
	return rest.Admission{LinesFree: 99, Cap: 100, Agents: []rest.Agent{{Name: "parrot"}}, ICEServers: []wire.ICEServer{}}, nil
}

// End implements admin.Sessions.
func (d *desk) End(id string, cause wire.EndCause, reason string) error {
	return d.end(id, string(cause), reason)
}

func (d *desk) end(id, cause, reason string) error {
	d.mu.Lock()
	row, ok := d.live[id]
	delete(d.live, id)
	d.mu.Unlock()
	if !ok {
		return fault.NotFound
	}
	now := time.Now()
	row.State, row.EndCause, row.EndReason, row.EndedAt = "ended", cause, reason, &now
	d.parts.monitor.SessionChanged(row)
	d.keep(row, d.parts.store.SessionEnded)
	return nil
}

// Snapshot implements admin.Sessions.
func (d *desk) Snapshot(id string) (session.Snapshot, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	row, ok := d.live[id]
	of := d.owners[id]
	return session.Snapshot{
		ID: id, Caller: session.Caller{User: of.user, Org: of.org}, Agent: row.Agent, State: wire.StateActive, StartedAt: row.StartedAt,
	}, ok
}

// SnapshotsWhere implements admin.Sessions.
func (d *desk) SnapshotsWhere(meant func(session.Caller) bool) (found []session.Snapshot) {
	for _, id := range d.ids() {
		if s, ok := d.Snapshot(id); ok && meant(s.Caller) {
			found = append(found, s)
		}
	}
	return found
}

// EndWhere implements admin.Sessions.
func (d *desk) EndWhere(meant func(session.Caller) bool, cause wire.EndCause, reason string) (ended int) {
	for _, s := range d.SnapshotsWhere(meant) {
		if d.End(s.ID, cause, reason) == nil {
			ended++
		}
	}
	return ended
}

// EndSession implements api.Sessions.
func (d *desk) EndSession(_ context.Context, id string) error { return d.End(id, wire.CallerLeft, "") }

// EndToken implements api.Sessions.
func (d *desk) EndToken(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.out = append(d.out, id)
}

// CheckTimeouts implements admin.Sessions.
func (d *desk) CheckTimeouts(time.Time) (checked, ended int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	checked, ended, d.due = len(d.live), d.due, 0
	return checked, ended
}

// record is a session as the program keeps it.
func (d *desk) record(s session.Snapshot) rest.SessionRecord {
	return rest.SessionRecord{
		ID: s.ID, User: d.parts.privacy.Person(s.Caller.User), UserKey: d.parts.privacy.UserKey(s.Caller.User),
		Org: s.Caller.Org, Agent: s.Agent, Node: "a", State: string(s.State), StartedAt: s.StartedAt,
	}
}

func (d *desk) ids() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.live))
}

// Owner knows live sessions only, as the real one does.
func (d *desk) Owner(id string) (user, org string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok = d.live[id]; !ok {
		return "", "", false
	}
	of := d.owners[id]
	return of.user, of.org, true
}

func (d *desk) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.live)
}
