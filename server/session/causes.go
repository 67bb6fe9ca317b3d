package session

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"parley/server/fault"
	"parley/shared/wire"
)

// errUnknown is for a session that is not here, not yours, or over: the three
// can't be told apart.
var errUnknown = fmt.Errorf("session: unknown: %w", fault.NotFound)

// A RefusalCode says why nobody is admitted. The words are those of the
// problem codes.
type RefusalCode string

// The refusals, in the order they are looked at.
const (
	Draining   RefusalCode = "draining"
	Paused     RefusalCode = "paused"
	CapReached RefusalCode = "cap_reached"
	UserCap    RefusalCode = "user_cap"
	OrgCap     RefusalCode = "org_cap"
	// Unavailable: nobody can say whether there is a place.
	Unavailable RefusalCode = "store_unavailable"
)

// Refusal is why Admit gave no place.
type Refusal struct {
	Code RefusalCode
	// RetryAfter is when asking again makes sense.
	RetryAfter time.Duration
	Limit      int // with CapReached and OrgCap: places in all
	// Nodes are, with Draining, where other servers of the cluster take calls, as far as
	// they gave addresses.
	Nodes []string
}

func (r *Refusal) Error() string { return "session: refused: " + string(r.Code) }

// placeRetry is when a place may be free again: one that is given back is free
// at once, so this only spreads those who ask.
const placeRetry = 5 * time.Second

// otherNodeRetry is when to ask again where another server takes calls: a balancer sends
// the next request there.
const otherNodeRetry = time.Second

// pausedRetry is when to ask again while new calls are paused: an admin has to
// resume them, which takes no less.
const pausedRetry = 30 * time.Second

// NewRefusal returns one for a reason.
func NewRefusal(code RefusalCode) *Refusal {
	r := &Refusal{Code: code, RetryAfter: placeRetry}
	switch code {
	case Draining:
		r.RetryAfter = DefaultDrain // by then the next server stands
	case Paused:
		r.RetryAfter = pausedRetry
	}
	return r
}

// End is why a session, or one socket's hold on it, is over. It is the cause
// of their contexts.
type End struct {
	Cause  wire.EndCause
	Reason string // an admin's words, or what admins are told of an agent that failed
	// forCaller is what the caller is told instead; "": the reason.
	forCaller string
}

func (e *End) Error() string { return "session: ended: " + string(e.Cause) }

// Message is what the caller is told beside the cause.
func (e *End) Message() string { return cmp.Or(e.forCaller, e.Reason) }

// explained is an error of an agent that says what it means to the caller. Its own text
// is for admins, and may go into the record.
type explained interface {
	error
	ForCaller() string
}

// causeOf is what a session ends with whose agent left: the cause that the error tells,
// if it does.
func causeOf(failure error) wire.EndCause {
	var told interface{ EndCause() wire.EndCause }
	if errors.As(failure, &told) && told.EndCause().Valid() {
		return told.EndCause()
	}
	return wire.AgentLeft
}

// newAgentEnd is the end of a session whose agent failed, or left.
func newAgentEnd(cause wire.EndCause, failure error) *End {
	e := &End{Cause: cause}
	var why explained
	if errors.As(failure, &why) {
		e.Reason, e.forCaller = clip(why.Error(), wire.MaxString), clip(why.ForCaller(), wire.MaxString)
	}
	return e
}

// errDetached is the cause of a Link whose socket is gone. The session lives.
var errDetached = errors.New("session: socket gone")

// isUserCap reports that the caller's own sessions are in the way.
func isUserCap(err error) bool {
	var refused *Refusal
	return errors.As(err, &refused) && refused.Code == UserCap
}
