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

	"parley/server/mail"
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
	// TrendSeconds is how much of its value a firing alert tells: a minute, as a
	// session does.
	TrendSeconds = 60
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
	// Readings returns what the rules are about; it is called once a second.
	Readings func() Readings
	// IsLeader reports whether this node judges for its cluster; nil: the server is alone.
	IsLeader func() bool
	// Store may be nil: then nothing outlives the server.
	Store Store
	// OnChange is told of every change of an alert, with no lock held. May be nil.
	OnChange func(rest.Alert)
	// Mask takes people out of the words of rules, when they are put and when they
	// are shown; nil leaves them.
	Mask func(string) string
	// AllowPrivate lets webhooks go to this machine and its networks.
	AllowPrivate bool
	// Mail sends what goes to mailto: addresses; nil: nothing does.
	Mail *mail.Sender
	// Resolver looks up the hosts of webhooks when they are entered; nil is
	// net.DefaultResolver.
	Resolver Resolver
	// LearningHours is for how many more hours it is learned what is usual; nil: it is known.
	LearningHours func() int
	// Node names this server to webhooks.
	Node string
	// Encode writes what webhooks get; nil is json.Marshal.
	Encode func(payload any) ([]byte, error)
	Logger *slog.Logger
}

// Alerts judges rules and remembers. It is safe for use by many goroutines.
type Alerts struct {
	cfg    Config
	sender *WebhookSender
	wake   chan struct{} // something is to be saved

	mu       sync.Mutex
	rules    rest.AlertRules // with secrets
	watches  map[watchKey]*watchedSubject
	resolved []*alertEntry // newest last
	silences map[watchKey]time.Time
	unsaved  map[string]rest.Alert
	tallies  recentCounts
	signIns  signIns
	past     past

	replaying sync.Mutex // held by who tries a rule on the past
}

// watchKey is one thing that a rule watches: all calls, one session, one address.
type watchKey struct{ rule, subject string }

// watchedSubject is what a rule decided about a subject, and the alert that it raised.
type watchedSubject struct {
	hysteresis  hysteresis
	minDuration time.Duration // as of its newest second
	alert       *alertEntry   // while it fires
	trend       []float64     // of the last TrendSeconds, newest last
}

// alertEntry is an alert with what it is of.
type alertEntry struct {
	rest.Alert
	key watchKey
}

