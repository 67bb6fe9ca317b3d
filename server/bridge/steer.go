package bridge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"parley/server/agent"
	"parley/server/fault"
)

// ErrToken: no agent's calls are steered by who shows this token.
var ErrToken = errors.New("bridge: no sideband's token")

// agentLegs are the agents' legs of live calls, by session.
type agentLegs struct {
	mu  sync.Mutex
	all map[string]agent.Leg
}

func (a *agentLegs) set(session string, l agent.Leg) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil {
		a.all = map[string]agent.Leg{}
	}
	a.all[session] = l
}

func (a *agentLegs) remove(session string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.all, session)
}

func (a *agentLegs) get(session string) agent.Leg {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.all[session]
}

// Steer joins a backend of the operator's to a live call, as agent.SteeredLeg has it.
// ErrToken refuses who shows no agent's token; a call that isn't there, or is another
// agent's, is fault.NotFound.
func (b *Bridge) Steer(ctx context.Context, session, token string, write func([]byte) error, ended func()) (func([]byte), error) {
	isKnown := slices.ContainsFunc(b.cfg.Agents.All(), func(e agent.Entry) bool {
		by, ok := e.Answerer.(agent.Steered)
		return ok && by.IsSteeredBy(token)
	})
	l, ok := b.agentLegs.get(session).(agent.SteeredLeg)
	if !ok && isKnown {
		return nil, fault.NotFound
	}
	if !ok {
		return nil, ErrToken
	}
	handle, err := l.Steer(ctx, token, write, ended)
	switch {
	case errors.Is(err, agent.ErrNotSteered) && !isKnown:
		return nil, ErrToken
	case errors.Is(err, agent.ErrNotSteered):
		return nil, fault.NotFound
	case err != nil:
		return nil, fmt.Errorf("%w: %w", fault.Conflict, err)
	}
	b.cfg.Logger.Info("a backend steers a call", "session", session, "event", "sideband")
	return handle, nil
}
