package main

import (
	"parley/server/monitor"
	"parley/server/session"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// observer carries what happens to sessions to the monitor, and the monitor's
// verdicts back: neither knows the other.
type observer struct {
	monitor  *monitor.Monitor
	sessions *session.Sessions
}

// SessionChanged implements session.Observer.
func (o *observer) SessionChanged(s session.Snapshot) {
	row := rest.Session{
		ID: s.ID, User: s.Caller.User, Name: s.Caller.Name, Org: s.Caller.Org,
		Agent: s.Agent, State: string(s.State), AgentState: string(s.AgentState),
		StartedAt: s.StartedAt, LastActiveAt: s.LastActiveAt,
		EndCause: string(s.Cause), EndReason: s.Reason, Muted: s.Muted,
	}
	if !s.EndsAt.IsZero() {
		row.EndsAt = &s.EndsAt
	}
	if !s.EndedAt.IsZero() {
		row.EndedAt = &s.EndedAt
	}
	o.monitor.SessionChanged(row)
}

// SessionSampled implements session.Observer.
func (o *observer) SessionSampled(id string, ob session.Observation) {
	o.monitor.SessionSampled(id, string(ob.Leg), string(ob.MeasuredBy), ob.At, ob.Sample)
}

// verdict is the monitor's way back: the caller is shown what the server holds.
func (o *observer) verdict(id string, v quality.Verdict) {
	o.sessions.SetQuality(id, wire.Quality{
		Level: string(v.Level), R: v.R, MOS: v.MOS,
		Cause: string(v.Cause), Direction: string(v.Direction), Value: v.Value, Quiet: v.Quiet,
	})
}

// lines tells the monitor how many calls there are and may be.
func (o *observer) lines() (live, limit, perUser int) { return o.sessions.Lines() }

var _ session.Observer = (*observer)(nil)
