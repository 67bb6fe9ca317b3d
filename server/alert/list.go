package alert

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/server/fault"
	"parley/shared/rest"
)

// List gives a page of alerts and the cursor of the next, "" after the last.
func (a *Alerts) List(q rest.AlertQuery) ([]rest.Alert, string, error) {
	below, err := placeAt(q.Cursor)
	if err != nil {
		return nil, "", err
	}
	limit := min(cmp.Or(max(q.Limit, 0), rest.DefaultLimit), rest.MaxLimit)
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.entriesLocked(func(e *alertEntry) bool {
		return e.place().compare(below) < 0 && (q.State == "" || e.State == q.State) && (q.Org == "" || e.Org == q.Org)
	})
	next := ""
	if len(all) > limit {
		all = all[:limit]
		next = all[limit-1].place().cursor()
	}
	page := make([]rest.Alert, len(all))
	for i, e := range all {
		page[i] = a.maskAlert(e.Alert)
		if w := a.watches[e.key]; w != nil && w.alert == e {
			page[i].Trend = slices.Clone(w.trend)
		}
	}
	return page, next, nil
}

// Alert gives one of those in memory. With org, alerts of others are unknown.
func (a *Alerts) Alert(id, org string) (rest.Alert, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	found := a.entriesLocked(func(e *alertEntry) bool { return e.ID == id && (org == "" || e.Org == org) })
	if len(found) == 0 {
		return rest.Alert{}, fault.NotFound
	}
	return a.maskAlert(found[0].Alert), nil
}

// maskAlert is an alert as it is shown: it may be of a time without masks.
func (a *Alerts) maskAlert(shown rest.Alert) rest.Alert {
	shown.Title, shown.Detail, shown.AcknowledgedBy = a.cfg.Mask(shown.Title), a.cfg.Mask(shown.Detail), a.cfg.Mask(shown.AcknowledgedBy)
	return shown
}

// entriesLocked gives the alerts that fit, the last raised first. mu must be held.
func (a *Alerts) entriesLocked(fits func(*alertEntry) bool) (out []*alertEntry) {
	for _, w := range a.watches {
		if w.alert != nil && fits(w.alert) {
			out = append(out, w.alert)
		}
	}
	for _, e := range a.resolved {
		if fits(e) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b *alertEntry) int { return b.place().compare(a.place()) })
	return out
}

// place is where an alert stands in lists: the same on all nodes, for it is of what is on
// record.
type place struct {
	raisedMS int64
	id       string
}

func (e *alertEntry) place() place { return place{e.RaisedAt.UnixMilli(), e.ID} }

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.raisedMS, o.raisedMS), strings.Compare(p.id, o.id))
}

func (p place) cursor() string { return strconv.FormatInt(p.raisedMS, 36) + "." + p.id }

// placeAt is that of a cursor; "" is after all.
func placeAt(cursor string) (place, error) {
	if cursor == "" {
		return place{raisedMS: math.MaxInt64}, nil
	}
	raised, id, _ := strings.Cut(cursor, ".")
	at, err := strconv.ParseInt(raised, 36, 64)
	p := place{at, id}
	if err != nil || id == "" || p.cursor() != cursor {
		return place{}, fault.BadCursor
	}
	return p, nil
}

// Put makes a change of an alert durable, together with its record.
type Put func(ctx context.Context, a rest.Alert) error

// Acknowledge notes that somebody took a firing alert on. by is told to other
// admins as it is given. With org, alerts of others are unknown. An error of put
// comes back as it is, and then nothing changes.
func (a *Alerts) Acknowledge(ctx context.Context, id, org, by string, put Put) (rest.Alert, error) {
	now := time.Now()
	return a.changeAlert(ctx, id, org, put, func(e *rest.Alert) {
		e.AcknowledgedAt, e.AcknowledgedBy = new(now.UTC()), by
	})
}

// Limits of a silence, in minutes.
const (
	MinSilence = 1
	MaxSilence = 1440
)

// Silence keeps webhooks from being told of an alert, and of any that its rule
// raises about the same thing, for some minutes.
func (a *Alerts) Silence(ctx context.Context, id, org string, minutes int, put Put) (rest.Alert, error) {
	if minutes < MinSilence || minutes > MaxSilence {
		return rest.Alert{}, &fault.BadField{Field: "minutes", Detail: "use 1 to 1440 minutes"}
	}
	until := time.Now().Add(time.Duration(minutes) * time.Minute)
	return a.changeAlert(ctx, id, org, put, func(e *rest.Alert) { e.SilencedUntil = new(until.UTC()) })
}

// changeAlert changes a firing alert once put has kept the change.
func (a *Alerts) changeAlert(ctx context.Context, id, org string, put Put, change func(*rest.Alert)) (rest.Alert, error) {
	a.mu.Lock()
	e, err := a.findFiringLocked(id, org)
	if err != nil {
		a.mu.Unlock()
		return rest.Alert{}, err
	}
	want := e.Alert
	a.mu.Unlock()
	change(&want)
	if err := put(ctx, want); err != nil {
		return rest.Alert{}, err
	}
	a.mu.Lock()
	change(&e.Alert) // it may have been resolved meanwhile: saved again, as it is now
	if e.SilencedUntil != nil {
		a.silences[e.key] = *e.SilencedUntil
	}
	changed := a.markUnsavedLocked(e)
	a.mu.Unlock()
	a.publish([]rest.Alert{changed}, nil)
	return changed, nil
}

// mu must be held.
func (a *Alerts) findFiringLocked(id, org string) (*alertEntry, error) {
	found := a.entriesLocked(func(e *alertEntry) bool { return e.ID == id && (org == "" || e.Org == org) })
	switch {
	case len(found) == 0:
		return nil, fault.NotFound
	case found[0].State != rest.AlertFiring:
		return nil, &fault.Explained{Kind: fault.Conflict, Detail: "it is resolved already"}
	}
	return found[0], nil
}
