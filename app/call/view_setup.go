package call

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/wasm/peer"
)

// setupPanel names the four steps and where they are.
func (c *Page) setupPanel() app.UI {
	steps := make([]app.UI, 0, 4)
	for s := peer.StepServer; s <= peer.StepAgent; s++ {
		steps = append(steps, c.step(s))
	}
	hint := ""
	switch {
	case c.p.Mic.State == MicAsking:
		hint = "Your browser is asking for the microphone. Choose Allow."
	case c.p.Slow():
		hint = ui.Copy("setup_slow").Text + " " + slowReason(c.p.Setup.Step)
	}
	return app.Div().Class("call-panel").Body(
		ui.Heading("Calling "+agentTitle(c.p, c.p.Talk.Agent)),
		app.Ol().Class("steps").Body(steps...),
		app.P().Class("steps-hint").Text(hint),
		ui.Button(ui.Plain, ui.IconClose, "Cancel").ID("cancel-call").Class("button-big").OnClick(c.hangup),
	)
}

func (c *Page) step(s peer.Step) app.UI {
	at := c.p.Setup.Step
	switch {
	case s < at:
		return app.Li().Class("step step-done").Body(
			app.Span().Class("step-mark").Body(ui.Icon(ui.IconCheck)), app.Span().Text(stepWord(s)), spoken("done"))
	case s == at:
		return app.Li().Class("step step-now").Aria("current", "step").Body(
			app.Span().Class("step-mark"), app.Span().Text(stepWord(s)))
	}
	return app.Li().Class("step").Body(app.Span().Class("step-mark"), app.Span().Text(stepWord(s)))
}

// slowReason is what can be known of a step that takes long.
func slowReason(s peer.Step) string {
	switch s {
	case peer.StepServer:
		return "The server is slow to answer."
	case peer.StepPath:
		return "Your network may be blocking call traffic."
	case peer.StepSecure:
		return "The first packets are slow to come through."
	}
	return "The line is fine; the agent is slow to answer."
}

func spoken(text string) app.UI { return app.Span().Class("sr-only").Text(text) }
