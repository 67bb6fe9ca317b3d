package call

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
)

// devicesDrawer is where microphone and speaker are changed in mid-call.
func (c *Page) devicesDrawer() app.UI {
	return app.Section().Class("drawer").ID("devices").Aria("label", "Audio").TabIndex(0).Body(
		app.Div().Class("drawer-head").Body(
			app.H2().Class("drawer-title").Text("Audio"),
			ui.IconButton(ui.IconClose, "Close audio").OnClick(c.toggleDevices),
		),
		c.microphoneField(),
		c.speakerField(),
	)
}

func (c *Page) microphoneField() app.UI {
	m := c.p.Mic
	if len(m.Devices) == 0 {
		return app.P().Class("drawer-text").Text(ui.Copy("mic_none").Title)
	}
	body := []app.UI{ui.Field("call-mic", "Microphone", "", "",
		deviceSelect("call-mic", "Microphone", chosenDevice(c.p.Choice.DeviceID, m.Label, m.Devices), m.Devices).OnChange(c.chooseMic))}
	if !m.NoLevel {
		body = append(body, &Meter{Engine: c.Engine})
	}
	return app.Div().Class("drawer-field").Body(body...)
}

func (c *Page) speakerField() app.UI {
	s := c.p.Speaker
	if !s.CanChoose || len(s.Devices) == 0 {
		return app.P().Class("drawer-text").Text(ui.Copy("speaker_default").Text)
	}
	return ui.Field("call-speaker", "Speaker", "", "",
		deviceSelect("call-speaker", "Speaker", c.p.Choice.SpeakerID, s.Devices).OnChange(c.chooseSpeaker))
}

// openDevices opens the drawer and goes there. The notice goes after it: what a button
// that is gone has put off isn't done.
func (c *Page) openDevices(ctx app.Context, e app.Event) {
	c.devices, c.details = true, false
	ctx.Defer(func(app.Context) {
		ui.Focus("devices")
		if c.p.Talk.Notice.Code != noticeLost {
			c.Engine.HideNotice()
		}
	})
}

func (c *Page) toggleDevices(ctx app.Context, e app.Event) {
	c.devices, c.details = !c.devices, false
}

func (c *Page) hideNotice(ctx app.Context, e app.Event) { c.hide(c.Engine.HideNotice) }
func (c *Page) hideSignIn(ctx app.Context, e app.Event) { c.hide(c.Engine.HideSignInWarning) }

// hide puts a card away. The focus that was in it goes to the heading, rather than out of
// the page.
func (c *Page) hide(card func()) {
	ui.FocusHeading()
	card()
}
