package peer

import "time"

// alarm names a moment that the call waits for. Of several that are due at
// once, the first of this list rings first.
type alarm int

const (
	alarmPing     alarm = iota // the next latency ping
	alarmSample                // the next look at the counters
	alarmDrop                  // silence is a drop from now on
	alarmRestart               // silence calls for an ICE restart
	alarmHello                 // the socket, or its hello, is overdue
	alarmAnswer                // the server's answer is overdue
	alarmSetup                 // the connection is overdue
	alarmRetry                 // the next dial
	alarmSocket                // the socket is asked whether it lives
	alarmTell                  // a socket that is gone is told
	alarmFarewell              // the last look at the counters is overdue
	alarmGrace                 // the place is no longer kept
	alarms
)

// clock keeps at most one moment for each alarm, and one timer for the nearest.
type clock struct {
	at    [alarms]time.Time
	timer *time.Timer
}

func newClock() *clock {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &clock{timer: t}
}

// after sets an alarm anew.
func (c *clock) after(a alarm, d time.Duration) { c.at[a] = time.Now().Add(d) }

// hasten brings an alarm that is set forward to d from now at most.
func (c *clock) hasten(a alarm, d time.Duration) {
	if soon := time.Now().Add(d); c.isSet(a) && soon.Before(c.at[a]) {
		c.at[a] = soon
	}
}

// putOff puts an alarm that is set off to d from now at least.
func (c *clock) putOff(a alarm, d time.Duration) {
	if late := time.Now().Add(d); c.isSet(a) && late.After(c.at[a]) {
		c.at[a] = late
	}
}

func (c *clock) clear(as ...alarm) {
	for _, a := range as {
		c.at[a] = time.Time{}
	}
}

func (c *clock) isSet(a alarm) bool { return !c.at[a].IsZero() }

// wind sets the timer for the nearest moment.
func (c *clock) wind() {
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

// ringing takes one alarm whose moment has come.
func (c *clock) ringing(now time.Time) (alarm, bool) {
	for a, at := range c.at {
		if !at.IsZero() && !at.After(now) {
			c.at[a] = time.Time{}
			return alarm(a), true
		}
	}
	return 0, false
}
