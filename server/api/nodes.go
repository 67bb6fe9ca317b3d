package api

import (
	"context"

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
