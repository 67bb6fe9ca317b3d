package routes

import (
	"net/url"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/call"
	"parley/app/ui"
	"parley/shared/rest"
)

// shell stands around every page but the sign-in. go-app keeps it from page to
// page, because its type is the same: what it knows of the user stays.
type shell struct {
	app.Compo

	Path string // of the page inside, or what stands for none

	services *services
	id       string     // in the address; it is known once the browser is there
	query    url.Values // of the address
	me       *rest.Me
	theme    theme

	open     opened // the dialog over the page
	palette  palette
	remove   []func()  // stops listening for keys and the network
	pressedG time.Time // and a letter goes somewhere

	shown         int  // how many pages were, this one among them
	isNarrow      bool // the rail shows icons alone
	isUnreachable bool // the server didn't say who this is
	isStuck       bool // the address is the other program's, which did not come
}

// OnPreRender names the page by its address alone.
func (s *shell) OnPreRender(ctx app.Context) { ctx.Page().SetTitle(s.page().title) }

// OnMount asks who this is: nothing of it is in the prerendered page.
func (s *shell) OnMount(ctx app.Context) {
	s.theme = readTheme(s.services.deps.Settings)
	s.theme.show()
	s.isNarrow = readNarrow(s.services.deps.Settings)
	ctx.Handle(themeChanged, func(app.Context, app.Action) { s.theme = readTheme(s.services.deps.Settings) })
	if s.services.call != nil {
		s.services.call.resume()
	}
	s.remove = []func(){
		ui.Listen(app.Window(), "keydown", func(e app.Event) { s.keyDown(ctx, e) }),
		onNetworkBack(ctx, func() bool { return s.me == nil && s.isUnreachable || s.isStuck }, s.again),
	}
	s.ask(ctx)
}

// OnDismount stops listening.
func (s *shell) OnDismount() {
	for _, remove := range s.remove {
		remove()
	}
}

// OnNav runs on every change of page.
func (s *shell) OnNav(ctx app.Context) {
	ctx.Page().SetTitle(s.page().title)
	s.query = ctx.Page().URL().Query()
	if app.IsServer {
		return // the services are those of all requests, and nobody was here before
	}
	s.id, _ = match(s.page().path, ctx.Page().URL().Path)
	s.shown++
	if s.services.visited {
		ctx.Defer(func(app.Context) {
			ui.Call(app.Window(), "scrollTo", 0, 0)
			ui.FocusHeading()
		})
	}
	s.services.visited = true
	if s.Path == elsewherePath {
		s.loadOther(ctx)
	}
}

func (s *shell) page() page {
	if p, ok := pageAt(s.services.pages, s.Path); ok {
		return p
	}
	switch s.Path {
	case elsewherePath:
		return page{path: elsewherePath, title: "Parley", body: func(*services, string) app.UI { return s.elsewhere() }}
	case ForbiddenPath:
		return page{path: ForbiddenPath, title: "Admins only · Parley", body: func(*services, string) app.UI { return statePage(ui.IconLock, "admins_only") }}
	case ForeignAddressPath:
		return page{path: ForeignAddressPath, title: "Not from here · Parley", body: func(*services, string) app.UI { return statePage(ui.IconLock, "address_forbidden") }}
	}
	return page{path: LostPath, title: "Not found · Parley", body: notFound}
}

// ask asks for the rights. Without an answer the shell stays as it is: the page
// inside says what is wrong with the network.
func (s *shell) ask(ctx app.Context) {
	if s.services.client == nil {
		return
	}
	ctx.Async(func() {
		me, err := whoAmI(ctx, s.services)
		ctx.Dispatch(func(ctx app.Context) {
			switch {
			case err == nil:
				s.me = me
				if ui.HeadingHasFocus() { // an admin page brings a heading of its own
					ctx.Defer(func(app.Context) { ui.FocusHeading() })
				}
			case isSignedOut(err):
				u := ctx.Page().URL()
				ctx.Navigate(SignInPath + "?next=" + url.QueryEscape(u.RequestURI()))
			default:
				s.isUnreachable = true
			}
		})
	})
}

// Render draws the shell.
func (s *shell) Render() app.UI {
	body := []app.UI{
		ui.SkipLink(),
		s.head(),
		s.nav(),
		ui.Main(s.notice(), s.inside()),
	}
	if s.services.call != nil {
		body = append(body, s.services.call.bar(s.Path == "/call"))
	}
	body = append(body, &notice{services: s.services}, s.dialog())
	frame := "frame"
	if s.isReadOnly() {
		frame += " " + ui.ReadOnlyClass
	}
	if s.isNarrow {
		frame += " is-narrow"
	}
	whole := "app"
	if s.shown < 2 { // what the server prerendered goes on without a blink
		whole += " is-cold"
	}
	return app.Div().Class(whole).Body(
		app.Div().Class(frame).Body(append(body, ui.Regions()...)...))
}

// again asks once more who this is. An address of the other program's is loaded
// anew, unless that ended a call: this one can't show it.
func (s *shell) again(ctx app.Context) {
	switch {
	case s.isStuck && s.services.isBusy():
		return
	case s.isStuck:
		ctx.Reload()
		return
	}
	s.isUnreachable = false
	s.ask(ctx)
}

// inside is the page, or why it isn't shown. An admin page waits for the
// rights, so that it asks the server for nothing that would be refused.
func (s *shell) inside() app.UI {
	p := s.page()
	switch {
	case p.admin && s.isForbidden():
		return s.forbidden()
	case p.admin && s.me == nil && s.isUnreachable:
		return app.Div().Class("page").Body(noAnswer(s.services.deps.Settings, func(ctx app.Context, _ app.Event) { s.again(ctx) }))
	case p.admin && s.me == nil, hasID(p.path) && s.id == "":
		return s.skeleton(p)
	case hasID(p.path):
		return &keyed{ID: s.id, Body: func() app.UI { return p.body(s.services, s.id) }}
	}
	return p.body(s.services, "")
}

