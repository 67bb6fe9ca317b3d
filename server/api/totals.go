package api

import (
	"context"

	"parley/shared/rest"
)

type totalsInput struct{ rest.TotalsQuery }

type totalsOutput struct{ Body rest.Totals }

// totals are of calls that ended, of whoever the visitor administers.
func (a *API) totals(ctx context.Context, in *totalsInput) (*totalsOutput, error) {
	found, err := a.Totals.Totals(ctx, caller(ctx).scope.Org, in.Days)
	return &totalsOutput{found}, err
}
