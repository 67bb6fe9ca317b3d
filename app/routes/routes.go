// Package routes owns which page an address shows and the shell around every
// page: navigation, titles, live regions, the bar of a running call. Both mains
// call Register; the server's with zero Deps, because it prerenders the shell
// and skeletons only. It knows no browser and no server.
package routes

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin"
	"parley/app/call"
	"parley/app/client"
)

// Deps are what the pages need of the browser. The zero value prerenders.
type Deps struct {
	Peer    call.Peer
	Fetcher client.Fetcher
	Streams client.Streams
	// Demo tells that the server runs in demo mode, which the sign-in page says
	// before anybody has signed in.
	Demo bool
}

// page is one address of the app.
type page struct {
	path  string
	title string
	admin bool // for admins only; the server decides, this only hides
	body  func(*house) app.UI
}

// pages lists every address inside the shell.
func pages() []page {
	return []page{
		{path: "/call", title: "Ready to call · Parley", body: callPage},
		{path: "/admin", title: "Overview · Parley", admin: true, body: overviewPage},
		{path: "/admin/sessions", title: "Sessions · Parley", admin: true, body: sessionsPage},
	}
}

func callPage(h *house) app.UI     { return &call.Page{Engine: h.engine} }
func overviewPage(h *house) app.UI { return admin.NewOverview(h.monitor()) }
func sessionsPage(h *house) app.UI { return admin.NewSessions(h.monitor()) }

// Known reports whether an address shows a page: the server answers 404 for
// all others, with the page that says so.
func Known(path string) bool {
	if path == "/" || path == "/sign-in" {
		return true
	}
	_, found := pageAt(path)
	return found
}

func pageAt(path string) (page, bool) {
	for _, p := range pages() {
		if p.path == path {
			return p, true
		}
	}
	return page{}, false
}

// house is what all pages share: one engine, one way to the server.
type house struct {
	deps   Deps
	engine *call.Engine
	client *client.Client // nil while prerendering
}

// monitor is nil, and not an interface around nil, while prerendering.
func (h *house) monitor() admin.Monitor {
	if h.client == nil {
		return nil
	}
	return h.client
}

// Register tells go-app every address. It makes the one call engine, which
// outlives the pages, and returns what ends it.
func Register(d Deps) (closeAll func()) {
	h := &house{deps: d, engine: call.NewEngine(call.Config{Peer: d.Peer, Fetcher: d.Fetcher})}
	if d.Fetcher != nil {
		h.client = client.New(d.Fetcher, d.Streams)
	}
	app.Route("/", func() app.Composer { return &front{house: h} })
	app.Route("/sign-in", func() app.Composer { return &call.SignIn{Fetcher: d.Fetcher, Demo: d.Demo} })
	for _, p := range pages() {
		app.Route(p.path, func() app.Composer { return &shell{house: h, Path: p.path} })
	}
	app.Route(ForbiddenPath, func() app.Composer { return &shell{house: h, Path: ForbiddenPath} })
	app.RouteWithRegexp("^/.*$", func() app.Composer { return &shell{house: h, Path: LostPath} })
	return h.engine.Close
}

// What the server prerenders instead of a page that it doesn't show. Neither is
// an address: Known knows none of them.
const (
	LostPath      = "/404" // there is no page
	ForbiddenPath = "/403" // the page is for admins
)

// IsAdmins reports whether an address shows a page for admins only.
func IsAdmins(path string) bool {
	p, found := pageAt(path)
	return found && p.admin
}
