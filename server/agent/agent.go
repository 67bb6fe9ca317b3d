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
	// Open joins a call. The leg speaks through out, one packet at a time, until
	// Close.
	Open(ctx context.Context, out leg.RTPWriter, on Events) (Leg, error)
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
