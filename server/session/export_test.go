package session

import "time"

// MaxWork is a bound that a test stands at.
const MaxWork = maxWork

// MaxReportAge is how far back a sample of a report may lie.
const MaxReportAge = maxReportAge

// StartDrain has nobody more admitted.
func (a *Sessions) StartDrain() { a.startDrain(time.Now().Add(time.Hour)) }
