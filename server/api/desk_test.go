package api_test

import (
	"context"
	"sync"
	"time"

	"parley/server/fault"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// desk holds live sessions in memory, tells the monitor and keeps the record, as
// the real ones do.
type desk struct {
	house *house

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
		ID: id, User: d.house.privacy.Person(user), Org: org, Agent: "parrot",
		State: "active", AgentState: "listening", StartedAt: now, LastActiveAt: now,
	}
	d.mu.Lock()
	d.live[id], d.owners[id] = row, owner{user, org}
	d.mu.Unlock()
	d.house.monitor.SessionChanged(row)
	d.keep(row, d.house.store.SessionStarted)
}

func (d *desk) keep(row rest.Session, how func(context.Context, rest.SessionRecord) error) {
	d.mu.Lock()
	of := d.owners[row.ID]
	d.mu.Unlock()
	r := rest.SessionRecord{
		ID: row.ID, User: row.User, Name: row.Name, Org: of.org, Agent: row.Agent, Node: "a", State: row.State,
		StartedAt: row.StartedAt, EndedAt: row.EndedAt, EndCause: row.EndCause, EndReason: row.EndReason,
		UserKey: d.house.privacy.UserKey(of.user),
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

func (d *desk) End(id, reason string) error { return d.end(id, "admin_ended", reason) }

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
	d.house.monitor.SessionChanged(row)
	d.keep(row, d.house.store.SessionEnded)
	return nil
}

func (d *desk) EndUser(user, org string) (ended int) {
	d.mu.Lock()
	var ids []string
	for id := range d.live {
		if of := d.owners[id]; of.user == user && (org == "" || of.org == org) {
			ids = append(ids, id)
		}
	}
	d.mu.Unlock()
	for _, id := range ids {
		if d.end(id, "revoked", "") == nil {
			ended++
		}
	}
	return ended
}

func (d *desk) EndToken(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.out = append(d.out, id)
}

func (d *desk) CheckTimeouts() rest.TimeoutsChecked {
	d.mu.Lock()
	defer d.mu.Unlock()
	checked := rest.TimeoutsChecked{Checked: len(d.live), Ended: d.due}
	d.due = 0
	return checked
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
