package session

import "time"

// MaxWork is a bound that a test stands at.
const MaxWork = maxWork

// StartDrain has nobody more admitted.
func (a *Sessions) StartDrain() { a.startDrain(time.Now().Add(time.Hour)) }
