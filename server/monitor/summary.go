package monitor

import (
	"math"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

// totals are what a stream amounts to over some time.
type totals struct {
	expected, lost, discarded int64 // lost: late arrivals taken off, so it may pass below zero for a moment

	loss, jitter, rtt, buffer, delay, r, mos minMaxMean
}

// addFlow adds the packets of an interval, also of one too long for a rate: the
// counters know what happened in between.
func (t *totals) addFlow(f rtcstats.Flow) {
	t.expected += f.Expected
	t.lost += f.Lost - f.Recovered
	t.discarded += f.Discarded
}

func (t *totals) addMetrics(m rest.Metrics) {
	t.loss.add(m.LossRatio)
	t.jitter.add(m.JitterMS)
	t.rtt.add(m.RTTMS)
	t.buffer.add(m.BufferMS)
	t.delay.add(m.DelayMS)
	t.r.add(m.R)
	t.mos.add(m.MOS)
}

func (t *totals) summary() rest.Summary {
	loss := t.loss.rangeOf()
	if loss != nil && t.expected > 0 {
		loss.Avg = math.Min(1, float64(max(0, t.lost)+t.discarded)/float64(t.expected))
		// The extremes are of ten-second windows, the average is of all packets.
		loss.Min, loss.Max = math.Min(loss.Min, loss.Avg), math.Max(loss.Max, loss.Avg)
	}
	return rest.Summary{
		LossRatio: loss,
		JitterMS:  t.jitter.rangeOf(),
		RTTMS:     t.rtt.rangeOf(),
		BufferMS:  t.buffer.rangeOf(),
		DelayMS:   t.delay.rangeOf(),
		R:         t.r.rangeOf(),
		MOS:       t.mos.rangeOf(),
	}
}

// merge adds what another stream amounts to.
func (t *totals) merge(o *totals) {
	t.expected += o.expected
	t.lost += max(0, o.lost)
	t.discarded += o.discarded
	for i, s := range o.figures() {
		t.figures()[i].merge(s)
	}
}

func (t *totals) figures() [7]*minMaxMean {
	return [...]*minMaxMean{&t.loss, &t.jitter, &t.rtt, &t.buffer, &t.delay, &t.r, &t.mos}
}

func (t *totals) packetsLost() int64     { return max(0, t.lost) }
func (t *totals) packetsReceived() int64 { return max(0, t.expected-max(0, t.lost)) }

// minMaxMean is min, max and mean of what it was given.
type minMaxMean struct {
	min, max, sum float64
	n             int
}

func (s *minMaxMean) add(v *float64) {
	if v == nil {
		return
	}
	if s.n == 0 || *v < s.min {
		s.min = *v
	}
	if s.n == 0 || *v > s.max {
		s.max = *v
	}
	s.sum += *v
	s.n++
}

func (s *minMaxMean) merge(o *minMaxMean) {
	if o.n == 0 {
		return
	}
	if s.n == 0 || o.min < s.min {
		s.min = o.min
	}
	if s.n == 0 || o.max > s.max {
		s.max = o.max
	}
	s.sum += o.sum
	s.n += o.n
}

func (s *minMaxMean) mean() *float64 {
	if s.n == 0 {
		return nil
	}
	return new(s.sum / float64(s.n))
}

func (s *minMaxMean) rangeOf() *rest.Range {
	if s.n == 0 {
		return nil
	}
	return &rest.Range{Min: s.min, Max: s.max, Avg: s.sum / float64(s.n)}
}

// Figures are told as finely as they mean something: rows then change when the
// line does, not with each microsecond.
const (
	fineRatio   = 1e-4 // a hundredth of a percent
	fineMS      = 0.1
	fineBitrate = 100
	fineR       = 0.1
	fineMOS     = 0.01
)

func roundToStep(step, v float64) float64 {
	// Divided by the inverse: 4.3 shall not be told as 4.3000000000000001.
	return math.Round(v/step) / math.Round(1/step)
}

func roundVerdict(v quality.Verdict) quality.Verdict {
	v.R, v.MOS, v.Value = roundToStep(fineR, v.R), roundToStep(fineMOS, v.MOS), roundToStep(fineMS, v.Value)
	return v
}

// roundMetrics rounds in place: these figures are nobody else's yet.
func roundMetrics(m rest.Metrics) rest.Metrics {
	for _, f := range [...]struct {
		v    *float64
		fine float64
	}{
		{m.LossRatio, fineRatio}, {m.ConcealedRatio, fineRatio}, {m.JitterMS, fineMS}, {m.RTTMS, fineMS},
		{m.BufferMS, fineMS}, {m.DelayMS, fineMS}, {m.R, fineR}, {m.MOS, fineMOS},
	} {
		if f.v != nil {
			*f.v = roundToStep(f.fine, *f.v)
		}
	}
	if m.BitrateBPS != nil {
		*m.BitrateBPS = math.Round(*m.BitrateBPS/fineBitrate) * fineBitrate
	}
	return m
}
