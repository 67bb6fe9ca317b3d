package bridge

import (
	"sync"

	"parley/server/session"
	"parley/shared/rest"
)

// observer carries what happens to sessions to the monitor and into the record,
// masked.
type observer struct {
	Config
	records *recorder

	mu      sync.Mutex
	started map[string]bool // sessions whose start is on record
}

func newObserver(cfg Config, records *recorder) *observer {
	return &observer{Config: cfg, records: records, started: make(map[string]bool)}
}

// SessionChanged implements session.Observer.
func (o *observer) SessionChanged(s session.Snapshot) {
	o.record(s)
	row := rest.Session{
		ID: s.ID, User: o.Privacy.Person(s.Caller.User), Name: o.Privacy.Text(s.Caller.Name), Org: s.Caller.Org,
		Phone: o.Privacy.Phone(s.Caller.Phone), Email: o.Privacy.Email(s.Caller.Email), Remote: o.Privacy.Address(s.Caller.Remote),
		Agent: s.Agent, State: s.State, AgentState: s.AgentState, AgentStuck: s.AgentStuck,
		StartedAt: s.StartedAt, LastActiveAt: s.LastActiveAt,
		EndCause: s.Cause, EndReason: o.Privacy.Text(s.Reason), Muted: s.Muted, ICERestarts: s.ICERestarts,
	}
	if !s.EndsAt.IsZero() {
		row.EndsAt = &s.EndsAt
	}
	if !s.EndedAt.IsZero() {
		row.EndedAt = &s.EndedAt
	}
	o.Monitor.SessionChanged(row)
}

// record keeps a session's start and its end.
func (o *observer) record(s session.Snapshot) {
	isOver := !s.EndedAt.IsZero()
	if !o.isFirst(s.ID, isOver) && !isOver {
		return
	}
	r := o.sessionRecord(s)
	if isOver {
		r.EndedAt, r.EndCause, r.EndReason = &s.EndedAt, s.Cause, o.Privacy.Text(s.Reason)
		r.Quality, _ = o.Monitor.Quality(s.ID)
		r.DurationS = s.EndedAt.Sub(s.StartedAt).Seconds()
	}
	o.records.keep(r)
}

// sessionRecord returns a session as it is kept, without its end.
func (c *Config) sessionRecord(s session.Snapshot) rest.SessionRecord {
	return rest.SessionRecord{
		ID: s.ID, User: c.Privacy.Person(s.Caller.User), UserKey: c.Privacy.UserKey(s.Caller.User),
		Name: c.Privacy.Text(s.Caller.Name), Org: s.Caller.Org, Remote: c.Privacy.Address(s.Caller.Remote),
		Phone: c.Privacy.Phone(s.Caller.Phone), Email: c.Privacy.Email(s.Caller.Email),
		Agent: s.Agent, Node: c.Node, State: s.State, StartedAt: s.StartedAt,
		Receipt: rest.Receipt{StorageAttempts: c.Privacy.StorageAttempts(s.ID), Uses: c.Privacy.Uses(s.ID)},
	}
}

// SessionRecord returns a live session as it is kept: masked, with the server's
// name.
func (b *Bridge) SessionRecord(s session.Snapshot) rest.SessionRecord { return b.cfg.sessionRecord(s) }

// isFirst reports whether a session is told of for the first time.
func (o *observer) isFirst(id string, isOver bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	first := !o.started[id]
	o.started[id] = true
	if isOver {
		delete(o.started, id)
	}
	return first
}

// SessionSampled implements session.Observer.
func (o *observer) SessionSampled(id string, ob session.Observation) {
	o.Monitor.SessionSampled(id, ob.Leg, ob.MeasuredBy, ob.At, ob.Sample)
}
