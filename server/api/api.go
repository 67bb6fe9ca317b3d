// Package api owns Parley's HTTP interface: routes, guards, bodies, problem
// details, rate limits, the monitoring stream, and the way of every other
// request to socket and pages. It decides nothing about calls: it asks, through
// the small interfaces below, and it never shows a caller what isn't theirs.
package api

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/server/auth"
	"parley/server/limit"
	"parley/shared/rest"
)

// DefaultStreamLifetime is how long a monitoring stream lives before its reader
// must come again and show its rights from the start.
const DefaultStreamLifetime = time.Hour

// Config is what an API is made of. All of the first part must be given.
type Config struct {
	Auth        *auth.Auth
	Sessions    Sessions
	Operator    Operator
	Monitor     Monitor
	Stream      MonitorStream
	Record      Record
	CallHistory History
	Totals      Totals
	Revocations Revocations
	Usage       Usage
	Ratings     Ratings
	Agents      Agents
	Logs        LogReader
	Audit       Audit
	// Nodes are the servers of the cluster, or the one that is alone; nil: none are told.
	Nodes func(context.Context) ([]rest.Node, error)
	// PlacesHeld are those of the cap of all calls that each of them holds; nil: this one is alone.
	PlacesHeld func(context.Context) ([]rest.NodePlaces, error)
	// NodeOperator is nil like Nodes.
	NodeOperator  NodeOperator
	Settings      Settings
	Alerts        Alerts
	AlertOperator AlertOperator
	Privacy       Privacy
	Meter         Meter

	// Provider signs people in with accounts of somebody else's, for ProviderSession each
	// time; nil: nobody does.
	Provider        IdentityProvider
	ProviderSession time.Duration

	// Confinement is where the process may write, as Privacy tells it.
	Confinement string
	// Fixed is what was set when the server started.
	Fixed []rest.FixedSetting
	// Deleted tells what went because it was too old; nil: nobody knows.
	Deleted func() rest.Deletion
	// MetricsToken gives what opens rest.PathMetrics beside an admin's token, as it
	// is now; nil or "": nothing does.
	MetricsToken func() string

	Act func(rest.Activity) // sign-ins and admins' acts, not yet masked, for the feed of activities
	// Ready tells whether the server takes no new calls any more, and the parts that
	// don't work while calls do. Default: ready.
	Ready          func() (isDraining bool, degraded []string)
	Remote         func(r *http.Request) string                                         // a request's peer address; default: as Auth knows it
	OnAnswer       func(r *http.Request, id, route string, status int, begun time.Time) // told of each request that Meter is
	SignInRefused  func(remote, org string)                                             // told of each, for whoever watches for guessers; org is "" where nobody knows
	StreamRefused  func()                                                               // told of each monitoring stream over a limit
	Socket         http.Handler                                                         // rest.PathSocket
	Calls          http.Handler                                                         // of OpenAI's clients: rest.PathCalls and what is beside it
	AgentEvents    AgentEvents                                                          // what passes between a client and its agent, for the description
	Site           http.Handler                                                         // everything that isn't the interface's
	Log            *slog.Logger                                                         // default: slog.Default
	Version        string                                                               // of the program, for /me and the description
	DemoData       bool                                                                 // some of what is shown is made up
	StreamLifetime time.Duration                                                        // default DefaultStreamLifetime
}

// API is the root handler of the server.
type API struct {
	Config
	mux  *http.ServeMux
	huma huma.API
	// epoch tells this life of the server from another: cursors start anew.
	epoch   string
	encoder Encoder

	unsafe  *limit.Limiter     // of requests that change something, by user
	signIns *limit.Limiter     // of refused ones, by address
	scrapes *limit.Limiter     // of refused ones, by address
	starts  *limit.Limiter     // of streams, by admin
	open    *limit.Concurrency // of streams, by admin
	exports *limit.Concurrency // under way, by admin
	// demoEntries are of who enters a demo server, by address.
	demoEntries *limit.Limiter

	denials *denials
	views   *countedViews

	description func() description // made by the first who asks

	streams sync.WaitGroup
	closing context.Context
	close   context.CancelFunc
}

// New makes the root handler. Close ends its streams.
func New(c Config) *API {
	a := &API{
		Config:  withDefaults(c),
		mux:     http.NewServeMux(),
		epoch:   rand.Text()[:8],
		encoder: NewEncoder(),

		unsafe:      limit.NewSliding(MaxUnsafe, time.Minute),
		signIns:     limit.NewSliding(MaxRefusedSignIns, time.Minute),
		scrapes:     limit.NewSliding(MaxRefusedScrapes, time.Minute),
		starts:      limit.NewSliding(MaxStreamStarts, time.Minute),
		open:        limit.NewConcurrency(MaxOpenStreams),
		exports:     limit.NewConcurrency(MaxOpenExports),
		demoEntries: newDemoEntries(),

		denials: newDenials(),
		views:   &countedViews{seen: make(map[string]*countedView)},
	}
	a.closing, a.close = context.WithCancel(context.Background())
	a.register()
	a.description = sync.OnceValue(a.makeDescription)
	return a
}

// register gives the API its routes.
func (a *API) register() {
	a.huma = huma.NewAPI(a.describe(), &adapter{a})
	a.routes()
	a.descriptionRoutes()
	a.describeSettings()
}

// Close ends the monitoring streams and exports, and waits for them.
func (a *API) Close() {
	a.close()
	a.streams.Wait()
}

func withDefaults(c Config) Config {
	if c.Act == nil {
		c.Act = func(rest.Activity) {}
	}
	if c.MetricsToken == nil {
		c.MetricsToken = func() string { return "" }
	}
	if c.SignInRefused == nil {
		c.SignInRefused = func(string, string) {}
	}
	if c.StreamRefused == nil {
		c.StreamRefused = func() {}
	}
	if c.Ready == nil {
		c.Ready = func() (bool, []string) { return false, nil }
	}
	if c.Remote == nil {
		c.Remote = c.Auth.Remote
	}
	if c.Socket == nil {
		c.Socket = http.HandlerFunc(notFound)
	}
	if c.Calls == nil {
		c.Calls = http.HandlerFunc(notFound)
	}
	if c.Site == nil {
		c.Site = http.HandlerFunc(notFound)
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.StreamLifetime == 0 {
		c.StreamLifetime = DefaultStreamLifetime
	}
	return c
}
