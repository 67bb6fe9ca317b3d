package api

import (
	"context"
	"slices"

	"parley/server/fault"
	"parley/shared/rest"
)

type nodesOutput struct{ Body rest.Page[rest.Node] }

// nodes are the servers of the cluster; alone there are none.
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
	if a.DrainNode == nil {
		return fault.NotFound
	}
	found, err := a.Nodes(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(found, func(n rest.Node) bool { return n.Name == name }) {
		return fault.NotFound
	}
	action := rest.AuditDrain
	if !isDraining {
		action = rest.AuditUndrain
	}
	entry := caller(ctx).entry(action, name)
	if err := a.Audit.Record(ctx, entry); err != nil {
		return err
	}
	return a.DrainNode(ctx, name, isDraining)
}
