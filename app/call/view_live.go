package call

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/wire"
)

// talkPanel is the call under way. Its places are fixed: what is not there
// now leaves its room empty, so that no control moves under a thumb.
func (c *Page) talkPanel() app.UI {
	body := []app.UI{
		c.talkHead(),
		c.cards(),
		c.ribbon(),
		c.controls(),
	}
	if c.p.showsCaptions() {
		body = append(body, c.captions())
	}
	switch {
	case c.details:
		body = append(body, c.figures())
	case c.devices:
		body = append(body, c.devicesDrawer())
	}
	return app.Div().Class("talk").Body(body...)
}

func (c *Page) talkHead() app.UI {
	v := c.p.Talk.Verdict()
	return app.Div().Class("talk-head").Body(
		ui.Heading(agentTitle(c.p, c.p.Talk.Agent)),
		app.Div().Class("talk-timer").Body(ui.Timer(c.p.Length())),
		app.Div().Class("talk-quality").Body(ui.Badge(v, false)),
		c.adviceUI(v),
	)
}

func (c *Page) adviceUI(v quality.Verdict) app.UI {
	text, class := c.advice(v), adviceClass(v)
	if text == "" {
		class = "is-blank"
	}
	return app.P().Class("talk-advice", class).Body(app.Span().Text(text))
}

// advice is the one sentence about the line, or about what hides behind it.
func (c *Page) advice(v quality.Verdict) string {
	if c.p.Talk.IsDropped() || slowAgentText(c.p) != "" { // said under the orb
		return ""
	}
	return ui.Advice(v)
}

// adviceClass gives the sentence the colour of its level.
func adviceClass(v quality.Verdict) string {
	switch v.Level {
	case quality.Poor:
		return "q1"
	case quality.Fair:
		return "q2"
	}
	return "q3"
}

// cards are what wants the caller's attention, the gravest first.
func (c *Page) cards() app.UI {
	t := c.p.Talk
	body := []app.UI{}
	if t.IsDropped() {
		w := dropWords(c.p)
		body = append(body, ui.Banner{Tone: ui.ToneWarning, Title: w.Title, Text: w.Text, Actions: []app.UI{
			ui.Button(ui.Plain, ui.IconPhoneOff, w.Action(0)).OnClick(c.hangup),
		}}.UI())
	}
	if t.Notice.IsShown(c.p.Now) {
		body = append(body, c.noticeCard(t.Notice))
	}
	if !t.PausedAt.IsZero() {
		w := ui.Copy("mic_paused_now")
		body = append(body, ui.Banner{Tone: ui.ToneWarning, Title: w.Title, Text: w.Text}.UI())
	}
	if t.Blocked {
		w := ui.Copy("audio_blocked")
		body = append(body, ui.Banner{Tone: ui.ToneWarning, Title: w.Title, Text: w.Text, Actions: []app.UI{
			ui.Button(ui.Primary, ui.IconSpeaker, w.Action(0)).OnClick(c.retrySound),
		}}.UI())
	}
	if !t.Warning.EndsAt.IsZero() && !t.Hidden {
		body = append(body, c.warning())
	}
	if c.p.isSignInEnding() && !t.SignInHidden {
		body = append(body, c.signInCard())
	}
	if t.Warning.EndsAt.IsZero() && c.p.Now.Before(t.Thanks) {
		body = append(body, ui.Banner{Tone: ui.ToneGood, Text: ui.Copy("timeout_thanks").Text}.UI())
	}
	if t.Shouting {
		body = append(body, app.P().Class("pill").Body(ui.Icon(ui.IconMicOff), app.Span().Text(mutedText(c.p.Choice, ui.HasKeys()))))
	}
	if c.asking {
		body = append(body, c.askEndCard())
	}
	return app.Div().Class("cards").Body(body...)
}

func (c *Page) warning() app.UI {
	w := warningWords(c.p)
	act := c.hideWarning
	if c.p.Talk.Warning.Code == wire.WarnIdle {
		act = c.keepTalking
	}
	return app.Div().Role("alertdialog").Aria("label", w.Title).Class("warning").Body(ui.Banner{
		Tone: ui.ToneWarning, Title: w.Title, Text: w.Text,
		Actions: []app.UI{ui.Button(ui.Primary, "", w.Action(0)).OnClick(act, app.EventScope(string(c.p.Talk.Warning.Code)))},
	}.UI())
}

