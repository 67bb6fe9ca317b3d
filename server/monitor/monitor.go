// Package monitor owns the current picture: which sessions there are, how well
// each leg of each does in each direction by the word of each end, and what
// happened lately. It turns samples into quality, tells of changes once a
// second, and remembers an hour in memory. It decides nothing about a session,
// opens no socket and writes nothing down: what would be lost with memory it
// hands to a Recorder.
package monitor

import (
	"encoding/json"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"parley/server/events"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
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
	// MaxActivities bounds the activities kept.
	MaxActivities = 1000
	// EndedActivities is how long what an ended session did stays among the activities.
	EndedActivities = 30 * time.Minute
	// TrendLength is how many seconds of MOS a row carries.
	TrendLength = 60
	// DefaultFrames is how many frames a reader may fall behind: each second
	// makes three, alerts apart, so a torn stream has over half a minute to come
	// back.
	DefaultFrames = 128
	// MaxOrgs is how many organizations are counted apart; those beyond are
	// counted with all only.
	MaxOrgs = 10_000
	// MaxRefusals is how many samples in a row may be refused for falling
	// counters before the newest is taken as a new start.
	MaxRefusals = 10
)

// Config is what a Monitor needs. All of it may be left out.
type Config struct {
	// OnVerdict is told when the rating of a session changed, at most once a
	// second, from Run's goroutine and with no lock held.
	OnVerdict func(id string, v quality.Verdict)
	// OnFigures is told, once a second, the newest figures of each direction of
	// each leg, as the same goroutine.
	OnFigures func(rtcstats.Leg, quality.Direction, rest.Metrics)
	// OnTurns is told of the turns of an agent's calls that were answered, and of
	// interruptions, when they are measured.
	OnTurns func(agent string, turns []rest.Turn, interruptions []rest.Interruption)
	// TakeDelay is asked, once a second, how late this machine passed packets on since it
	// was last asked; false: there were none.
	TakeDelay func() (time.Duration, bool)
	// OnDelay is told of it.
	OnDelay func(time.Duration)
	// OnChanges is told, once a second, what changed of the sessions that this server holds.
	OnChanges func(Changes)
	// Node is the name that rows have in a cluster; "" where the server is alone.
	Node string
	// Encode writes a resource as it goes over the wire; nil is json.Marshal.
	Encode func(resource any) ([]byte, error)
	// Recorder is handed what would be lost with memory.
	Recorder Recorder
	Logger   *slog.Logger
	// Frames is how many frames are kept for readers; 0 is DefaultFrames.
	Frames int
}

// Monitor keeps the picture. It is safe for use by many goroutines; nothing is
// judged or told before Run.
type Monitor struct {
	config   Config
	allView  *orgView
	queue    writeQueue
	isOff    atomic.Bool
	caps     atomic.Pointer[sessionCaps]
	isPaused atomic.Bool // new calls are

	mu          sync.Mutex
	sessions    map[string]*session
	changedRows int // in the last tick; those of calls that are over change no more
	activityLog activityLog
	counts      counts
	orgs        map[string]*counts
	orgViews    map[string]*orgView   // of organizations that somebody watches
	alerts      map[string]rest.Alert // those that are firing
	others      others
	followedAt  time.Time      // when somebody followed the picture last
	anomalies   []rest.Anomaly // never changed, only replaced
}

