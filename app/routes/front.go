package routes

import (
	"context"
	"errors"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/call"
	"parley/app/ui"
	"parley/shared/rest"
)

// front is the address /: it sends people to their first page. It is kept by
// the worker for when there is no network, and so says that, too.
type front struct {
	app.Compo

	services *services
	failed   bool
	remove   func() // stops waiting for the network
}

// OnPreRender names the page.
func (f *front) OnPreRender(ctx app.Context) { ctx.Page().SetTitle("Parley") }

// OnMount asks who this is, and again once there is a network.
func (f *front) OnMount(ctx app.Context) {
	f.remove = onNetworkBack(ctx, func() bool { return f.failed }, f.ask)
	f.ask(ctx)
}

// OnDismount stops waiting for the network.
func (f *front) OnDismount() { f.remove() }

func (f *front) ask(ctx app.Context) {
	f.failed = false
	if f.services.client == nil {
		return
	}
	ctx.Async(func() {
		me, err := f.services.client.Me(ctx)
		ctx.Dispatch(func(ctx app.Context) {
			switch {
			case err == nil:
				f.services.open(ctx, call.Home(me.Rights))
			case isSignedOut(err):
				ctx.Navigate("/sign-in")
			default:
				f.failed = true
			}
		})
	})
}

// Render draws next to nothing: the page lasts one question.
func (f *front) Render() app.UI {
	body := app.UI(app.Div().Class("front").Body(ui.Mark(), ui.Heading("Parley")))
	if f.failed {
		body = noAnswer(f.services.deps.Settings, f.again)
	}
	return app.Div().Class("front-page").Body(append([]app.UI{ui.Main(body)}, ui.Regions()...)...)
}

func (f *front) again(ctx app.Context, e app.Event) { f.ask(ctx) }

// noAnswer stands for a page that the server was to be asked about: there is no
// network, or no server. Without a network the last call is shown, if one is kept.
func noAnswer(kept call.Storage, again app.EventHandler) app.UI {
	code := "unreachable"
	if !ui.IsOnline() {
		code = "offline"
	}
	w := ui.Copy(code)
	page := ui.Page{Icon: ui.IconOffline, Title: w.Title, Text: w.Text,
		Action: ui.Button(ui.Plain, ui.IconRefresh, ui.Copy("unreachable").Action(0)).OnClick(again)}.UI()
	if last := call.LastCall(kept); last != nil && code == "offline" {
		return app.Div().Body(page, last)
	}
	return page
}

// onNetworkBack does what waits for a network once the browser has one, and says so.
func onNetworkBack(ctx app.Context, waits func() bool, do func(app.Context)) (remove func()) {
	return ui.Listen(app.Window(), "online", func(app.Event) {
		ctx.Dispatch(func(ctx app.Context) {
			if waits() {
				ui.Announce("You're back online.")
				do(ctx)
			}
		})
	})
}

// isSignedOut reports whether an error says that nobody is signed in.
func isSignedOut(err error) bool {
	var problem *rest.Problem
	return errors.As(err, &problem) && problem.Code == rest.CodeUnauthorized
}

// whoAmI asks the server for the rights that decide what the shell shows.
func whoAmI(ctx context.Context, s *services) (*rest.Me, error) {
	me, err := s.client.Me(ctx)
	if err != nil {
		return nil, err
	}
	return &me, nil
}
