// Package alert owns what admins are woken for: rules as data, the judge of
// each, which alerts are firing and which were, and the webhooks that are told.
// It measures nothing, it reads what others counted; it knows no person, and it
// never connects to an address that only the server can reach.
package alert

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"sync"
	"time"

	"parley/shared/rest"
)

// Limits, and the rhythm.
const (
	// Tick is how often rules are judged.
	Tick = time.Second
	// MaxResolved is how many alerts that are over are kept in memory: a week of
	// a bad line. The store has the older ones.
	MaxResolved = 1000
	// MaxUnsaved bounds the alerts that wait for a store that is away.
	MaxUnsaved = 2000
	// saveTimeout is when one attempt to save is given up; it is made again.
	saveTimeout = 2 * time.Second
)

// Store keeps rules and alerts beyond a restart.
type Store interface {
	// AlertRules gives the rules with the secrets of their webhooks; version 0
	// when none were ever put.
	AlertRules(ctx context.Context) (rest.AlertRules, error)
	PutAlert(ctx context.Context, a rest.Alert) error
	// Alerts gives a page of them, the last raised first, and the cursor of the
	// next.
	Alerts(ctx context.Context, q rest.AlertQuery) ([]rest.Alert, string, error)
}

// Config is what Alerts need. Read must be given.
type Config struct {
	// Read looks at what the rules are about, once a second.
	Read func() Readings
	// Store may be nil: then nothing outlives the server.
	Store Store
	// Tell is told of every change of an alert, with no lock held. May be nil.
	Tell func(rest.Alert)
	// AllowPrivate lets webhooks go to this machine and its networks.
	AllowPrivate bool
	// Resolver looks up the hosts of webhooks when they are entered; nil is
	// net.DefaultResolver.
	Resolver Resolver
	// Node names this server to webhooks.
	Node string
	// Encode writes what webhooks get; nil is json.Marshal.
	Encode func(payload any) ([]byte, error)
	Logger *slog.Logger
}

// Alerts judges rules and remembers. It is safe for use by many goroutines.
type Alerts struct {
	cfg    Config
	sender *Sender
	wake   chan struct{} // something is to be saved

	mu       sync.Mutex
	rules    rest.AlertRules // with secrets
	watches  map[key]*watch
	serial   uint64
	resolved []*entry // newest last
	silences map[key]time.Time
	unsaved  map[string]rest.Alert
	tallies  tallies
	signIns  signIns
}

// key is one thing that a rule watches: all calls, one session, one address.
type key struct{ rule, subject string }

// watch is a judge and what it raised.
type watch struct {
	judge judge
	lasts time.Duration // as of its newest second
	alert *entry        // while it fires
}

// entry is an alert with its place in lists.
type entry struct {
	rest.Alert
	serial uint64
	key    key
}

// New makes Alerts with the default rules. Nothing is judged before Run.
func New(cfg Config) *Alerts {
	if cfg.Tell == nil {
		cfg.Tell = func(rest.Alert) {}
	}
	if cfg.Resolver == nil {
		cfg.Resolver = net.DefaultResolver
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Alerts{
		cfg:      cfg,
		sender:   NewSender(SenderConfig{AllowPrivate: cfg.AllowPrivate, Node: cfg.Node, Encode: cfg.Encode, Logger: cfg.Logger}),
		wake:     make(chan struct{}, 1),
		rules:    rest.AlertRules{Rules: DefaultRules(), Webhooks: []rest.Webhook{}},
		watches:  make(map[key]*watch),
		silences: make(map[key]time.Time),
		unsaved:  make(map[string]rest.Alert),
		signIns:  signIns{},
	}
}

// Run judges and tells until ctx is done; then it saves what is not saved.
func (a *Alerts) Run(ctx context.Context) {
	var running sync.WaitGroup
	running.Go(func() { a.sender.Run(ctx) })
	running.Go(func() { a.saveAll(ctx) })
	tick := time.NewTicker(Tick)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case now := <-tick.C:
			a.tick(now)
		}
	}
	running.Wait()
	a.save(context.WithoutCancel(ctx))
}

