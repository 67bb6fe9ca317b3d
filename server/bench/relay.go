package main

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"parley/server/agent"
	"parley/server/agent/upstream"
	"parley/server/leg"
	"parley/server/relay"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// relayed is the relay with an agent, as the server wires them, and nothing around it.
type relayed struct {
	relay   *relay.Relay
	agent   agent.Agent
	hangups *upstream.Hangups
	count   atomic.Int64

	mu   sync.Mutex
	legs []io.Closer
}

// newRelay makes it with the echo agent, or, if far isn't empty, with one at the service
// there.
func newRelay(far string) (*relayed, error) {
	r, err := relay.Listen(relay.Config{Addr: "127.0.0.1:0", AllowPrivate: true})
	if err != nil {
		return nil, err
	}
	p := &relayed{relay: r, agent: agent.Echo{}, hangups: upstream.NewHangups(noLedger{}, nil)}
	if far != "" {
		cfg := upstream.Config{Name: "far", Dialect: upstream.RawSDP, URL: far, Key: farKey, AllowPrivate: true}
		if p.agent, err = upstream.New(cfg, p.hangups, nil); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	return p, nil
}

// counted counts the packets of a leg on their way.
type counted struct {
	agent.Leg
	n *atomic.Int64
}

func (c counted) HandleRTP(h *rtp.Header, payload []byte, level *rtp.AudioLevelExtension) {
	c.n.Add(1)
	c.Leg.HandleRTP(h, payload, level)
}

// countedAudio counts the packets of the agent on their way.
type countedAudio struct {
	leg.RTPWriter
	n *atomic.Int64
}

func (c countedAudio) WriteRTP(h *rtp.Header, payload []byte, level *rtp.AudioLevelExtension) error {
	c.n.Add(1)
	return c.RTPWriter.WriteRTP(h, payload, level)
}

// nobody is told of the callers' legs.
type nobody struct{}

func (nobody) ConnectionState(rtcstats.ConnectionState, time.Time) {}
func (nobody) ICERestarted()                                       {}
func (nobody) Sampled(rtcstats.Sample)                             {}

// noAgent is told of the agents' legs.
type noAgent struct{}

func (noAgent) AgentState(wire.AgentState)            {}
func (noAgent) Speech(rtcstats.Leg)                   {}
func (noAgent) Sampled(rtcstats.Leg, rtcstats.Sample) {}
func (noAgent) AgentStuck(wire.EndCause, time.Time)   {}
func (noAgent) AgentLeft(error)                       {}

func (p *relayed) answer(ctx context.Context, offer string) (string, error) {
	l, err := p.relay.Open("bench", nobody{}, func(caller *relay.Leg) (leg.Handler, error) {
		far, err := p.openAgent(ctx, caller)
		if err != nil {
			return nil, err
		}
		p.add(far)
		return counted{far, &p.count}, nil
	})
	if err != nil {
		return "", err
	}
	p.add(l)
	return l.Offer(ctx, offer)
}

// openAgent opens the agent's leg. What the echo agent sends back is counted once.
func (p *relayed) openAgent(ctx context.Context, caller *relay.Leg) (agent.Leg, error) {
	call := agent.Call{Session: "bench", Audio: caller, Messages: caller}
	if _, isEcho := p.agent.(agent.Echo); !isEcho {
		call.Audio = countedAudio{caller, &p.count}
	}
	return p.agent.Open(context.WithoutCancel(ctx), call, noAgent{})
}

func (p *relayed) add(leg io.Closer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.legs = append(p.legs, leg)
}

func (p *relayed) hangUp() { closeAll(&p.mu, &p.legs) }

func (p *relayed) packets() int64 { return p.count.Load() }

func (p *relayed) Close() error {
	return errors.Join(p.relay.Close(), p.hangups.Close())
}
