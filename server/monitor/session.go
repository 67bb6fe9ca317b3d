package monitor

import (
	"reflect"
	"slices"
	"sync"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// session is what the picture holds of one session.
type session struct {
	mu           sync.Mutex
	info         rest.Session // without its quality
	endSeenAt    time.Time    // when its end was told; zero while it lives
	measurers    [3]*measurer // of the caller's leg the client and the server, of the agent's the server
	faults       []rest.ErrorCount
	keepsMinutes bool // full minutes, for a Recorder
	wasActive    bool // it was active

	verdict       quality.Verdict // of the newest tick
	ratedAt       time.Time       // the newest tick
	timeAtLevel   map[quality.Level]time.Duration
	trend         []float64    // MOS, one a tick, newest last; 0 is a gap
	lastPublished rest.Session // as last told
	bytesToldAt   time.Time
	agentStateAt  time.Time // since when the agent is in its state
	turns         turns
	path          *rest.MediaPath // of the caller's packets; nil until it was told
	poor          poorSeconds
	silence       silence                  // of the caller's leg, the newest by the server's word
	agentLegState rtcstats.ConnectionState // as the newest sample has it
}

func newSession(row rest.Session, keep bool) *session {
	return &session{
		agentStateAt: time.Now(), info: row, keepsMinutes: keep, verdict: quality.Verdict{Level: quality.None}, timeAtLevel: make(map[quality.Level]time.Duration),
	}
}

// updateState takes a new state and gives the one before, and whether the call began
// with it.
func (s *session) updateState(row rest.Session) (before wire.SessionState, began bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before = s.info.State
	restarts := row.ICERestarts - s.info.ICERestarts
	if row.AgentState != s.info.AgentState {
		s.agentStateAt = time.Now()
	}
	s.info = row
	began = !s.wasActive && row.State == wire.StateActive
	s.wasActive = s.wasActive || began
	for range restarts {
		s.countFaultLocked("ice_restart", "", time.Now())
	}
	if row.State == wire.StateReconnecting && before != row.State {
		s.countFaultLocked("reconnect", "", time.Now())
	}
	if row.State == wire.StateEnded {
		s.endSeenAt = time.Now()
		if s.info.EndedAt == nil {
			s.info.EndedAt = new(s.endSeenAt.UTC())
		}
	}
	return before, began
}

func (s *session) hasBegun() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wasActive
}

// belongsTo reports whether the session is an organization's; "" is all.
func (s *session) belongsTo(org string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return org == "" || s.info.Org == org
}

func (s *session) hasEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.endSeenAt.IsZero()
}

// canBeRemoved reports whether an end has been shown long enough.
func (s *session) canBeRemoved(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.endSeenAt.IsZero() && now.Sub(s.endSeenAt) >= EndedShown
}

// addSample takes one look at a leg. What isn't one of the three pairs of leg and
// end, or comes after the end, says nothing of this session.
func (s *session) addSample(leg rtcstats.Leg, by rtcstats.MeasuredBy, at time.Time, sample rtcstats.Sample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.measurerLocked(leg, by)
	if m == nil || !s.endSeenAt.IsZero() {
		return
	}
	if m == s.measurers[2] && sample.Transport != nil {
		s.agentLegState = rtcstats.ConnectionState(sample.Transport.ICEState)
	}
	if path := newPath(sample.CandidatePair); by == rtcstats.ByClient && path != nil {
		s.path = path
	}
	isFirst := m.prev == nil
	for _, kind := range m.addSample(at, sample) {
		s.countFaultLocked(kind, by, at)
	}
	switch client := s.measurers[0]; {
	case m == client && isFirst:
		m.copySilence(s.silence)
	case m == s.measurers[1]:
		for _, silent := range m.silence.news {
			s.silence.add(silent.until, silent.seconds)
			if client != nil {
				client.addSilence(silent.until, silent.seconds)
			}
		}
	}
}

// mu must be held.
func (s *session) measurerLocked(leg rtcstats.Leg, by rtcstats.MeasuredBy) *measurer {
	var i int
	switch {
	case leg == rtcstats.LegCaller && by == rtcstats.ByClient:
		i = 0
	case leg == rtcstats.LegCaller && by == rtcstats.ByServer:
		i = 1
	case leg == rtcstats.LegAgent && by == rtcstats.ByServer:
		i = 2
	default:
		return nil
	}
	if s.measurers[i] == nil {
		s.measurers[i] = newMeasurer(leg, by, s.info.StartedAt, s.keepsMinutes)
	}
	return s.measurers[i]
}

// countFaultLocked counts an error. The kinds are few and ours, so the list stays short.
// mu must be held.
func (s *session) countFaultLocked(kind string, by rtcstats.MeasuredBy, at time.Time) {
	i := slices.IndexFunc(s.faults, func(f rest.ErrorCount) bool { return f.Kind == kind && f.MeasuredBy == by })
	if i < 0 {
		i = len(s.faults)
		s.faults = append(s.faults, rest.ErrorCount{Kind: kind, MeasuredBy: by})
	}
	s.faults[i].Count++
	s.faults[i].Last = at.UTC()
}

// believedStatsLocked is the stream to believe about a direction of the caller's leg: that
// of the end where the audio arrives, while it has something to say, else the
// other's, who knows it from receiver reports. mu must be held.
func (s *session) believedStatsLocked(d quality.Direction, now time.Time) *directionStats {
	client, server := s.measurers[0].direction(d), s.measurers[1].direction(d)
	first, second := client, server
	if d == quality.ToAgent {
		first, second = server, client
	}
	for _, st := range []*directionStats{first, second} {
		if st.isRated(now) {
			return st
		}
	}
	for _, st := range []*directionStats{first, second} {
		if st.isFresh(now) {
			return st
		}
	}
	return nil
}

