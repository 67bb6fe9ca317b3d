package metrics

import (
	"math"
	"sync"
	"time"
)

// The rolling window: what is older than Window is forgotten in steps of a slot.
const (
	// Window is how far back health looks.
	Window    = 5 * time.Minute
	slotTime  = 10 * time.Second
	slotCount = int(Window / slotTime)
)

// Durations are counted in bins that each are a seventh wider than the one
// before, so that a percentile is right to 7 % whatever it is, and a window of
// a route takes 12 KB however many requests come.
const (
	binCount = 96
	binFirst = 50 * time.Microsecond // the upper end of the first
	binRatio = 1.15                  // the last ends at 30 s
)

func binOf(took time.Duration) int {
	if took <= binFirst {
		return 0
	}
	b := int(math.Ceil(math.Log(float64(took)/float64(binFirst)) / math.Log(binRatio)))
	return min(b, binCount-1)
}

// binMS is the middle of a bin, in milliseconds.
func binMS(b int) float64 {
	upper := float64(binFirst) / float64(time.Millisecond) * math.Pow(binRatio, float64(b))
	return upper / math.Sqrt(binRatio)
}

// window is the last minutes of one route.
type window struct {
	mu    sync.Mutex
	slots [slotCount]*slot
}

type slot struct {
	number           int64 // since the start
	requests, errors int64
	bins             [binCount]uint32
}

// add counts a request that was answered at a time since the start.
func (w *window) add(at time.Duration, status int, took time.Duration) {
	number := int64(at / slotTime)
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.slots[number%int64(slotCount)]
	switch {
	case s == nil:
		s = &slot{number: number}
		w.slots[number%int64(slotCount)] = s
	case s.number < number:
		*s = slot{number: number}
	}
	s.requests++
	if status >= 500 {
		s.errors++
	}
	s.bins[binOf(took)]++
}

// sum adds up the slots that are still within the window.
func (w *window) sum(at time.Duration) (total slot) {
	oldest := int64(at/slotTime) - int64(slotCount) + 1
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.slots {
		if s == nil || s.number < oldest {
			continue
		}
		total.requests += s.requests
		total.errors += s.errors
		for b, n := range s.bins {
			total.bins[b] += n
		}
	}
	return total
}

// percentileMS is the duration that a share of the requests did not exceed.
func (s *slot) percentileMS(share float64) float64 {
	if s.requests == 0 {
		return 0
	}
	rank := int64(math.Ceil(share * float64(s.requests)))
	for b, n := range s.bins {
		if rank -= int64(n); rank <= 0 {
			return binMS(b)
		}
	}
	return binMS(binCount - 1)
}