// New makes a Monitor with an empty picture.
func New(c Config) *Monitor {
	if c.Frames <= 0 {
		c.Frames = DefaultFrames
	}
	if c.OnVerdict == nil {
		c.OnVerdict = func(string, quality.Verdict) {}
	}
	if c.OnFigures == nil {
		c.OnFigures = func(rtcstats.Leg, quality.Direction, rest.Metrics) {}
	}
	if c.OnTurns == nil {
		c.OnTurns = func(string, []rest.Turn, []rest.Interruption) {}
	}
	if c.TakeDelay == nil {
		c.TakeDelay = func() (time.Duration, bool) { return 0, false }
	}
	if c.OnDelay == nil {
		c.OnDelay = func(time.Duration) {}
	}
	if c.OnChanges == nil {
		c.OnChanges = func(Changes) {}
	}
	if c.Encode == nil {
		c.Encode = json.Marshal
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Monitor{
		config:   c,
		allView:  &orgView{frames: events.New[*encodedFrame](c.Frames)},
		sessions: make(map[string]*session),
		counts:   newCounts(),
		orgs:     make(map[string]*counts),
		orgViews: make(map[string]*orgView),
		alerts:   make(map[string]rest.Alert),
		others:   newOthers(),
	}
	m.queue = writeQueue{recorder: c.Recorder, log: c.Logger}
	m.caps.Store(&sessionCaps{})
	return m
}

// sessionCaps is how many sessions there may be, in all and of one user.
type sessionCaps struct{ sessions, perUser int }

// SetCapacity takes how many sessions there may be, as Stats tells it.
func (m *Monitor) SetCapacity(sessions, perUser int) {
	m.caps.Store(&sessionCaps{sessions, perUser})
}

// SetPaused takes whether new calls are paused, as Stats tells it.
func (m *Monitor) SetPaused(isPaused bool) { m.isPaused.Store(isPaused) }

// SetAnomalies takes what is not as usual, as Stats tells it.
func (m *Monitor) SetAnomalies(all []rest.Anomaly) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.anomalies = all
}

// anomaliesLocked are those of an organization; "" is all. mu must be held.
func (m *Monitor) anomaliesLocked(org string) []rest.Anomaly {
	out := []rest.Anomaly{}
	for _, a := range m.anomalies {
		if org == "" || a.Org == org {
			out = append(out, a)
		}
	}
	return out
}

// SetOn turns monitoring on or off. Off, samples and activities are not taken:
// sessions and counts go on, quality is unknown.
func (m *Monitor) SetOn(on bool) { m.isOff.Store(!on) }

// On tells whether samples and activities are taken.
func (m *Monitor) On() bool { return !m.isOff.Load() }

// SessionChanged takes the newest state of a session; its quality fields are
// not read. The first of an id starts it, one with state ended ends it.
func (m *Monitor) SessionChanged(row rest.Session) {
	row.Quality, row.Metrics, row.MOSTrend, row.FirstWord, row.PoorSeconds, row.AgentLeg, row.Path = quality.Verdict{}, nil, nil, nil, nil, nil, nil
	row.Node = m.config.Node
	m.queue.addMinutes(m.sessionChanged(row))
}

// sessionChanged gives the minutes that were left when it ended the session.
func (m *Monitor) sessionChanged(row rest.Session) []packedMinute {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, known := m.sessions[row.ID]
	switch {
	case known && s.hasEnded():
		return nil // an end is the last word
	case !known:
		s = newSession(row, m.queue.recorder != nil)
		m.sessions[row.ID] = s
		m.countLocked(row.Org, func(c *counts) { c.started++ })
		m.addActivityLocked(newActivity(row, rest.ActivityCall, rest.CallStarted, "", row.StartedAt))
	}
	before, began := s.updateState(row)
	if began {
		m.countLocked(row.Org, func(c *counts) { c.begunSetups++ })
	}
	if row.State != wire.StateEnded {
		m.addStateChangeLocked(row, before)
		return nil
	}
	left, at := s.takeLastMinutes()
	m.queue.addTurns(s.closeTurns())
	failed := !s.hasBegun() && row.EndCause.IsFault()
	m.countLocked(row.Org, func(c *counts) { c.addEnd(row.EndCause, at.Sub(row.StartedAt), failed) })
	m.addActivityLocked(endActivity(row, at))
	m.activityLog.expire(row.ID, at.Add(EndedActivities))
	return left
}

// countLocked counts for all, and for the organization. mu must be held.
func (m *Monitor) countLocked(org string, f func(*counts)) {
	f(&m.counts)
	if org == "" {
		return
	}
	c := m.orgs[org]
	if c == nil {
		if len(m.orgs) >= MaxOrgs {
			return
		}
		c = new(newCounts())
		m.orgs[org] = c
	}
	f(c)
}

