package session

import (
	"context"
	"errors"
	"time"

	"parley/shared/quality"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// MediaOpener makes the two legs of a session.
type MediaOpener interface {
	// Open prepares the caller's leg; the agent's, c.Agent, is opened by the first
	// offer that can be taken. ctx ends with the session, and on may be called from
	// then on until Close has returned. An error that wraps ErrAgentUnavailable
	// blames the agent.
	Open(ctx context.Context, id string, c Caller, on MediaEvents) (Legs, error)
	// MaxDuration is how long a call with c.Agent may last; 0: as long as any.
	MaxDuration(c Caller) time.Duration
}

// Legs are the two ends of one session's media.
type Legs interface {
	// Offer gives the answer to the caller's newest description; a second one
	// is an ICE restart. It returns when ctx ends. Wrapping ErrBadOffer refuses
	// the description and keeps the session; a wire.Error in it is what the caller
	// is told. Wrapping ErrAgentUnavailable blames the agent; ErrBudgetSpent and
	// ErrPrivacyBlocked end the session, too.
	Offer(ctx context.Context, sdp string) (answer string, err error)
	AddCandidate(wire.CandidateInit) error
	// DeliverMessage sends the caller a text message by the channel of agent events,
	// and returns once the caller has it or ctx is done.
	DeliverMessage(ctx context.Context, text []byte) error
	// Close closes both legs within 2 s. It is called once, perhaps while
	// Offer runs.
	Close()
}

// What MediaOpener and Legs say by their errors.
var (
	ErrAgentUnavailable = errors.New("agent unavailable")
	ErrBadOffer         = errors.New("bad offer")
	// ErrPrivacyBlocked: the privacy guard refuses what the agent does with calls.
	ErrPrivacyBlocked = errors.New("privacy blocked")
	// ErrBudgetSpent: the caller's budget at this agent is spent already.
	ErrBudgetSpent = errors.New("budget spent")
)

// MediaEvents is told what happens on the legs. *Session implements it; no
// call blocks.
type MediaEvents interface {
	// ConnectionState is that of the caller's leg; heard is when the caller was last
	// heard on it.
	ConnectionState(state rtcstats.ConnectionState, heard time.Time)
	// Speech says that somebody was heard, at most once a second while it lasts.
	Speech(by rtcstats.Leg)
	AgentState(wire.AgentState)
	// TurnAnswered brings the newest answer of the agent's.
	TurnAnswered(wire.AgentTurn)
	// Sampled brings the server's own counters of one leg, once a second.
	Sampled(rtcstats.Leg, rtcstats.Sample)
	// ICERestarted says that a leg restarted ICE.
	ICERestarted(rtcstats.Leg)
	// AgentStuck says that the agent stopped doing what a call needs, and that it ends
	// the call at a time unless it goes on; with the zero time it went on.
	AgentStuck(cause wire.EndCause, endsAt time.Time)
	// AgentLeft says that the agent hung up (nil) or broke. An error that tells an end
	// cause (EndCause) ends the session with it.
	AgentLeft(err error)
	// BudgetSpent says that what the call may cost is spent.
	BudgetSpent()
}

// Observer is told of every change. It is called without locks held and must
// not block.
type Observer interface {
	// SessionChanged comes in order for one session, the last being its end;
	// mere signs of life at most once a second.
	SessionChanged(Snapshot)
	SessionSampled(id string, o Observation)
}

// Observation is one sample and where it comes from.
type Observation struct {
	At         time.Time // by this server's clock
	Leg        rtcstats.Leg
	MeasuredBy rtcstats.MeasuredBy
	Sample     rtcstats.Sample
}

// nopObserver observes where none is configured.
type nopObserver struct{}

func (nopObserver) SessionChanged(Snapshot)            {}
func (nopObserver) SessionSampled(string, Observation) {}

// ConnectionState implements MediaEvents. Media that fails before it ever flowed
// ends the session; later it is given the grace for an ICE restart. A caller without
// a socket has no other goodbye than to close the connection.
func (s *Session) ConnectionState(st rtcstats.ConnectionState, heard time.Time) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended != nil:
		return
	case st == rtcstats.StateConnected:
		if !s.connected {
			s.connected, s.stateDue, s.changed = true, true, true
		}
		s.setupBy, s.mediaBy = time.Time{}, time.Time{}
	case s.connected && st == rtcstats.StateClosed && s.caller.IsSocketless:
		s.endLocked(wire.CallerLeft, "", now)
	case s.connected:
		if s.mediaBy.IsZero() {
			s.mediaBrokenAt = now
			s.mediaBy = heard.Add(NoticeAfter + s.sessions.cfg.ReconnectGrace)
		}
	case st == rtcstats.StateFailed || st == rtcstats.StateClosed:
		s.endLocked(wire.MediaFailed, "", now)
	}
	s.wakeRun()
}

// ICERestarted implements MediaEvents.
func (s *Session) ICERestarted(rtcstats.Leg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return
	}
	s.iceRestarts++
	s.changed = true
	s.wakeRun()
}

// Speech implements MediaEvents: whoever is heard keeps the session alive.
func (s *Session) Speech(rtcstats.Leg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touchLocked(time.Now())
}

// AgentState implements MediaEvents.
func (s *Session) AgentState(st wire.AgentState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil || s.agentState == st {
		return
	}
	s.agentState, s.stateDue, s.changed = st, true, true
	s.wakeRun()
}

// TurnAnswered implements MediaEvents.
func (s *Session) TurnAnswered(t wire.AgentTurn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return
	}
	s.turn, s.stateDue = &t, true
	s.wakeRun()
}

// AgentLeft implements MediaEvents. Before the agent was there and media flowed
// there was no agent to leave.
func (s *Session) AgentLeft(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return
	}
	cause := causeOf(err)
	if !s.connected || s.agentState == wire.AgentConnecting {
		cause = wire.AgentUnavailable
	}
	s.agentError = err
	s.endAsLocked(newAgentEnd(cause, err), time.Now())
}

// AgentStuck implements MediaEvents: the caller is warned. The agent ends the call
// itself when it is due.
func (s *Session) AgentStuck(cause wire.EndCause, endsAt time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if endsAt.IsZero() {
		cause = ""
	}
	if s.ended == nil && (s.agentStuck != cause || !s.stuckBy.Equal(endsAt)) {
		s.agentStuck, s.stuckBy, s.changed = cause, endsAt, true
		s.wakeRun()
	}
}

// BudgetSpent implements MediaEvents: the caller is warned, and may end the
// sentence. Once said, it stands.
func (s *Session) BudgetSpent() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil && s.budgetBy.IsZero() {
		s.budgetBy, s.changed = time.Now().Add(BudgetNotice), true
		s.wakeRun()
	}
}

// Sampled implements MediaEvents.
func (s *Session) Sampled(leg rtcstats.Leg, sample rtcstats.Sample) {
	if s.ctx.Err() != nil {
		return
	}
	s.sessions.cfg.Observer.SessionSampled(s.id, Observation{At: time.Now(), Leg: leg, MeasuredBy: rtcstats.ByServer, Sample: sample})
}

func (s *Session) setQuality(q quality.Verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil || s.quality == q {
		return
	}
	s.quality, s.stateDue = q, true
	s.wakeRun()
}
