package peer

import "time"

// deadline names a moment that the call waits for. Of several that are due at
// once, the first of this list counts first.
type deadline int

const (
	deadlinePing       deadline = iota // the next latency ping
	deadlineSample                     // the next look at the counters
	deadlineDrop                       // silence is a drop from now on
	deadlineRestart                    // silence calls for an ICE restart
	deadlineHello                      // the socket, or its hello, is overdue
	deadlineAnswer                     // the server's answer is overdue
	deadlineSetup                      // the connection is overdue
	deadlineRetry                      // the next dial
	deadlineSocketPing                 // the socket is asked whether it lives
	deadlineSocketSign                 // a socket asked beside a silent path gave no sign
	deadlineTellDrop                   // a socket that is gone is told
	deadlineFarewell                   // the last look at the counters is overdue
	deadlineGrace                      // the place is no longer kept
	deadlineCount
)

// deadlines keeps at most one moment for each deadline, and one timer for the nearest.
type deadlines struct {
	at    [deadlineCount]time.Time
	timer *time.Timer
}

func newDeadlines() *deadlines {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &deadlines{timer: t}
}

// set sets a deadline anew.
func (c *deadlines) set(of deadline, d time.Duration) { c.at[of] = time.Now().Add(d) }

// pullIn brings a deadline that is set forward to d from now at most.
func (c *deadlines) pullIn(of deadline, d time.Duration) {
	if soon := time.Now().Add(d); c.isSet(of) && soon.Before(c.at[of]) {
		c.at[of] = soon
	}
}

// postpone puts a deadline that is set off to d from now at least.
func (c *deadlines) postpone(of deadline, d time.Duration) {
	if late := time.Now().Add(d); c.isSet(of) && late.After(c.at[of]) {
		c.at[of] = late
	}
}

func (c *deadlines) clear(ds ...deadline) {
	for _, a := range ds {
		c.at[a] = time.Time{}
	}
}

func (c *deadlines) isSet(of deadline) bool { return !c.at[of].IsZero() }

// arm sets the timer for the nearest moment.
func (c *deadlines) arm() {
	var next time.Time
	for _, at := range c.at {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if next.IsZero() {
		c.timer.Stop()
		return
	}
	c.timer.Reset(time.Until(next))
}

// takeDue takes one deadline whose moment has come.
func (c *deadlines) takeDue(now time.Time) (deadline, bool) {
	for a, at := range c.at {
		if !at.IsZero() && !at.After(now) {
			c.at[a] = time.Time{}
			return deadline(a), true
		}
	}
	return 0, false
}
