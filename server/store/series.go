package store

import (
	"context"
	"slices"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

// MaxPoints bounds a series: an hour by the second.
const MaxPoints = 3600

// Streams gives the quality of a session as it was kept, one stream for each
// direction, leg and end that measured it: packets and summary over from…to, and
// a series with a point each step, coarser where there would be more than
// MaxPoints. Zero times stand for what was kept. Rating and Latest are the
// caller's to fill.
func (s *Store) Streams(ctx context.Context, session string, from, to time.Time, step time.Duration) ([]rest.StreamQuality, error) {
	chunks, err := s.Quality(ctx, session, from, to)
	if err != nil || len(chunks) == 0 {
		return []rest.StreamQuality{}, err
	}
	if from.IsZero() {
		from = chunks[0].Start
	}
	if to.IsZero() {
		to = from
		for _, c := range chunks {
			if n := len(c.Points); n > 0 && !c.Points[n-1].At.Before(to) {
				to = c.Points[n-1].At.Add(time.Second)
			}
		}
	}
	out := []rest.StreamQuality{}
	for _, of := range streamsOf(chunks) {
		out = append(out, of.report(from, to, step))
	}
	return out, nil
}

// stream is all chunks of one.
type stream struct {
	leg       rtcstats.Leg
	direction quality.Direction
	by        rtcstats.MeasuredBy
	chunks    []rest.QualityChunk
}

func streamsOf(chunks []rest.QualityChunk) []*stream {
	var out []*stream
	for _, c := range chunks {
		i := slices.IndexFunc(out, func(s *stream) bool { return s.leg == c.Leg && s.direction == c.Direction && s.by == c.MeasuredBy })
		if i < 0 {
			i = len(out)
			out = append(out, &stream{leg: c.Leg, direction: c.Direction, by: c.MeasuredBy})
		}
		out[i].chunks = append(out[i].chunks, c)
	}
	return out
}

func (st *stream) report(from, to time.Time, step time.Duration) rest.StreamQuality {
	step = max(step.Truncate(time.Second), time.Second)
	if points := (to.Sub(from) + step - 1) / step; points > MaxPoints {
		step = ((to.Sub(from)+MaxPoints-1)/MaxPoints + time.Second - 1).Truncate(time.Second)
	}
	q := rest.StreamQuality{Leg: st.leg, Direction: st.direction, MeasuredBy: st.by}
	steps := make([]metricsMean, max(0, (to.Sub(from)+step-1)/step))
	var ranges [len(rangedFigures)]minMaxMean
	for i := range st.chunks {
		c := cutChunk(st.chunks[i], from, to)
		q.PacketsReceived += c.Received
		q.PacketsLost += c.Lost
		q.Bytes += c.Bytes
		for j, f := range rangedFigures {
			if r := *f.of(&c.Summary); r != nil {
				ranges[j].add(r.Min, r.Max, r.Avg, float64(len(c.Points)))
			}
		}
		for _, p := range c.Points {
			steps[p.At.Sub(from)/step].add(p.Metrics)
		}
	}
	q.Summary = summaryOfRanges(&ranges, q.PacketsReceived, q.PacketsLost)
	q.Series = make([]rest.Point, len(steps))
	values := newColumnBuffer(len(steps))
	for i := range steps {
		q.Series[i] = rest.Point{At: from.Add(time.Duration(i) * step).UTC(), Metrics: steps[i].metrics(values), Gap: steps[i].n == 0}
	}
	return q
}

// cutChunk cuts a chunk to from…to. Of the packets and bytes of a chunk that is cut it takes
// the share of its seconds.
func cutChunk(c rest.QualityChunk, from, to time.Time) rest.QualityChunk {
	all := len(c.Points)
	c.Points = slices.DeleteFunc(c.Points, func(p rest.Point) bool { return p.At.Before(from) || !p.At.Before(to) })
	if n := len(c.Points); n < all {
		c.Received = c.Received * int64(n) / int64(all)
		c.Lost = c.Lost * int64(n) / int64(all)
		c.Bytes = c.Bytes * int64(n) / int64(all)
		seconds := make([]qualitySecond, n)
		for i, p := range c.Points {
			seconds[i].metrics = p.Metrics
		}
		c.Summary = summaryOf(seconds, c.Received, c.Lost)
	}
	return c
}

// metricsMean averages the seconds of one step.
type metricsMean struct {
	n       int
	sum     [len(columns)]float64
	counted [len(columns)]int
}

func (x *metricsMean) add(m rest.Metrics) {
	x.n++
	for i, c := range columns {
		if v := *c.of(&m); v != nil {
			x.sum[i] += *v
			x.counted[i]++
		}
	}
}

func (x *metricsMean) metrics(values *columnBuffer) (m rest.Metrics) {
	for i, c := range columns {
		if x.counted[i] > 0 {
			*c.of(&m) = values.set(toUnit(x.sum[i]/float64(x.counted[i]), c.perUnit))
		}
	}
	if m.R != nil {
		m.MOS = values.set(toUnit(quality.MOS(*m.R), unitMOS))
	}
	return m
}
