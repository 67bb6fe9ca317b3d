package double

import "time"

// Faults is what a service does wrong. The zero value is one that does all right.
type Faults struct {
	// Of the answer to an offer.
	Status        int           // instead of 201: 401, 429, 500, a redirect
	Delay         time.Duration // before anything is answered
	MediaType     string        // instead of the documented one
	AnswerSize    int           // the answer is filled up to this
	IsMalformed   bool          // the answer is no description
	IsWithoutOpus bool          // the answer takes another codec
	Location      string        // instead of the call's own; "none" leaves it out

	// Of the call.
	IsSilent    bool          // no audio ever comes
	IsMute      bool          // no event ever comes
	IsDeaf      bool          // it notices nothing that the caller says
	IsTracing   bool          // it keeps traces of the call, unasked
	IsEndless   bool          // an answer begins, and neither goes on nor ends
	VanishAfter time.Duration // from the first event: it is gone, without a word
	LeaveAfter  time.Duration // from the first event: it closes the connection
	Flood       int           // so many events at once, after the first
	EventSize   int           // an event of this size, after the first
	WithoutUsage,
	WithoutSideband, // no call is known there
	ChangesNumbers bool // each answer has other sequence numbers and another clock

	// Of the hang-up.
	HangUpStatus int // instead of 200
}
