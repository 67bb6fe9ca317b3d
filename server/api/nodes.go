package api

import (
	"context"
	"slices"

	"parley/server/fault"
	"parley/shared/rest"
)

type nodesOutput struct{ Body rest.Page[rest.Node] }

// nodes are the servers of the cluster, or the one that is alone.
func (a *API) nodes(ctx context.Context, _ *nothing) (*nodesOutput, error) {
	page := rest.Page[rest.Node]{Items: []rest.Node{}}
	if a.Nodes == nil {
		return &nodesOutput{page}, nil
	}
	found, err := a.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	page.Items = append(page.Items, found...)
	return &nodesOutput{page}, nil
}

type nodeInput struct {
	ID string `path:"id" maxLength:"253" doc:"its name"`
}

// drainNode has a server take no new calls; those that are on go on.
func (a *API) drainNode(ctx context.Context, in *nodeInput) (*nothing, error) {
	return nil, a.setDraining(ctx, in.ID, true)
}

// undrainNode has it take new calls again.
func (a *API) undrainNode(ctx context.Context, in *nodeInput) (*nothing, error) {
	return nil, a.setDraining(ctx, in.ID, false)
}

// setDraining is on record before it is done.
func (a *API) setDraining(ctx context.Context, name string, isDraining bool) error {
	action := rest.AuditDrain
	if !isDraining {
		action = rest.AuditUndrain
	}
	if err := a.recordNodeAct(ctx, name, caller(ctx).entry(action, name)); err != nil {
		return err
	}
	return a.NodeOperator.DrainNode(ctx, name, isDraining)
}

type endNodeInput struct {
	ID   string `path:"id" maxLength:"253" doc:"its name"`
	Body rest.EndRequest
}

type nodeCallsEndedOutput struct{ Body rest.NodeCallsEnded }

// endNodeCalls ends all calls of a server; it goes on taking new ones unless it drains.
func (a *API) endNodeCalls(ctx context.Context, in *endNodeInput) (*nodeCallsEndedOutput, error) {
	reason := visibleText(in.Body.Reason)
	if reason == "" {
		return nil, &fault.BadField{Field: "reason", Detail: "say why: the callers see it"}
	}
	entry := caller(ctx).entry(rest.AuditEndNodeCalls, in.ID)
	entry.Reason = reason
	if err := a.recordNodeAct(ctx, in.ID, entry); err != nil {
		return nil, err
	}
	ended, err := a.NodeOperator.EndNodeCalls(ctx, in.ID, reason)
	if err != nil {
		return nil, err
	}
	return &nodeCallsEndedOutput{rest.NodeCallsEnded{Ended: ended}}, nil
}

// recordNodeAct puts on record what is about to be done to a server that there is.
func (a *API) recordNodeAct(ctx context.Context, name string, entry rest.AuditEntry) error {
	if a.NodeOperator == nil {
		return fault.NotFound
	}
	found, err := a.Nodes(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(found, func(n rest.Node) bool { return n.Name == name }) {
		return fault.NotFound
	}
	return a.Audit.Record(ctx, entry)
}
