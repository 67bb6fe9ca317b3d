package monitor

import (
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
)

// MaxPoints bounds a series: an hour by the second.
const MaxPoints = blockSeconds * keptMinutes

// Connection gives the quality of one session as each end measured it. With
// zero times the summaries are over the whole session and the series over its
// last hour; else both are over from…to, of which the last hour is kept. step
// is the grain of the series: whole seconds, and coarser if there would be more
// than MaxPoints. It is false for a session that isn't in the picture.
func (m *Monitor) Connection(id string, from, to time.Time, step time.Duration) (rest.Connection, bool) {
	m.mu.Lock()
	s := m.sessions[id]
	m.mu.Unlock()
	if s == nil {
		return rest.Connection{}, false
	}
	return s.connection(time.Now(), from, to, step), true
}

// secondsSpan is a stretch of a session's life in whole seconds from its start.
type secondsSpan struct {
	from, to, step int
	isWholeSession bool
}

func (s *session) connection(now, from, to time.Time, step time.Duration) rest.Connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := rest.Connection{
		SessionID: s.info.ID,
		Rating:    s.ratingLocked(now),
		Streams:   []rest.StreamQuality{},
		Errors:    append([]rest.ErrorCount{}, s.faults...),
		Turns:     s.turns.all(), PoorSeconds: s.poorSecondsLocked(), Path: s.path,
	}
	sp := s.spanLocked(now, from, to, step)
	for _, m := range s.measurers {
		for _, d := range []quality.Direction{quality.ToAgent, quality.ToCaller} {
			if st := m.direction(d); st != nil && !st.ratedAt.IsZero() {
				c.Streams = append(c.Streams, st.streamQuality(now, sp))
			}
		}
	}
	return c
}

// mu must be held.
func (s *session) spanLocked(now, from, to time.Time, step time.Duration) secondsSpan {
	sp := secondsSpan{isWholeSession: from.IsZero() && to.IsZero()}
	if !s.endSeenAt.IsZero() {
		now = *s.info.EndedAt
	}
	end := now.Add(time.Second) // the second that is running counts
	if to.IsZero() || to.After(end) {
		to = end
	}
	if oldest := end.Add(-MaxPoints * time.Second); from.Before(oldest) {
		from = oldest
	}
	if from.Before(s.info.StartedAt) {
		from = s.info.StartedAt
	}
	sp.from = int(from.Sub(s.info.StartedAt) / time.Second)
	sp.to = max(sp.from, int(to.Sub(s.info.StartedAt)/time.Second))
	sp.step = max(1, int(step/time.Second), (sp.to-sp.from+MaxPoints-1)/MaxPoints)
	return sp
}

func (st *directionStats) streamQuality(now time.Time, sp secondsSpan) rest.StreamQuality {
	q := rest.StreamQuality{
		Leg: st.measurer.leg, Direction: st.direction, MeasuredBy: st.measurer.by,
		Rating: roundVerdict(st.verdict(now)),
	}
	if st.isFresh(now) {
		q.Latest = st.latest
	}
	over, bytes, series := st.series(sp)
	if sp.isWholeSession {
		over = &st.total
	}
	q.Series = series
	q.Summary = over.summary()
	if q.Bytes = bytes; sp.isWholeSession {
		q.Bytes = st.bytes.total
	}
	q.PacketsReceived, q.PacketsLost = over.packetsReceived(), over.packetsLost()
	return q
}

// series gives one point a step, and what the span amounts to.
func (st *directionStats) series(sp secondsSpan) (over *totals, bytes int64, points []rest.Point) {
	steps := make([]metricsMean, (sp.to-sp.from+sp.step-1)/sp.step)
	over = new(totals)
	bytes = st.history.forEach(sp.from, sp.to, func(second int, p *point) {
		m := p.metrics()
		over.addFlow(p.flow())
		over.addMetrics(m)
		steps[(second-sp.from)/sp.step].add(m)
	})
	points = make([]rest.Point, len(steps))
	for i := range steps {
		at := st.measurer.start.Add(time.Duration(sp.from+i*sp.step) * time.Second)
		points[i] = rest.Point{At: at.UTC(), Metrics: steps[i].metrics(), Gap: steps[i].n == 0}
	}
	return over, bytes, points
}

// metricsMean averages the seconds of one step.
type metricsMean struct {
	n       int
	figures [9]minMaxMean
}

func (x *metricsMean) add(m rest.Metrics) {
	x.n++
	for i, v := range []*float64{m.LossRatio, m.JitterMS, m.RTTMS, m.BufferMS, m.DelayMS, m.ConcealedRatio, m.BitrateBPS, m.R, m.MOS} {
		x.figures[i].add(v)
	}
}

func (x *metricsMean) metrics() rest.Metrics {
	v := make([]*float64, 0, len(x.figures))
	for i := range x.figures {
		v = append(v, x.figures[i].mean())
	}
	return roundMetrics(rest.Metrics{
		LossRatio: v[0], JitterMS: v[1], RTTMS: v[2], BufferMS: v[3], DelayMS: v[4],
		ConcealedRatio: v[5], BitrateBPS: v[6], R: v[7], MOS: v[8],
	})
}
