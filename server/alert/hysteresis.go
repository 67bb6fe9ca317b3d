package alert

import "time"

// The hysteresis of every rule, the same as that of a line's level: an alert
// has to prove itself, and so has its end.
const (
	// RateWindow is how many seconds a rule is decided on.
	RateWindow = 5
	// RaiseSeconds of them over the limit begin it, RateWindow clean ones end it.
	RaiseSeconds = 3
)

// hysteresis decides on one thing, a second at a time. It knows no clock.
type hysteresis struct {
	seconds   []judgedSecond // newest last, at most RateWindow
	isOver    bool
	overSince time.Time // of the first second over the limit
	isRaised  bool
}

type judgedSecond struct {
	at     time.Time
	isOver bool
}

// addSecond takes a second and tells whether an alert stands: three of the last five
// were over the limit, and since the first of them it has lasted, with no five
// clean ones in between.
func (j *hysteresis) addSecond(now time.Time, over bool, lasts time.Duration) (raised bool) {
	if len(j.seconds) == RateWindow {
		j.seconds = append(j.seconds[:0], j.seconds[1:]...)
	}
	j.seconds = append(j.seconds, judgedSecond{now, over})
	bad, first := j.countOver()
	switch {
	case !j.isOver && bad >= RaiseSeconds:
		j.isOver, j.overSince = true, first
	case bad == 0 && len(j.seconds) == RateWindow:
		j.isOver, j.isRaised = false, false
	}
	if j.isOver && over && now.Sub(j.overSince) >= lasts {
		j.isRaised = true
	}
	return j.isRaised
}

// countOver gives how many seconds were over the limit, and when the first was.
func (j *hysteresis) countOver() (bad int, first time.Time) {
	for _, v := range j.seconds {
		if !v.isOver {
			continue
		}
		if bad == 0 {
			first = v.at
		}
		bad++
	}
	return bad, first
}

// isIdle reports whether there is nothing to remember.
func (j *hysteresis) isIdle() bool {
	bad, _ := j.countOver()
	return bad == 0 && !j.isOver
}

// restoredHysteresis is that of an alert that was firing when the server stopped.
func restoredHysteresis(at time.Time) hysteresis {
	return hysteresis{isOver: true, isRaised: true, overSince: at}
}
