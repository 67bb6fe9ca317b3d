package call

import (
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
)

// readyPanel is the check before a call: heard, line good, start.
func (c *Page) readyPanel() app.UI {
	body := []app.UI{ui.Heading("Ready when you are")}
	if notice := c.notice(); notice != nil {
		body = append(body, notice)
	}
	if last := LastCall(c.Engine.chosen.storage); last != nil && c.p.Admission.Offline {
		body = append(body, last)
	}
	if a := c.p.Admission.Answer; a != nil && a.PrivacyOff {
		body = append(body, ui.Banner{Tone: ui.ToneWarning, Text: ui.Copy("privacy_off").Text}.UI())
	}
	body = append(body,
		app.Div().Class("checks").Body(c.micRow(), c.speakerRow(), c.lineRow(), c.agentRow()),
		c.options(),
		c.startButton(),
		c.footLines(),
	)
	return app.Div().Class("call-panel").Body(body...)
}

// options are what else a caller chooses of the next call.
func (c *Page) options() app.UI {
	body := []app.UI{ui.Check("start-muted", "Start muted", c.p.Choice.Muted, c.chooseMuted)}
	if a, ok := c.p.agent(c.p.agentToCall()); ok && a.Captions {
		body = append(body, ui.Check("show-captions", "Captions", !c.p.Choice.HidesCaptions, c.chooseCaptions))
	}
	return app.Div().Class("call-options").Body(body...)
}

// notice says why a call can't start, or why the last try got no line.
func (c *Page) notice() app.UI {
	switch {
	case c.p.Admission.ServerDown:
		w := ui.Copy("unreachable")
		return ui.Banner{Tone: ui.ToneWarning, Title: w.Title, Text: w.Text, Actions: []app.UI{
			ui.Button(ui.Plain, ui.IconRefresh, w.Action(0)).OnClick(c.askAgain)}}.UI()
	case c.p.Admission.Offline:
		w := ui.Copy("offline")
		return ui.Banner{Tone: ui.ToneWarning, Title: w.Title, Text: w.Text}.UI()
	case c.p.Refusal != nil:
		return c.refusal()
	case c.p.Admission.Problem != nil:
		problem := c.p.Admission.Problem
		code := string(problem.Code)
		if problem.Code == rest.CodeCapReached {
			code = "cap_stopped"
		} else if problem.Code == rest.CodeOrgCap {
			code = "org_stopped"
		}
		w := problemWords(code, problem, c.p)
		return ui.Banner{Tone: ui.ToneWarning, Title: w.Title, Text: w.Text, Actions: c.problemActions(problem.Code, w)}.UI()
	}
	return nil
}

func (c *Page) refusal() app.UI {
	w := refusalWords(c.p)
	b := ui.Banner{Tone: ui.ToneWarning, Title: w.Title, Text: w.Text}
	if !c.p.Refusal.RetryAt.IsZero() {
		b.Actions = []app.UI{
			ui.Button(ui.Plain, "", w.Action(0)).OnClick(c.start),
			ui.Button(ui.Quiet, "", w.Action(1)).OnClick(c.hangup),
		}
		return b.UI()
	}
	b.Actions = c.problemActions(c.p.Refusal.Problem.Code, w)
	return b.UI()
}

// problemActions are what a caller can do about a refusal.
func (c *Page) problemActions(code rest.ProblemCode, w ui.Words) []app.UI {
	switch code {
	case rest.CodeUnauthorized:
		return []app.UI{app.A().Class("button", "button-plain").Href("/sign-in?next=/call").Text("Sign in")}
	case rest.CodeUserCap:
		return []app.UI{
			ui.Button(ui.Plain, "", w.Action(0)).ID("move-here").OnClick(c.takeOver),
			ui.Button(ui.Quiet, "", w.Action(1)).OnClick(c.dismiss),
		}
	case rest.CodeServerError, rest.CodeDraining, rest.CodePaused:
		return []app.UI{ui.Button(ui.Plain, ui.IconRefresh, w.Action(0)).OnClick(c.start)}
	}
	return nil
}

