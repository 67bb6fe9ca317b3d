// Package agent owns the agent's leg: who answers a caller, and how. Agents
// work on Opus packets as they come; they decode nothing, and keep nothing
// after Close. It knows neither sessions nor how packets reach the caller.
package agent

import (
	"context"
	"time"

	"parley/server/leg"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// Agent answers calls.
type Agent interface {
	// Open joins the call of a session. The leg speaks through out, one packet at
	// a time, until Close.
	Open(ctx context.Context, session string, out leg.RTPWriter, on Events) (Leg, error)
}

// Guard protects callers' audio. An agent asks it before it does more with audio
// than pass it on at once. No call waits.
type Guard interface {
	// Hold asks to keep that length of a call's audio in memory, until Release
	// and within the call. Its error is a refusal: the audio must not be kept.
	Hold(by, session string, length time.Duration) error
	// Release says that what Hold allowed is forgotten.
	Release(by, session string)
}

// Leg is the agent's side of one call.
type Leg interface {
	leg.RTPHandler
	// Close leaves the call, forgets what was heard, and waits until nothing of
	// the leg runs. It must not be called from HandleRTP, out or Events, nor under a
	// lock that those take.
	Close() error
}

// Events is told what goes on in a call. Calls must not wait.
type Events interface {
	AgentState(wire.AgentState)
	// Speech says that someone was heard, at most once a second each while it lasts.
	Speech(by rtcstats.Leg)
}

// speechEach is how often lasting speech is told.
const speechEach = time.Second

// spoken passes on that someone is heard, at most once in speechEach.
type spoken struct {
	on   Events
	by   rtcstats.Leg
	told time.Time
}

func (s *spoken) now(t time.Time) {
	if s.told.IsZero() || t.Sub(s.told) >= speechEach {
		s.told = t
		s.on.Speech(s.by)
	}
}
