package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"parley/shared/rest"
)

type usageInput struct {
	PageQuery
	rest.UsageQuery
}

type usageOutput struct{ Body rest.Page[rest.UsageRow] }

// narrowUsage completes what was asked for, within what the visitor administers.
func (a *API) narrowUsage(ctx context.Context, q rest.UsageQuery, page PageQuery) (rest.UsageQuery, error) {
	q.Org, q.Cursor, q.Limit = caller(ctx).scope.Org, page.Cursor, page.Limit
	err := checkSpan(q.From, q.To)
	q.From, q.To = clampRange(q.From, q.To)
	return q, err
}

// usage adds up what was used. Grouped by user it is a look at people, else it names
// nobody.
func (a *API) usage(ctx context.Context, in *usageInput) (*usageOutput, error) {
	q, err := a.narrowUsage(ctx, in.UsageQuery, in.PageQuery)
	if err != nil {
		return nil, err
	}
	found, next, err := a.Usage.Usage(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &usageOutput{rest.Page[rest.UsageRow]{Items: found, NextCursor: next}}
	if !q.Group.Has(rest.UsageByUser) {
		a.countView(ctx, "usage")
		return out, nil
	}
	users := firstAndLast(found, func(r rest.UsageRow) string { return r.User })
	return out, a.recordView(ctx, auditView{resource: "usage", rows: len(found), ids: users})
}

type usageExport struct {
	ExportFormat
	rest.UsageQuery
}

func (a *API) exportUsage(ctx context.Context, in *usageExport) (*huma.StreamResponse, error) {
	q, err := a.narrowUsage(ctx, in.UsageQuery, PageQuery{Limit: exportPage})
	if err != nil {
		return nil, err
	}
	return streamExport(ctx, a, "usage", in.Format, func(ctx context.Context, cursor string) ([]rest.UsageRow, string, error) {
		q.Cursor = cursor
		return a.Usage.Usage(ctx, q)
	})
}
