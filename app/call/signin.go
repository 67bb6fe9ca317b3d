package call

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/app/ui"
	"parley/shared/rest"
)

// SignIn turns a sign-in link or a pasted token into a session cookie. Parley
// keeps no passwords.
type SignIn struct {
	app.Compo

	Bar      func() app.UI // of a call under way: who goes back comes here; nil without calls
	Fetcher  client.Fetcher
	Settings Storage // lasts longer than the page; nil while prerendering
	Demo     bool
	Provider string // whose accounts people may sign in with, as the button says it; "": nobody's

	ready   bool // the program runs, and has read the address
	byLink  bool // this sign-in came from the address
	token   string
	next    string
	passkey string // of the demo's admin
	asks    bool   // for the passkey
	busy    bool
	over    bool // somebody was sent here because their session ended
	problem string
	field   string // what the problem is about, by its id
}

// attempt is one way to sign in: what it asks the server, the field that it came from,
// and the words for why it failed.
type attempt struct {
	ask   func(context.Context, *client.Client) error
	field string
	words func(error) string
}

// OnPreRender names the page.
func (s *SignIn) OnPreRender(ctx app.Context) { ctx.Page().SetTitle("Sign in · Parley") }

// OnNav reads the address, and signs in by itself if it is a link. It also runs
// when a link is pasted over this very page.
func (s *SignIn) OnNav(ctx app.Context) {
	if app.IsServer {
		return
	}
	ctx.Page().SetTitle("Sign in · Parley")
	u := ctx.Page().URL()
	s.next = nextPath(u.Query().Get("next"))
	s.over = s.next != "" && wasSignedIn(s.Settings)
	token := tokenFrom(u.Fragment)
	s.ready, s.byLink = true, token != ""
	if code := "sign_in:" + u.Query().Get("problem"); ui.Known(code) {
		s.problem = ui.Copy(code).Text
	}
	if token == "" {
		ctx.Defer(func(app.Context) { ui.Focus(s.firstField()) })
		return
	}
	ctx.Page().ReplaceURL(&url.URL{Path: u.Path, RawQuery: u.RawQuery})
	s.signIn(ctx, token)
}

// firstField is what has the focus at first: in a demo nobody needs a token.
func (s *SignIn) firstField() string {
	if s.Demo {
		return enterField
	}
	return tokenField
}

// Render draws the card.
func (s *SignIn) Render() app.UI {
	body := []app.UI{
		app.Div().Class("sign-in-brand").Body(ui.Mark(), app.Span().Text("Parley")),
		ui.Heading("Talk to your agent."),
	}
	if s.over && s.problem == "" && !s.busy {
		body = append(body, app.P().Class("sign-in-note").Text(ui.Copy("sign_in_over").Text))
	}
	body = append(body, s.way(),
		app.P().Class("foot-line").Body(ui.Icon(ui.IconLock), app.Span().Text("Audio is never stored here.")))
	page := []app.UI{app.Section().Class("sign-in-card").Body(body...)}
	if s.Demo {
		page = append([]app.UI{DemoRibbon()}, page...)
	}
	parts := append([]app.UI{ui.Main(page...)}, ui.Regions()...)
	if s.Bar != nil {
		parts = append(parts, s.Bar())
	}
	return app.Div().Class("sign-in").Body(parts...)
}

// way is how to sign in: by the form, or by waiting. Until the program runs
// there is nothing that a browser could submit by itself, which would put the
// token into an address.
func (s *SignIn) way() app.UI {
	if s.ready && !s.byLink {
		return s.form()
	}
	link := app.P().Class("sign-in-wait", "sign-in-by-link").Text("Signing in…")
	if s.ready {
		return link.Class("sign-in-ready")
	}
	return app.Div().Body(link, app.P().Class("sign-in-wait", "sign-in-by-form").Text("One moment…"))
}

// form has inputs without names: whatever submits it, it carries nothing.
func (s *SignIn) form() app.UI {
	label := "Sign in"
	if s.busy {
		label = "Signing in…"
	}
	input := s.secretInput(tokenField, "current-password").OnInput(s.ValueTo(&s.token))
	form := app.Form().Class("sign-in-form").OnSubmit(s.submit).Body(
		// Password managers file what they keep under a user name.
		app.Input().Type("text").Class("is-empty").Aria("hidden", true).
			TabIndex(-1).Attr("autocomplete", "username").Attr("value", "parley"),
		ui.Field(tokenField, "Access token", "", s.problemOf(tokenField), input),
		ui.Disabled(ui.Button(s.tokenButton(), "", label).Type("submit").Class("button-big"), s.busy),
	)
	var ways []app.UI
	if s.Provider != "" {
		ways = append(ways, ui.Button(ui.Primary, "", "Sign in with "+s.Provider).Class("button-big").OnClick(s.goToProvider))
	}
	if s.Demo {
		ways = append(ways, s.demoWays()...)
	}
	if len(ways) == 0 {
		return form
	}
	return app.Div().Class("sign-in-ways").Body(append(ways, app.P().Class("sign-in-or").Text("or"), form)...)
}

