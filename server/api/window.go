package api

import (
	"sync"
	"time"
)

// Rates, each a sliding minute.
const (
	MaxUnsafe         = 60 // a hand can't click faster, a script that does is broken
	MaxRefusedSignIns = 10 // a person mistypes a token a few times; a guesser never stops
)

// maxKeys bounds what a window remembers. An attacker with more addresses than
// this within a minute only makes others' counts be forgotten.
const maxKeys = 50_000

// window allows n events in any span of the given length, by key. Unlike a
// token bucket it never lets 2n through at a boundary.
type window struct {
	n    int
	span time.Duration

	mu    sync.Mutex
	seen  map[string][]time.Time // of the last span, oldest first, n at most
	swept time.Time
}

func newWindow(n int, span time.Duration) *window {
	return &window{n: n, span: span, seen: make(map[string][]time.Time), swept: time.Now()}
}

// take counts an event, or says how long to wait for the next.
func (w *window) take(key string) (wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if wait = w.wait(key, now); wait == 0 {
		w.record(key, now)
	}
	return wait
}

func (w *window) wait(key string, now time.Time) time.Duration {
	times := w.recent(w.seen[key], now)
	if len(times) < w.n {
		return 0
	}
	return times[len(times)-w.n].Add(w.span).Sub(now)
}

func (w *window) recent(times []time.Time, now time.Time) []time.Time {
	for len(times) > 0 && now.Sub(times[0]) >= w.span {
		times = times[1:]
	}
	return times
}

func (w *window) record(key string, now time.Time) {
	if now.Sub(w.swept) >= w.span {
		w.sweep(now)
	}
	if _, known := w.seen[key]; !known && len(w.seen) >= maxKeys {
		for other := range w.seen {
			delete(w.seen, other)
			break
		}
	}
	w.seen[key] = append(w.recent(w.seen[key], now), now)
}

func (w *window) sweep(now time.Time) {
	w.swept = now
	for key, times := range w.seen {
		if len(w.recent(times, now)) == 0 {
			delete(w.seen, key)
		}
	}
}

// gauge allows n things to be open at once, by key.
type gauge struct {
	n    int
	mu   sync.Mutex
	open map[string]int
}

func newGauge(n int) *gauge { return &gauge{n: n, open: make(map[string]int)} }

func (g *gauge) enter(key string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open[key] >= g.n {
		return false
	}
	g.open[key]++
	return true
}

func (g *gauge) leave(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open[key]--; g.open[key] <= 0 {
		delete(g.open, key)
	}
}

// seconds rounds up: who comes at the second named is let in.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
