package admin

import (
	"maps"
	"time"

	"parley/app/client"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// How long things stay as they are on a page.
const (
	// lingers is how long an ended session is shown, greyed, with its reason.
	lingers = 10 * time.Second
	// fresh is how old data may be while calls run: they change each second.
	fresh = 5 * time.Second
	// freshQuiet is the same while no call runs: the server's heartbeat and some.
	freshQuiet = 20 * time.Second
)

// session is one session with what only watching tells.
type session struct {
	rest.Session
	// since is when the session was first seen at its level, by the server's clock.
	since time.Time
	// gone is when it was seen to be over, by this page's clock; zero while it lives.
	gone time.Time
}

func (s session) live() bool { return s.gone.IsZero() }

// picture is all that a page knows of the server. apply makes a new one of it;
// nothing changes one.
type picture struct {
	known    bool // a snapshot came
	sessions map[string]session
	alerts   map[string]rest.Alert // that fire; nil: nothing tells
	stats    rest.Stats
	status   client.Status
	at       time.Time     // of the newest frame, by the server's clock
	heard    time.Time     // the same by this page's
	ahead    time.Duration // how far the server's clock is ahead of this page's
	lastEnd  time.Time     // when the newest session ended, by the server's clock
	changes  int           // sessions that began or ended; only its difference says something
}

// apply brings a picture up to date with one frame that came at now.
func apply(p picture, f client.Frame, now time.Time) picture {
	switch f := f.(type) {
	case client.Status:
		p.status = f
	case client.Snapshot:
		p = p.stamp(f.T, now)
		p.stats = f.Stats
		p = p.replace(f.Sessions, now)
		p = p.note(f.Activities)
		p.alerts = nil
		if !f.Polled {
			p = p.follow(f.Alerts)
		}
		p.known = true
	case client.Sessions:
		p = p.stamp(f.T, now)
		p = p.change(f.Upsert, f.Remove, now)
	case client.Counts:
		p = p.stamp(f.T, now)
		p.stats = f.Stats
	case client.Alerts:
		p = p.stamp(f.T, now)
		if p.alerts != nil {
			p = p.follow(f.Items)
		}
	case client.Activities:
		p = p.stamp(f.T, now)
		p = p.note(f.Items)
	}
	return p
}

func (p picture) stamp(at, now time.Time) picture {
	p.heard = now
	if !at.IsZero() {
		p.at, p.ahead = at, at.Sub(now)
	}
	return p
}

// replace takes a whole list. What it doesn't name is over.
func (p picture) replace(list []rest.Session, now time.Time) picture {
	named := make(map[string]bool, len(list))
	upsert := make([]rest.Session, 0, len(list))
	for _, s := range list {
		named[s.ID] = true
		if _, known := p.sessions[s.ID]; known || s.EndedAt == nil {
			upsert = append(upsert, s)
		}
	}
	var remove []string
	for id := range p.sessions {
		if !named[id] {
			remove = append(remove, id)
		}
	}
	return p.change(upsert, remove, now)
}

func (p picture) change(upsert []rest.Session, remove []string, now time.Time) picture {
	if p.sessions == nil {
		p.sessions = map[string]session{}
	} else {
		p.sessions = maps.Clone(p.sessions)
	}
	for _, s := range upsert {
		old, known := p.sessions[s.ID]
		next := old.becomes(s, p.at, known)
		if hasEnded(s) && next.live() {
			next.gone = now
			p.lastEnd = later(p.lastEnd, p.at)
		}
		if !known || old.live() != next.live() {
			p.changes++
		}
		p.sessions[s.ID] = next
	}
	for _, id := range remove {
		if s, known := p.sessions[id]; known && s.live() {
			s.gone = now
			p.lastEnd = later(p.lastEnd, p.at)
			p.changes++
			p.sessions[id] = s
		}
	}
	return p
}

// becomes is the session after the server said s of it.
func (old session) becomes(s rest.Session, at time.Time, known bool) session {
	next := session{Session: s, since: old.since, gone: old.gone}
	if hasEnded(s) && known {
		// The last rating and its reason stay on the greyed row.
		next.Quality, next.Metrics, next.MOSTrend = old.Quality, old.Metrics, old.MOSTrend
	}
	if !known || level(next.Session) != level(old.Session) {
		next.since = levelSince(next.Session, at)
	}
	return next
}

// levelSince works out since when a session is at its level, as far back as
// its trend of one value a second tells.
func levelSince(s rest.Session, at time.Time) time.Time {
	seconds := 0
	for i := len(s.MOSTrend) - 1; i >= 0 && levelOfMOS(s.MOSTrend[i]) == level(s); i-- {
		seconds++
	}
	since := at.Add(-time.Duration(seconds) * time.Second)
	if since.Before(s.StartedAt) {
		return s.StartedAt
	}
	return since
}

// levelOfMOS is the level of an estimated MOS, by the bands of package quality.
func levelOfMOS(mos float64) quality.Level {
	switch {
	case mos == 0:
		return quality.None
	case mos < 3.10:
		return quality.Poor
	case mos < 3.60:
		return quality.Fair
	case mos < 4.02:
		return quality.Good
	}
	return quality.Excellent
}

// level is a session's level; a connection that is down has none.
func level(s rest.Session) quality.Level { return rest.LevelOf(&s) }

func hasEnded(s rest.Session) bool { return s.EndedAt != nil || s.State == wire.StateEnded }

// note keeps what the feed says of the last end.
func (p picture) note(items []rest.Activity) picture {
	for _, a := range items {
		switch a.What {
		case rest.CallEnded, rest.CallTimedOut, rest.CallFailed:
			p.lastEnd = later(p.lastEnd, a.At)
		}
	}
	return p
}

// follow takes alerts as they are now.
func (p picture) follow(alerts []rest.Alert) picture {
	firing := make(map[string]rest.Alert, len(p.alerts))
	maps.Copy(firing, p.alerts)
	for _, a := range alerts {
		if firing[a.ID] = a; a.State != rest.AlertFiring {
			delete(firing, a.ID)
		}
	}
	p.alerts = firing
	return p
}

// prune drops what has been over for long enough.
func prune(p picture, now time.Time) picture {
	var left map[string]session
	for id, s := range p.sessions {
		if s.live() || now.Sub(s.gone) < lingers {
			continue
		}
		if left == nil {
			left = maps.Clone(p.sessions)
		}
		delete(left, id)
	}
	if left != nil {
		p.sessions = left
	}
	return p
}

// clock is the server's time at now.
func (p picture) clock(now time.Time) time.Time { return now.Add(p.ahead) }

// isStale reports whether what the picture shows may no longer be so.
func (p picture) isStale(now time.Time) bool {
	limit := freshQuiet
	if p.live() > 0 {
		limit = fresh
	}
	if p.status.Polling {
		limit += client.PollEvery
	}
	return p.known && now.Sub(p.heard) > limit
}

func (p picture) live() int {
	n := 0
	for _, s := range p.sessions {
		if s.live() {
			n++
		}
	}
	return n
}

// levels counts the live sessions by level.
func (p picture) levels() map[quality.Level]int {
	n := map[quality.Level]int{}
	for _, s := range p.sessions {
		if s.live() {
			n[level(s.Session)]++
		}
	}
	return n
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
