package main

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"

	"parley/server/turn/probe"
	"parley/shared/rest"
)

// turnCheckEvery is how often a server asks its own TURN server, at the addresses that
// callers are told, whether it is there.
const turnCheckEvery = time.Minute

// turnCheck remembers how this server found its own TURN server last.
type turnCheck struct{ state atomic.Value }

// State is "" before the first look.
func (c *turnCheck) State() rest.TURNState {
	state, _ := c.state.Load().(rest.TURNState)
	return state
}

// runTURNCheck looks until ctx is over.
func (s *Server) runTURNCheck(ctx context.Context) {
	port := s.mediaPort.TURN()
	if port == nil {
		s.turnCheck.state.Store(rest.TURNOff)
		return
	}
	tick := time.NewTicker(turnCheckEvery)
	defer tick.Stop()
	for {
		addrs, _ := port.Addrs() // without one, callers are told none
		if state := findTURN(ctx, addrs); ctx.Err() == nil && s.turnCheck.state.Swap(state) != state {
			s.log.Info("looked for our own TURN server", "event", "turn", "state", state)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// findTURN asks by TCP, which callers come by who need it, until one address answers.
func findTURN(ctx context.Context, addrs []netip.AddrPort) rest.TURNState {
	for _, at := range addrs {
		if _, err := probe.Ask(ctx, probe.Way{Scheme: "stun", Network: "tcp", Addr: at.String()}); err == nil {
			return rest.TURNReachable
		}
	}
	return rest.TURNUnreachable
}
