package monitor

import (
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

// maxClockDrift is how far a client's clock may run from where it ran before until
// it is taken to have been set.
const maxClockDrift = 15 * time.Second

// measurer is one end looking at one leg: it turns that end's counters into two
// streams.
type measurer struct {
	leg           rtcstats.Leg
	by            rtcstats.MeasuredBy
	start         time.Time // of the session
	prev          *rtcstats.Sample
	pending       rtcstats.Pending
	refusalsInRow int
	clockOffset   time.Duration // from the end's clock to ours; the least seen, for it holds the least waiting
	isClockSynced bool
	isStalled     bool
	toldUntil     time.Time // by our clock
	silence       silence
	in, out       *directionStats
}

// silence is a time without any sign of the leg.
type silence struct {
	from, until time.Time // the newest one, by our clock
	news        []silentTime
}

// silentTime is what the newest sample told of a silence: seconds before a moment.
type silentTime struct {
	until   time.Time
	seconds float64
}

// add extends the silence by the seconds before until, or begins another.
func (s *silence) add(until time.Time, seconds float64) {
	from := until.Add(-time.Duration(seconds * float64(time.Second)))
	if from.Sub(s.until) > Tick {
		s.from = from
	}
	s.until = until
}

func newMeasurer(leg rtcstats.Leg, by rtcstats.MeasuredBy, start time.Time, keep bool) *measurer {
	m := &measurer{leg: leg, by: by, start: start}
	inbound, outbound := quality.ToAgent, quality.ToCaller
	if (leg == rtcstats.LegCaller) == (by == rtcstats.ByClient) {
		// What arrives at the caller's browser, or from the agent at the server,
		// goes to the caller.
		inbound, outbound = outbound, inbound
	}
	m.in, m.out = newDirectionStats(m, inbound), newDirectionStats(m, outbound)
	m.in.history.keepsFull, m.out.history.keepsFull = keep, keep
	return m
}

// direction gives the stream of a direction; nil where the end never looked.
func (m *measurer) direction(d quality.Direction) *directionStats {
	switch {
	case m == nil:
		return nil
	case m.in.direction == d:
		return m.in
	}
	return m.out
}

// maxAge is how old this end's newest numbers may be.
func (m *measurer) maxAge() time.Duration {
	if m.by == rtcstats.ByClient {
		return ClientStale
	}
	return ServerStale
}

// addSample looks at one sample and gives the faults that it shows.
func (m *measurer) addSample(at time.Time, s rtcstats.Sample) (faults []string) {
	m.silence.news = nil
	if s.Check() != nil {
		return []string{"bad_report"}
	}
	if m.prev == nil {
		m.addBytes(s)
		m.prev = &s
		m.syncClock(at, s)
		m.toldUntil = m.serverTime(s.Timestamp)
		return nil
	}
	i := rtcstats.Rates(*m.prev, s)
	fell := i.In.Gap == rtcstats.GapFell || i.Out.Gap == rtcstats.GapFell
	if fell || i.In.Gap == rtcstats.GapClock {
		m.refuseSample()
		if fell {
			return []string{"bad_report"}
		}
		return nil // seen before: after a lost socket a client sends its newest looks again
	}
	m.refusalsInRow = 0
	m.addBytes(s)
	m.syncClock(at, s)
	for _, decided := range m.pending.Add(i) {
		m.addInterval(at, decided)
	}
	faults = m.detectFaults(*m.prev, s)
	m.prev = &s
	return faults
}

func (m *measurer) addBytes(s rtcstats.Sample) {
	if in := s.Inbound; in != nil {
		m.in.bytes.add(in.SSRC, in.BytesReceived)
	}
	if out := s.Outbound; out != nil {
		m.out.bytes.add(out.SSRC, out.BytesSent)
	}
}

// addInterval counts what happened between two looks, told of at the time at.
func (m *measurer) addInterval(at time.Time, i rtcstats.Interval) {
	looked := m.serverTime(i.At)
	if i.IsSilent() {
		m.silence.news = append(m.silence.news, silentTime{looked, max(i.In.Silence, i.Out.Silence)})
	}
	before := m.toldUntil
	m.toldUntil = looked
	switch {
	case !looked.After(m.silence.from): // told late, because of the silence
		m.in.total.addFlow(i.In)
		m.out.total.addFlow(i.Out)
		return
	case !looked.After(m.silence.until):
		return // addSilence has counted it
	case before.Before(m.silence.until):
		i.In, i.Out = withoutGap(i.In), withoutGap(i.Out)
	}
	m.in.addInterval(at, looked, i.At, i.In)
	m.out.addInterval(at, looked, i.At, i.Out)
}

// withoutGap leaves out of the count over a silence what was lost in it.
func withoutGap(f rtcstats.Flow) rtcstats.Flow {
	if f.Gap == rtcstats.GapLong {
		f.Expected, f.Lost = max(0, f.Expected-f.Lost), 0
	}
	return f
}

// addSilence counts the seconds before at, in which the leg's other end had no sign of
// this one. Nothing came that could tell of them; what this end tells later is known.
func (m *measurer) addSilence(at time.Time, seconds float64) {
	if m.prev == nil || !m.toldUntil.Before(at) {
		return
	}
	m.silence.add(at, seconds)
	stamp := float64(at.Add(-m.clockOffset).UnixMicro()) / 1000
	for _, st := range []*directionStats{m.in, m.out} {
		st.addInterval(at, at, stamp, rtcstats.Silent(seconds))
	}
}

// copySilence counts the silence that the leg's other end had before this one first said
// anything, second by second.
func (m *measurer) copySilence(s silence) {
	for at := s.from.Add(Tick); !s.from.IsZero() && !at.After(s.until); at = at.Add(Tick) {
		m.addSilence(at, Tick.Seconds())
	}
}

// refuseSample leaves a sample out, and forgives an end that insists.
func (m *measurer) refuseSample() {
	m.refusalsInRow++
	if m.refusalsInRow >= MaxRefusals {
		m.refusalsInRow, m.prev, m.isClockSynced = 0, nil, false
		m.pending = rtcstats.Pending{}
	}
}

// syncClock moves the end's clock onto ours by a sample that came in at the time at.
func (m *measurer) syncClock(at time.Time, s rtcstats.Sample) {
	offset := at.Sub(endTime(s.Timestamp))
	if !m.isClockSynced || offset < m.clockOffset || offset-m.clockOffset > maxClockDrift {
		m.clockOffset, m.isClockSynced = offset, true
	}
}

// serverTime gives our time of a stamp (ms) of the end's. A batch comes in at once and
// tells of seconds: the end's own clock spreads it, moved onto ours.
func (m *measurer) serverTime(stamp float64) time.Time { return endTime(stamp).Add(m.clockOffset) }

func endTime(stamp float64) time.Time { return time.UnixMicro(int64(stamp * 1000)) }

// detectFaults are what two looks show beside rates.
func (m *measurer) detectFaults(prev, cur rtcstats.Sample) (kinds []string) {
	if p, c := prev.CandidatePair, cur.CandidatePair; p != nil && c != nil && p.ID != c.ID {
		kinds = append(kinds, "path_change")
	}
	stalled := m.in.isUnanswered
	if stalled && !m.isStalled {
		kinds = append(kinds, "media_stall")
	}
	m.isStalled = stalled
	return kinds
}

// directionStats is one direction of one leg by the word of one end.
type directionStats struct {
	measurer     *measurer
	direction    quality.Direction
	window       rtcstats.Window
	qualityJudge *quality.Judge
	ratedAt      time.Time // when the newest rated look came in
	latest       rest.Metrics
	figures      rtcstats.Figures // behind latest
	emptySeconds int              // looks in a row in which no packet came or went
	isUnanswered bool
	total        totals
	history      history
	bytes        byteCount
}

// byteCount adds up the bytes of a stream through restarts of its counter, the first
// look's included.
type byteCount struct {
	ssrc            uint32
	counter         int64
	total, recorded int64 // recorded: how many of total are in the history
}

func (c *byteCount) add(ssrc uint32, counter int64) {
	n := counter
	if ssrc == c.ssrc && counter >= c.counter {
		n -= c.counter
	}
	c.ssrc, c.counter, c.total = ssrc, counter, c.total+n
}

// take gives what the history doesn't have yet.
func (c *byteCount) take() int64 {
	n := c.total - c.recorded
	c.recorded = c.total
	return n
}

func newDirectionStats(of *measurer, d quality.Direction) *directionStats {
	return &directionStats{measurer: of, direction: d, qualityJudge: quality.NewJudge(d)}
}

// addInterval adds one interval: it came in at the time at, was looked at at the time
// looked by our clock, and ended at stamp (ms) by the end's own.
func (st *directionStats) addInterval(at, looked time.Time, stamp float64, f rtcstats.Flow) {
	f = st.window.Add(stamp, f).WithMissed()
	st.total.addFlow(f)
	if f.Gap != rtcstats.NoGap {
		return
	}
	figures := st.window.Figures()
	_, score := st.qualityJudge.Next(figures)
	metrics := roundMetrics(rest.NewMetrics(figures, score))
	st.ratedAt, st.latest, st.isUnanswered = at, metrics, figures.Unanswered
	st.figures = figures
	if st.emptySeconds++; f.Packets > 0 {
		st.emptySeconds = 0
	}
	if figures.Samples >= quality.LeastSamples {
		st.total.addMetrics(metrics)
	}
	st.history.addPoint(int(looked.Sub(st.measurer.start)/time.Second), newPoint(f, metrics))
	st.history.bytes += st.bytes.take()
}

func (st *directionStats) isFresh(now time.Time) bool {
	return st != nil && !st.ratedAt.IsZero() && now.Sub(st.ratedAt) <= st.measurer.maxAge()
}

// isRated reports whether the stream has a level to give.
func (st *directionStats) isRated(now time.Time) bool {
	return st.isFresh(now) && st.qualityJudge.Verdict().Level != quality.None
}

func (st *directionStats) verdict(now time.Time) quality.Verdict {
	if !st.isFresh(now) {
		return quality.Verdict{Level: quality.None}
	}
	return st.qualityJudge.Verdict()
}
