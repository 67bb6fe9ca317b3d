package routes

import (
	"net/url"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/call"
	"parley/app/ui"
)

// Program is one of the two that browsers run: nobody loads what they don't
// use. Both are built from the same packages and share a worker.
type Program string

// The programs.
const (
	Callers Program = "callers" // calls, and all that isn't below /admin
	Admins  Program = "admins"  // all below /admin
)

// ProgramFor is the program that shows an address. The sign-in page is in both:
// it belongs to the one that shows what comes next.
func ProgramFor(u *url.URL) Program {
	if u.Path == SignInPath {
		next, _, _ := strings.Cut(u.Query().Get("next"), "?")
		return programOf(next)
	}
	return programOf(u.Path)
}

func programOf(path string) Program {
	if IsAdmins(path) {
		return Admins
	}
	return Callers
}

// IsAdmins reports whether an address is for admins only.
func IsAdmins(path string) bool { return path == "/admin" || strings.HasPrefix(path, "/admin/") }

// activeCall is the call that goes on whatever page is shown.
type activeCall interface {
	resume()
	hangup()
	isBusy() bool
	isMuted() bool
	mute(bool)
	watch(changed func()) (remove func())
	bar(here bool) app.UI
}

// callOf is the call engine's. Only the callers' program has it.
type callOf struct{ engine *call.Engine }

func (s *services) addCall() (closeAll func()) {
	d := s.deps
	e := call.NewEngine(call.Config{Peer: d.Peer, Fetcher: d.Fetcher, Storage: d.Storage, Settings: d.Settings, Locks: d.Locks})
	s.call = callOf{e}
	return e.Close
}

func engineOf(s *services) *call.Engine { return s.call.(callOf).engine }

func (c callOf) resume()              { c.engine.Resume() }
func (c callOf) hangup()              { c.engine.Hangup() }
func (c callOf) bar(here bool) app.UI { return &call.Bar{Engine: c.engine, Here: here} }

func (c callOf) isMuted() bool { return c.engine.Picture().Talk.Muted }
func (c callOf) mute(on bool)  { c.engine.Mute(on) }

func (c callOf) watch(changed func()) (remove func()) { return c.engine.Watch(changed) }

func (c callOf) isBusy() bool {
	phase := c.engine.Picture().Phase
	return phase == call.Live || phase == call.Connecting
}

// isBusy reports whether leaving the program would end a call.
func (s *services) isBusy() bool { return s.call != nil && s.call.isBusy() }

// open goes to an address of either program. The other one is loaded anew; while
// a call is up, into a tab of its own, so that the call goes on.
func (s *services) open(ctx app.Context, address string) { s.goes(ctx, address) }

func (s *services) goTo(ctx app.Context, address string) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
	case u.Path == SignInPath || programOf(u.Path) == s.program:
		ctx.Navigate(address)
	case s.isBusy():
		openTab(address)
	default:
		app.Window().Get("location").Call("assign", address)
	}
}

func openTab(address string) {
	app.Window().Call("open", address, "_blank", "noopener")
	ui.Announce("Opened in a new tab.")
}

// separatePrograms takes the links to the other program's pages away from go-app,
// which would look for them in this one.
func (s *services) separatePrograms() {
	if app.IsServer {
		return
	}
	// Of the document, because go-app listens at the window, after it.
	ui.Listen(app.Window().Get("document"), "click", func(e app.Event) {
		address, ok := linkOf(e)
		if !ok || address.Host != app.Window().URL().Host || address.Path == SignInPath || programOf(address.Path) == s.program {
			return
		}
		if strings.HasPrefix(address.Path, "/api/") {
			return
		}
		e.Call("stopPropagation")
		if s.isBusy() {
			e.PreventDefault()
			openTab(address.String())
		}
	})
}

// linkOf is where a click leads, if it is a plain one on a link that opens here.
func linkOf(e app.Event) (*url.URL, bool) {
	for _, key := range []string{"ctrlKey", "metaKey", "shiftKey", "altKey", "defaultPrevented"} {
		if e.Get(key).Truthy() {
			return nil, false
		}
	}
	target := e.Get("target")
	if !target.Truthy() || !target.Get("closest").Truthy() {
		return nil, false
	}
	link := target.Call("closest", "a[href]:not([target=_blank],[download])")
	if !link.Truthy() {
		return nil, false
	}
	address, err := url.Parse(link.Get("href").String())
	return address, err == nil
}

// elsewhere stands where an address is the other program's: it is loaded, or,
// while a call is up, offered in a tab of its own.
func (s *shell) elsewhere() app.UI {
	switch {
	case s.services.program == Callers && s.isForbidden():
		return s.forbidden()
	case s.services.isBusy():
		w := ui.Copy("admin_apart")
		address := app.Window().URL().RequestURI()
		return ui.Page{Icon: ui.IconPhone, Title: w.Title, Text: w.Text,
			Action: app.A().Class("button", "button-plain").Href(address).Target("_blank").Text(w.Action(0))}.UI()
	case s.isStuck && (s.me != nil || s.isUnreachable):
		return noAnswer(nil, reload)
	}
	return app.Div().Class("page").Body(ui.PageHead("One moment…"), ui.Skeleton(ui.SkeletonTiles, 4))
}

// loadOther loads the program that shows the address. One that was loaded at this
// very address is the wrong one because the server couldn't be asked for the
// other: it waits for a press, rather than to load itself again and again.
func (s *shell) loadOther(ctx app.Context) {
	here := app.Window().URL().Path
	switch {
	case here == s.services.loadedAt:
		s.isStuck = true
	case !s.services.isBusy():
		ctx.Defer(func(ctx app.Context) { ctx.Reload() })
	}
}

func reload(ctx app.Context, e app.Event) { ctx.Reload() }
