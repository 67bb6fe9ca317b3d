package call

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/rtcstats"
)

// captions are what is said, as text. The log is silent to screen readers: it would talk
// over the agent. Who wants it read switches that on.
func (c *Page) captions() app.UI {
	lines := make([]app.UI, 0, len(c.p.Talk.Captions))
	for _, caption := range c.p.Talk.Captions {
		if caption.Text != "" {
			lines = append(lines, captionLine(caption))
		}
	}
	if len(lines) == 0 {
		lines = append(lines, app.P().Class("captions-none").Text(ui.Copy("captions_none").Text))
	}
	return app.Section().Class("captions").ID("captions").Aria("label", "Captions").Body(
		app.H2().Class("captions-title").Text("Captions"),
		app.Div().Class("captions-log").Role("log").Aria("live", "off").Aria("label", "What is said").TabIndex(0).Body(
			app.Div().Class("captions-lines").Body(lines...)), // which the log's end is kept in view of
		ui.Check("read-captions", "Read captions aloud", c.p.Choice.ReadsCaptions, c.chooseReading),
		app.P().Class("captions-note").Text(ui.Copy("captions_note").Text),
	)
}

func captionLine(c Caption) app.UI {
	side := "caption-agent"
	if c.By == rtcstats.LegCaller {
		side = "caption-you"
	}
	return app.P().Class("caption", side).Body(
		app.Span().Class("caption-who").Text(c.speaker()+" "+c.At.Local().Format("15:04")),
		app.Span().Class("caption-text").Text(c.shownText()),
	)
}

func (c *Page) captionsControl() app.UI {
	return drawerControl("captions", ui.IconCaptions, "Captions", c.p.showsCaptions()).OnClick(c.pressCaptions)
}

func (c *Page) pressCaptions(ctx app.Context, e app.Event) { c.toggleCaptions() }

func (c *Page) toggleCaptions() {
	c.Engine.Choose(func(choice Choice) Choice { choice.HidesCaptions = !choice.HidesCaptions; return choice })
}

func (c *Page) chooseCaptions(ctx app.Context, e app.Event) {
	on := ctx.JSSrc().Get("checked").Bool()
	c.Engine.Choose(func(choice Choice) Choice { choice.HidesCaptions = !on; return choice })
}

func (c *Page) chooseReading(ctx app.Context, e app.Event) {
	on := ctx.JSSrc().Get("checked").Bool()
	c.Engine.Choose(func(choice Choice) Choice { choice.ReadsCaptions = on; return choice })
}
