package monitor

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/server/events"
	"parley/shared/rest"
)

// orgViewLife is how long the log of an organization, or of all, goes on when nobody asks
// for it: as long as a reader whose line broke may take to come back.
const orgViewLife = 5 * time.Minute

// orgView is the picture as those see it who may see one organization, or all:
// a log of its own, so that its numbers have no gaps, of only what concerns it.
type orgView struct {
	org     string // "" is all
	frames  *events.Log[*encodedFrame]
	stats   rest.Stats // as last told, without its time
	askedAt time.Time
}

// encodedFrame is an event of the stream that is encoded once, however many read
// it, and not at all while nobody does.
type encodedFrame struct {
	seq   uint64
	name  rest.EventName
	frame any // the resource of shared/rest that belongs to name
	once  sync.Once
	json  []byte
	err   error
}

func (f *encodedFrame) event(encode func(any) ([]byte, error)) (rest.StreamEvent, error) {
	f.once.Do(func() {
		if patched, ok := f.frame.(*patchedFrame); ok {
			f.frame = patched.resource()
		}
		f.json, f.err = encode(f.frame)
	})
	if f.err != nil {
		return rest.StreamEvent{}, fmt.Errorf("encode %s: %w", f.name, f.err)
	}
	return rest.StreamEvent{Seq: f.seq, Name: f.name, Data: f.json}, nil
}

// orgViewLocked gives the view of an organization, and makes it where it is the first
// time that somebody asks. mu must be held.
func (m *Monitor) orgViewLocked(org string, now time.Time) *orgView {
	if org == "" {
		m.allView.askedAt = now
		return m.allView
	}
	v := m.orgViews[org]
	if v == nil {
		// Numbers begin at the time, so that a cursor of a log that went is gone.
		v = &orgView{org: org, frames: events.NewAfter[*encodedFrame](m.config.Frames, uint64(now.UnixMilli()))}
		m.orgViews[org] = v
	}
	v.askedAt = now
	return v
}

// Follow returns the events after the cursor that concern an organization ("" is
// all), waiting for one if there is none. events.ErrCursorLost when the cursor is lost:
// start over with a Snapshot. The first who reads an event encodes it, for all.
func (m *Monitor) Follow(ctx context.Context, org string, cursor uint64) ([]rest.StreamEvent, uint64, error) {
	m.mu.Lock()
	m.followedAt = time.Now()
	log := m.orgViewLocked(org, m.followedAt).frames
	m.mu.Unlock()
	entries, next, err := log.Next(ctx, cursor)
	if err != nil {
		return nil, next, err
	}
	out := make([]rest.StreamEvent, len(entries))
	for i, f := range entries {
		if out[i], err = f.event(m.config.Encode); err != nil {
			return nil, cursor, err
		}
	}
	return out, next, nil
}

// publishLocked appends the frames of one second to every view: nothing for what stayed
// as it was. It returns this server's own activities among them. mu must be held.
func (m *Monitor) publishLocked(s tickResult) (own []rest.Activity) {
	fresh, own := m.activityLog.flush(s.at)
	m.queue.addActivities(own)
	orgs := []string{""}
	for org, v := range m.orgViews {
		if s.at.Sub(v.askedAt) > orgViewLife {
			delete(m.orgViews, org)
			continue
		}
		orgs = append(orgs, org)
	}
	stats := m.statsLocked(s.at, orgs...)
	told := m.activityLog.told
	if s.at.Sub(m.allView.askedAt) > orgViewLife {
		m.allView.frames.Forget() // frames of 40 s hold 27 KB of each call
		m.allView.stats = rest.Stats{}
	} else {
		m.allView.publish(s, fresh, told[""], *stats[""])
	}
	for org, v := range m.orgViews {
		v.publish(s.restrictTo(org), filterByOrg(fresh, org, func(a *rest.Activity) string { return a.Org }), told[org], *stats[org])
	}
	return own
}

// restrictTo is what concerns one organization.
func (s tickResult) restrictTo(org string) tickResult {
	s.upsert = filterByOrg(s.upsert, org, func(c *rowChange) string { return c.after.Org })
	s.removed = filterByOrg(s.removed, org, func(g *removedSession) string { return g.org })
	return s
}

func filterByOrg[T any](list []T, org string, orgOf func(*T) string) (out []T) {
	for i := range list {
		if orgOf(&list[i]) == org {
			out = append(out, list[i])
		}
	}
	return out
}

func (v *orgView) publish(s tickResult, fresh []rest.Activity, activityCount int64, st rest.Stats) {
	if len(s.upsert)+len(s.removed) > 0 {
		remove := make([]string, len(s.removed))
		for i, g := range s.removed {
			remove[i] = g.id
		}
		v.append(rest.EventSessions, func(seq uint64) any {
			return &patchedFrame{seq: seq, at: s.at, changes: s.upsert, remove: remove}
		})
	}
	if len(fresh) > 0 {
		v.append(rest.EventActivity, func(seq uint64) any {
			return rest.ActivityFrame{Seq: seq, T: s.at, Items: fresh, ActivityCount: activityCount}
		})
	}
	timeless := st
	timeless.At = time.Time{}
	if reflect.DeepEqual(timeless, v.stats) {
		return
	}
	v.stats = timeless
	v.append(rest.EventStats, func(seq uint64) any { return rest.StatsFrame{Seq: seq, T: s.at, Stats: st} })
}

func (v *orgView) append(name rest.EventName, data func(seq uint64) any) {
	v.frames.AppendWith(func(seq uint64) *encodedFrame { return &encodedFrame{seq: seq, name: name, frame: data(seq)} })
}

// AlertChanged tells of an alert as it is now: to all, and to the organization
// that it is about.
func (m *Monitor) AlertChanged(a rest.Alert) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a.State == rest.AlertFiring {
		m.alerts[a.ID] = a
	} else {
		delete(m.alerts, a.ID)
	}
	now := time.Now().UTC()
	for _, v := range []*orgView{m.allView, m.orgViews[a.Org]} {
		if v != nil {
			v.append(rest.EventAlert, func(seq uint64) any { return rest.AlertFrame{Seq: seq, T: now, Items: []rest.Alert{a}} })
		}
	}
}

// firingLocked are the firing alerts of an organization, the last raised first; "" is
// all. mu must be held.
func (m *Monitor) firingLocked(org string) []rest.Alert {
	out := make([]rest.Alert, 0, len(m.alerts))
	for _, a := range m.alerts {
		if org == "" || a.Org == org {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b rest.Alert) int {
		if c := b.RaisedAt.Compare(a.RaisedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out
}

// SettingsChanged tells of the settings as they are now, to those who see all:
// they are the server's, no organization's.
func (m *Monitor) SettingsChanged(s rest.Settings) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now().UTC()
	m.allView.append(rest.EventSettings, func(seq uint64) any { return rest.SettingsFrame{Seq: seq, T: now, Settings: s} })
}
