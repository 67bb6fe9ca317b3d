package call

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
)

// SettingsPage is where callers choose how the pages look and sound. All of it stays in
// the browser.
type SettingsPage struct {
	app.Compo

	Engine *Engine
	// Theme tells the colour scheme, and ChooseTheme changes it.
	Theme       func() string
	ChooseTheme func(ctx app.Context, theme string)

	p          Picture
	canInstall bool
	isApple    bool
	stop       func()
}

// OnPreRender names the page.
func (s *SettingsPage) OnPreRender(ctx app.Context) { ctx.Page().SetTitle("Settings · Parley") }

// OnMount watches the choices.
func (s *SettingsPage) OnMount(ctx app.Context) {
	s.p = s.Engine.Picture()
	s.canInstall, s.isApple = ctx.IsAppInstallable(), ctx.IsAppleBrowser()
	s.stop = s.Engine.Watch(func() { ctx.Dispatch(func(app.Context) { s.p = s.Engine.Picture() }) })
}

// OnAppInstallChange shows or hides the button that installs.
func (s *SettingsPage) OnAppInstallChange(ctx app.Context) { s.canInstall = ctx.IsAppInstallable() }

// OnDismount stops watching.
func (s *SettingsPage) OnDismount() {
	if s.stop != nil {
		s.stop()
	}
}

// toggle is one thing that is on or off.
type toggle struct {
	id, label, hint string
	on              func(Choice) bool
	set             func(c *Choice, on bool)
}

// toggles are all of them; a Choice has most the other way round, so that its zero value
// is what most people want.
func toggles() []toggle {
	return []toggle{
		{"captions", "Show captions", "Where the agent has them. They're kept nowhere.",
			func(c Choice) bool { return !c.HidesCaptions }, func(c *Choice, on bool) { c.HidesCaptions = !on }},
		{"read-captions", "Read captions aloud", "By your screen reader.",
			func(c Choice) bool { return c.ReadsCaptions }, func(c *Choice, on bool) { c.ReadsCaptions = on }},
		{"sounds", "Sounds", "When a call begins, ends, is about to end, or you talk while muted.",
			func(c Choice) bool { return !c.SoundsOff }, func(c *Choice, on bool) { c.SoundsOff = !on }},
		{"keys", "Single-key shortcuts", "M, Space, C, D and E in a call; ?, letters and signs on all pages.",
			func(c Choice) bool { return !c.KeysOff }, func(c *Choice, on bool) { c.KeysOff = !on }},
		{"last-call", "Keep the last call's summary", "On this device, to read without a connection. Signing out removes it.",
			func(c Choice) bool { return !c.ForgetsCalls }, func(c *Choice, on bool) { c.ForgetsCalls = !on }},
	}
}

// Render draws the choices.
func (s *SettingsPage) Render() app.UI {
	return app.Div().Class("page", "my-settings").Body(
		ui.PageHead("My settings"),
		app.P().Class("summary-when").Text(ui.Copy("settings_kept").Text),
		s.section("Look", s.theme(), s.zone()),
		s.section("Call", append(s.checks(), s.volume(), s.devices())...),
		s.section("Install", s.install()),
	)
}

func (s *SettingsPage) section(title string, body ...app.UI) app.UI {
	return app.Section().Class("settings-card").Aria("label", title).Body(
		append([]app.UI{app.H2().Class("summary-title").Text(title)}, body...)...)
}

func (s *SettingsPage) theme() app.UI {
	chosen := ""
	if s.Theme != nil {
		chosen = s.Theme()
	}
	return ui.Field("theme", "Theme", "", "", ui.Select("theme", chosen, []ui.Option{
		{Value: "", Label: "As the device"}, {Value: "light", Label: "Light"}, {Value: "dark", Label: "Dark"},
	}).OnChange(func(ctx app.Context, _ app.Event) {
		if s.ChooseTheme != nil {
			s.ChooseTheme(ctx, ctx.JSSrc().Get("value").String())
		}
	}))
}

func (s *SettingsPage) zone() app.UI {
	chosen := "local"
	if ui.IsUTC() {
		chosen = "utc"
	}
	return ui.Field("zone", "Times", "", "", ui.Select("zone", chosen, []ui.Option{
		{Value: "local", Label: "Local"}, {Value: "utc", Label: "UTC"},
	}).OnChange(func(ctx app.Context, _ app.Event) { ui.ChooseZone(ctx, ctx.JSSrc().Get("value").String() == "utc") }))
}

func (s *SettingsPage) checks() []app.UI {
	out := []app.UI{}
	for _, t := range toggles() {
		out = append(out, app.Div().Class("settings-check").Body(
			ui.Check("set-"+t.id, t.label, t.on(s.p.Choice), func(ctx app.Context, _ app.Event) {
				on := ctx.JSSrc().Get("checked").Bool()
				s.Engine.Choose(func(c Choice) Choice { t.set(&c, on); return c })
			}),
			app.P().Class("field-hint").Text(t.hint)))
	}
	return out
}

func (s *SettingsPage) volume() app.UI {
	percent := strconv.Itoa(int(s.p.Choice.volume()*100 + 0.5))
	slider := app.Input().Type("range").Class("slider").ID("volume").Min(1).Max(100).Value(percent).
		Aria("valuetext", percent+" %").OnChange(func(ctx app.Context, _ app.Event) {
		v, err := strconv.Atoi(ctx.JSSrc().Get("value").String())
		if err == nil {
			s.Engine.Choose(func(c Choice) Choice { c.Volume = v; return c })
			s.Engine.PlayTestSound()
		}
	})
	if s.p.Choice.SoundsOff {
		slider = slider.Disabled(true)
	}
	return ui.Field("volume", "Volume of sounds", "", "", slider)
}

// devices can be chosen once their names are known, which is when the microphone was
// allowed.
func (s *SettingsPage) devices() app.UI {
	mics, speakers := s.p.Mic.Devices, s.p.Speaker.Devices
	body := []app.UI{}
	if len(mics) > 1 {
		body = append(body, ui.Field("set-mic", "Microphone", "", "", deviceSelect("set-mic", "Microphone", s.p.Choice.DeviceID, mics).
			OnChange(func(ctx app.Context, _ app.Event) {
				id := ctx.JSSrc().Get("value").String()
				s.Engine.Choose(func(c Choice) Choice { c.DeviceID = id; return c })
			})))
	}
	if s.p.Speaker.CanChoose && len(speakers) > 1 {
		body = append(body, ui.Field("set-speaker", "Speaker", "", "", deviceSelect("set-speaker", "Speaker", s.p.Choice.SpeakerID, speakers).
			OnChange(func(ctx app.Context, _ app.Event) { s.Engine.ChooseSpeaker(ctx.JSSrc().Get("value").String()) })))
	}
	if len(body) == 0 {
		body = append(body, app.P().Class("field-hint").Text(ui.Copy("devices_unknown").Text))
	}
	return app.Div().Class("settings-devices").Body(body...)
}

func (s *SettingsPage) install() app.UI {
	switch {
	case s.isApple:
		return app.P().Class("foot-line").Body(ui.Icon(ui.IconShare), app.Span().Text(ui.Copy("install_apple").Text))
	case s.canInstall:
		w := ui.Copy("install")
		return app.Div().Class("settings-check").Body(
			ui.Button(ui.Plain, ui.IconDownload, w.Action(0)).OnClick(func(ctx app.Context, _ app.Event) { ctx.ShowAppInstallPrompt() }),
			app.P().Class("field-hint").Text(w.Text))
	}
	return app.P().Class("check-text").Text(ui.Copy("install_none").Text)
}
