package relay

import (
	"sync"
	"time"
)

// sampleGrid is how close two legs are due at the same time, so that a thousand of them
// wake the machine a hundred times a second and no more.
const sampleGrid = 10 * time.Millisecond

// rhythm has legs sampled each second, all of them by one goroutine and one timer, each at
// its own time of the second.
type rhythm struct {
	born  time.Time     // due times count from here, by the monotonic clock
	isNew chan struct{} // at most one: there was no leg before

	mu    sync.Mutex
	queue []dueLeg // the one that is due first is first: all have the same rhythm
}

type dueLeg struct {
	leg *Leg
	at  time.Duration
}

func newRhythm() *rhythm { return &rhythm{born: time.Now(), isNew: make(chan struct{}, 1)} }

// add has a leg sampled for the first time in a second.
func (r *rhythm) add(l *Leg) {
	now := time.Since(r.born)
	r.put(l, nextDue(now, now))
}

// nextDue is when a leg is due again: a second after the last time, or, when that has passed,
// a second from now. What was missed isn't made up for.
func nextDue(last, now time.Duration) time.Duration {
	next := last + sampleInterval
	if next <= now {
		next = now + sampleInterval
	}
	return (next + sampleGrid - 1).Truncate(sampleGrid)
}

func (r *rhythm) put(l *Leg, at time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue = append(r.queue, dueLeg{l, at})
	if len(r.queue) == 1 {
		select {
		case r.isNew <- struct{}{}:
		default:
		}
	}
}

// takeDue takes the next leg that is due; else it tells when one will be, if there is any.
func (r *rhythm) takeDue(now time.Duration) (due dueLeg, wait time.Duration, isDue, isAny bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		r.queue = nil
		return due, 0, false, false
	}
	due = r.queue[0]
	if due.at > now {
		return due, due.at - now, false, true
	}
	r.queue[0] = dueLeg{}
	r.queue = r.queue[1:]
	return due, 0, true, true
}

// run samples legs until done. Those that are closed drop out.
func (r *rhythm) run(done <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Since(r.born)
		due, wait, isDue, isAny := r.takeDue(now)
		if isDue {
			if due.leg.sample() {
				r.put(due.leg, nextDue(due.at, now))
			}
			continue
		}
		var tick <-chan time.Time
		if isAny {
			timer.Reset(wait)
			tick = timer.C
		}
		select {
		case <-tick:
		case <-r.isNew:
		case <-done:
			return
		}
	}
}