// New makes Alerts with the default rules. Nothing is judged before Run.
func New(cfg Config) *Alerts {
	if cfg.OnChange == nil {
		cfg.OnChange = func(rest.Alert) {}
	}
	if cfg.IsLeader == nil {
		cfg.IsLeader = func() bool { return true }
	}
	if cfg.LearningHours == nil {
		cfg.LearningHours = func() int { return 0 }
	}
	if cfg.Mask == nil {
		cfg.Mask = func(s string) string { return s }
	}
	if cfg.Resolver == nil {
		cfg.Resolver = net.DefaultResolver
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Alerts{
		cfg:      cfg,
		sender:   NewWebhookSender(WebhookSenderConfig{AllowPrivate: cfg.AllowPrivate, Mail: cfg.Mail, Node: cfg.Node, Encode: cfg.Encode, Logger: cfg.Logger}),
		wake:     make(chan struct{}, 1),
		rules:    rest.AlertRules{Rules: DefaultRules(), Webhooks: []rest.Webhook{}},
		watches:  make(map[watchKey]*watchedSubject),
		silences: make(map[watchKey]time.Time),
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
	r := a.cfg.Readings()
	a.mu.Lock()
	a.past.add(now, r)
	if !a.cfg.IsLeader() {
		a.tallies.add(now, r) // who leads next has counted, too
		a.signIns.forget(now.Add(-MaxFor))
		a.mu.Unlock()
		return
	}
	changed := a.judgeRulesLocked(now, r)
	sends := a.deliveriesLocked(now, changed)
	a.mu.Unlock()
	for _, c := range changed {
		a.cfg.Logger.Info("alert", "event", c.State, "cause", c.Rule, "session", c.Session)
	}
	a.publish(changed, sends)
}

// publish passes changes on, with no lock held.
func (a *Alerts) publish(changed []rest.Alert, sends []plannedDelivery) {
	for _, c := range changed {
		a.cfg.OnChange(c)
	}
	for _, d := range sends {
		// A rule may have got its title before privacy mode was on.
		d.alert.Title, d.alert.Detail = a.cfg.Mask(d.alert.Title), a.cfg.Mask(d.alert.Detail)
		a.sender.Send(d.hook, d.alert)
	}
	if len(changed) > 0 {
		select {
		case a.wake <- struct{}{}:
		default:
		}
	}
}

// judgeRulesLocked gives every rule its second. mu must be held.
func (a *Alerts) judgeRulesLocked(now time.Time, r Readings) (changed []rest.Alert) {
	a.tallies.add(now, r)
	a.signIns.forget(now.Add(-MaxFor))
	seen := make(map[watchKey]bool)
	for _, rule := range a.rules.Rules {
		if !rule.Enabled {
			continue
		}
		for _, s := range a.subjectsLocked(now, rule, r) {
			k := watchKey{rule.ID, s.name}
			seen[k] = true
			if c := a.countSecondLocked(now, k, rule, s); c != nil {
				changed = append(changed, *c)
			}
		}
	}
	for k, w := range a.watches {
		if seen[k] {
			continue
		}
		// What is not there any more, a session that ended, is not over the limit.
		if w.hysteresis.addSecond(now, false, w.minDuration); w.hysteresis.isIdle() {
			delete(a.watches, k)
			if w.alert != nil {
				changed = append(changed, a.resolveLocked(now, w))
			}
		}
	}
	return changed
}

// countSecondLocked lets one second count, and gives the alert that it raised or resolved.
// mu must be held.
func (a *Alerts) countSecondLocked(now time.Time, k watchKey, rule rest.AlertRule, s subject) *rest.Alert {
	w := a.watches[k]
	if w == nil {
		if !s.isOverLimit {
			return nil // nothing to remember of what has always been well
		}
		w = new(watchedSubject)
		a.watches[k] = w
	}
	w.minDuration = s.minDuration
	w.trend = append(w.trend[max(0, len(w.trend)+1-TrendSeconds):], s.value)
	raised := w.hysteresis.addSecond(now, s.isOverLimit, s.minDuration)
	if s.isOverLimit && w.alert != nil {
		w.alert.Value = s.value
	}
	switch {
	case raised && w.alert == nil:
		return new(a.raiseLocked(now, k, w, rule, s))
	case !raised && w.alert != nil:
		return new(a.resolveLocked(now, w))
	case w.alert == nil && w.hysteresis.isIdle():
		delete(a.watches, k)
	}
	return nil
}

// mu must be held.
func (a *Alerts) raiseLocked(now time.Time, k watchKey, w *watchedSubject, rule rest.AlertRule, s subject) rest.Alert {
	w.alert = &alertEntry{key: k, Alert: rest.Alert{
		ID: rand.Text(), Rule: rule.ID, Title: rule.Title, Detail: s.detail, State: rest.AlertFiring,
		Value: s.value, Limit: s.limit, Unit: s.unit, Session: s.session, Org: s.org, RaisedAt: now.UTC(),
	}}
	if until, silent := a.silences[k]; silent && now.Before(until) {
		w.alert.SilencedUntil = new(until.UTC())
	}
	return a.markUnsavedLocked(w.alert)
}

// mu must be held.
func (a *Alerts) resolveLocked(now time.Time, w *watchedSubject) rest.Alert {
	e := w.alert
	w.alert = nil
	e.State, e.ResolvedAt = rest.AlertResolved, new(now.UTC())
	a.resolved = append(a.resolved, e)
	if extra := len(a.resolved) - MaxResolved; extra > 0 {
		a.resolved = append([]*alertEntry(nil), a.resolved[extra:]...)
	}
	return a.markUnsavedLocked(e)
}

// markUnsavedLocked marks an alert to be saved, and gives a copy of it.
// mu must be held.
func (a *Alerts) markUnsavedLocked(e *alertEntry) rest.Alert {
	if _, waits := a.unsaved[e.ID]; a.cfg.Store != nil && (waits || len(a.unsaved) < MaxUnsaved) {
		a.unsaved[e.ID] = e.Alert
	}
	return e.Alert
}

// SignInsRefused counts sign-ins that were refused, at this node or another, by the address
// they came from.
func (a *Alerts) SignInsRefused(address string, count int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	for range min(count, MaxPastRefusals) {
		a.signIns.add(address, now)
		a.past.addRefusal(now, address)
	}
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
