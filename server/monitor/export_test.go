package monitor

import "time"

// Tick moves the picture by a second without waiting for one.
func (m *Monitor) Tick(now time.Time) { m.tick(now) }
