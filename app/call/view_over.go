package call

import (
	"math"
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/wire"
)

// endPanel says why the call ended, and how it was as far as this page saw.
func (c *Page) endPanel() app.UI {
	w := endWords(c.p)
	body := []app.UI{
		ui.Heading(w.Title),
		app.P().Class("end-text").Text(w.Text),
	}
	if !c.p.Talk.StartedAt.IsZero() {
		body = append(body, c.summary())
	}
	body = append(body,
		app.Div().Class("end-actions").Body(c.endActions(w)...),
		app.P().Class("foot-line").Body(ui.Icon(ui.IconLock), app.Span().Text(ui.Copy("privacy_line").Text)),
	)
	return app.Div().Class("call-panel").Body(body...)
}

func (c *Page) endActions(w ui.Words) []app.UI {
	cause := c.p.End.Ended.Cause
	if c.p.End.Failure == "" && (cause == wire.TokenExpired || cause == wire.Revoked) {
		return []app.UI{app.A().Class("button", "button-primary", "button-big").Href("/sign-in?next=/call").Text("Sign in")}
	}
	out := []app.UI{}
	again := c.start
	if cause == wire.Replaced { // it goes on elsewhere
		again = c.takeOver
	}
	if label := w.Action(0); label != "" {
		out = append(out, ui.Button(ui.Primary, ui.IconPhone, label).Class("button-big").ID("start-again").OnClick(again))
	}
	return append(out,
		ui.Button(ui.Plain, "", "Check first").OnClick(c.callAgain),
		c.diagnosticsButton())
}

func (c *Page) callAgain(ctx app.Context, e app.Event) {
	c.Engine.Reset()
	c.Engine.RefreshAdmission() // not before: the server may still be ending this call
	c.Engine.CheckLine()
}

// summary is what the page saw of the call.
func (c *Page) summary() app.UI {
	t := c.p.Talk.Tally
	level, share := t.Level()
	rating := app.P().Class("end-rating").Text(ui.Copy("too_short").Text)
	if level != quality.None {
		rating = app.P().Class("end-rating").Body(
			ui.Badge(quality.Verdict{Level: level, MOS: t.MOS()}, false),
			app.Span().Text("for "+percentOf(share)+" of the call"),
		)
	}
	body := []app.UI{app.Div().Class("summary-main").Body(
		app.Div().Class("talk-timer").Body(ui.Timer(c.p.Length())), rating)}
	if t.Rated > 0 {
		body = append(body, facts(t))
	}
	return app.Div().Class("summary").Body(body...)
}

func facts(t Tally) app.UI {
	return app.Dl().Class("facts").Body(
		app.Dt().Text("Estimated MOS"), app.Dd().Class("num").Text(mosWords(t)),
		app.Dt().Text("You → agent, lost"), app.Dd().Body(ui.Number(t.Loss(quality.ToAgent), ui.Ratio)),
		app.Dt().Text("Agent → you, lost"), app.Dd().Body(ui.Number(t.Loss(quality.ToCaller), ui.Ratio)),
		app.Dt().Text("Round trip"), app.Dd().Body(ui.Number(t.RTT(), ui.Millis)),
	)
}

func mosWords(t Tally) string {
	if t.Rated < tooShort {
		return ui.Missing
	}
	return ui.MOS(t.MOS()) + ", lowest " + ui.MOS(t.MOSLowest)
}

// percentOf writes a share of a call in whole percent; almost all is not all. The
// fraction makes good what a division of seconds by seconds lacks of a whole percent,
// and is far below what a second is of any call.
func percentOf(share float64) string {
	p := int(math.Floor(share*100 + 1e-9))
	return strconv.Itoa(p) + " %"
}
