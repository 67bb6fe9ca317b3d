package cluster

import (
	"context"
	"math"

	"parley/server/session"
	"parley/server/store"
)

// Free implements session.Places: how many calls like this one may begin now, by what the
// record says that all nodes hold. Where there is none, the others give back first what they
// don't use, as for a call. It takes nothing.
func (p *Permits) Free(c session.Caller, set session.Settings) (free int, err error) {
	needs := p.needsOf(c, set)
	if _, _, ok := p.cfg.Member.lease(); !ok {
		return 0, unavailable()
	}
	ctx, cancel := context.WithTimeout(context.Background(), admitPatience)
	defer cancel()
	free, short := p.look(ctx, needs)
	if len(short) > 0 && p.askOthers(ctx, short) {
		free, short = p.look(ctx, needs)
	}
	if len(short) > 0 {
		return 0, refused(short[0])
	}
	return free, nil
}

// look is how many calls with these needs may begin, and of what there is none. While the
// record can't be read, those may for which this node has what they need.
func (p *Permits) look(ctx context.Context, needs []need) (free int, short []need) {
	asked := make([]store.PermitDemand, len(needs))
	for i, n := range needs {
		asked[i] = store.PermitDemand{Scope: n.scope, Key: n.key}
	}
	self := p.cfg.Member.Self().ID
	held, err := p.cfg.Record.PermitsOf(ctx, asked)
	elsewhere := make(map[capKey]int, len(needs))
	for _, h := range held {
		if h.NodeID != self {
			elsewhere[capKey{h.Scope, h.Key}] += h.Granted
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	free = math.MaxInt
	for _, n := range needs {
		left := n.limit - elsewhere[n.capKey]
		of := p.held[n.capKey]
		switch {
		case of != nil && err != nil:
			left = of.spare()
		case of != nil:
			left -= of.used
		}
		if left <= 0 {
			short = append(short, n)
		}
		if n.scope != store.PermitUser {
			free = min(free, left)
		}
	}
	return free, short
}

// Held returns what each node holds of the cap of all calls, for calls and for the next
// ones, by the record.
func (p *Permits) Held(ctx context.Context) ([]store.PermitHolding, error) {
	return p.cfg.Record.PermitsOf(ctx, []store.PermitDemand{{Scope: store.PermitAll}})
}
