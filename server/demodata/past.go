package demodata

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// clock tells the time at which something is kept.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// hour is what an hour of the past has, each kind in its order of time.
type hour struct {
	sessions   []rest.SessionRecord
	chunks     []rest.QualityChunk
	turns      []rest.TurnRecord
	usage      []rest.UsageEntry
	logs       []rest.LogEntry
	activities []rest.Activity
}

// fill makes the past up, an hour at a time, the newest first: that is what is looked
// at first.
func (d *Demo) fill(ctx context.Context) error {
	if err := d.cfg.Folder.startFilling(); err != nil {
		return err
	}
	for to := d.to; to.After(d.from) && ctx.Err() == nil; to = to.Add(-time.Hour) {
		from := to.Add(-time.Hour)
		if from.Before(d.from) {
			from = d.from
		}
		if err := d.keep(ctx, d.makeHour(from, to)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// makeHour makes up the calls that begin within an hour, or a part of one, and are over
// by the end of the past.
func (d *Demo) makeHour(at, end time.Time) (h hour) {
	rng := rand.New(rand.NewPCG(uint64(at.Unix()), NodeID))
	n := int(float64(callsAnHour[at.UTC().Hour()]) * float64(end.Sub(at)) / float64(time.Hour))
	if end.Equal(d.to) {
		n += int(recentCalls * float64(end.Sub(at)) / float64(time.Hour))
	}
	var starts []time.Time
	for range n {
		starts = append(starts, at.Add(time.Duration(rng.Float64()*float64(end.Sub(at)))).Truncate(time.Millisecond))
	}
	slices.SortFunc(starts, time.Time.Compare)
	for i, start := range starts {
		d.makeCall(&h, rng, start, i)
	}
	d.makeRequests(&h, rng, at, end)
	slices.SortStableFunc(h.logs, func(a, b rest.LogEntry) int { return a.T.Compare(b.T) })
	slices.SortStableFunc(h.activities, func(a, b rest.Activity) int { return a.At.Compare(b.At) })
	return h
}

// recentCalls are more of them in the newest hour, for it is what pages show first.
const recentCalls = 90

// ending is how a call of the past ends.
type ending struct {
	cause  wire.EndCause
	reason string
	share  int           // of a hundred calls
	most   time.Duration // that the call lasts; 0: as long as others
}

var endings = []ending{
	{wire.CallerLeft, "", 78, 0},
	{wire.AgentLeft, "", 7, 0},
	{wire.IdleTimeout, "", 3, 0},
	{wire.ConnectionLost, "", 3, 0},
	{wire.MediaFailed, "", 3, 20 * time.Second},
	{wire.AgentUnavailable, "", 2, 8 * time.Second},
	{wire.AdminEnded, "Demo: maintenance.", 2, 0},
	{wire.TokenExpired, "", 1, 0},
	{wire.Revoked, "", 1, 0},
}

func newEnding(r *rand.Rand) ending {
	n := r.IntN(100)
	for _, e := range endings {
		if n -= e.share; n < 0 {
			return e
		}
	}
	return endings[0]
}

// makeCall makes up one call; nothing of one that would last beyond the past.
func (d *Demo) makeCall(h *hour, rng *rand.Rand, start time.Time, i int) {
	who, how := newPerson(rng.IntN(people), rng), newEnding(rng)
	if rng.IntN(14) == 0 {
		who.user, who.name = callerName, "Demo caller"
	}
	lasted := time.Duration(40+rng.ExpFloat64()*170) * time.Second
	lasted = min(lasted, 20*time.Minute)
	if how.most > 0 {
		lasted = how.most/2 + time.Duration(rng.Int64N(int64(how.most/2)))
	}
	end := start.Add(lasted)
	if !end.Before(d.to) {
		return
	}
	t := troubleOf(who.user)
	if who.user == callerName {
		t = troubles[rng.IntN(len(troubles))] // one person's calls from many places
	}
	id := fmt.Sprintf("sess_demo%x%02d", start.UnixMilli(), i)
	c := newCall(id, start, newLine(t, rng), newTalk(t, rng))
	if how.most == 0 { // else it never began
		for s := time.Second; s < lasted; s += time.Second {
			c.measureSecond()
		}
	}
	kept := d.newRecord(who, c, start, end, how)
	h.sessions = append(h.sessions, kept)
	h.chunks, h.turns = append(h.chunks, c.chunks...), append(h.turns, c.turns...)
	if c.used.Responses > 0 {
		h.usage = append(h.usage, rest.UsageEntry{
			Session: id, UserKey: kept.UserKey, User: kept.User, Agent: kept.Agent, Day: rest.DayOf(start), Usage: c.used,
		})
	}
	d.tellOf(h, rng, kept, c.changes)
}

func (d *Demo) newRecord(who person, c *call, start, end time.Time, how ending) rest.SessionRecord {
	mask := d.cfg.Mask
	r := rest.SessionRecord{
		ID: c.id, User: mask.Person(who.user), UserKey: mask.UserKey(who.user), Name: who.name, Phone: mask.Phone(who.phone), Email: mask.Email(who.email),
		Remote: mask.Address(who.remote), Agent: who.agent, Node: Node, State: wire.StateEnded,
		StartedAt: start, EndedAt: &end, DurationS: end.Sub(start).Seconds(), EndCause: how.cause, EndReason: how.reason,
		Receipt: rest.Receipt{Uses: []string{"buffer"}},
	}
	if how.most == 0 {
		r.Quality = c.finish()
	} else {
		r.Quality = rest.RecordQuality{Level: quality.None}
	}
	return r
}

// keep keeps an hour. Each kind is kept by a store of its own clock, for times only
// grow within one.
func (d *Demo) keep(ctx context.Context, h hour) error {
	of := newRecord(d.cfg.Store)
	for _, s := range h.sessions {
		of.sessions.at = s.StartedAt
		if err := of.sessions.SessionEnded(ctx, s); err != nil {
			return err
		}
	}
	if len(h.chunks) > 0 {
		of.chunks.at = h.chunks[0].Start
		if err := of.chunks.AppendQuality(ctx, h.chunks); err != nil {
			return err
		}
	}
	if len(h.turns) > 0 {
		of.turns.at = h.sessions[0].StartedAt
		if err := of.turns.AppendTurns(ctx, h.turns); err != nil {
			return err
		}
	}
	for i, e := range h.usage {
		of.usage.at = h.sessions[min(i, len(h.sessions)-1)].StartedAt
		if err := of.usage.AddUsage(ctx, e); err != nil {
			return err
		}
	}
	for i := range h.logs {
		of.logs.at = h.logs[i].T
		h.logs[i].ID = of.logs.NewID()
	}
	if err := of.logs.AppendLogs(ctx, h.logs); err != nil || len(h.activities) == 0 {
		return err
	}
	of.activities.at = h.activities[0].At
	return of.activities.AppendActivities(ctx, h.activities)
}

// dated is a store with the clock that it keeps by.
type dated struct {
	*clock
	Store
}

// record is the stores of the kinds.
type record struct{ sessions, chunks, turns, usage, logs, activities dated }

func newRecord(store func(now func() time.Time) Store) (r record) {
	for _, of := range []*dated{&r.sessions, &r.chunks, &r.turns, &r.usage, &r.logs, &r.activities} {
		of.clock = &clock{}
		of.Store = store(of.clock.now)
	}
	return r
}
