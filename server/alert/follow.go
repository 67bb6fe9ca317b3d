package alert

import (
	"context"
	"fmt"
	"time"

	"parley/shared/rest"
)

// In a cluster one node judges, the leader; the others follow what it writes down, so that
// each shows all alerts and the next leader goes on where this one ended.

// followedResolved is how many of those that are over are looked at again.
const followedResolved = 100

// Follow takes up what the record has: rules that another node changed, and on a node that
// doesn't judge all alerts, and on the one that does what admins said elsewhere about those
// that fire. It sends nothing to webhooks.
func (a *Alerts) Follow(ctx context.Context) error {
	if a.cfg.Store == nil {
		return nil
	}
	rules, err := a.cfg.Store.AlertRules(ctx)
	if err != nil {
		return fmt.Errorf("alert rules: %w", err)
	}
	firing, err := a.loadNewest(ctx, rest.AlertFiring, MaxUnsaved)
	if err != nil {
		return fmt.Errorf("firing alerts: %w", err)
	}
	resolved, err := a.loadNewest(ctx, rest.AlertResolved, followedResolved)
	if err != nil {
		return fmt.Errorf("resolved alerts: %w", err)
	}
	a.mu.Lock()
	now := time.Now()
	a.followRulesLocked(now, rules)
	changed := a.followLocked(now, firing, resolved)
	a.mu.Unlock()
	for _, c := range changed {
		a.cfg.OnChange(c)
	}
	return nil
}

// followRulesLocked takes on rules that are newer. mu must be held.
func (a *Alerts) followRulesLocked(now time.Time, rules rest.AlertRules) {
	if rules.Version <= a.rules.Version {
		return
	}
	rules.Rules = append(rules.Rules, addedSince(rules)...)
	if a.cfg.IsLeader() {
		a.applyRulesLocked(now, rules)
		return
	}
	a.rules = rules
}

// followLocked takes up alerts, and returns those that are others now. mu must be held.
func (a *Alerts) followLocked(now time.Time, firing, resolved []rest.Alert) (changed []rest.Alert) {
	known := make(map[string]*alertEntry)
	for _, e := range a.entriesLocked(func(*alertEntry) bool { return true }) {
		known[e.ID] = e
	}
	for _, kept := range firing {
		e := known[kept.ID]
		switch {
		case e != nil && e.State == rest.AlertFiring && (kept.AcknowledgedBy != e.AcknowledgedBy || !sameTime(kept.SilencedUntil, e.SilencedUntil)):
			e.AcknowledgedAt, e.AcknowledgedBy, e.SilencedUntil = kept.AcknowledgedAt, kept.AcknowledgedBy, kept.SilencedUntil
			if e.SilencedUntil != nil {
				a.silences[e.key] = *e.SilencedUntil
			}
			changed = append(changed, e.Alert)
		case e == nil && !a.cfg.IsLeader():
			a.followFiringLocked(now, kept)
			changed = append(changed, kept)
		}
	}
	if a.cfg.IsLeader() {
		return changed
	}
	for _, kept := range resolved {
		if e := known[kept.ID]; e == nil || e.State == rest.AlertFiring {
			a.followResolvedLocked(e, kept)
			changed = append(changed, kept)
		}
	}
	return changed
}

func sameTime(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// followFiringLocked has an alert of the leader's fire here: should this node lead next, it
// goes on with it. mu must be held.
func (a *Alerts) followFiringLocked(now time.Time, kept rest.Alert) {
	key := watchKey{kept.Rule, a.subjectOfLocked(kept)}
	if w := a.watches[key]; w != nil && w.alert != nil {
		return
	}
	a.watches[key] = &watchedSubject{hysteresis: restoredHysteresis(now), alert: &alertEntry{Alert: kept, key: key}}
}

// subjectOfLocked is what an alert of another node's is about, as it is judged here. mu must
// be held.
func (a *Alerts) subjectOfLocked(kept rest.Alert) string {
	metric := ruleOf(a.rules, kept.Rule).Metric
	switch {
	case kept.Session != "" || kept.Detail == "":
		return kept.Session
	case metric == rest.AlertStreamsRefused:
		return ""
	case isOfNodes(metric):
		return kept.Detail
	}
	return "of " + kept.ID // its address is not on record: it ends with the leader
}

// followResolvedLocked notes the end of an alert, which may have fired here; nil did not.
// mu must be held.
func (a *Alerts) followResolvedLocked(e *alertEntry, kept rest.Alert) {
	if e == nil {
		e = &alertEntry{key: watchKey{rule: kept.Rule}}
	} else {
		delete(a.watches, e.key)
	}
	e.Alert = kept
	a.resolved = append(a.resolved, e)
	a.resolved = a.resolved[max(0, len(a.resolved)-MaxResolved):]
}
