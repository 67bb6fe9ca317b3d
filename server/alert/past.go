package alert

import (
	"cmp"
	"context"
	"slices"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
)

// Limits of what a rule can be tried on.
const (
	// PastSpan is how far back: who changes a rule wants to know of a whole day.
	PastSpan = 24 * time.Hour
	// MaxPastPoor and MaxPastRefusals bound the poor times of calls and the refused
	// sign-ins in it, 10 MB in all; with more, the past is as long as they reach.
	MaxPastPoor     = 50_000
	MaxPastRefusals = 20_000
	// MaxPreviewed is how many of the alerts that would have fired are told, the
	// newest.
	MaxPreviewed = 20
	// checkEvery is how many seconds are replayed between two looks at whether
	// anybody waits still.
	checkEvery = 1000
)

// past is what rules looked at in the last PastSpan, as it was in each second. What
// stayed as it was isn't kept again.
type past struct {
	since   time.Time // of the first second
	until   time.Time // of the newest
	changes []pastReadings
	poor    []poorTime // oldest first
	open    map[string]int
	refused []refusedSignIn
}

// pastReadings are readings without their calls, which hold from a second on.
type pastReadings struct {
	at time.Time
	Readings
}

// poorTime is when a call was poor; until is zero while it is.
type poorTime struct {
	call        Call
	from, until time.Time
}

type refusedSignIn struct {
	at      time.Time
	address string
}

// add keeps one second's readings.
func (p *past) add(now time.Time, r Readings) {
	if p.since.IsZero() {
		p.since, p.open = now, make(map[string]int)
	}
	p.until = now
	p.addPoor(now, r.Calls)
	r.Calls = nil
	r.CertificateDays, r.DiskUsed = roundedDays(r.CertificateDays), roundedShare(r.DiskUsed)
	r.Others = slices.Clone(r.Others)
	slices.SortFunc(r.Others, func(a, b NodeReadings) int { return cmp.Compare(a.Node, b.Node) })
	for i := range r.Others {
		o := &r.Others[i]
		o.CertificateDays, o.DiskUsed = roundedDays(o.CertificateDays), roundedShare(o.DiskUsed)
	}
	if n := len(p.changes); n == 0 || !isSame(p.changes[n-1].Readings, r) {
		p.changes = append(p.changes, pastReadings{now, r})
	}
	p.forget(now.Add(-PastSpan))
}

// roundedDays are whole hours, or each second would be news.
func roundedDays(days *float64) *float64 {
	if days == nil {
		return nil
	}
	return new(float64(int(*days*24)) / 24)
}

func roundedShare(share float64) float64 { return float64(int(share*1000)) / 1000 }

func isSameNode(a, b NodeReadings) bool {
	days := func(days *float64) float64 {
		if days == nil {
			return -1
		}
		return *days
	}
	return a.Node == b.Node && a.AreKeysStale == b.AreKeysStale && a.DiskUsed == b.DiskUsed && days(a.CertificateDays) == days(b.CertificateDays)
}

func (r *Readings) own() NodeReadings {
	return NodeReadings{r.Node, r.AreKeysStale, r.CertificateDays, r.DiskUsed}
}

func isSame(a, b Readings) bool {
	return isSameNode(a.own(), b.own()) && slices.EqualFunc(a.Others, b.Others, isSameNode) && a.Live == b.Live && a.Cap == b.Cap && countsOf(time.Time{}, a) == countsOf(time.Time{}, b) &&
		a.IsAuditChainBroken == b.IsAuditChainBroken && slices.Equal(a.Anomalies, b.Anomalies)
}

func (p *past) addPoor(now time.Time, calls []Call) {
	poor := make(map[string]bool)
	for _, c := range calls {
		if c.Level != quality.Poor {
			continue
		}
		poor[c.ID] = true
		if _, isOpen := p.open[c.ID]; !isOpen {
			p.open[c.ID] = len(p.poor)
			p.poor = append(p.poor, poorTime{call: c, from: now})
		}
	}
	for id, i := range p.open {
		if !poor[id] {
			p.poor[i].until = now
			delete(p.open, id)
		}
	}
}

func (p *past) addRefusal(now time.Time, address string) {
	p.refused = append(p.refused, refusedSignIn{now, address})
}