func (c *Page) micRow() app.UI {
	m := c.p.Mic
	switch m.State {
	case MicOpen:
		return checkRow(ui.IconMic, "Microphone", micTone(m), c.micOpen()...)
	case MicAsking:
		return checkRow(ui.IconMic, "Microphone", "", app.P().Class("check-text").Text("Your browser is asking. Choose Allow."))
	case MicFailed:
		return checkRow(ui.IconMicOff, "Microphone", toneBad, c.micFailed()...)
	}
	w := ui.Copy("mic_ask")
	return checkRow(ui.IconMic, "Microphone", "",
		app.P().Class("check-text").Text(w.Text),
		ui.Button(ui.Plain, ui.IconMic, w.Action(0)).OnClick(c.openMic))
}

func micTone(m MicCheck) string {
	switch {
	case m.Heard:
		return toneGood
	case m.Silent:
		return toneWeak
	}
	return ""
}

func (c *Page) micOpen() []app.UI {
	m := c.p.Mic
	body := []app.UI{app.P().Class("check-text").Text(levelText(m))}
	if !m.NoLevel {
		body = append([]app.UI{&Meter{Engine: c.Engine}}, body...)
	}
	if len(m.Devices) > 1 {
		return append([]app.UI{deviceSelect("mic-device", "Microphone", c.p.Choice.DeviceID, m.Devices).OnChange(c.chooseMic)}, body...)
	}
	return append([]app.UI{app.P().Class("check-name").Text(m.Label)}, body...)
}

// levelText says what is heard of an open microphone.
func levelText(m MicCheck) string {
	switch {
	case m.NoLevel:
		return ui.Copy("mic_no_level").Text
	case m.Heard:
		return ui.Copy("mic_heard").Text
	case m.Silent:
		return ui.Copy("mic_silent").Text
	}
	return ui.Copy("mic_listening").Text
}

func (c *Page) micFailed() []app.UI {
	w := ui.Copy(c.p.Mic.Problem)
	body := []app.UI{
		app.P().Class("check-name").Text(w.Title),
		app.P().Class("check-text").Text(w.Text),
	}
	buttons := []app.UI{}
	switch {
	case c.p.Mic.Problem == "insecure":
		buttons = append(buttons, app.A().Class("button", "button-plain").Href(secureAddress()).Text(w.Action(0)))
	case w.Action(0) != "":
		buttons = append(buttons, ui.Button(ui.Plain, ui.IconRefresh, w.Action(0)).OnClick(c.openMic))
	}
	if label := w.Action(1); label != "" {
		buttons = append(buttons, ui.Button(ui.Quiet, ui.IconInfo, label).OnClick(c.openMicHelp))
	}
	if len(buttons) > 0 {
		body = append(body, app.Div().Class("check-buttons").Body(buttons...))
	}
	return body
}

// secureAddress is this page by https. It is asked for in the browser only.
func secureAddress() string {
	return "https://" + app.Window().Get("location").Get("host").String() + "/call"
}

func (c *Page) lineRow() app.UI {
	check, tone, icon := c.p.Probe, "", ui.IconGauge
	var body []app.UI
	switch check.State {
	case ProbeDone:
		tone = lineTone(check.Verdict.Level)
		body = append(body, app.P().Class("check-name").Body(ui.Badge(check.Verdict, false)),
			app.P().Class("check-text").Text(lineText(check)))
		if text := lineAdvice(check.Verdict); text != "" {
			body = append(body, app.P().Class("check-text").Text(text))
		}
	case ProbeFailed:
		tone = toneWeak
		body = append(body, app.P().Class("check-text").Text(ui.Copy("line_unreached").Text))
	default:
		body = append(body, app.P().Class("check-text is-waiting").Text("Checking…"))
	}
	if text := wayText(c.p.Way); text != "" {
		body = append(body, app.P().Class("check-text").Text(text))
		if tone == toneGood {
			tone = toneWeak
		}
	}
	if c.p.Way == WayNone {
		tone = toneBad
	}
	if tone == toneBad {
		icon = ui.IconAlert
	}
	return checkRow(icon, "Line", tone, body...)
}

