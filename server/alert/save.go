package alert

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"parley/shared/rest"
)

// Load takes up rules and alerts of the life before, and tells of those that
// fired. An alert about a session or an address is over with that life; one
// about the server fires on until five seconds were clean.
func (a *Alerts) Load(ctx context.Context) error {
	if a.cfg.Store == nil {
		return nil
	}
	rules, err := a.cfg.Store.AlertRules(ctx)
	if err != nil {
		return fmt.Errorf("alert rules: %w", err)
	}
	kept, err := a.loadNewest(ctx, rest.AlertResolved, MaxResolved)
	if err != nil {
		return fmt.Errorf("resolved alerts: %w", err)
	}
	firing, err := a.loadNewest(ctx, rest.AlertFiring, MaxUnsaved)
	if err != nil {
		return fmt.Errorf("firing alerts: %w", err)
	}
	kept = append(kept, firing...)
	slices.SortFunc(kept, func(a, b rest.Alert) int { return a.RaisedAt.Compare(b.RaisedAt) })
	changed, sends := a.restoreAll(time.Now(), rules, kept)
	a.publish(changed, sends)
	return nil
}

// loadNewest reads the alerts of a state, the last raised first; at most limit
// of them.
func (a *Alerts) loadNewest(ctx context.Context, state string, limit int) (all []rest.Alert, err error) {
	for q := (rest.AlertQuery{State: state}); ; {
		q.Limit = min(limit-len(all), rest.MaxLimit)
		page, next, err := a.cfg.Store.Alerts(ctx, q)
		if all = append(all, page...); err != nil || next == "" || len(all) >= limit {
			return all, err
		}
		q.Cursor = next
	}
}

func (a *Alerts) restoreAll(now time.Time, rules rest.AlertRules, kept []rest.Alert) (changed []rest.Alert, sends []plannedDelivery) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if rules.Version > 0 {
		a.rules = rest.AlertRules{
			Version: rules.Version, Rules: append([]rest.AlertRule{}, rules.Rules...), Webhooks: append([]rest.Webhook{}, rules.Webhooks...),
		}
		a.rules.Rules = append(a.rules.Rules, addedSince(rules)...)
	}
	var over []rest.Alert // webhooks know the others
	for _, was := range kept {
		is := a.restoreLocked(now, was)
		if was.State != rest.AlertFiring {
			continue
		}
		changed = append(changed, is)
		if is.State == rest.AlertResolved {
			over = append(over, is)
		}
	}
	return changed, a.deliveriesLocked(now, over)
}

// restoreLocked takes up one alert and gives it as it is now. mu must be held.
func (a *Alerts) restoreLocked(now time.Time, alert rest.Alert) rest.Alert {
	e := &alertEntry{Alert: alert, key: watchKey{rule: alert.Rule}}
	whole := alert.Session == "" && alert.Detail == ""
	if until := alert.SilencedUntil; whole && until != nil && now.Before(*until) {
		a.silences[e.key] = *until
	}
	w := &watchedSubject{hysteresis: restoredHysteresis(now), alert: e}
	switch {
	case alert.State != rest.AlertFiring:
		a.resolved = append(a.resolved, e)
	case whole && a.watches[e.key] == nil && ruleOf(a.rules, alert.Rule).Enabled:
		a.watches[e.key] = w
	default:
		return a.resolveLocked(now, w)
	}
	return e.Alert
}

// saveAll saves changes as they come. What a store that is away doesn't take is
// tried again.
func (a *Alerts) saveAll(ctx context.Context) {
	again := time.NewTicker(Tick)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
		case <-again.C:
		}
		a.save(ctx)
	}
}

func (a *Alerts) save(ctx context.Context) {
	if a.cfg.Store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, saveTimeout)
	defer cancel()
	a.mu.Lock()
	waiting := slices.Collect(maps.Values(a.unsaved))
	a.expireSilencesLocked(time.Now())
	a.mu.Unlock()
	for _, alert := range waiting {
		if err := a.cfg.Store.PutAlert(ctx, alert); err != nil {
			a.cfg.Logger.Warn("an alert is not saved yet", "event", alert.State, "cause", alert.Rule, "err", err)
			return
		}
		a.mu.Lock()
		if reflect.DeepEqual(a.unsaved[alert.ID], alert) { // it may have changed meanwhile
			delete(a.unsaved, alert.ID)
		}
		a.mu.Unlock()
	}
}

// mu must be held.
func (a *Alerts) expireSilencesLocked(now time.Time) {
	maps.DeleteFunc(a.silences, func(_ watchKey, until time.Time) bool { return !now.Before(until) })
}
