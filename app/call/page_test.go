package call_test

import (
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/call"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// states are all that the page can look like, with words that each must show.
func states() map[string]struct {
	ui    app.UI
	says  []string
	never []string
} {
	type state = struct {
		ui    app.UI
		says  []string
		never []string
	}
	page := func(p call.Picture) app.UI { return call.PageOf(p, false, false, false) }
	mic := func(m call.MicCheck) app.UI { return page(call.Picture{Mic: m}) }
	talk := func(change func(*call.Talk)) app.UI {
		return page(with(talking(), func(p *call.Picture) { change(&p.Talk) }))
	}
	lobby := call.Admission{Answer: &rest.Admission{LinesFree: 58, Cap: 100, Agents: []rest.Agent{{Name: "parrot", Title: "Parrot"}, {Name: "echo", Title: "Echo"}}}}
	over := func(cause wire.EndCause) app.UI {
		return page(with(talking(), func(p *call.Picture) { p.Phase, p.End = call.Over, call.End{At: noon, Ended: wire.Ended{Cause: cause}} }))
	}
	const disabled = "disabled"
	return map[string]state{
		"first visit":        {page(call.Picture{}), []string{"Ready when you are", "Your browser will ask you next.", "Check microphone", "Start call", "Audio is never stored."}, []string{disabled}},
		"asking":             {mic(call.MicCheck{State: call.MicAsking}), []string{"Choose Allow"}, nil},
		"heard":              {mic(call.MicCheck{State: call.MicOpen, Label: "Built-in", Heard: true}), []string{"We can hear you.", "Built-in", `role="meter"`}, nil},
		"silent":             {mic(call.MicCheck{State: call.MicOpen, Silent: true}), []string{"can&#39;t hear anything yet"}, nil},
		"no level":           {mic(call.MicCheck{State: call.MicOpen, Label: "Built-in", NoLevel: true}), []string{"Built-in", "doesn&#39;t show how loud you are", "Start call"}, []string{disabled, `role="meter"`, "hear you", "Say hello"}},
		"two microphones":    {mic(call.MicCheck{State: call.MicOpen, Devices: []call.Device{{ID: "a", Label: "A"}, {ID: "b", Label: "B"}}}), []string{"<select"}, nil},
		"denied":             {mic(call.MicCheck{State: call.MicFailed, Problem: "mic_denied"}), []string{"Microphone is blocked", "Try again"}, []string{disabled}},
		"denied by system":   {mic(call.MicCheck{State: call.MicFailed, Problem: "mic_denied_system"}), []string{"Your device blocks the microphone"}, nil},
		"none":               {mic(call.MicCheck{State: call.MicFailed, Problem: "mic_none"}), []string{"No microphone found", "Check again"}, nil},
		"in use":             {mic(call.MicCheck{State: call.MicFailed, Problem: "mic_busy"}), []string{"Microphone is in use"}, nil},
		"insecure":           {mic(call.MicCheck{State: call.MicFailed, Problem: "insecure"}), []string{"This page isn&#39;t secure", "Open https", disabled}, nil},
		"unsupported":        {mic(call.MicCheck{State: call.MicFailed, Problem: "unsupported"}), []string{"This browser can&#39;t make calls", disabled}, nil},
		"offline":            {page(call.Picture{Admission: call.Admission{Offline: true}}), []string{"You&#39;re offline", disabled}, nil},
		"captions":           {page(call.Apply(talking(), peer.CaptionReceived{By: "agent", Turn: "1", Text: "Hello there"}, noon)), []string{"Hello there", `role="log"`, `aria-live="off"`, "Read captions aloud", "gone when you close it"}, nil},
		"captions, no words": {page(call.Apply(talking(), peer.CaptionReceived{By: "agent", Turn: "1"}, noon)), []string{"What is said shows here."}, []string{"Agent 1"}},
		"captions hidden":    {page(with(call.Apply(talking(), peer.CaptionReceived{By: "agent", Turn: "1", Text: "Hello there"}, noon), func(p *call.Picture) { p.Choice.HidesCaptions = true })), []string{"Captions"}, []string{"Hello there"}},
		"agent broke off": {page(with(talking(), func(p *call.Picture) {
			p.Phase, p.End = call.Over, call.End{At: noon, Ended: wire.Ended{Cause: wire.AgentLeft, Message: "The voice service broke off. Call again."}}
		})), []string{"Call ended", "broke off. Call again.", "Start again"}, []string{"The agent ended the call."}},
		"agent at its limit": {page(with(talking(), func(p *call.Picture) {
			p.Phase, p.End = call.Over, call.End{At: noon, Ended: wire.Ended{Cause: wire.AgentUnavailable, Message: "Try again in a minute."}}
		})), []string{"The agent isn&#39;t answering", "the agent behind it isn&#39;t. Try again in a minute.", "Try again"}, nil},
		"lines and agents":   {page(call.Picture{Admission: lobby}), []string{"58 of 100 lines free", "Parrot", "Echo"}, nil},
		"no rights":          {page(call.Picture{Admission: call.Admission{Problem: &rest.Problem{Code: rest.CodeForbidden}}}), []string{"You can&#39;t start calls", disabled}, nil},
		"full before":        {page(call.Picture{Admission: call.Admission{Problem: &rest.Problem{Code: rest.CodeCapReached, Limit: 1}}}), []string{"All lines are busy", "The only line is in use."}, []string{disabled}},
		"agents not told":    {page(call.Picture{Admission: call.Admission{Problem: &rest.Problem{Code: rest.CodeCapReached}}}), []string{"Shown when a call can start."}, []string{"Asking…"}},
		"full, not how":      {page(call.Picture{Admission: call.Admission{Problem: &rest.Problem{Code: rest.CodeCapReached}}}), []string{"All lines are in use."}, []string{disabled}},
		"signed out":         {page(call.Picture{Refusal: &call.Refusal{Problem: rest.Problem{Code: rest.CodeUnauthorized}}}), []string{"Your sign-in expired", "/sign-in?next=/call"}, nil},
		"busy":               {page(call.Picture{Now: noon, Admission: lobby, Refusal: &call.Refusal{Problem: rest.Problem{Code: rest.CodeCapReached, Limit: 250}, RetryAt: noon.Add(12 * time.Second)}}), []string{"All 250 lines are in use", "12 s", "Try now", "Stop trying"}, nil},
		"already in a call":  {page(call.Picture{Refusal: &call.Refusal{Problem: rest.Problem{Code: rest.CodeUserCap}}}), []string{"You&#39;re already in a call", "In another tab or device.", "Move it here", "Cancel"}, nil},
		"line good":          {page(call.Picture{Probe: call.Predict([]time.Duration{38e6, 38e6, 38e6}, 3)}), []string{"Excellent", "Round trip 38 ms"}, nil},
		"line uneven":        {page(call.Picture{Probe: call.Predict([]time.Duration{10e6, 310e6, 10e6, 310e6}, 4)}), []string{"Poor", "is-bad", "varies by 300 ms", "Close downloads or video on this network."}, []string{"is-good"}},
		"line good, no more": {page(call.Picture{Probe: call.Predict([]time.Duration{38e6, 40e6, 38e6}, 3)}), []string{"is-good"}, []string{"varies", "is-bad"}},
		"line far":           {page(call.Picture{Probe: call.Predict([]time.Duration{700e6, 700e6, 700e6}, 3)}), []string{"Leave a short pause before you speak."}, []string{"is-good"}},
		"line loses":         {page(call.Picture{Probe: call.Predict([]time.Duration{38e6, 38e6, 38e6}, 6)}), []string{"3 of 10 lost", "Some of it gets lost on the way. Move closer to your Wi-Fi"}, []string{"missing parts"}},
		"line unknown":       {page(call.Picture{Probe: call.LineCheck{State: call.ProbeFailed}}), []string{"You can start anyway"}, []string{disabled}},
		"connecting":         {page(call.Picture{Phase: call.Connecting, Setup: call.Setup{Step: peer.StepSecure}}), []string{"Asking the server…", "Finding a path…", "Securing the line…", "Waiting for the agent…", "Cancel", `aria-current="step"`}, []string{"longer than usual"}},
		"connecting, slowly": {page(call.Picture{Phase: call.Connecting, Now: noon, Setup: call.Setup{Step: peer.StepPath}}), []string{"Taking longer than usual. Your network may be blocking call traffic."}, nil},
		"talking":            {page(talking()), []string{"Agent is listening", "1:00", "Excellent", "Mute", "End", "Details"}, []string{"Unmute", "Estimated MOS<"}},
		"details":            {call.PageOf(call.Apply(talking(), measured(-20, -20), noon), true, false, false), []string{"You → agent", "Agent → you", "4.0 %", "80 ms", "Copy diagnostics"}, nil},
		"details, no data":   {call.PageOf(talking(), true, false, false), []string{"No figures yet."}, nil},
		"muted":              {talk(func(t *call.Talk) { t.Muted = true }), []string{"You&#39;re muted", "Unmute", "orb-muted"}, nil},
		"shouting, no keys": {page(with(talking(), func(p *call.Picture) { p.Choice.KeysOff, p.Talk.Muted, p.Talk.Shouting = true, true, true })),
			[]string{"Press Unmute to be heard."}, []string{"Press M", "Space"}},
		"shouting": {talk(func(t *call.Talk) { t.Muted, t.Shouting = true, true }), []string{"Press M to unmute, or hold Space to talk."}, nil},
		"fair line": {talk(func(t *call.Talk) {
			t.State.Quality = &quality.Verdict{Level: "fair", Cause: "loss", Direction: "to_agent", Value: 4.2}
		}), []string{"The agent is missing parts of what you say (4.2 % lost)."}, nil},
		"dropped":             {talk(func(t *call.Talk) { t.Until = noon.Add(24 * time.Second) }), []string{"Reconnecting…", "Your place is kept for 24 s.", "orb-reconnecting"}, nil},
		"still there":         {talk(func(t *call.Talk) { t.Warning = warning(wire.WarnIdle, 118*time.Second).Warning }), []string{"Still there?", "This call ends in 1:58", "Keep talking"}, nil},
		"still there, read":   {talk(func(t *call.Talk) { t.Warning, t.Hidden = warning(wire.WarnIdle, time.Minute).Warning, true }), nil, []string{"Still there?"}},
		"longest":             {talk(func(t *call.Talk) { t.Warning = warning(wire.WarnMaxDuration, 2*time.Minute).Warning }), []string{"This call ends in 2:00", "last 60 minutes at most"}, nil},
		"restarting":          {talk(func(t *call.Talk) { t.Warning = warning(wire.WarnDraining, 30*time.Second).Warning }), []string{"The server restarts in 0:30"}, nil},
		"thanks":              {talk(func(t *call.Talk) { t.Thanks = noon.Add(time.Second) }), []string{"Good, still here."}, nil},
		"sound held back":     {talk(func(t *call.Talk) { t.Blocked = true }), []string{"Tap to hear the agent", "Turn on sound"}, nil},
		"microphone lost":     {talk(func(t *call.Talk) { t.Notice.Code = "mic_lost" }), []string{"Microphone disconnected"}, nil},
		"microphone replaced": {talk(func(t *call.Talk) { t.Notice = call.Notice{Code: "mic_switched", Name: "Headset"} }), []string{"Microphone disconnected", "We switched to &#34;Headset&#34;.", "Choose"}, nil},
		"plugged in":          {talk(func(t *call.Talk) { t.Notice = call.Notice{Code: "mic_plugged", Name: "Headset"} }), []string{"&#34;Headset&#34; was plugged in.", "Use it"}, nil},
		"was in background":   {talk(func(t *call.Talk) { t.Notice = call.Notice{Code: "mic_paused", For: 42 * time.Second} }), []string{"Your microphone was paused while Parley was in the background (0:42)."}, nil},
		"told long ago":       {talk(func(t *call.Talk) { t.Notice = call.Notice{Code: "mic_paused", Until: noon} }), nil, []string{"in the background"}},
		"paused now":          {talk(func(t *call.Talk) { t.PausedAt = noon }), []string{"Your device paused the microphone"}, nil},
		"screen may dim":      {talk(func(t *call.Talk) { t.Notice.Code = "screen_dims" }), []string{"Your screen may dim; the call goes on."}, nil},
		"sign-in ends":        {talk(func(t *call.Talk) { t.SignInEnds = noon.Add(118 * time.Second) }), []string{"Your sign-in ends in 1:58", "Your call ends when your sign-in does."}, nil},
		"privacy mode off":    {page(call.Picture{Admission: call.Admission{Answer: &rest.Admission{PrivacyOff: true}}}), []string{"Privacy mode is off on this server. Ask the operator what that means."}, nil},
		"mic silent":          {page(call.Picture{Mic: call.MicCheck{State: call.MicOpen, Silent: true}}), []string{"We can&#39;t hear anything yet. Is the right microphone chosen, and is it unmuted on the device?", "is-weak"}, []string{"is-good"}},
		"test sound unheard":  {page(call.Picture{Speaker: call.SpeakerCheck{State: call.SpeakerUnheard}}), []string{"Turn up the volume of your device", "is-bad", "Play test sound"}, []string{"is-good"}},
		"E was pressed":       {call.PageOf(talking(), false, true, false), []string{"End this call?", "Stay"}, nil},
		"shortcuts":           {call.PageOf(talking(), false, false, true), []string{"<dialog", "Hold to talk while muted"}, nil},
		"ended by an admin":   {over(wire.AdminEnded), []string{"An admin ended this call", "No reason was given.", "Too short to rate.", "Call again"}, nil},
		"access withdrawn":    {over(wire.Revoked), []string{"Your access was withdrawn", "/sign-in?next=/call"}, []string{"Call again"}},
		"ended by a sign-out": {page(with(talking(), func(p *call.Picture) {
			p.Phase, p.End = call.Over, call.End{At: noon, Ended: wire.Ended{Cause: wire.Revoked, Message: "You signed out in another tab or window."}}
		})), []string{"You were signed out", "You signed out in another tab or window.", "/sign-in?next=/call"}, []string{"An admin", "Call again"}},
		"no path":            {page(call.Picture{Phase: call.Over, End: call.End{Failure: "ice_failed"}}), []string{"Couldn&#39;t connect the call", "Try again"}, []string{"Round trip"}},
		"bar elsewhere":      {call.BarOf(talking(), false), []string{"1:00", "Agent is listening", "Mute", "Return", "End"}, nil},
		"bar on the page":    {call.BarOf(talking(), true), nil, []string{"Return"}},
		"bar without a call": {call.BarOf(call.Picture{}, false), nil, []string{"Return"}},
		"sign in":            {call.SignInOf("", false, false, false), []string{"Talk to your agent.", "Access token", "Sign in"}, []string{"Demo server", "Your session ended", disabled}},
		"signed out before":  {call.SignInOf("", true, false, true), []string{"Your session ended. Sign in to continue.", "Demo server."}, nil},
		"a demo":             {call.EnterDemoOf("", "", false), []string{"Enter as a caller", "Enter as the demo admin", "Admin rights here don&#39;t carry over to production.", "Access token"}, []string{"Passkey", "field-problem"}},
		"a demo's passkey":   {call.EnterDemoOf("That isn't it.", "passkey", true), []string{"Passkey", "Printed where the server was started.", `aria-describedby="passkey-problem"`, `id="passkey-problem"`}, []string{"token-problem", "enter-problem"}},
		"a demo that waits":  {call.EnterDemoOf("Too many tries.", "enter", false), []string{`id="enter-problem"`, "Too many tries."}, []string{"token-problem"}},
		"no demo":            {call.SignInOf("", false, false, false), []string{"Access token"}, []string{"Enter as"}},
		"token refused":      {call.SignInOf("This token isn't valid for this server.", true, false, false), []string{"isn&#39;t valid", `aria-describedby="token-problem"`, `id="token-problem"`}, []string{"Your session ended"}},
		"program to come":    {call.SignInByLink(false), []string{"Talk to your agent.", "Signing in…", "One moment…"}, []string{"<form", "<input", "<button"}},
		"signing in, link":   {call.SignInByLink(true), []string{"Signing in…"}, []string{"<form", "<input", "<button", "One moment"}},
		"a form of no names": {call.SignInOf("", false, false, false), []string{"<form", "<input"}, []string{" name=", " action=", " method="}},
		"signing in":         {call.SignInOf("", false, true, false), []string{"Signing in…", disabled}, nil},
	}
}

func TestStates(t *testing.T) {
	for name, c := range states() {
		t.Run(name, func(t *testing.T) {
			html := app.HTMLString(c.ui)
			for _, want := range c.says {
				if !strings.Contains(html, want) {
					t.Errorf("no %q in %s", want, html)
				}
			}
			for _, never := range append(c.never, " style=", `disabled="false"`) {
				if strings.Contains(html, never) {
					t.Errorf("%q in %s", never, html)
				}
			}
			if got := strings.Count(html, "<h1"); got > 1 {
				t.Errorf("%d headings of the first rank", got)
			}
		})
	}
}

// Each state can be shown by go-app's engine, not only written.
func TestStatesMount(t *testing.T) {
	for name, c := range states() {
		t.Run(name, func(t *testing.T) {
			engine := app.NewTestEngine()
			if err := engine.Load(&frame{inside: c.ui}); err != nil {
				t.Fatal(err)
			}
			engine.ConsumeAll()
		})
	}
}

type frame struct {
	app.Compo
	inside app.UI
}

func (f *frame) Render() app.UI { return app.Div().Body(f.inside) }
