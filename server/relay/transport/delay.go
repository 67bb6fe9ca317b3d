package transport

import (
	"math/bits"
	"sync"
	"time"
)

// delayQuantile of the packets is what counts: one late packet in twenty is heard.
const delayQuantile = 0.95

// Delays are counted in bins of which eight double one another, so that a quantile is
// right to an eighth: from 1 µs to over a quarter of an hour.
const (
	binBits  = 3
	binCount = 28 << binBits
)

// delays is how long packets waited for this machine: from the kernel's stamp of their
// arrival until all that they caused was sent. It is safe for use by several goroutines.
type delays struct {
	mu    sync.Mutex
	bins  [binCount]int
	total int
}

// add counts the packets of a batch that is done at now. Those without a stamp count not.
func (d *delays) add(stamps []time.Time, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, at := range stamps {
		if !at.IsZero() {
			d.bins[binOf(now.Sub(at))]++
			d.total++
		}
	}
}

// take returns what the delays since the last call did not exceed, but for one in twenty;
// false: there were none.
func (d *delays) take() (time.Duration, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.total == 0 {
		return 0, false
	}
	rank := int(delayQuantile * float64(d.total-1))
	bin := 0
	for rank >= d.bins[bin] {
		rank -= d.bins[bin]
		bin++
	}
	clear(d.bins[:])
	d.total = 0
	return binEnd(bin), true
}

// binOf is the bin of a delay. The kernel's clock may be set back: no delay is negative.
func binOf(delay time.Duration) int {
	us := uint64(max(0, delay/time.Microsecond))
	if us < 1<<binBits {
		return int(us)
	}
	doublings := bits.Len64(us) - binBits - 1
	return min(doublings<<binBits+int(us>>doublings), binCount-1)
}

// binEnd is the delay that all of a bin are below.
func binEnd(bin int) time.Duration {
	if bin < 1<<binBits {
		return time.Duration(bin+1) * time.Microsecond
	}
	doublings := bin>>binBits - 1
	return time.Duration(bin-doublings<<binBits+1) << doublings * time.Microsecond
}