// forget drops what is older, and what there is too much of.
func (p *past) forget(before time.Time) {
	if n := len(p.poor) - MaxPastPoor; n > 0 {
		before = later(before, p.poor[n].from)
	}
	if n := len(p.refused) - MaxPastRefusals; n > 0 {
		before = later(before, p.refused[n].at)
	}
	if !before.After(p.since) {
		return
	}
	p.since = before
	for len(p.changes) > 1 && !p.changes[1].at.After(before) {
		p.changes = p.changes[1:]
	}
	gone := 0
	for gone < len(p.poor) && !p.poor[gone].until.IsZero() && !p.poor[gone].until.After(before) {
		gone++
	}
	p.poor = p.poor[gone:]
	for id := range p.open {
		p.open[id] -= gone
	}
	for len(p.refused) > 0 && p.refused[0].at.Before(before) {
		p.refused = p.refused[1:]
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// copied is a copy that can be read without a lock.
func (p *past) copied() *past {
	c := *p
	c.changes, c.poor, c.refused = slices.Clone(p.changes), slices.Clone(p.poor), slices.Clone(p.refused)
	return &c
}

// replay judges a rule on each second of the past, with the judge that judges now.
func (p *past) replay(ctx context.Context, rule rest.AlertRule, each func(rest.Alert)) error {
	judge := New(Config{})
	rule.Enabled = true
	judge.rules = rest.AlertRules{Rules: []rest.AlertRule{rule}}
	if len(p.changes) == 0 {
		return nil
	}
	judge.tallies.before = countsOf(p.since, p.changes[0].Readings)
	c := cursors{past: p}
	for n, now := 0, p.since; !now.After(p.until); n, now = n+1, now.Add(Tick) {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		r := c.readings(now)
		for ; c.refused < len(p.refused) && !p.refused[c.refused].at.After(now); c.refused++ {
			judge.signIns.add(p.refused[c.refused].address, p.refused[c.refused].at)
		}
		for _, changed := range judge.judgeRulesLocked(now, r) {
			each(changed)
		}
	}
	return nil
}

// cursors are how far a replay has come.
type cursors struct {
	past                   *past
	changes, poor, refused int
	isPoor                 []poorTime
}

// readings are those of a second, which is not before that of the call before.
func (c *cursors) readings(now time.Time) Readings {
	p := c.past
	for c.changes+1 < len(p.changes) && !p.changes[c.changes+1].at.After(now) {
		c.changes++
	}
	for ; c.poor < len(p.poor) && !p.poor[c.poor].from.After(now); c.poor++ {
		c.isPoor = append(c.isPoor, p.poor[c.poor])
	}
	c.isPoor = slices.DeleteFunc(c.isPoor, func(t poorTime) bool { return !t.until.IsZero() && !t.until.After(now) })
	r := p.changes[c.changes].Readings
	for _, t := range c.isPoor {
		r.Calls = append(r.Calls, t.call)
	}
	return r
}

// Preview tells what a rule would have fired over the last PastSpan, or as much of it
// as this server has run: the readings of each second are judged anew by it. It
// changes nothing. A rule that is out of range is a *fault.BadField.
func (a *Alerts) Preview(ctx context.Context, rule rest.AlertRule) (rest.AlertPreview, error) {
	rule.ID, rule.Title = cmp.Or(rule.ID, "preview"), cmp.Or(rule.Title, "preview")
	if err := checkRule("", rule); err != nil {
		return rest.AlertPreview{}, err
	}
	a.replaying.Lock() // a day takes a good part of a core for a moment: one at a time
	defer a.replaying.Unlock()
	a.mu.Lock()
	p := a.past.copied()
	a.mu.Unlock()
	out := rest.AlertPreview{From: p.since.UTC(), To: p.until.UTC(), Alerts: []rest.PreviewedAlert{}}
	byID := make(map[string]int)
	err := p.replay(ctx, rule, func(changed rest.Alert) {
		if i, known := byID[changed.ID]; known {
			out.Alerts[i].Value, out.Alerts[i].ResolvedAt = changed.Value, changed.ResolvedAt
			return
		}
		byID[changed.ID] = len(out.Alerts)
		out.Alerts = append(out.Alerts, rest.PreviewedAlert{RaisedAt: changed.RaisedAt, Value: changed.Value, Unit: changed.Unit})
	})
	out.Fired = len(out.Alerts)
	slices.Reverse(out.Alerts)
	out.Alerts = out.Alerts[:min(len(out.Alerts), MaxPreviewed)]
	return out, err
}
