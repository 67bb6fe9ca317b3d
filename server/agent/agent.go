// Package agent owns the agent's leg: who answers a caller, and how. Agents
// work on Opus packets as they come; they decode nothing, and keep nothing
// after Close. It knows neither sessions nor how packets reach the caller.
package agent

import (
	"context"
	"errors"
	"time"

	"parley/server/leg"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// Agent answers calls.
type Agent interface {
	// Open joins a call. It doesn't wait for others: who has to be reached first is
	// while the caller connects, and tells by Events. ctx ends with the call.
	Open(ctx context.Context, call Call, on Events) (Leg, error)
}

// Call is one call as its agent knows it.
type Call struct {
	Session string
	// User names the caller, the same in each call and telling nobody who it is:
	// what services want so that they can tell one user's abuse from all others'.
	User string
	// Audio speaks to the caller, one packet at a time, until the leg is closed.
	Audio leg.RTPWriter
	// Messages goes to the caller's channel of agent events, if there is one.
	Messages leg.MessageWriter
	// Measures takes what the agent knows of the call; nil: nobody does.
	Measures Measures
	// Words guards what is said; nil: nobody does.
	Words WordGuard
}

// Measures takes what a call costs and how long its caller waits, from agents that
// know. Calls must not wait.
type Measures interface {
	// Used brings what the call used so far, in all.
	Used(total rest.Usage)
	// TurnsMeasured brings turns that were answered, and interruptions that are over.
	TurnsMeasured([]rest.Turn, []rest.Interruption)
	// TurnsEnded brings the same turns again, once their answers were spoken.
	TurnsEnded([]rest.Turn)
	// Refused brings an event that did not pass; its Count is of those that are new.
	Refused(rest.RefusedEvent)
	// ToolUsed brings that the model called a function.
	ToolUsed(rest.ToolUse)
}

// Checker is an agent that can be tried.
type Checker interface {
	// Check makes a trial call.
	Check(ctx context.Context) rest.AgentCheck
}

// Limited is an agent whose calls are shorter than others'.
type Limited interface {
	// MaxDuration is how long a call may last; 0: as long as its session.
	MaxDuration() time.Duration
}

// ErrNotSteered: the token is not that of the backends that steer an agent's calls.
var ErrNotSteered = errors.New("agent: no token of its sideband")

// Steered is an agent whose calls the operator's backends may steer, by a sideband.
type Steered interface {
	// IsSteeredBy reports whether a token is the one that they show.
	IsSteeredBy(token string) bool
}

// SteeredLeg is the leg of a call that may be steered.
type SteeredLeg interface {
	// Steer joins a backend to the call until ctx is done: write gets the events that it
	// sees, in order; an error of it ends the sideband. ended is called once when the
	// sideband is over for another reason than ctx. Neither call may wait, or take a lock
	// under which Steer or handle is called. What the backend says goes to handle.
	Steer(ctx context.Context, token string, write func(text []byte) error, ended func()) (handle func(text []byte), err error)
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

// WordGuard protects what callers say where it becomes text, or is given away. An
// agent asks it before it has that done. No call waits. An error is a refusal.
type WordGuard interface {
	// Caption asks to show what is said to the caller, as text.
	Caption(by, session string) error
	// Transcribe asks to have what the caller says turned into text; isShown tells that
	// it is for the caller to see.
	Transcribe(by, session string, isShown bool) error
	// Tap asks to give what is said to others, such as a service's traces.
	Tap(by, session string) error
}

// ErrForbidden: the guard refuses what the agent would do with a call.
var ErrForbidden = errors.New("agent: the privacy guard refuses what it does with calls")

// Leg is the agent's side of one call.
type Leg interface {
	leg.Handler
	// Close leaves the call, forgets what was heard, and waits until nothing of
	// the leg runs. It must not be called from HandleRTP, Call.Audio or Events, nor
	// under a lock that those take.
	Close() error
}

// Events is told what goes on in a call. Calls must not wait.
type Events interface {
	AgentState(wire.AgentState)
	// Speech says that someone was heard, at most once a second each while it lasts.
	Speech(by rtcstats.Leg)
	// Sampled brings the counters of a leg that goes to another machine, once a
	// second: Inbound is the agent's voice as it came in here.
	Sampled(by rtcstats.Leg, s rtcstats.Sample)
	// AgentStuck says that the agent stopped doing what a call needs, and leaves for that
	// cause at a time unless it goes on; with the zero time it went on.
	AgentStuck(cause wire.EndCause, endsAt time.Time)
	// AgentLeft says that the agent hung up (nil), broke, or, if its state was
	// AgentConnecting until now, could not be reached.
	AgentLeft(err error)
}

// deaf is an agent's leg that takes no messages: it has its own mind.
type deaf struct{}

// HandleMessage implements leg.MessageHandler.
func (deaf) HandleMessage([]byte) {}

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
