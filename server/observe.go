package main

import (
	"sync"

	"parley/server/monitor"
	"parley/server/privacy"
	"parley/server/session"
	"parley/shared/quality"
	"parley/shared/rest"
)

// observer carries what happens to sessions to the monitor, and the monitor's
// verdicts back: neither knows the other.
//
// It is the boundary that people are masked at: only the sessions themselves
// know the originals, in memory and while they live.
type observer struct {
	monitor  *monitor.Monitor
	sessions *session.Sessions
	privacy  *privacy.Privacy
	records  *recorder
	node     string

	mu      sync.Mutex
	started map[string]bool // sessions whose start is on record
}

// SessionChanged implements session.Observer.
func (o *observer) SessionChanged(s session.Snapshot) {
	o.record(s)
	row := rest.Session{
		ID: s.ID, User: o.privacy.Person(s.Caller.User), Name: o.privacy.Text(s.Caller.Name), Org: s.Caller.Org,
		Agent: s.Agent, State: string(s.State), AgentState: string(s.AgentState),
		StartedAt: s.StartedAt, LastActiveAt: s.LastActiveAt,
		EndCause: string(s.Cause), EndReason: o.privacy.Text(s.Reason), Muted: s.Muted,
	}
	if !s.EndsAt.IsZero() {
		row.EndsAt = &s.EndsAt
	}
	if !s.EndedAt.IsZero() {
		row.EndedAt = &s.EndedAt
	}
	o.monitor.SessionChanged(row)
}

// record keeps a session's start and its end.
func (o *observer) record(s session.Snapshot) {
	o.mu.Lock()
	if o.started == nil {
		o.started = make(map[string]bool)
	}
	first, over := !o.started[s.ID], !s.EndedAt.IsZero()
	o.started[s.ID] = true
	if over {
		delete(o.started, s.ID)
	}
	o.mu.Unlock()
	if !first && !over {
		return
	}
	r := o.sessionRecord(s)
	if over {
		r.EndedAt, r.EndCause, r.EndReason = &s.EndedAt, string(s.Cause), o.privacy.Text(s.Reason)
		r.Quality, _ = o.monitor.Quality(s.ID)
		r.DurationS = s.EndedAt.Sub(s.StartedAt).Seconds()
	}
	o.records.keep(r)
}

// sessionRecord is a session as it is kept, without its end.
func (o *observer) sessionRecord(s session.Snapshot) rest.SessionRecord {
	return rest.SessionRecord{
		ID: s.ID, User: o.privacy.Person(s.Caller.User), UserKey: o.privacy.UserKey(s.Caller.User),
		Name: o.privacy.Text(s.Caller.Name), Org: s.Caller.Org, Remote: o.privacy.Address(s.Caller.Remote),
		Agent: s.Agent, Node: o.node, State: string(s.State), StartedAt: s.StartedAt,
	}
}

// SessionSampled implements session.Observer.
func (o *observer) SessionSampled(id string, ob session.Observation) {
	o.monitor.SessionSampled(id, string(ob.Leg), string(ob.MeasuredBy), ob.At, ob.Sample)
}

// verdict is the monitor's way back: the caller is shown what the server holds.
func (o *observer) verdict(id string, v quality.Verdict) { o.sessions.SetQuality(id, v) }

// lines tells the monitor how many calls there are and may be.
func (o *observer) lines() (live, limit, perUser int) { return o.sessions.Lines() }

var _ session.Observer = (*observer)(nil)
