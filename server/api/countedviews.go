package api

import (
	"context"
	"sync"
	"time"
)

// viewInterval is how often a look at what names nobody is recorded of one admin:
// a page that refreshes each second must not write a line each. Those in between
// are counted in the next.
const viewInterval = 10 * time.Minute

// maxCountedViews bounds what is remembered, by admin and resource: more than any
// server's organizations have at once.
const maxCountedViews = 20_000

// viewTimeout: what names nobody is answered all the same, so that a record that
// can't be written makes it wait less than others.
const viewTimeout = time.Second

// countedViews remembers who looked at what, since their last line.
type countedViews struct {
	mu   sync.Mutex
	seen map[string]*countedView
}

type countedView struct {
	recordedAt time.Time
	since      int // views that are in no line yet
}

// take counts a view and reports whether it is to be recorded, with how many
// before it.
func (c *countedViews) take(key string, now time.Time) (before int, due bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.seen[key]
	if v == nil {
		c.sweepLocked(now)
		c.seen[key] = &countedView{recordedAt: now}
		return 0, true
	}
	if now.Sub(v.recordedAt) < viewInterval {
		v.since++
		return 0, false
	}
	before = v.since
	v.recordedAt, v.since = now, 0
	return before, true
}

// putBack counts what could not be recorded, for the next view to try.
func (c *countedViews) putBack(key string, views int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v := c.seen[key]; v != nil {
		v.recordedAt, v.since = time.Time{}, v.since+views
	}
}

// sweepLocked makes room where more admins looked than can be remembered: of
// those whose line is old the count is lost, and if all are young, of any one. mu
// must be held.
func (c *countedViews) sweepLocked(now time.Time) {
	if len(c.seen) < maxCountedViews {
		return
	}
	for key, v := range c.seen {
		if now.Sub(v.recordedAt) >= viewInterval {
			delete(c.seen, key)
		}
	}
	for key := range c.seen {
		if len(c.seen) < maxCountedViews {
			return
		}
		delete(c.seen, key)
	}
}

// counted records looks at what names nobody, once an admin, resource and
// viewInterval.
func counted[I, O any](a *API, resource string, do func(context.Context, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err == nil {
			a.countView(ctx, resource)
		}
		return out, err
	}
}

func (a *API) countView(ctx context.Context, resource string) {
	key := caller(ctx).Account() + "\x00" + resource
	before, due := a.views.take(key, time.Now())
	if !due {
		return
	}
	within, cancel := context.WithTimeout(ctx, viewTimeout)
	defer cancel()
	if err := a.recordView(within, auditView{resource: resource, before: before}); err != nil {
		a.views.putBack(key, before+1)
		a.Log.WarnContext(ctx, "look at figures not recorded", "event", "audit", "err", err)
	}
}
