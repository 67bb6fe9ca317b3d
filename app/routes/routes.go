// Package routes owns which page an address shows and the shell around every
// page: navigation, titles, live regions, the bar of a running call. Both mains
// call Register; the server's with zero Deps, because it prerenders the shell
// and skeletons only. It knows no browser and no server.
package routes

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin"
	"parley/app/admin/detail"
	"parley/app/call"
	"parley/app/client"
)

// Deps are what the pages need of the browser. The zero value prerenders.
type Deps struct {
	Peer    call.Peer
	Fetcher client.Fetcher
	Streams client.Streams
	// Storage lasts as long as the page's tab, Settings as long as the browser.
	Storage, Settings call.Storage
	Locks             call.Locks
	// Demo tells that the server runs in demo mode, which the sign-in page says
	// before anybody has signed in.
	Demo bool
}

// page is one address of the app.
type page struct {
	// path may have one segment in braces, "/call/{sid}/summary": it stands for
	// any, which body gets.
	path  string
	title string
	admin bool // for admins only; the server decides, this only hides
	body  func(s *services, id string) app.UI
}

// pages lists every address inside the shell.
func pages() []page { return append(callerPages(), adminPages()...) }

func callerPages() []page {
	return []page{
		{path: "/call", title: "Ready to call · Parley", body: callPage},
		{path: "/call/{sid}/summary", title: "Call summary · Parley", body: notFound},
	}
}

func adminPages() []page {
	return []page{
		{path: "/admin", title: "Overview · Parley", admin: true, body: overviewPage},
		{path: "/admin/sessions", title: "Sessions · Parley", admin: true, body: sessionsPage},
		{path: "/admin/alerts", title: "Alerts · Parley", admin: true, body: alertsPage},
		{path: "/admin/alerts/rules", title: "Alert rules · Parley", admin: true, body: alertRulesPage},
		{path: "/admin/settings", title: "Settings · Parley", admin: true, body: settingsPage},
		{path: "/admin/sessions/{sid}", title: "Session · Parley", admin: true, body: detailPage},
	}
}

func callPage(s *services, _ string) app.UI     { return &call.Page{Engine: s.engine} }
func overviewPage(s *services, _ string) app.UI { return admin.NewOverview(s.monitor()) }
func sessionsPage(s *services, _ string) app.UI { return admin.NewSessions(s.monitor()) }

func detailPage(s *services, id string) app.UI {
	if s.client == nil {
		return detail.New(id, nil, nil)
	}
	return detail.New(id, s.client, s.client)
}

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
		if _, ok := match(p.path, path); ok || p.path == path {
			return p, true
		}
	}
	return page{}, false
}

// services are what all pages share: one engine, one way to the server.
type services struct {
	deps   Deps
	engine *call.Engine
	client *client.Client // nil while prerendering
	// visited: a page was shown before this one, so that the focus goes to the
	// new one's heading. Only the browser's side writes it.
	visited bool
}

// monitor is nil, and not an interface around nil, while prerendering.
func (s *services) monitor() admin.Monitor {
	if s.client == nil {
		return nil
	}
	return s.client
}

// Register tells go-app every address. It makes the one call engine, which
// outlives the pages, and returns what ends it.
func Register(d Deps) (closeAll func()) {
	s := &services{deps: d, engine: call.NewEngine(call.Config{Peer: d.Peer, Fetcher: d.Fetcher, Storage: d.Storage, Settings: d.Settings, Locks: d.Locks})}
	if d.Fetcher != nil {
		s.client = client.New(d.Fetcher, d.Streams)
	}
	app.Route("/", func() app.Composer { return &front{services: s} })
	app.Route("/sign-in", func() app.Composer {
		if app.IsClient {
			s.visited = true
		}
		return &call.SignIn{Engine: s.engine, Fetcher: d.Fetcher, Settings: d.Settings, Demo: d.Demo}
	})
	for _, p := range pages() {
		newShell := func() app.Composer { return &shell{services: s, Path: p.path} }
		if hasID(p.path) {
			app.RouteWithRegexp(pathPattern(p.path), newShell)
		} else {
			app.Route(p.path, newShell)
		}
	}
	app.Route(ForbiddenPath, func() app.Composer { return &shell{services: s, Path: ForbiddenPath} })
	app.RouteWithRegexp("^/.*$", func() app.Composer { return &shell{services: s, Path: LostPath} })
	return s.engine.Close
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
