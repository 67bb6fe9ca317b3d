package callapi

import "time"

// Limits of the interface.
const (
	// MaxRequests are the hang-ups and the client secrets of one user in a minute: what
	// may be changed by one user elsewhere.
	MaxRequests = 60
	// MaxBody is the bytes of a body: an offer, and a session as long as a client may
	// say it by the data channel.
	MaxBody = 256 << 10
	// maxParts are the parts of a form: there are two that mean something.
	maxParts = 8
	// budgetRetry is when to ask again once a budget is spent: that of a day may have
	// been raised, or the day be over.
	budgetRetry = 15 * time.Minute
	// warningTimeout is how long one warning may take to the caller. The next waits for
	// it, and nothing else does.
	warningTimeout = time.Second
	// farewellTimeout is how long the word of the end may take; the session waits a
	// little longer for it before the legs are closed.
	farewellTimeout = 400 * time.Millisecond
)

// Life of a client secret, in seconds, as OpenAI's interface has it. More than
// auth.MaxClientSecretLife may be asked for; that is what is given.
const (
	minSecretSeconds     = 10
	maxSecretSeconds     = 7200
	defaultSecretSeconds = 600
)
