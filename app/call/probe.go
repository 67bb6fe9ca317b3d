package call

import (
	"context"
	"math"
	"slices"
	"time"

	"parley/app/client"
	"parley/shared/quality"
	"parley/shared/rest"
)

// The line check before a call: small requests, one after the other, over the
// way that the signaling will take. Media takes its own way; so this predicts,
// and says so.
const (
	probeCount   = 10
	probeGap     = 120 * time.Millisecond
	probeTimeout = 2 * time.Second // a slower answer counts as lost
	probeFewest  = 3               // answers below which there is nothing to say
	// probeBufferMS is the jitter buffer that a calm line ends in.
	probeBufferMS = 40
	// probeKbps is what a browser's Opus usually sends.
	probeKbps = 32
)

// ProbeState is how far the line check is.
type ProbeState int

// The states of the line check.
const (
	ProbeIdle ProbeState = iota
	ProbeRunning
	ProbeDone
	ProbeFailed
)

// LineCheck is what the line check found.
type LineCheck struct {
	State    ProbeState
	RTTMS    float64 // median
	JitterMS float64 // mean difference of neighbours
	Lost     int     // of probeCount
	Verdict  quality.Verdict
}

// CheckLine times small requests. A failed check never stands in the way of a
// call.
func (e *Engine) CheckLine() {
	if e.fetcher == nil || e.Picture().Probe.State == ProbeRunning {
		return
	}
	e.updatePicture(func(p Picture) Picture { p.Probe.State = ProbeRunning; return p })
	e.runInBackground(func(ctx context.Context) {
		check := e.probeLine(ctx)
		e.updatePicture(func(p Picture) Picture { p.Probe = check; return p })
	})
}

// probeLine makes the requests. The first one may open a connection; it warms up
// and isn't counted.
func (e *Engine) probeLine(ctx context.Context) LineCheck {
	e.timeRequest(ctx)
	times := make([]time.Duration, 0, probeCount)
	for range probeCount {
		if took, ok := e.timeRequest(ctx); ok {
			times = append(times, took)
		}
		select {
		case <-ctx.Done():
			return LineCheck{State: ProbeFailed}
		case <-time.After(probeGap):
		}
	}
	return predict(times, probeCount)
}

func (e *Engine) timeRequest(ctx context.Context) (time.Duration, bool) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	start := time.Now()
	res, err := e.fetcher.Fetch(ctx, client.Request{Method: "GET", Path: rest.PathHealth})
	return time.Since(start), err == nil && res.Status == 200
}

// predict rates a line by its round trips, as a call over it would be.
func predict(times []time.Duration, sent int) LineCheck {
	if len(times) < probeFewest {
		return LineCheck{State: ProbeFailed}
	}
	c := LineCheck{State: ProbeDone, RTTMS: milliseconds(medianOf(times)), Lost: sent - len(times)}
	for i := 1; i < len(times); i++ {
		c.JitterMS += math.Abs(milliseconds(times[i] - times[i-1]))
	}
	c.JitterMS /= float64(len(times) - 1)
	c.Verdict = c.rate(sent)
	return c
}

// rate predicts the rating, and blames what takes the most off it.
func (c LineCheck) rate(sent int) quality.Verdict {
	const besides = quality.CaptureMS + quality.PacketMS + quality.LookaheadMS + quality.PlayoutMS + probeBufferMS
	oneWay, loss := besides+2*c.JitterMS+c.RTTMS/2, 100*float64(c.Lost)/float64(sent)
	r, mos := quality.Rate(oneWay, loss, probeKbps, false)
	v := quality.Verdict{Level: quality.LevelOf(r), R: r, MOS: mos}
	best := r
	for _, without := range []struct {
		cause               quality.Cause
		value, oneWay, loss float64
	}{
		{quality.CauseLoss, loss, oneWay, 0},
		{quality.CauseDelay, oneWay, oneWay - c.RTTMS/2, loss},
		{quality.CauseJitter, c.JitterMS, oneWay - 2*c.JitterMS, loss},
	} {
		if better, _ := quality.Rate(without.oneWay, without.loss, probeKbps, false); better > best {
			best, v.Cause, v.Value = better, without.cause, without.value
		}
	}
	return v
}

func medianOf(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
