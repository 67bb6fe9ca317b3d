// Package monitor owns the current picture: which sessions there are, how well
// each leg of each does in each direction by the word of each end, and what
// happened lately. It turns samples into quality, tells of changes once a
// second, and remembers an hour in memory. It decides nothing about a session,
// opens no socket and writes nothing down.
package monitor

import (
	"context"
	"sync"
	"time"

	"parley/server/events"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// The legs of a session, and the ends that measure.
const (
	LegCaller = "caller"
	LegAgent  = "agent"
	ByClient  = "client"
	ByServer  = "server"
)

// What the picture keeps, and for how long.
const (
	// Tick is how often the picture is judged and told of.
	Tick = time.Second
	// ServerStale is how old the server's newest numbers may be.
	ServerStale = 5 * time.Second
	// ClientStale allows for the client's batches: one each five seconds, and
	// three for one that comes late.
	ClientStale = wire.ReportInterval + 3*time.Second
	// EndedShown is how long an ended session stays in the picture: long enough
	// that whoever watches sees why.
	EndedShown = 10 * time.Second
	// MaxActivities bounds the feed.
	MaxActivities = 1000
	// EndedActivities is how long what an ended session did stays in the feed.
	EndedActivities = 30 * time.Minute
	// TrendLength is how many seconds of MOS a row carries.
	TrendLength = 60
	// DefaultFrames is how many frames a reader may fall behind: each second
	// makes three at most, so a torn stream has over half a minute to come back.
	DefaultFrames = 100
	// MaxRefusals is how many samples in a row may be refused for falling
	// counters before the newest is taken as a new start.
	MaxRefusals = 10
)

// Config is what a Monitor needs. All of it may be left out.
type Config struct {
	// Caps tells the sessions that are and that may be.
	Caps func() (live, limit, perUser int)
	// OnVerdict is told when the rating of a session changed, at most once a
	// second, from Run's goroutine and with no lock held.
	OnVerdict func(id string, v quality.Verdict)
	// Frames is how many frames are kept for readers; 0 is DefaultFrames.
	Frames int
}

// Frame is one event of the monitoring stream. Data is the resource of
// shared/rest that belongs to Event, and must not be changed.
type Frame struct {
	Seq   uint64
	Event rest.EventName
	Data  any
}

// Monitor keeps the picture. It is safe for use by many goroutines; nothing is
// judged or told before Run.
type Monitor struct {
	config Config
	frames *events.Log[Frame]

	mu       sync.Mutex
	sessions map[string]*session
	feed     feed
	counts   counts
	told     rest.Stats // as last framed, without its time
}

// New makes a Monitor with an empty picture.
func New(c Config) *Monitor {
	if c.Frames <= 0 {
		c.Frames = DefaultFrames
	}
	if c.Caps == nil {
		c.Caps = func() (int, int, int) { return 0, 0, 0 }
	}
	if c.OnVerdict == nil {
		c.OnVerdict = func(string, quality.Verdict) {}
	}
	return &Monitor{
		config:   c,
		frames:   events.New[Frame](c.Frames),
		sessions: make(map[string]*session),
		counts:   newCounts(),
	}
}

// SessionChanged takes the newest state of a session; its quality fields are
// not read. The first of an id starts it, one with state ended ends it.
func (m *Monitor) SessionChanged(row rest.Session) {
	row.Quality, row.Metrics, row.MOSTrend = quality.Verdict{}, nil, nil
	m.mu.Lock()
	defer m.mu.Unlock()
	s, known := m.sessions[row.ID]
	ended := row.State == string(wire.StateEnded)
	switch {
	case known && s.over():
		return // an end is the last word
	case !known:
		s = newSession(row)
		m.sessions[row.ID] = s
		m.counts.started++
		m.feed.add(activityOf(row, rest.ActivityCall, rest.CallStarted, "", row.StartedAt))
	}
	before := s.change(row)
	if !ended {
		m.tellState(row, before)
		return
	}
	at := s.endedAt()
	m.counts.end(row.EndCause, at.Sub(row.StartedAt))
	m.feed.add(endActivity(row, at))
	m.feed.expire(row.ID, at.Add(EndedActivities))
}

// tellState adds what a change of state means to the feed.
func (m *Monitor) tellState(row rest.Session, before string) {
	lost := string(wire.StateReconnecting)
	switch {
	case row.State == lost && before != lost:
		m.feed.add(activityOf(row, rest.ActivityCall, rest.CallReconnecting, "", time.Now()))
	case row.State != lost && before == lost:
		m.feed.add(activityOf(row, rest.ActivityCall, rest.CallResumed, "", time.Now()))
	}
}

// SessionSampled takes one look at a leg by one of its ends, which came in at
// the time at. Numbers that can't be are refused and counted.
func (m *Monitor) SessionSampled(id, leg, measuredBy string, at time.Time, s rtcstats.Sample) {
	m.mu.Lock()
	of := m.sessions[id]
	m.mu.Unlock()
	if of != nil {
		of.sampled(leg, measuredBy, at, s)
	}
}

// Refused counts a call that was not let in.
func (m *Monitor) Refused(code rest.ProblemCode) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts.refused[string(code)]++
}

// Act adds to the feed what the monitor can't see: a sign-in, an admin's act.
// Starts, ends, reconnects and changes of quality it adds itself.
func (m *Monitor) Act(a rest.Activity) {
	if a.At.IsZero() {
		a.At = time.Now()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.feed.add(a)
	if s := m.sessions[a.Session]; a.Session != "" && (s == nil || s.over()) {
		m.feed.expire(a.Session, a.At.Add(EndedActivities))
	}
}

// Owner tells whose session it is.
func (m *Monitor) Owner(id string) (user, org string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.sessions[id]
	if !ok {
		return "", "", false
	}
	return s.owner()
}

// Next gives the frames after the cursor, waiting for one if there is none.
// events.ErrGone when the cursor is lost: start over with a Snapshot.
func (m *Monitor) Next(ctx context.Context, cursor uint64) ([]Frame, uint64, error) {
	return m.frames.Next(ctx, cursor)
}