func (c *Page) speakerRow() app.UI {
	s := c.p.Speaker
	icon, tone, text := ui.IconSpeaker, "", ui.Copy("speaker_default").Text
	switch s.State {
	case SpeakerPlaying:
		text = ui.Copy("speaker_playing").Text
	case SpeakerPlayed:
		tone, text = toneGood, ui.Copy("speaker_played").Text
	case SpeakerUnheard:
		icon, tone, text = ui.IconSpeakerOff, toneBad, ui.Copy("speaker_unheard").Text
	case SpeakerFailed:
		icon, tone, text = ui.IconSpeakerOff, toneBad, ui.Copy("speaker_failed").Text
	default:
		if s.CanChoose && len(s.Devices) > 1 {
			text = ""
		}
	}
	body := []app.UI{}
	if s.CanChoose && len(s.Devices) > 1 {
		body = append(body, deviceSelect("speaker-device", "Speaker", c.p.Choice.SpeakerID, s.Devices).OnChange(c.chooseSpeaker))
	}
	if text != "" {
		body = append(body, app.P().Class("check-text").Text(text))
	}
	buttons := []app.UI{ui.Disabled(ui.Button(ui.Plain, ui.IconPlay, "Play test sound").OnClick(c.playTest), s.State == SpeakerPlaying)}
	if s.State == SpeakerPlayed {
		buttons = append(buttons, ui.Button(ui.Quiet, "", "I heard nothing").OnClick(c.heardNothing))
	}
	body = append(body, app.Div().Class("check-buttons").Body(buttons...))
	if mayEcho(c.p.Mic) {
		body = append(body, app.P().Class("check-text", "check-hint").Text(ui.Copy("headphones").Text))
	}
	return checkRow(icon, "Speaker", tone, body...)
}

// mayEcho reports whether what the speaker plays may come back by the microphone: there
// is no sign of something worn on the head.
func mayEcho(m MicCheck) bool {
	if m.State != MicOpen {
		return false
	}
	label := strings.ToLower(m.Label)
	for _, worn := range []string{"head", "airpod", "earb", "earp", "buds", "hands-free"} {
		if strings.Contains(label, worn) {
			return false
		}
	}
	return true
}

func deviceSelect(id, label, chosen string, devices []Device) app.HTMLSelect {
	options := make([]ui.Option, len(devices))
	for i, d := range devices {
		options[i] = ui.Option{Value: d.ID, Label: d.Label}
	}
	return ui.Select(id, chosen, options).Aria("label", label)
}

func (c *Page) playTest(ctx app.Context, e app.Event)     { c.Engine.PlayTestSound() }
func (c *Page) heardNothing(ctx app.Context, e app.Event) { c.Engine.HeardNothing() }

func (c *Page) chooseSpeaker(ctx app.Context, e app.Event) {
	c.Engine.ChooseSpeaker(ctx.JSSrc().Get("value").String())
}

// lineTone is the colour of a row beside a level.
func lineTone(l quality.Level) string {
	switch l {
	case quality.Excellent, quality.Good:
		return toneGood
	case quality.Fair:
		return toneWeak
	case quality.Poor:
		return toneBad
	}
	return ""
}

// lineText is what the level was predicted from. A weak line's text says what
// makes it so.
func lineText(check LineCheck) string {
	text := "Round trip " + ui.Millis(check.RTTMS)
	if check.Lost > 0 {
		text += " · " + strconv.Itoa(check.Lost) + " of " + strconv.Itoa(probeCount) + " lost"
	}
	if lineTone(check.Verdict.Level) != toneGood && check.JitterMS >= 1 {
		text += " · varies by " + ui.Millis(check.JitterMS)
	}
	return text + ", predicted"
}

// lineAdvice is what to do about a weak line. Which way it loses isn't known before a call.
func lineAdvice(v quality.Verdict) string {
	if v.Cause == quality.CauseLoss && lineTone(v.Level) != toneGood {
		return ui.Copy("line_loss").Text
	}
	return ui.Advice(v)
}

func (c *Page) agentRow() app.UI {
	a := c.p.Admission.Answer
	if a == nil || len(a.Agents) == 0 {
		text, class := "Asking…", "check-text is-waiting"
		if c.p.Admission.Problem != nil || c.p.Admission.Offline { // no answer is on its way
			text, class = ui.Copy("agents_unknown").Text, "check-text"
		}
		return checkRow(ui.IconHeadphones, "Agent", "", app.P().Class(class).Text(text))
	}
	chosen, _ := c.p.agent(c.p.agentToCall())
	options := make([]ui.Option, len(a.Agents))
	for i, agent := range a.Agents {
		options[i] = ui.Option{Value: agent.Name, Label: agentTitle(c.p, agent.Name)}
	}
	about := app.P().Class("check-text").Text(chosen.About)
	if len(options) == 1 {
		return checkRow(ui.IconHeadphones, "Agent", "", app.P().Class("check-name").Text(options[0].Label), about)
	}
	return checkRow(ui.IconHeadphones, "Agent", "",
		ui.Select("agent", chosen.Name, options).Aria("label", "Agent").OnChange(c.chooseAgent), about)
}

