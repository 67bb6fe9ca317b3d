package session

import (
	"context"
	"errors"
	"time"

	"parley/shared/wire"
)

// negotiationTask is one step of a negotiation: an offer, or a candidate if that is empty.
type negotiationTask struct {
	offer     string
	candidate wire.CandidateInit
}

// negotiateLocked has the negotiator work off what waits. There is at most one,
// and only while there is work: media calls may take long, and neither the
// socket's reader nor run waits for them. mu must be held.
func (s *Session) negotiateLocked() {
	if s.isNegotiating {
		return
	}
	s.isNegotiating = true
	s.sessions.running.Go(s.negotiate)
}

func (s *Session) negotiate() {
	for {
		t, ok := s.nextTask()
		switch {
		case !ok:
			return
		case t.offer != "":
			s.answerOffer(t.offer)
		default:
			s.addCandidate(t.candidate)
		}
	}
}

func (s *Session) nextTask() (negotiationTask, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil || len(s.negotiationTasks) == 0 {
		s.isNegotiating, s.negotiationTasks = false, nil
		return negotiationTask{}, false
	}
	t := s.negotiationTasks[0]
	s.negotiationTasks = s.negotiationTasks[1:]
	return t, true
}

func (s *Session) answerOffer(sdp string) {
	legs, err := s.openLegs()
	if err != nil {
		s.handleSetupFailure(err)
		return
	}
	answer, err := legs.Offer(s.ctx, sdp)
	if err != nil {
		s.handleSetupFailure(err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.hasNewerOfferLocked() {
		s.sendLocked(wire.Answer{SDP: answer})
	}
}

// openLegs gives the legs, making them with the first offer. If the session ended
// meanwhile, run has gone without them and they are closed here.
func (s *Session) openLegs() (Legs, error) {
	s.mu.Lock()
	legs := s.legs
	s.mu.Unlock()
	if legs != nil {
		return legs, nil
	}
	legs, err := s.sessions.cfg.Media.Open(s.ctx, s.id, s.currentCaller(), s)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	ended := s.ended
	if ended == nil {
		s.legs = legs
	}
	s.mu.Unlock()
	if ended != nil {
		legs.Close()
		return nil, ended
	}
	return legs, nil
}

// hasNewerOfferLocked says that a newer offer waits: the answer to the older one would
// only confuse. mu must be held.
func (s *Session) hasNewerOfferLocked() bool {
	return len(s.negotiationTasks) > 0 && s.negotiationTasks[0].offer != ""
}

// handleSetupFailure ends a set-up that broke. A description that was refused, and a
// restart that failed while media once flowed, cost only this offer. The error
// may quote the description, so only that of the agent is kept for the log.
func (s *Session) handleSetupFailure(err error) {
	s.logFailure(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended != nil:
	case errors.Is(err, ErrAgentUnavailable):
		s.agentError = err
		s.endAsLocked(newAgentEnd(wire.AgentUnavailable, err), time.Now())
	case errors.Is(err, ErrBudgetSpent):
		s.endLocked(wire.BudgetSpent, "", time.Now())
	case errors.Is(err, ErrPrivacyBlocked):
		s.endLocked(wire.PrivacyBlocked, "", time.Now())
	case errors.Is(err, ErrBadOffer) || s.connected:
		s.sendLocked(wireErrorOf(err))
	default:
		s.endLocked(wire.MediaFailed, "", time.Now())
	}
}

// logFailure says in one word why a set-up broke: what an offer quotes, or where
// media was to go, is nobody's to read. There is one line a second at most.
func (s *Session) logFailure(err error) {
	if s.ctx.Err() != nil || !s.takeFailureLog(time.Now()) {
		return
	}
	event, cause := "media", "setup_failed"
	var refused interface{ Reason() string }
	switch {
	case errors.As(err, &refused):
		event, cause = "offer", refused.Reason()
	case errors.Is(err, ErrBadOffer):
		event, cause = "offer", "refused"
	case errors.Is(err, ErrAgentUnavailable):
		cause = string(wire.AgentUnavailable)
	case errors.Is(err, ErrBudgetSpent):
		cause = string(wire.BudgetSpent)
	case errors.Is(err, ErrPrivacyBlocked):
		cause = string(wire.PrivacyBlocked)
	case errors.Is(err, context.DeadlineExceeded):
		cause = "timeout"
	}
	s.sessions.cfg.Logger.Info("set-up failed", "session", s.id, "event", event, "cause", cause)
}

func (s *Session) takeFailureLog(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.failureLoggedAt) < time.Second {
		return false
	}
	s.failureLoggedAt = now
	return true
}

// wireErrorOf is what the caller is told of an offer: the words for it that are in
// err, or only that it was refused.
func wireErrorOf(err error) wire.Error {
	refused := wire.Error{Code: wire.ErrBadOffer, Field: "sdp"}
	errors.As(err, &refused)
	return refused
}

func (s *Session) addCandidate(c wire.CandidateInit) {
	s.mu.Lock()
	legs := s.legs
	s.mu.Unlock()
	if legs == nil || legs.AddCandidate(c) == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sendLocked(wire.Error{Code: wire.ErrBadCandidate, Field: "candidate"})
}