// noticeCard tells of the microphone, or of what the browser does.
func (c *Page) noticeCard(n Notice) app.UI {
	w := n.words()
	b := ui.Banner{Tone: ui.ToneInfo, Title: w.Title, Text: w.Text}
	switch n.Code {
	case noticeLost:
		b.Tone = ui.ToneDanger
	case noticeSwitched, noticeUnchanged, noticePaused:
		b.Tone = ui.ToneWarning
	}
	if label := w.Action(0); label != "" {
		act := c.openDevices
		if n.Code == noticePlugged {
			act = func(app.Context, app.Event) { c.Engine.ChooseMicrophone(n.ID) }
		}
		b.Actions = append(b.Actions, ui.Button(ui.Plain, "", label).OnClick(act, app.EventScope(n.Code+n.ID)))
	}
	if n.Code != noticeLost {
		b.Actions = append(b.Actions, ui.IconButton(ui.IconClose, "Close").OnClick(c.hideNotice))
	}
	return b.UI()
}

func (c *Page) signInCard() app.UI {
	w := signInEndWords(c.p)
	return app.Div().Class("warning").Role("alertdialog").Aria("label", w.Title).Body(ui.Banner{
		Tone: ui.ToneWarning, Title: w.Title, Text: w.Text,
		Actions: []app.UI{
			app.A().Class("button", "button-primary").Href("/sign-in").Target("_blank").Text(w.Action(0)),
			ui.Button(ui.Plain, "", w.Action(1)).OnClick(c.hideSignIn),
		},
	}.UI())
}

func (c *Page) askEndCard() app.UI {
	w := ui.Copy("leave_question")
	return ui.Banner{Tone: ui.ToneInfo, Title: w.Text, Actions: []app.UI{
		ui.Button(ui.Danger, "", w.Action(0)).ID("end-now").OnClick(c.hangup),
		ui.Button(ui.Plain, "", w.Action(1)).OnClick(c.keepAsking),
	}}.UI()
}

func (c *Page) ribbon() app.UI {
	t := c.p.Talk
	waits := waitsFrom(t.Waits, len(t.Whole)-len(t.Seconds), 1)
	return app.Div().Class("talk-ribbon").Body(
		ui.Ribbon{Seconds: t.Seconds, Waits: waits, Span: ribbonSpan, Label: ribbonSentence(t)}.UI(),
		app.P().Class("ribbon-scale").Aria("hidden", true).Body( // a phone has room for half of it
			app.Span().Class("scale-whole").Text("60 s ago"), app.Span().Class("scale-half").Text("30 s ago"), app.Span().Text("now")),
	)
}

func (c *Page) controls() app.UI {
	label, icon, class := "Mute", ui.IconMic, "control"
	if c.p.Talk.Muted {
		label, icon, class = "Unmute", ui.IconMicOff, "control control-on"
	}
	body := []app.UI{controlButton("mute", class, icon, label).OnClick(c.mute)}
	if c.p.Talk.HasCaptions {
		body = append(body, c.captionsControl())
	}
	body = append(body,
		drawerControl("devices", ui.IconSpeaker, "Audio", c.devices).OnClick(c.toggleDevices),
		drawerControl("details", ui.IconGauge, "Details", c.details).OnClick(c.drawer),
		controlButton("help", "control control-help", ui.IconKeyboard, "Keys").OnClick(c.openHelp),
		controlButton("end", "control control-end", ui.IconPhoneOff, "End").OnClick(c.hangup))
	return app.Div().Class("controls").Role("toolbar").Aria("label", "Call").Body(body...)
}

// drawerControl opens and closes a drawer.
func drawerControl(id string, icon ui.IconName, label string, isOpen bool) app.HTMLButton {
	class := "control"
	if isOpen {
		class = "control control-open"
	}
	return controlButton(id, class, icon, label).Aria("expanded", isOpen)
}

// controlButton is one of the large round buttons of a call.
func controlButton(id, class string, icon ui.IconName, label string) app.HTMLButton {
	return app.Button().Type("button").ID("call-"+id).Class(class).Body(
		app.Span().Class("control-face").Body(ui.Icon(icon)),
		app.Span().Class("control-label").Text(label),
	)
}