// How a check stands: its colour, and a sign in place of the row's own, which a bad one
// has of its kind. "" is not known yet.
const (
	toneGood = "is-good"
	toneWeak = "is-weak"
	toneBad  = "is-bad"
)

func checkRow(icon ui.IconName, name, tone string, body ...app.UI) app.UI {
	switch tone {
	case toneGood:
		icon = ui.IconCheck
	case toneWeak:
		icon = ui.IconAlert
	}
	return app.Section().Class("check-row", tone).Aria("label", name).Body(
		app.Span().Class("check-icon").Body(ui.Icon(icon)),
		app.Div().Class("check-body").Body(append([]app.UI{app.H2().Class("check-title").Text(name)}, body...)...),
	)
}

func (c *Page) startButton() app.UI {
	return ui.Disabled(ui.Button(ui.Primary, ui.IconPhone, "Start call").
		Class("button-big").ID("start-call").OnClick(c.start), c.cannotStart())
}

// cannotStart holds where a try is sure to fail. A full server is worth a try:
// it keeps the caller's place on this screen.
func (c *Page) cannotStart() bool {
	if c.p.Admission.Offline || c.p.Refusal != nil && !c.p.Refusal.until().IsZero() {
		return true
	}
	if c.p.Mic.Problem == "insecure" || c.p.Mic.Problem == "unsupported" {
		return true
	}
	return isFinal(c.p.Admission.Problem) || c.p.Refusal != nil && isFinal(&c.p.Refusal.Problem)
}

// isFinal reports whether the server says no until something else has changed.
func isFinal(p *rest.Problem) bool {
	return p != nil && (p.Code == rest.CodeForbidden || p.Code == rest.CodeUnauthorized || p.Code == rest.CodePrivacyBlock)
}

func (c *Page) footLines() app.UI {
	lines := []app.UI{
		app.P().Class("foot-line").Body(ui.Icon(ui.IconLock), app.Span().Text(ui.Copy("privacy_line").Text)),
	}
	if a := c.p.Admission.Answer; a != nil {
		all := a.Cap
		if a.OrgCap > 0 {
			all = min(all, a.OrgCap)
		}
		lines = append(lines, app.P().Class("foot-line").Body(
			app.Span().Class("num").Text(ui.Count(int64(a.LinesFree))+" of "+ui.Count(int64(all))+" lines free")))
	}
	return app.Div().Class("foot-lines").Body(lines...)
}

func (c *Page) chooseMuted(ctx app.Context, e app.Event) {
	on := ctx.JSSrc().Get("checked").Bool()
	c.Engine.Choose(func(choice Choice) Choice { choice.Muted = on; return choice })
}

func (c *Page) chooseAgent(ctx app.Context, e app.Event) {
	name := ctx.JSSrc().Get("value").String()
	c.Engine.Choose(func(choice Choice) Choice { choice.Agent = name; return choice })
}

func (c *Page) chooseMic(ctx app.Context, e app.Event) {
	c.Engine.ChooseMicrophone(ctx.JSSrc().Get("value").String())
}

func (c *Page) openMicHelp(ctx app.Context, e app.Event) { c.micHelp = true }

func (c *Page) askAgain(ctx app.Context, e app.Event) {
	c.Engine.RefreshAdmission()
	c.Engine.CheckLine()
}

// micHelpSteps say where browsers have the permission.
func micHelpSteps() []app.UI {
	steps := []string{
		"Chrome, Edge: click the icon left of the address, then turn on Microphone.",
		"Firefox: click the crossed-out microphone left of the address, then remove the block.",
		"Safari: open Safari > Settings for This Website, then set Microphone to Allow.",
		"On a phone: open the browser's settings for this site, then allow Microphone.",
	}
	items := make([]app.UI, len(steps))
	for i, s := range steps {
		items[i] = app.Li().Text(s)
	}
	return []app.UI{app.Ul().Class("help-steps").Body(items...), app.P().Class("dialog-text").Text("Then come back and try again.")}
}
