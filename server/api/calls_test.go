package api_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"parley/server/agent"
	"parley/server/bridge"
	"parley/server/session"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// maxPerUser is how many calls one user of a rig may hold.
const maxPerUser = 10

// openBridge makes the calls of a rig, which run until the test is over.
func (p *parts) openBridge(t testing.TB, verdicts *bridge.Verdicts, log *slog.Logger) {
	t.Helper()
	settings := session.DefaultSettings()
	settings.MaxPerUser = maxPerUser
	p.bridge = bridge.New(bridge.Config{
		Relay: mediaPort, Agents: agent.NewRegistry(agent.Builtin(p.privacy)...), Monitor: p.monitor, Verdicts: verdicts,
		Store: p.store, Privacy: p.privacy, Node: "a", Logger: log,
		// Callers of these tests send no offer.
		Sessions: session.Config{Settings: settings, OfferTimeout: 24 * time.Hour, DefaultAgent: "parrot"},
	})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { p.bridge.Run(ctx) })
	t.Cleanup(func() {
		_ = p.bridge.Sessions().Close()
		cancel()
		running.Wait()
	})
}

// deadlines are those of sessions, as an admin who is ahead of time finds them:
// what is past one now ends by itself before anybody can ask.
type deadlines struct {
	*session.Sessions
	ahead time.Duration
}

func (d *deadlines) CheckTimeouts(now time.Time) (checked, ended int) {
	return d.Sessions.CheckTimeouts(now.Add(d.ahead))
}

// call begins a session and returns its id.
func (r *rig) call(user, org string) string {
	r.t.Helper()
	return r.callOf(session.Caller{User: user, Org: org, TokenExpires: time.Now().Add(24 * time.Hour)})
}

// callOf begins the session of a caller: it is active when the monitor first
// hears of it, and on record when its id is returned.
func (r *rig) callOf(c session.Caller) string {
	r.t.Helper()
	s, err := r.bridge.Sessions().Admit(c)
	must(r.t, 0, err)
	s.ConnectionState(rtcstats.StateConnected, time.Now())
	s.AgentState(wire.AgentListening)
	_, err = s.Attach()
	must(r.t, 0, err)
	r.mustBeOnRecord(s.ID())
	return s.ID()
}

// end ends a session: it is on record as ended when end returns.
func (r *rig) end(id string, cause wire.EndCause, reason string) {
	r.t.Helper()
	must(r.t, 0, r.bridge.Sessions().End(id, cause, reason))
	r.mustBeOnRecord(id)
}

func (r *rig) mustBeOnRecord(id string) {
	r.t.Helper()
	_, err := r.bridge.History(r.store).Session(context.Background(), id)
	must(r.t, 0, err)
}

// waitTold waits until the monitor knows of every end.
func (r *rig) waitTold() {
	r.t.Helper()
	must(r.t, 0, r.bridge.Sessions().WaitForObservedEnds(context.Background()))
}

// live counts the calls under way.
func (r *rig) live() int {
	n, _, _ := r.bridge.Sessions().Capacity()
	return n
}