// ratingLocked is the worse of the two directions. mu must be held.
func (s *session) ratingLocked(now time.Time) quality.Verdict {
	if !s.endSeenAt.IsZero() {
		return s.verdict
	}
	var verdicts [2]quality.Verdict
	for i, d := range []quality.Direction{quality.ToAgent, quality.ToCaller} {
		verdicts[i] = s.believedStatsLocked(d, now).verdict(now)
	}
	return roundVerdict(quality.Worst(verdicts[:]...))
}

// liveState is what is counted of a session.
type liveState struct {
	state   wire.SessionState
	org     string
	verdict quality.Verdict
	isLive  bool
}

func (s *session) liveState(now time.Time) liveState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return liveState{s.info.State, s.info.Org, s.latestRatingLocked(now), s.endSeenAt.IsZero()}
}

// latestRatingLocked is the rating of this moment: within a tick that of the tick.
// mu must be held.
func (s *session) latestRatingLocked(now time.Time) quality.Verdict {
	if now.Equal(s.ratedAt) {
		return s.verdict
	}
	return s.ratingLocked(now)
}

// row is the session as it stands.
func (s *session) row(now time.Time) rest.Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rowLocked(now)
}

// mu must be held.
func (s *session) rowLocked(now time.Time) rest.Session {
	row := s.info
	row.Quality = s.latestRatingLocked(now)
	row.BytesReceived, row.BytesSent = s.bytesLocked()
	row.MOSTrend = slices.Clone(s.trend)
	row.PoorSeconds = s.poorSecondsLocked()
	if s.turns.firstWord.Len() > 0 {
		row.FirstWord = new(rest.NewFirstWord(&s.turns.firstWord))
	}
	if s.endSeenAt.IsZero() {
		row.Path = s.path
	}
	if s.agentLegState != "" && s.endSeenAt.IsZero() {
		row.AgentLeg = &rest.AgentLeg{State: s.agentLegState, Metrics: s.agentMetricsLocked(now)}
	}
	for _, d := range []quality.Direction{quality.ToAgent, quality.ToCaller} {
		if st := s.believedStatsLocked(d, now); st != nil && s.endSeenAt.IsZero() {
			if row.Metrics == nil {
				row.Metrics = make(map[quality.Direction]rest.Metrics, 2)
			}
			row.Metrics[d] = st.latest
		}
	}
	return row
}

// tickChange is what one tick did to a session.
type tickChange struct {
	row     rest.Session
	told    rest.Session // the row as last told, before this tick
	before  quality.Verdict
	changed bool                               // the row is not as last told
	verdict bool                               // the rating is another
	owner   quality.Owner                      // of the seconds since the tick before
	poor    int                                // how many of them were poor
	agent   map[quality.Direction]rest.Metrics // newest figures of the agent's leg
}

// tick moves the session by a second. delay is how late this machine passed packets on;
// while nothing is taken (isOff), no second has an owner.
func (s *session) tick(now time.Time, delay time.Duration, isOff bool) tickChange {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := tickChange{before: s.verdict}
	if s.endSeenAt.IsZero() {
		s.addTimeAtLevelLocked(now)
		s.verdict = s.ratingLocked(now)
		if isOff {
			s.poor.at = time.Time{} // nobody owns the time until it is on again
		} else {
			t.owner, t.poor = s.blameLocked(now, delay)
		}
		t.agent = s.agentMetricsLocked(now)
		s.pushTrendLocked(s.verdict.MOS)
	}
	t.row = s.rowLocked(now)
	t.verdict = s.verdict != t.before
	t.told = s.lastPublished
	if s.endSeenAt.IsZero() && now.Sub(s.bytesToldAt) < bytesEach {
		t.row.BytesReceived, t.row.BytesSent = t.told.BytesReceived, t.told.BytesSent
	} else {
		s.bytesToldAt = now
	}
	if t.changed = !reflect.DeepEqual(t.row, t.told); t.changed {
		s.lastPublished = t.row
	}
	return t
}

// bytesEach is how often the bytes of a session are told: they grow each second, and
// nobody reads them so fast.
const bytesEach = 10 * time.Second

// told is the row as it was told last; false if it never was.
func (s *session) told() (rest.Session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastPublished, s.lastPublished.ID != ""
}

// agentMetricsLocked are the newest figures of the agent's leg. mu must be held.
func (s *session) agentMetricsLocked(now time.Time) map[quality.Direction]rest.Metrics {
	var all map[quality.Direction]rest.Metrics
	for _, d := range []quality.Direction{quality.ToAgent, quality.ToCaller} {
		if st := s.measurers[2].direction(d); st.isFresh(now) {
			if all == nil {
				all = make(map[quality.Direction]rest.Metrics, 2)
			}
			all[d] = st.latest
		}
	}
	return all
}

// pushTrendLocked adds a second to the trend. It begins with the first rating, and a trend
// of nothing but gaps is none. mu must be held.
func (s *session) pushTrendLocked(mos float64) {
	s.trend = append(s.trend, mos)
	if len(s.trend) > TrendLength {
		s.trend = slices.Delete(s.trend, 0, 1)
	}
	if !slices.ContainsFunc(s.trend, func(v float64) bool { return v != 0 }) {
		s.trend = s.trend[:0]
	}
}
