package limit

import "sync"

// Concurrency allows so many things of each key at once. It remembers keys with
// something open alone.
type Concurrency struct {
	limit int
	mu    sync.Mutex
	open  map[string]int
}

// NewConcurrency allows n at once.
func NewConcurrency(n int) *Concurrency { return &Concurrency{limit: n, open: make(map[string]int)} }

// Enter takes a place, if there is one. Leave gives it back.
func (c *Concurrency) Enter(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[key] >= c.limit {
		return false
	}
	c.open[key]++
	return true
}

// Leave gives a place back.
func (c *Concurrency) Leave(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[key]--; c.open[key] <= 0 {
		delete(c.open, key)
	}
}