// secretInput is a field without a name, which carries nothing whatever submits it.
func (s *SignIn) secretInput(id, completed string) app.HTMLInput {
	input := app.Input().Class("input").ID(id).Type("password").Attr("autocomplete", completed).
		Attr("autocapitalize", "off").Spellcheck(false).Required(true)
	if s.problemOf(id) != "" {
		input = input.Aria("invalid", true).Aria("describedby", id+"-problem")
	}
	return input
}

// tokenField is the field of the token, by its id.
const tokenField = "token"

// problemOf is what is said below a field.
func (s *SignIn) problemOf(field string) string {
	if field != cmp.Or(s.field, tokenField) {
		return ""
	}
	return s.problem
}

// tokenButton is the page's main button where there is no other way.
func (s *SignIn) tokenButton() ui.Kind {
	if s.Provider == "" && !s.Demo {
		return ui.Primary
	}
	return ui.Plain
}

// goToProvider leaves the page; the provider sends the browser back.
func (s *SignIn) goToProvider(app.Context, app.Event) {
	rememberSignIn(s.Settings)
	address := rest.PathProviderStart
	if s.next != "" {
		address += "?next=" + url.QueryEscape(s.next)
	}
	app.Window().Get("location").Call("assign", address)
}

// DemoRibbon says that this is no production server.
func DemoRibbon() app.UI { return ribbon("demo") }

// DemoDataRibbon says that some of the calls that are shown are made up.
func DemoDataRibbon() app.UI { return ribbon("demo_data") }

func ribbon(code string) app.UI {
	w := ui.Copy(code)
	return app.P().Class("demo-ribbon").Body(app.Strong().Text(w.Title+"."), app.Span().Text(" "+w.Text))
}

func (s *SignIn) submit(ctx app.Context, e app.Event) {
	e.PreventDefault()
	if s.busy {
		return
	}
	if s.token == "" {
		s.fail(ctx, tokenField, ui.Copy("sign_in_empty").Text)
		return
	}
	s.signIn(ctx, s.token)
}

// signIn trades the token for the cookie and goes on to the first page.
func (s *SignIn) signIn(ctx app.Context, token string) {
	s.try(ctx, attempt{
		ask:   func(ctx context.Context, c *client.Client) error { return c.SignIn(ctx, token) },
		field: tokenField,
		words: func(err error) string { return signInWords(token, err, time.Now()) },
	})
}

func (s *SignIn) try(ctx app.Context, by attempt) {
	if s.Fetcher == nil || s.busy {
		return
	}
	s.busy, s.problem = true, ""
	ui.Announce("Signing in…")
	server, next := client.New(s.Fetcher, nil), s.next
	ctx.Async(func() {
		to, err := signInAndRoute(ctx, server, by.ask, next)
		ctx.Dispatch(func(ctx app.Context) {
			s.busy = false
			if err != nil {
				s.fail(ctx, by.field, by.words(err))
				return
			}
			s.token, s.passkey = "", ""
			rememberSignIn(s.Settings)
			ctx.Navigate(to)
		})
	})
}

// signedInKey marks, in the settings that the browser keeps, that somebody has
// signed in here: only then has a session ended when nobody is.
const (
	signedInKey = "signed-in"
	signedIn    = "true"
)

func wasSignedIn(settings Storage) bool {
	return settings != nil && settings.Load(signedInKey) == signedIn
}

func rememberSignIn(settings Storage) {
	if settings != nil {
		forgetLastCall(settings) // of whoever was here before
		settings.Save(signedInKey, signedIn)
	}
}

// ForgetSignIn is for signing out: that was no session that ended.
func ForgetSignIn(settings Storage) {
	if settings != nil {
		forgetLastCall(settings)
		settings.Save(signedInKey, "")
	}
}

// signInAndRoute signs in and finds where to go.
func signInAndRoute(ctx context.Context, c *client.Client, ask func(context.Context, *client.Client) error, next string) (to string, err error) {
	if err := ask(ctx, c); err != nil {
		return "", err
	}
	me, err := c.Me(ctx)
	if err != nil {
		return "", err
	}
	if next != "" {
		return next, nil
	}
	return Home(me.Rights), nil
}

func (s *SignIn) fail(ctx app.Context, field, words string) {
	s.problem, s.field, s.byLink = words, field, false
	ctx.Defer(func(app.Context) { ui.Focus(field + "-problem") })
}

// signInWords say why signing in failed.
func signInWords(token string, err error, now time.Time) string {
	var problem *rest.Problem
	if !errors.As(err, &problem) {
		return ui.Copy("sign_in_down").Text
	}
	switch problem.Code {
	case rest.CodeUnauthorized:
		if tokenExpired(token, now) {
			return ui.Copy("sign_in_expired").Text
		}
		return ui.Copy("sign_in_bad").Text
	case rest.CodeRateLimited:
		wait := time.Duration(max(problem.RetryAfterS, 1)) * time.Second
		return ui.Copy("sign_in_many").With("seconds", ui.Age(wait)).Text
	case rest.CodeServerError:
		w := ui.Copy("server_error")
		return w.Title + ". " + w.Text
	}
	return ui.Copy("sign_in_bad").Text
}
