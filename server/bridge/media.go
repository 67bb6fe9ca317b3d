package bridge

import (
	"context"
	"errors"
	"fmt"

	"github.com/pion/webrtc/v4"

	"parley/server/agent"
	"parley/server/relay"
	"parley/server/session"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// media joins a caller's leg to an agent's: the relay knows no agents, an agent
// knows no relay, and a session knows neither.
type media struct {
	relay   *relay.Relay
	agents  *agent.Registry
	endCall func(session string) // tells the guard that nothing of a call's audio may be left
}

// Open implements session.MediaOpener.
func (m *media) Open(ctx context.Context, id, name string, on session.MediaEvents) (session.Legs, error) {
	answerer, ok := m.agents.Get(name)
	if !ok {
		return nil, fmt.Errorf("%w: %q", session.ErrAgentUnavailable, name)
	}
	caller, err := m.relay.Open(id, callerEvents{on})
	if err != nil {
		return nil, err
	}
	far, err := answerer.Open(ctx, id, caller, on)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", session.ErrAgentUnavailable, err), caller.Close())
	}
	caller.Connect(far)
	return &legs{caller: caller, agent: far, end: func() { m.endCall(id) }}, nil
}

// legs are the two ends of one call.
type legs struct {
	caller *relay.Leg
	agent  agent.Leg
	end    func() // of the call, once both are closed
}

// Offer implements session.Legs.
func (l *legs) Offer(ctx context.Context, sdp string) (string, error) {
	answer, err := l.caller.Offer(ctx, sdp)
	if errors.Is(err, relay.ErrOffer) {
		return "", fmt.Errorf("%w: %w", session.ErrBadOffer, err)
	}
	return answer, err
}

// AddCandidate implements session.Legs.
func (l *legs) AddCandidate(c wire.CandidateInit) error {
	return l.caller.AddCandidate(webrtc.ICECandidateInit{
		Candidate: c.Candidate, SDPMid: c.SDPMid, SDPMLineIndex: c.SDPMLineIndex, UsernameFragment: c.UsernameFragment,
	})
}

// Close implements session.Legs: the caller's leg first, so that nobody speaks
// to an agent that is gone.
func (l *legs) Close() {
	_ = l.caller.Close() // its only error is that of a connection already gone
	_ = l.agent.Close()
	l.end()
}

// callerEvents says of the caller's leg what the relay tells.
type callerEvents struct{ on session.MediaEvents }

func (e callerEvents) ConnectionState(s rtcstats.ConnectionState) { e.on.ConnectionState(s) }

func (e callerEvents) Sampled(s rtcstats.Sample) { e.on.Sampled(rtcstats.LegCaller, s) }