func (a *Alerts) tick(now time.Time) {
	r := a.cfg.Read()
	a.mu.Lock()
	changed := a.judge(now, r)
	sends := a.deliveries(now, changed)
	a.mu.Unlock()
	for _, c := range changed {
		a.cfg.Logger.Info("alert", "event", c.State, "cause", c.Rule, "session", c.Session)
	}
	a.publish(changed, sends)
}

// publish passes changes on, with no lock held.
func (a *Alerts) publish(changed []rest.Alert, sends []delivery) {
	for _, c := range changed {
		a.cfg.Tell(c)
	}
	for _, d := range sends {
		a.sender.Send(d.hook, d.alert)
	}
	if len(changed) > 0 {
		select {
		case a.wake <- struct{}{}:
		default:
		}
	}
}

// judge gives every rule its second. The caller holds the lock.
func (a *Alerts) judge(now time.Time, r Readings) (changed []rest.Alert) {
	a.tallies.add(now, r)
	a.signIns.forget(now.Add(-MaxFor))
	seen := make(map[key]bool)
	for _, rule := range a.rules.Rules {
		if !rule.Enabled {
			continue
		}
		for _, s := range a.subjects(now, rule, r) {
			k := key{rule.ID, s.name}
			seen[k] = true
			if c := a.vote(now, k, rule, s); c != nil {
				changed = append(changed, *c)
			}
		}
	}
	for k, w := range a.watches {
		if seen[k] {
			continue
		}
		// What is not there any more, a session that ended, is not over the limit.
		if w.judge.next(now, false, w.lasts); w.judge.idle() {
			delete(a.watches, k)
			if w.alert != nil {
				changed = append(changed, a.resolve(now, w))
			}
		}
	}
	return changed
}

// vote lets one second count, and gives the alert that it raised or resolved.
func (a *Alerts) vote(now time.Time, k key, rule rest.AlertRule, s subject) *rest.Alert {
	w := a.watches[k]
	if w == nil {
		if !s.over {
			return nil // nothing to remember of what has always been well
		}
		w = new(watch)
		a.watches[k] = w
	}
	w.lasts = s.lasts
	raised := w.judge.next(now, s.over, s.lasts)
	if s.over && w.alert != nil {
		w.alert.Value = s.value
	}
	switch {
	case raised && w.alert == nil:
		return new(a.raise(now, k, w, rule, s))
	case !raised && w.alert != nil:
		return new(a.resolve(now, w))
	case w.alert == nil && w.judge.idle():
		delete(a.watches, k)
	}
	return nil
}

func (a *Alerts) raise(now time.Time, k key, w *watch, rule rest.AlertRule, s subject) rest.Alert {
	a.serial++
	w.alert = &entry{serial: a.serial, key: k, Alert: rest.Alert{
		ID: rand.Text(), Rule: rule.ID, Title: rule.Title, Detail: s.detail, State: rest.AlertFiring,
		Value: s.value, Limit: s.limit, Unit: s.unit, Session: s.session, Org: s.org, RaisedAt: now.UTC(),
	}}
	if until, silent := a.silences[k]; silent && now.Before(until) {
		w.alert.SilencedUntil = new(until.UTC())
	}
	return a.changed(w.alert)
}

func (a *Alerts) resolve(now time.Time, w *watch) rest.Alert {
	e := w.alert
	w.alert = nil
	e.State, e.ResolvedAt = rest.AlertResolved, new(now.UTC())
	a.resolved = append(a.resolved, e)
	if extra := len(a.resolved) - MaxResolved; extra > 0 {
		a.resolved = append([]*entry(nil), a.resolved[extra:]...)
	}
	return a.changed(e)
}

// changed marks an alert to be saved, and gives a copy of it.
func (a *Alerts) changed(e *entry) rest.Alert {
	if _, waits := a.unsaved[e.ID]; a.cfg.Store != nil && (waits || len(a.unsaved) < MaxUnsaved) {
		a.unsaved[e.ID] = e.Alert
	}
	return e.Alert
}

// SignInRefused counts a sign-in that was refused, by the address it came from.
func (a *Alerts) SignInRefused(address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.signIns.add(address, time.Now())
}

// Firing is how many alerts are firing.
func (a *Alerts) Firing() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, w := range a.watches {
		if w.alert != nil {
			n++
		}
	}
	return n
}
