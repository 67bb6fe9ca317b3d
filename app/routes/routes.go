// Package routes owns which page an address shows and the shell around every
// page: navigation, titles, live regions, the bar of a running call. Browsers
// run one of two programs, the callers' or the admins', and each registers its
// own pages; the server registers all, with zero Deps, because it prerenders
// the shell and skeletons only. It knows no browser and no server.
package routes

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin"
	"parley/app/admin/detail"
	"parley/app/call"
	"parley/app/client"
	"parley/shared/rest"
)

// Deps are what the pages need of the browser. The zero value prerenders.
type Deps struct {
	Peer    call.Peer
	Fetcher client.Fetcher
	Streams client.Streams
	// Storage lasts as long as the page's tab, Settings as long as the browser.
	Storage, Settings call.Storage
	Locks             call.Locks
	// Provider is whose accounts people may sign in with, as the button says it; "" for
	// nobody's.
	Provider string
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
	api   string // where the interface has what an admin's page shows, by the same query
}

// callerPages are those of the callers' program.
func callerPages() []page {
	return []page{
		{path: "/call", title: "Ready to call · Parley", body: callPage},
		{path: "/call/{sid}/summary", title: "Call summary · Parley", body: summaryPage},
		{path: "/history", title: "My calls · Parley", body: historyPage},
		{path: "/settings", title: "Settings · Parley", body: callerSettings},
	}
}

// sessionPath is that of one session.
const sessionPath = "/admin/sessions/{sid}"

// adminPages are those of the admins' program: all below /admin.
func adminPages() []page {
	return []page{
		{path: "/admin", title: "Overview · Parley", admin: true, body: overviewPage, api: rest.PathStats},
		{path: "/admin/sessions", title: "Sessions · Parley", admin: true, body: sessionsPage, api: rest.PathActive},
		{path: "/admin/activity", title: "Activity · Parley", admin: true, body: activityPage, api: rest.PathActivities},
		{path: "/admin/logs", title: "Access logs · Parley", admin: true, body: accessLogPage, api: rest.PathLogs},
		{path: "/admin/audit", title: "Audit log · Parley", admin: true, body: auditLogPage, api: rest.PathAudit},
		{path: "/admin/alerts", title: "Alerts · Parley", admin: true, body: alertsPage, api: rest.PathAlerts},
		{path: "/admin/alerts/rules", title: "Alert rules · Parley", admin: true, body: alertRulesPage, api: rest.PathAlertRules},
		{path: "/admin/privacy", title: "Privacy · Parley", admin: true, body: privacyPage, api: rest.PathPrivacy},
		{path: "/admin/people", title: "People · Parley", admin: true, body: peoplePage, api: rest.PathRevocations},
		{path: "/admin/agents", title: "Agents · Parley", admin: true, body: agentsPage, api: rest.PathAgents},
		{path: "/admin/nodes", title: "Nodes · Parley", admin: true, body: nodesPage, api: rest.PathNodes},
		{path: "/admin/usage", title: "Usage · Parley", admin: true, body: usagePage, api: rest.PathUsage},
		{path: "/admin/settings", title: "Settings · Parley", admin: true, body: settingsPage, api: rest.PathSettings},
		{path: sessionPath, title: "Session · Parley", admin: true, body: detailPage, api: rest.PathConnection},
	}
}

func callPage(s *services, _ string) app.UI     { return &call.Page{Engine: engineOf(s)} }
func summaryPage(s *services, id string) app.UI { return call.NewSummary(engineOf(s), id) }
func historyPage(s *services, _ string) app.UI  { return &call.History{Engine: engineOf(s)} }

func callerSettings(s *services, _ string) app.UI {
	return &call.SettingsPage{Engine: engineOf(s),
		Theme: func() string { return string(readTheme(s.deps.Settings)) },
		ChooseTheme: func(ctx app.Context, chosen string) {
			t := theme(chosen)
			t.keep(s.deps.Settings)
			t.show()
			ctx.NewAction(themeChanged)
		}}
}

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
	if path == "/" || path == SignInPath {
		return true
	}
	_, isCallers := pageAt(callerPages(), path)
	_, isAdmins := pageAt(adminPages(), path)
	return isCallers || isAdmins
}

