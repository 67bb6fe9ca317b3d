package alert

import (
	"slices"
	"strings"
	"time"

	"parley/shared/rest"
)

// firedSpan is how far back it is told how often rules fired.
const firedSpan = 7 * 24 * time.Hour

// firedLocked counts the alerts of each rule in the last firedSpan, or since the oldest that
// is remembered. mu must be held.
func (a *Alerts) firedLocked(now time.Time) (fired []rest.RuleFired, since time.Time) {
	since = now.Add(-firedSpan).UTC()
	if len(a.resolved) >= followedResolved { // what is older may be forgotten
		since = later(since, a.resolved[0].RaisedAt.UTC())
	}
	counts := make(map[string]rest.RuleFired)
	for _, e := range a.entriesLocked(func(e *alertEntry) bool { return !e.RaisedAt.Before(since) }) {
		of := counts[e.Rule]
		counts[e.Rule] = rest.RuleFired{Rule: e.Rule, Count: of.Count + 1, LastAt: later(of.LastAt, e.RaisedAt.UTC())}
	}
	for _, of := range counts {
		fired = append(fired, of)
	}
	slices.SortFunc(fired, func(a, b rest.RuleFired) int { return strings.Compare(a.Rule, b.Rule) })
	return fired, since
}
