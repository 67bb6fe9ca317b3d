// Package bridge puts calls together: the caller's leg, the agent's leg, and the
// session that holds both. It carries what happens to sessions to the monitor
// and into the record, the monitor's verdicts back to the callers, and answers
// for calls what the API asks. It is the boundary that people are masked at:
// only the sessions themselves know the originals, in memory and while they live.
package bridge

import (
	"context"
	"log/slog"
	"sync"

	"parley/server/agent"
	"parley/server/agent/budget"
	"parley/server/monitor"
	"parley/server/relay"
	"parley/server/session"
	"parley/server/telemetry"
	"parley/shared/quality"
	"parley/shared/rest"
)

// Privacy masks people, tells whether callers are protected, and guards audio.
type Privacy interface {
	agent.WordGuard
	// Protected returns why no call may start just now, or nil.
	Protected() error
	// On reports whether people are masked.
	On() bool
	// StorageAttempts is how many operations on a live call's audio were refused.
	StorageAttempts(session string) int64
	// Uses are what a live call's audio and words were used for within it.
	Uses(session string) []string
	// EndCall says that nothing of a call's audio may be left.
	EndCall(session string)
	Person(subject string) string
	UserKey(subject string) string
	Address(addr string) string
	Phone(number string) string
	Email(addr string) string
	Text(s string) string
}

// Agents are those that callers choose from.
type Agents interface {
	// Get returns the agent of a name that a user may call.
	Get(name, user, org string) (agent.Agent, bool)
	// List returns what a user chooses from, first the agent of who chooses none.
	List(user, org string) []rest.Agent
	// All returns all agents, for admins.
	All() []agent.Entry
}

// Config wires a Bridge.
type Config struct {
	Relay    *relay.Relay
	Agents   Agents
	Monitor  *monitor.Monitor
	Verdicts *Verdicts // that the monitor writes
	Store    Store
	Privacy  Privacy
	Node     string
	// MadeUp opens the calls of callers who are made up; nil: there are none.
	MadeUp MadeUpMedia
	// OnSetup is told once of each call how it was set up, when its caller is heard or
	// it ends before; nil: nobody asks.
	OnSetup func(telemetry.Setup)
	// Sessions are wired by the bridge, but for limits and times.
	Sessions session.Config
	Logger   *slog.Logger // nil discards
}

// Bridge joins the parts of calls.
type Bridge struct {
	cfg      Config
	sessions *session.Sessions
	records  *recorder
	usage    *usageRecorder
	agents   *agentRecords
	// agentLegs are what a sideband is joined to.
	agentLegs *agentLegs
	calls     *agentCalls
}

// New puts the parts together. It starts nothing.
func New(cfg Config) *Bridge {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	records := newRecorder(cfg.Store, cfg.Logger)
	wired := cfg.Sessions
	ledger := budget.NewLedger(cfg.Store, nil)
	usage, agents := newUsageRecorder(cfg.Store, func(ctx context.Context, e rest.UsageEntry) {
		ledger.Learn(ctx, budget.Caller{UserKey: e.UserKey, Org: e.Org, Agent: e.Agent}, e.Day)
	}, cfg.Logger), &agentRecords{}
	legs := &agentLegs{}
	calls := &agentCalls{ledger: ledger, usage: usage, agents: agents, privacy: cfg.Privacy, monitor: cfg.Monitor, log: cfg.Logger}
	wired.Media = &media{
		relay: cfg.Relay, agentLegs: legs, agents: cfg.Agents, madeUp: cfg.MadeUp, userKey: cfg.Privacy.UserKey, endCall: cfg.Privacy.EndCall,
		calls: calls, onSetup: cfg.OnSetup,
	}
	wired.Observer = newObserver(cfg, records)
	wired.Logger = cfg.Logger
	b := &Bridge{cfg: cfg, sessions: session.New(wired), records: records, usage: usage, agents: agents, calls: calls, agentLegs: legs}
	b.UpdateSettings(b.sessions.Settings())
	return b
}

// Sessions returns the sessions of all calls.
func (b *Bridge) Sessions() *session.Sessions { return b.sessions }

// UpdateSettings changes the limits of calls, for live ones too.
func (b *Bridge) UpdateSettings(s session.Settings) {
	b.sessions.UpdateSettings(s)
	now := b.sessions.Settings()
	b.cfg.Monitor.SetCapacity(now.MaxSessions, now.MaxPerUser)
	b.cfg.Monitor.SetPaused(now.Paused)
}

// Run writes records and passes verdicts on until ctx is done, then what is
// left of the records.
func (b *Bridge) Run(ctx context.Context) {
	var running sync.WaitGroup
	running.Go(func() { b.records.Run(ctx) })
	running.Go(func() { b.usage.Run(ctx) })
	running.Go(func() { b.cfg.Verdicts.run(ctx, b.sessions.SetQuality) })
	running.Wait()
}

// Failing reports whether records wait for a store that refuses them.
func (b *Bridge) Failing() bool { return b.records.failing.Load() || b.usage.failing.Load() }

// Verdicts takes the newest rating of each session from a monitor, which is made
// before there are sessions to tell of it. NewVerdicts makes it.
type Verdicts struct {
	wake chan struct{}

	mu     sync.Mutex
	newest map[string]quality.Verdict
}

// NewVerdicts returns verdicts with nothing in them.
func NewVerdicts() *Verdicts {
	return &Verdicts{wake: make(chan struct{}, 1), newest: make(map[string]quality.Verdict)}
}

// Put takes the newest verdict on a session. It never blocks.
func (v *Verdicts) Put(session string, verdict quality.Verdict) {
	v.mu.Lock()
	v.newest[session] = verdict
	v.mu.Unlock()
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// run hands verdicts on until ctx is done.
func (v *Verdicts) run(ctx context.Context, to func(session string, verdict quality.Verdict)) {
	for {
		select {
		case <-v.wake:
		case <-ctx.Done():
			return
		}
		v.mu.Lock()
		newest := v.newest
		v.newest = make(map[string]quality.Verdict)
		v.mu.Unlock()
		for id, verdict := range newest {
			to(id, verdict)
		}
	}
}
