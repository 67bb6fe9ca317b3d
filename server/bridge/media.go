package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pion/webrtc/v4"

	"parley/server/agent"
	"parley/server/leg"
	"parley/server/relay"
	"parley/server/session"
	"parley/server/telemetry"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// media joins a caller's leg to an agent's: the relay knows no agents, an agent
// knows no relay, and a session knows neither.
type media struct {
	relay     *relay.Relay
	agents    Agents
	madeUp    MadeUpMedia
	userKey   func(account string) string
	endCall   func(session string) // tells the guard that nothing of a call's audio may be left
	calls     *agentCalls
	agentLegs *agentLegs
	onSetup   func(telemetry.Setup)
}

// MadeUpMedia makes both legs of a call up, for demo data. What it tells is kept as
// that of any other call.
type MadeUpMedia interface {
	// Open returns legs that tell on of themselves from the first offer until Close
	// has returned.
	Open(id string, c session.Caller, on MadeUpEvents) session.Legs
}

// MadeUpEvents takes what both legs tell.
type MadeUpEvents interface {
	session.MediaEvents
	agent.Measures
}

// Open implements session.MediaOpener.
func (m *media) Open(ctx context.Context, id string, c session.Caller, on session.MediaEvents) (session.Legs, error) {
	if c.IsMadeUp {
		return m.openMadeUp(ctx, id, c, on)
	}
	answerer, ok := m.agents.Get(c.Agent, c.User, c.Org)
	if !ok {
		return nil, fmt.Errorf("%w: %q", session.ErrAgentUnavailable, c.Agent)
	}
	l := &legs{setup: newSetup(c, m.onSetup), end: func() { m.agentLegs.remove(id); m.endCall(id) }}
	openAgent := func(caller *relay.Leg) (leg.Handler, error) {
		kept, err := m.calls.open(ctx, id, c, answerer, on)
		if err != nil {
			return nil, err
		}
		call := agent.Call{Session: id, User: m.agentKey(c), Audio: caller, Messages: caller, Measures: kept, Words: m.calls.privacy}
		l.setup.note(func(t *telemetry.Setup) *time.Time { return &t.AgentAsked })
		far, err := answerer.Open(ctx, call, kept)
		if err != nil {
			kept.close()
			m.calls.agents.failed(c.Agent, err)
			if errors.Is(err, agent.ErrForbidden) {
				return nil, fmt.Errorf("%w: %w", session.ErrPrivacyBlocked, err)
			}
			return nil, fmt.Errorf("%w: %w", session.ErrAgentUnavailable, err)
		}
		l.setup.note(func(t *telemetry.Setup) *time.Time { return &t.AgentAnswered })
		l.agent, l.kept = far, kept
		m.agentLegs.set(id, far)
		return far, nil
	}
	var err error
	events := setupEvents{callerEvents{on}, l.setup, func() *relay.Leg { return l.caller }}
	if l.caller, err = m.relay.Open(id, events, openAgent); err != nil {
		return nil, err
	}
	return l, nil
}

// MaxDuration implements session.MediaOpener.
func (m *media) MaxDuration(c session.Caller) time.Duration {
	answerer, _ := m.agents.Get(c.Agent, c.User, c.Org)
	if limited, ok := answerer.(agent.Limited); ok {
		return limited.MaxDuration()
	}
	return 0
}

func (m *media) openMadeUp(ctx context.Context, id string, c session.Caller, on session.MediaEvents) (session.Legs, error) {
	if m.madeUp == nil {
		return nil, fmt.Errorf("%w: %q is made up", session.ErrAgentUnavailable, c.Agent)
	}
	kept, err := m.calls.open(ctx, id, c, nil, on)
	if err != nil {
		return nil, err
	}
	return &madeUpLegs{Legs: m.madeUp.Open(id, c, kept), close: func() { kept.close(); m.endCall(id) }}, nil
}

// madeUpLegs are those of a call that is made up, with what is kept of it.
type madeUpLegs struct {
	session.Legs
	close func()
}

// Close implements session.Legs.
func (l *madeUpLegs) Close() {
	l.Legs.Close()
	l.close()
}

// agentKey is what agents know a caller by. It is not what the record finds a user
// by: a service and whoever reads the record can't put the two together.
func (m *media) agentKey(c session.Caller) string { return m.userKey("agent\x00" + c.Account()) }

// legs are the two ends of one call.
type legs struct {
	caller *relay.Leg
	agent  agent.Leg  // nil until the caller's first good offer; written and read in caller's turns
	kept   *agentCall // as agent
	setup  *setup
	end    func() // of the call, once both are closed
}

// Offer implements session.Legs.
func (l *legs) Offer(ctx context.Context, sdp string) (string, error) {
	answer, err := l.caller.Offer(ctx, sdp)
	if errors.Is(err, relay.ErrOffer) {
		return "", fmt.Errorf("%w: %w", session.ErrBadOffer, err)
	}
	if err == nil {
		l.setup.note(func(t *telemetry.Setup) *time.Time { return &t.Answered })
	}
	return answer, err
}

// AddCandidate implements session.Legs.
func (l *legs) AddCandidate(c wire.CandidateInit) error {
	return l.caller.AddCandidate(webrtc.ICECandidateInit{
		Candidate: c.Candidate, SDPMid: c.SDPMid, SDPMLineIndex: c.SDPMLineIndex, UsernameFragment: c.UsernameFragment,
	})
}

// DeliverMessage implements session.Legs.
func (l *legs) DeliverMessage(ctx context.Context, text []byte) error {
	return l.caller.DeliverMessage(ctx, text)
}

// Close implements session.Legs: the caller's leg first, so that nobody speaks
// to an agent that is gone. Once it is closed, it opens no agent anymore.
func (l *legs) Close() {
	_ = l.caller.Close() // its only error is that of a connection already gone
	if l.agent != nil {
		_ = l.agent.Close() // what couldn't be ended in order is told by the agent
		l.kept.close()
	}
	l.setup.ended(l.caller)
	l.end()
}

// callerEvents says of the caller's leg what the relay tells.
type callerEvents struct{ on session.MediaEvents }

func (e callerEvents) ConnectionState(s rtcstats.ConnectionState, heard time.Time) {
	e.on.ConnectionState(s, heard)
}

func (e callerEvents) ICERestarted() { e.on.ICERestarted(rtcstats.LegCaller) }

func (e callerEvents) Sampled(s rtcstats.Sample) { e.on.Sampled(rtcstats.LegCaller, s) }