func pageAt(pages []page, path string) (page, bool) {
	for _, p := range pages {
		if _, ok := match(p.path, path); ok || p.path == path {
			return p, true
		}
	}
	return page{}, false
}

// services are what all pages of a program share.
type services struct {
	deps    Deps
	program Program
	pages   []page
	call    activeCall     // nil in the admins' program
	notice  func() app.UI  // stands above admins' pages; nil in the callers' program
	client  *client.Client // nil while prerendering
	// loadedAt is the address at which the browser loaded the program.
	loadedAt string
	// visited: a page was shown before this one, so that the focus goes to the
	// new one's heading. Only the browser's side writes it.
	visited bool
	// goes shows another address; tests have one of their own.
	goes func(ctx app.Context, address string)
}

func newServices(d Deps, p Program, pages []page) *services {
	s := &services{deps: d, program: p, pages: pages}
	s.goes = s.goTo
	if d.Fetcher != nil {
		s.client = client.New(d.Fetcher, d.Streams)
	}
	if app.IsClient {
		s.loadedAt = app.Window().URL().Path
	}
	return s
}

// monitor is nil, and not an interface around nil, while prerendering.
func (s *services) monitor() admin.Monitor {
	if s.client == nil {
		return nil
	}
	return s.client
}

// RegisterCallers tells go-app the addresses of the callers' program. It makes
// the one call engine, which outlives the pages, and returns what ends it.
func RegisterCallers(d Deps) (closeAll func()) {
	s := newServices(d, Callers, callerPages())
	closeAll = s.addCall()
	app.Route("/", func() app.Composer { return &front{services: s} })
	s.register()
	app.RouteWithRegexp("^/admin(?:/.*)?$", s.shellAt(elsewherePath))
	app.RouteWithRegexp("^/.*$", s.shellAt(LostPath))
	s.separatePrograms()
	return closeAll
}

// RegisterAdmins tells go-app the addresses of the admins' program.
func RegisterAdmins(d Deps) {
	s := newServices(d, Admins, adminPages())
	s.notice = s.settingsNotice
	s.register()
	app.RouteWithRegexp("^/admin/.*$", s.shellAt(LostPath))
	app.RouteWithRegexp("^/.*$", s.shellAt(elsewherePath))
	s.separatePrograms()
}

// RegisterAll tells go-app all addresses, for prerendering.
func RegisterAll(d Deps) (closeAll func()) {
	s := newServices(d, Callers, append(callerPages(), adminPages()...))
	closeAll = s.addCall()
	app.Route("/", func() app.Composer { return &front{services: s} })
	s.register()
	app.Route(ForbiddenPath, s.shellAt(ForbiddenPath))
	app.Route(ForeignAddressPath, s.shellAt(ForeignAddressPath))
	app.RouteWithRegexp("^/.*$", s.shellAt(LostPath))
	return closeAll
}

func (s *services) register() {
	app.Route(SignInPath, s.signIn)
	for _, p := range s.pages {
		if hasID(p.path) {
			app.RouteWithRegexp(pathPattern(p.path), s.shellAt(p.path))
		} else {
			app.Route(p.path, s.shellAt(p.path))
		}
	}
}

func (s *services) shellAt(path string) func() app.Composer {
	return func() app.Composer { return &shell{services: s, Path: path} }
}

// SignInPath is where one signs in.
const SignInPath = "/sign-in"

func (s *services) signIn() app.Composer {
	if app.IsClient {
		s.visited = true
	}
	page := &call.SignIn{Fetcher: s.deps.Fetcher, Settings: s.deps.Settings, Demo: s.deps.Demo, Provider: s.deps.Provider}
	if s.call != nil {
		page.Bar = func() app.UI { return s.call.bar(false) }
	}
	return page
}

// What is shown instead of a page. None is an address: Known knows none of them.
const (
	LostPath           = "/404"         // there is no page
	ForbiddenPath      = "/403"         // the page is for admins
	ForeignAddressPath = "/403/address" // the page is for admins, and none may come from there
	elsewherePath      = "/elsewhere"
)