// addActivityLocked adds an activity. mu must be held.
func (m *Monitor) addActivityLocked(a rest.Activity) {
	if m.On() {
		m.activityLog.add(loggedActivity{Activity: a})
	}
}

// addStateChangeLocked adds what a change of state means as an activity. mu must be held.
func (m *Monitor) addStateChangeLocked(row rest.Session, before wire.SessionState) {
	lost := wire.StateReconnecting
	switch {
	case row.State == lost && before != lost:
		m.addActivityLocked(newActivity(row, rest.ActivityCall, rest.CallReconnecting, "", time.Now()))
	case row.State != lost && before == lost:
		m.addActivityLocked(newActivity(row, rest.ActivityCall, rest.CallResumed, "", time.Now()))
	}
}

// SessionSampled takes one look at a leg by one of its ends, which came in at
// the time at. Numbers that can't be are refused and counted.
func (m *Monitor) SessionSampled(id string, leg rtcstats.Leg, measuredBy rtcstats.MeasuredBy, at time.Time, s rtcstats.Sample) {
	if !m.On() {
		return
	}
	m.mu.Lock()
	of := m.sessions[id]
	m.mu.Unlock()
	if of != nil {
		of.addSample(leg, measuredBy, at, s)
	}
}

// CountRefusal counts a call that was not let in, for all and for the organization of
// its caller; "" is none, or a caller that nobody vouched for.
func (m *Monitor) CountRefusal(org string, code rest.ProblemCode) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.countLocked(org, func(c *counts) { c.refused[string(code)]++ })
}

// AddActivity adds what the monitor can't see: a sign-in, an admin's act.
// Starts, ends, reconnects and changes of quality it adds itself.
func (m *Monitor) AddActivity(a rest.Activity) {
	if a.At.IsZero() {
		a.At = time.Now()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.addActivityLocked(a)
	if s := m.sessions[a.Session]; a.Session != "" && (s == nil || s.hasEnded()) {
		m.activityLog.expire(a.Session, a.At.Add(EndedActivities))
	}
}

// Setups are how many calls began, and how many failed before they could. Who
// left before counts as neither.
func (m *Monitor) Setups() (began, failed int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts.begunSetups + m.sumOthersLocked(func(n *NodeStats) int64 { return n.BegunSetups }),
		m.counts.failedSetups + m.sumOthersLocked(func(n *NodeStats) int64 { return n.FailedSetups })
}

// Answers are how many answers of agents were measured, and how many of them took longer
// than SlowAnswer to begin, since the server started.
func (m *Monitor) Answers() (all, slow int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts.waits.turns + m.sumOthersLocked(func(n *NodeStats) int64 { return n.Answers }),
		m.counts.waits.slow + m.sumOthersLocked(func(n *NodeStats) int64 { return n.SlowAnswers })
}

// CapRefusals returns how many callers found all lines busy, or all of their organization,
// since the server started.
func (m *Monitor) CapRefusals() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	full := func(refused map[string]int64) int64 {
		return refused[string(rest.CodeCapReached)] + refused[string(rest.CodeOrgCap)]
	}
	return full(m.counts.refused) + m.sumOthersLocked(func(n *NodeStats) int64 { return full(n.Stats.Refused) })
}

// Rating is how one live session does.
type Rating struct {
	ID, Org string
	quality.Verdict
}

// Ratings gives the live sessions' ratings, in no order: those of all nodes, of other
// nodes' as they were told.
func (m *Monitor) Ratings() []Rating {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append(m.ownRatingsLocked(), m.otherRatingsLocked()...)
}

// OwnRatings gives those of this node's live sessions.
func (m *Monitor) OwnRatings() []Rating {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ownRatingsLocked()
}

// mu must be held.
func (m *Monitor) ownRatingsLocked() []Rating {
	now := time.Now()
	out := make([]Rating, 0, len(m.sessions))
	for id, s := range m.sessions {
		if r := s.liveState(now); r.isLive {
			out = append(out, Rating{id, r.org, r.verdict})
		}
	}
	return out
}
