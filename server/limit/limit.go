// Package limit says how often something may happen, and how much of it at once,
// by key: an account, an address. It counts in bounded memory and starts no
// goroutine; what it refuses, and how that is answered, is the caller's to say.
package limit

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// MaxKeys bounds what a Limiter remembers. An attacker with more addresses than
// this within a span only makes others' counts be forgotten.
const MaxKeys = 50_000

// sweepEvery is the least time between two looks for keys that count nothing.
const sweepEvery = time.Minute

// Limiter allows so many events of each key.
type Limiter struct {
	n    int
	span time.Duration // after which a key that rests is as good as new
	add  func(n int) counter

	mu      sync.Mutex
	byKey   map[string]counter
	sweptAt time.Time
}

// counter counts the events of one key.
type counter interface {
	// take counts an event if fewer than n are counted, or returns how long to
	// wait for the next.
	take(n int, now time.Time) (wait time.Duration)
	// isIdle reports whether a new counter would answer alike.
	isIdle(now time.Time) bool
}

// NewSliding allows n events in any span: never 2n across a boundary, as a token
// bucket does. It remembers n times of each key, so it is for small n.
func NewSliding(n int, span time.Duration) *Limiter {
	return newLimiter(n, span, func(int) counter { return &sliding{span: span} })
}

// NewBucket allows n events at once and one more each interval (a token bucket),
// for those whose honest use comes in bursts.
func NewBucket(n int, interval time.Duration) *Limiter {
	return newLimiter(n, interval, func(n int) counter { return bucket{rate.NewLimiter(rate.Every(interval), n)} })
}

func newLimiter(n int, span time.Duration, add func(int) counter) *Limiter {
	return &Limiter{n: n, span: max(span, sweepEvery), add: add, byKey: make(map[string]counter)}
}

// Take counts an event of key, or returns how long to wait for the next: what
// Retry-After tells.
func (l *Limiter) Take(key string) (wait time.Duration) { return l.TakeAt(key, l.n, time.Now()) }

// TakeAt is Take with a number for this key and a clock of the caller's own.
func (l *Limiter) TakeAt(key string, n int, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, isKnown := l.byKey[key]
	if !isKnown {
		l.makeRoomLocked(now)
		c = l.add(n)
		l.byKey[key] = c
	}
	return c.take(n, now)
}

// makeRoomLocked forgets keys that count nothing, now and then, and any one key
// where all places are taken.
//
// mu must be held.
func (l *Limiter) makeRoomLocked(now time.Time) {
	if now.Sub(l.sweptAt) >= l.span {
		l.sweptAt = now
		for key, c := range l.byKey {
			if c.isIdle(now) {
				delete(l.byKey, key)
			}
		}
	}
	if len(l.byKey) < MaxKeys {
		return
	}
	for key := range l.byKey {
		delete(l.byKey, key)
		return
	}
}

// sliding remembers when the events of the last span were, oldest first.
type sliding struct {
	span  time.Duration
	times []time.Time
}

func (s *sliding) take(n int, now time.Time) time.Duration {
	s.forget(now)
	if len(s.times) < n {
		s.times = append(s.times, now)
		return 0
	}
	return s.times[len(s.times)-n].Add(s.span).Sub(now)
}

func (s *sliding) isIdle(now time.Time) bool {
	s.forget(now)
	return len(s.times) == 0
}

func (s *sliding) forget(now time.Time) {
	for len(s.times) > 0 && now.Sub(s.times[0]) >= s.span {
		s.times = s.times[1:]
	}
}

// bucket is a token bucket.
type bucket struct{ limiter *rate.Limiter }

func (b bucket) take(n int, now time.Time) time.Duration {
	if b.limiter.Burst() != n {
		b.limiter.SetBurstAt(now, n)
	}
	if b.limiter.AllowN(now, 1) {
		return 0
	}
	missing := 1 - b.limiter.TokensAt(now)
	return max(time.Duration(missing/float64(b.limiter.Limit())*float64(time.Second)), time.Nanosecond)
}

func (b bucket) isIdle(now time.Time) bool {
	return b.limiter.TokensAt(now) >= float64(b.limiter.Burst())
}

// Seconds rounds a wait up to what Retry-After takes: who comes at the second
// named is let in.
func Seconds(wait time.Duration) int { return int((wait + time.Second - 1) / time.Second) }
