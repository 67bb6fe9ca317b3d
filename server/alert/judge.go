package alert

import "time"

// The hysteresis of every rule, the same as that of a line's level: an alert
// has to prove itself, and so has its end.
const (
	// LookBack is how many seconds a rule is decided on.
	LookBack = 5
	// RaiseVotes of them over the limit begin it, LookBack clean ones end it.
	RaiseVotes = 3
)

// judge decides on one thing, a second at a time. It knows no clock.
type judge struct {
	votes  []vote // newest last, at most LookBack
	over   bool
	since  time.Time // of the first vote over the limit
	raised bool
}

type vote struct {
	at   time.Time
	over bool
}

// next takes a second and tells whether an alert stands: three of the last five
// were over the limit, and since the first of them it has lasted, with no five
// clean ones in between.
func (j *judge) next(now time.Time, over bool, lasts time.Duration) (raised bool) {
	if len(j.votes) == LookBack {
		j.votes = append(j.votes[:0], j.votes[1:]...)
	}
	j.votes = append(j.votes, vote{now, over})
	bad, first := j.count()
	switch {
	case !j.over && bad >= RaiseVotes:
		j.over, j.since = true, first
	case bad == 0 && len(j.votes) == LookBack:
		j.over, j.raised = false, false
	}
	if j.over && over && now.Sub(j.since) >= lasts {
		j.raised = true
	}
	return j.raised
}

// count gives how many votes were over the limit, and when the first was.
func (j *judge) count() (bad int, first time.Time) {
	for _, v := range j.votes {
		if !v.over {
			continue
		}
		if bad == 0 {
			first = v.at
		}
		bad++
	}
	return bad, first
}

// idle reports whether there is nothing to remember.
func (j *judge) idle() bool {
	bad, _ := j.count()
	return bad == 0 && !j.over
}

// restoredJudge is the judge of an alert that was firing when the server stopped.
func restoredJudge(at time.Time) judge { return judge{over: true, raised: true, since: at} }
