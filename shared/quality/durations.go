package quality

import (
	"slices"
	"time"
)

// maxDurations is how many durations are kept for quantiles: the turns of an hour's
// conversation.
const maxDurations = 1000

// Durations keeps the newest durations and tells their quantiles, exactly. It is
// not safe for use by several goroutines.
type Durations struct {
	ring []time.Duration
	next int
}

// Add takes a duration.
func (d *Durations) Add(of time.Duration) {
	if len(d.ring) < maxDurations {
		d.ring = append(d.ring, of)
		return
	}
	d.ring[d.next] = of
	d.next = (d.next + 1) % maxDurations
}

// Len is how many durations are kept.
func (d *Durations) Len() int { return len(d.ring) }

// Quantile returns the smallest duration that at least q of all do not exceed, 0
// where there is none.
func (d *Durations) Quantile(q float64) time.Duration {
	if len(d.ring) == 0 {
		return 0
	}
	sorted := slices.Clone(d.ring)
	slices.Sort(sorted)
	i := int(q*float64(len(sorted))+0.999999) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}
