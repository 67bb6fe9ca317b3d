package api

import (
	"context"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"parley/shared/rest"
)

// UsageGrouping is what sums of usage are told apart by.
type UsageGrouping struct {
	Group string `query:"group" pattern:"^(day|user|agent)(,(day|user|agent)){0,2}$" doc:"what sums are told apart by, day, user or agent, with commas between; none: one sum for each currency"`
}

func (g UsageGrouping) group() rest.UsageGroup {
	by := strings.Split(g.Group, ",")
	return rest.UsageGroup{Day: slices.Contains(by, "day"), User: slices.Contains(by, "user"), Agent: slices.Contains(by, "agent")}
}

type usageInput struct {
	PageQuery
	UsageGrouping
	rest.UsageQuery
}

type usageOutput struct{ Body rest.Page[rest.UsageRow] }

// narrowUsage completes what was asked for, within what the visitor administers.
func (a *API) narrowUsage(ctx context.Context, q rest.UsageQuery, by UsageGrouping, page PageQuery) (rest.UsageQuery, error) {
	q.Org, q.Group, q.Cursor, q.Limit = caller(ctx).scope.Org, by.group(), page.Cursor, page.Limit
	err := checkSpan(q.From, q.To)
	q.From, q.To = clampRange(q.From, q.To)
	return q, err
}

// usage adds up what was used. Grouped by user it is a look at people, else it names
// nobody.
func (a *API) usage(ctx context.Context, in *usageInput) (*usageOutput, error) {
	q, err := a.narrowUsage(ctx, in.UsageQuery, in.UsageGrouping, in.PageQuery)
	if err != nil {
		return nil, err
	}
	found, next, err := a.Usage.Usage(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &usageOutput{rest.Page[rest.UsageRow]{Items: found, NextCursor: next}}
	if !q.Group.User {
		a.countView(ctx, "usage")
		return out, nil
	}
	users := firstAndLast(found, func(r rest.UsageRow) string { return r.User })
	return out, a.recordView(ctx, auditView{resource: "usage", rows: len(found), ids: users})
}

type usageExport struct {
	ExportFormat
	UsageGrouping
	rest.UsageQuery
}

func (a *API) exportUsage(ctx context.Context, in *usageExport) (*huma.StreamResponse, error) {
	q, err := a.narrowUsage(ctx, in.UsageQuery, in.UsageGrouping, PageQuery{Limit: exportPage})
	if err != nil {
		return nil, err
	}
	return streamExport(ctx, a, "usage", in.Format, func(ctx context.Context, cursor string) ([]rest.UsageRow, string, error) {
		q.Cursor = cursor
		return a.Usage.Usage(ctx, q)
	})
}
