package api

import "time"

// MaxCountedViews is a bound that tests stand at.
const MaxCountedViews = maxCountedViews

// CountedViews is what is remembered of looks at figures.
type CountedViews struct{ countedViews }

// NewCountedViews returns one without any.
func NewCountedViews() *CountedViews {
	return &CountedViews{countedViews{seen: make(map[string]*countedView)}}
}

// Take counts a view.
func (c *CountedViews) Take(key string, now time.Time) (before int, due bool) {
	return c.take(key, now)
}

// Len is how many are remembered.
func (c *CountedViews) Len() int { return len(c.seen) }
