package api

import (
	"context"
	"time"

	"parley/shared/rest"
)

type agentsOutput struct {
	Body rest.Page[rest.AgentStatus]
}

func (a *API) agents(context.Context, *nothing) (*agentsOutput, error) {
	return &agentsOutput{rest.Page[rest.AgentStatus]{Items: a.Agents.AgentStatuses()}}, nil
}

type agentInput struct {
	Name string `path:"name" maxLength:"64"`
}

type agentCheckOutput struct{ Body rest.AgentCheck }

// agentCheckTimeout is the longest that a trial call may take: longer than each of
// its steps' own time.
const agentCheckTimeout = time.Minute

// checkAgent makes a trial call, which may cost money: it is on record before.
func (a *API) checkAgent(ctx context.Context, in *agentInput) (*agentCheckOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, agentCheckTimeout)
	defer cancel()
	if err := a.Audit.Record(ctx, caller(ctx).entry(rest.AuditAgentCheck, in.Name)); err != nil {
		return nil, err
	}
	checked, err := a.Agents.CheckAgent(ctx, in.Name)
	return &agentCheckOutput{checked}, err
}