// skeleton is a page that waits for the rights, or for the browser to say its id. An
// admin's is the page itself without a way to the server, in the size that it will have,
// and of no use yet: it is never mounted.
func (s *shell) skeleton(p page) app.UI {
	if !p.admin {
		return app.Div().Class("page").Body(ui.PageHead(pageName(p)), ui.Skeleton(ui.SkeletonTiles, 4))
	}
	apart := *s.services
	apart.client = nil
	body := p.body(&apart, s.id)
	if t, ok := body.(tabbed); ok {
		t.ChooseTab(s.query)
	}
	return app.Div().Class("page-waiting").Attr("inert", true).Body(body.(app.Composer).Render())
}

// tabbed is a page that looks otherwise, from the start, for one address than for another.
// What the query holds else must not be drawn.
type tabbed interface{ ChooseTab(query url.Values) }

// notice tells admins what is off on the server, and auditors what they are; on other
// pages it is empty.
func (s *shell) notice() app.UI {
	if !s.page().admin || s.me == nil || !s.me.Rights.Admin {
		return app.Div().Class("notices", "is-empty")
	}
	body := []app.UI{}
	if s.isReadOnly() {
		body = append(body, app.Div().Class("notices").Body(ui.Banner{Tone: ui.ToneInfo, Text: ui.Copy("read_only").Text}.UI()))
	}
	if s.services.notice != nil {
		body = append(body, s.services.notice())
	}
	return app.Div().Body(body...)
}

// isReadOnly reports whether this is an admin page of somebody who may change nothing.
func (s *shell) isReadOnly() bool { return s.page().admin && s.me != nil && s.me.Rights.ReadOnly }

// keyed keeps pages of one kind apart: another id mounts another page.
type keyed struct {
	app.Compo

	ID   string
	Body func() app.UI
}

// CompoID implements app.DismountEnforcer.
func (k *keyed) CompoID() string { return k.ID }

// Render draws the page.
func (k *keyed) Render() app.UI { return k.Body() }

func notFound(*services, string) app.UI { return statePage(ui.IconSearch, "not_found") }

// isForbidden reports whether the server is known to show this user no admin page.
func (s *shell) isForbidden() bool { return s.me != nil && !s.me.Rights.Admin }

// forbidden is an admin page for those who may not see it.
func (s *shell) forbidden() app.UI {
	if s.me.Rights.ForeignAddress {
		return statePage(ui.IconLock, "address_forbidden")
	}
	return statePage(ui.IconLock, "admins_only")
}

func statePage(icon ui.IconName, code string) app.UI {
	w := ui.Copy(code)
	p := ui.Page{Icon: icon, Title: w.Title, Text: w.Text}
	if label := w.Action(0); label != "" {
		p.Action = app.A().Class("button", "button-plain").Href("/call").Text(label)
	}
	return app.Div().Class("page").Body(p.UI())
}

// pageName is the title without the name of the product.
func pageName(p page) string {
	return p.title[:len(p.title)-len(" · Parley")]
}

func (s *shell) head() app.UI {
	tools := []app.UI{}
	if app.IsClient {
		tools = append(tools, &ui.ZoneButton{})
	}
	if s.presumed() != nil {
		tools = append(tools, s.searchButton())
	}
	tools = append(tools, ui.IconButton(s.theme.icon(), s.theme.label()).Class("head-theme").OnClick(s.nextTheme))
	if s.me != nil {
		tools = append(tools, app.Span().Class("who").Body(
			app.Span().Class("who-sign").Aria("hidden", true).Text(initials(s.me)),
			app.Span().Class("who-name").Text(displayName(s.me)),
		), ui.IconButton(ui.IconLogOut, "Sign out").OnClick(s.signOut))
	}
	if s.me == nil && s.presumed() != nil { // a place for the name and the way out
		tools = append(tools, app.Span().Class("who-waiting").Aria("hidden", true).Body(app.Span().Class("who-sign")))
	}
	ribbon := app.UI(app.Span().Class("demo-ribbon", "is-empty"))
	if s.me != nil && s.me.Mode == "demo" {
		ribbon = call.DemoRibbon()
	}
	if s.me != nil && s.me.DemoData {
		ribbon = call.DemoDataRibbon()
	}
	return app.Header().Class("head").Body(
		app.A().Class("head-brand").Href("/call").Aria("label", "Parley").Body(ui.Brand()),
		ribbon,
		app.Div().Class("head-tools").Body(tools...),
	)
}

func (s *shell) nextTheme(ctx app.Context, e app.Event) {
	s.theme = s.theme.next()
	s.theme.keep(s.services.deps.Settings)
	s.theme.show()
	ui.Announce(s.theme.label())
}

// signOut ends a running call first: it would end with the sign-in anyway, and
// not in the caller's own words.
func (s *shell) signOut(ctx app.Context, e app.Event) {
	if s.services.call != nil {
		s.services.call.hangup()
	}
	ctx.Async(func() {
		next, err := s.services.client.SignOut(ctx)
		ctx.Dispatch(func(ctx app.Context) {
			if err != nil && !isSignedOut(err) {
				ui.Alert("We couldn't sign you out. Check your connection, then try again.")
				return
			}
			s.me = nil
			call.ForgetSignIn(s.services.deps.Settings)
			if next != "" {
				app.Window().Get("location").Set("href", next) // Navigate would open another window
				return
			}
			ctx.Navigate("/sign-in")
		})
	})
}
