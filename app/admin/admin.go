// Package admin owns the admins' pages: the overview, which says in one
// sentence whether calls are good, and the live sessions, where one can be
// ended. A page holds a picture, apply brings it up to date, Render draws it.
// The package decides nothing about rights (the server does, on every request)
// and knows neither browser, server nor the caller's pages.
package admin

import (
	"context"

	"parley/app/client"
	"parley/shared/rest"
)

// Monitor is what the pages need of the server. *client.Client is one.
type Monitor interface {
	// Watch makes a watch of the monitoring stream; it does nothing until Run.
	Watch(on func([]client.Frame)) *client.Watch
	// EndSession ends a session now; the caller sees the reason. A refusal is a
	// *rest.Problem.
	EndSession(ctx context.Context, id, reason string) error
	Past
}

// Past is what the pages ask of what is over.
type Past interface {
	// History is how calls were over some time.
	History(ctx context.Context, q rest.HistoryQuery) (rest.History, error)
	Privacy(ctx context.Context) (rest.Privacy, error)
	// Totals is what all calls came to.
	Totals(ctx context.Context, q rest.TotalsQuery) (rest.Totals, error)
	// Nodes are the servers of a cluster.
	Nodes(ctx context.Context) (rest.Page[rest.Node], error)
	// Sessions is a page of ended sessions, the last begun first.
	Sessions(ctx context.Context, q rest.SessionQuery) (rest.Page[rest.SessionRecord], error)
	// ExtendSession begins the idle time of a live session anew.
	ExtendSession(ctx context.Context, id string) error
	// CheckTimeouts has every deadline looked at now.
	CheckTimeouts(ctx context.Context) (rest.TimeoutsChecked, error)
}
