package call

import (
	"context"
	"errors"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/app/ui"
	"parley/shared/rest"
)

// What somebody enters a demo by, by its id.
const (
	enterField   = "enter"
	passkeyField = "passkey"
)

// demoWays are how a demo server lets in who has no token: anybody as a caller, and who
// reads what it printed as its admin.
func (s *SignIn) demoWays() []app.UI {
	caller := ui.Button(ui.Primary, ui.IconPhone, "Enter as a caller").Class("button-big").ID(enterField).OnClick(s.enterAsCaller)
	ways := []app.UI{ui.Disabled(caller, s.busy)}
	if problem := s.problemOf(enterField); problem != "" {
		ways = append(ways, ui.FieldProblem(enterField, problem))
	}
	admin := ui.Button(ui.Plain, ui.IconActivity, "Enter as the demo admin").Type("submit").Class("button-big")
	body := []app.UI{ui.Disabled(admin, s.busy)}
	if s.asks {
		input := s.secretInput(passkeyField, "off").OnInput(s.ValueTo(&s.passkey))
		body = append([]app.UI{ui.Field(passkeyField, "Passkey", "Printed where the server was started.", s.problemOf(passkeyField), input)}, body...)
	}
	return append(ways, app.Form().Class("sign-in-form").OnSubmit(s.enterAsAdmin).Body(body...))
}

func (s *SignIn) enterAsCaller(ctx app.Context, _ app.Event) {
	s.enterDemo(ctx, enterField, rest.DemoSignIn{As: rest.DemoCaller})
}

// enterAsAdmin asks for the passkey first. The form is there all along: what an event
// came from has to be, for anything to come after it.
func (s *SignIn) enterAsAdmin(ctx app.Context, e app.Event) {
	e.PreventDefault()
	switch {
	case !s.asks:
		s.asks = true
		ctx.Defer(func(app.Context) { ui.Focus(passkeyField) })
	case s.passkey == "":
		s.fail(ctx, passkeyField, ui.Copy("sign_in_no_passkey").Text)
	default:
		s.enterDemo(ctx, passkeyField, rest.DemoSignIn{As: rest.DemoAdmin, Passkey: s.passkey})
	}
}

func (s *SignIn) enterDemo(ctx app.Context, field string, as rest.DemoSignIn) {
	s.try(ctx, attempt{
		ask:   func(ctx context.Context, c *client.Client) error { return c.EnterDemo(ctx, as) },
		field: field,
		words: func(err error) string { return enterDemoWords(err, time.Now()) },
	})
}

// enterDemoWords are those of any sign-in but for a passkey that isn't the server's.
func enterDemoWords(err error, now time.Time) string {
	var problem *rest.Problem
	if errors.As(err, &problem) && problem.Code == rest.CodeUnauthorized {
		return ui.Copy("sign_in_passkey").Text
	}
	return signInWords("", err, now)
}
