package call_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parley/app/call"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// callersCodes are all codes that a caller's page has to have words and a way on for. The
// new version of the page is the shell's to tell of.
var callersCodes = strings.Fields(`mic_denied mic_denied_system mic_none mic_busy mic_lost insecure unsupported audio_blocked
	token_expired forbidden cap_reached org_cap user_cap timeout_warn timeout max_length draining draining_call admin_ended ice_failed
	ice_disconnected lost dtls_failed agent_unavailable agent_slow paused privacy_block rate_limited offline server_error
	device_busy`)

// shownCode is a page that a code brought about, and what it has to say and to offer.
type shownCode struct {
	picture call.Picture
	box     string // the class of what tells of it
	title   string
	text    string
	acts    []string // "what it is called → what it does"
}

// The boxes.
const (
	inBanner = "banner"
	inRow    = "is-bad" // the microphone's, of the checks before a call
	inStage  = "stage"
	atEnd    = "summary-page"
)

// noStart are the pages on which a try is sure to fail, so that there is none.
var noStart = []string{"insecure", "unsupported", "token_expired before", "forbidden", "privacy_block", "cap_reached", "org_cap", "draining", "rate_limited", "offline", "offline server"}

// afterEnd are what a page of an end offers after its first act.
func afterEnd(first string) []string {
	return []string{first, "Check first → Summary.checkFirst", "Copy diagnostics → CopyButton.copy"}
}

// shownCodes are the pages of all codes. A name of two words is another form of the code
// that is its first.
func shownCodes() map[string]shownCode {
	mic := func(code string) call.Picture {
		return call.Picture{Mic: call.MicCheck{State: call.MicFailed, Problem: code}}
	}
	talk := func(change func(*call.Talk)) call.Picture {
		return with(talking(), func(p *call.Picture) { change(&p.Talk) })
	}
	refused := func(p rest.Problem) call.Picture {
		got := call.Apply(call.Picture{Phase: call.Connecting}, peer.CallEnded{Err: &p}, noon)
		got.Admission.HeldSince = time.Date(2026, 3, 4, 14, 2, 0, 0, time.Local)
		return got
	}
	warned := func(code wire.WarningCode, in time.Duration) call.Picture {
		return call.Apply(talking(), warning(code, in), noon)
	}
	ended := func(e wire.Ended) call.Picture { return call.Apply(talking(), peer.CallEnded{Ended: e}, noon) }
	failed := func(f peer.Failure) call.Picture {
		return call.Apply(with(talking(), func(p *call.Picture) { p.Phase, p.Talk.StartedAt = call.Connecting, time.Time{} }), peer.CallEnded{Failure: f}, noon)
	}
	slow := &quality.Verdict{Level: quality.Excellent, Cause: quality.CauseAgentSlow, Value: 4000}
	const tryMic, callAgain, tryAgain = "Try again → Page.openMic", "Call again → Summary.start", "Try again → Page.start"
	return map[string]shownCode{
		"mic_denied": {mic("mic_denied"), inRow, "Microphone is blocked",
			"Your browser is set to block the microphone for this site. Click the icon left of the address, allow Microphone, then come back.", []string{tryMic, "Show me how → Page.openMicHelp"}},
		"mic_denied_system": {mic("mic_denied_system"), inRow, "Your device blocks the microphone", "Allow it for your browser in system settings (Privacy → Microphone).", []string{tryMic}},
		"mic_none":          {mic("mic_none"), inRow, "No microphone found", "Plug one in or connect a headset. We'll notice by ourselves.", []string{"Check again → Page.openMic"}},
		"mic_busy":          {mic("mic_busy"), inRow, "Microphone is in use", "Another app or tab is using it. Close that app, then try again.", []string{tryMic}},
		"mic_lost":          {talk(func(t *call.Talk) { t.Notice.Code = "mic_lost" }), inBanner, "Microphone disconnected", "Choose another to go on.", []string{"Choose → Page.openDevices"}},
		"mic_lost switched": {talk(func(t *call.Talk) { t.Notice = call.Notice{Code: "mic_switched", Name: "MacBook mic"} }), inBanner, "Microphone disconnected", `We switched to "MacBook mic".`, []string{"Choose → Page.openDevices", " → Page.hideNotice"}},
		"insecure":          {mic("insecure"), inRow, "This page isn't secure", "Browsers allow the microphone only on https. Open Parley with https://.", []string{"Open https → https:///call"}}, // of a page without an address
		"unsupported":       {mic("unsupported"), inRow, "This browser can't make calls", "Use a current Chrome, Edge, Firefox or Safari.", nil},
		"audio_blocked":     {talk(func(t *call.Talk) { t.Blocked = true }), inBanner, "Tap to hear the agent", "Your browser paused the sound.", []string{"Turn on sound → Page.retrySound"}},
		"token_expired":     {ended(wire.Ended{Cause: wire.TokenExpired}), atEnd, "Your sign-in expired", "Sign in again; you'll come right back here.", []string{"Sign in → /sign-in?next=/call", "Copy diagnostics → CopyButton.copy"}},
		"token_expired before": {refused(rest.Problem{Code: rest.CodeUnauthorized}), inBanner, "Your sign-in expired", "Sign in again; you'll come right back here.",
			[]string{"Sign in → /sign-in?next=/call"}},
		"token_expired soon": {talk(func(t *call.Talk) { t.SignInEnds = noon.Add(2 * time.Minute) }), inBanner, "Your sign-in ends in 2:00", "Your call ends when your sign-in does.",
			[]string{"Sign in again → /sign-in", "OK → Page.hideSignIn"}},
		"forbidden": {refused(rest.Problem{Code: rest.CodeForbidden}), inBanner, "You can't start calls", "Your account doesn't have call rights on this server.", nil},
		"cap_reached": {refused(rest.Problem{Code: rest.CodeCapReached, Limit: 100}), inBanner, "All lines are busy",
			"All 100 lines are in use. We'll try again in 15 s and keep your place on this screen.", []string{"Try now → Page.start", "Stop trying → Page.hangup"}},
		"org_cap": {refused(rest.Problem{Code: rest.CodeOrgCap, Limit: 20}), inBanner, "Your organization's lines are busy",
			"All 20 lines are in use. We'll try again in 15 s and keep your place on this screen.", []string{"Try now → Page.start", "Stop trying → Page.hangup"}},
		"user_cap":      {refused(rest.Problem{Code: rest.CodeUserCap}), inBanner, "You're already in a call", "In another tab or device, since 14:02.", []string{"Move it here → Page.takeOver", "Cancel → Page.dismiss"}},
		"timeout_warn":  {warned(wire.WarnIdle, 118*time.Second), inBanner, "Still there?", "This call ends in 1:58 because it's been quiet.", []string{"Keep talking → Page.keepTalking"}},
		"timeout":       {ended(wire.Ended{Cause: wire.IdleTimeout}), atEnd, "Call ended: quiet for 30 minutes", "Nothing was said, so we closed the line.", afterEnd(callAgain)},
		"max_length":    {warned(wire.WarnMaxDuration, 2*time.Minute), inBanner, "This call ends in 2:00", "Calls on this server last 60 minutes at most.", []string{"OK → Page.hideWarning"}},
		"draining":      {refused(rest.Problem{Code: rest.CodeDraining}), inBanner, "This server is restarting", "New calls start on another line. Connecting you there…", []string{"Try now → Page.start", "Stop trying → Page.hangup"}},
		"draining_call": {warned(wire.WarnDraining, 270*time.Second), inBanner, "Short interruption coming", "The server restarts in 4:30. Your call ends then.", []string{"OK → Page.hideWarning"}},
		"draining_call of many": {call.Apply(with(talking(), func(p *call.Picture) { p.Talk.Node = "a" }), warning(wire.WarnDraining, 270*time.Second), noon), inBanner, "Short interruption coming",
			"The server restarts in 4:30. Your call moves to another line, with a pause of about 2 s.", []string{"OK → Page.hideWarning"}},
		"admin_ended": {ended(wire.Ended{Cause: wire.AdminEnded, Message: "maintenance"}), atEnd, "An admin ended this call", "Reason: maintenance.", afterEnd(callAgain)},
		"ice_failed": {failed(peer.ICEFailed), atEnd, "Couldn't connect the call",
			"Your network blocks call traffic (UDP and the relay). Try mobile data, or turn off the VPN.", afterEnd("Try again → Summary.start")},
		"device_busy":       {failed(peer.LocalSlow), atEnd, "Your device is busy", "It took too long to set the call up. Close other tabs, then try again.", afterEnd("Try again → Summary.start")},
		"ice_disconnected":  {talk(func(t *call.Talk) { t.Until = noon.Add(24 * time.Second) }), inBanner, "Reconnecting…", "Your place is kept for 24 s.", []string{"End call → Page.hangup"}},
		"lost":              {call.Apply(talk(func(t *call.Talk) { t.Until = noon }), peer.CallEnded{Failure: peer.Lost}, noon), atEnd, "Connection lost", "We tried for 30 s.", afterEnd(callAgain)},
		"dtls_failed":       {failed(peer.DTLSFailed), atEnd, "Couldn't secure the line", "Encryption could not be set up, so we didn't connect.", afterEnd("Try again → Summary.start")},
		"agent_unavailable": {ended(wire.Ended{Cause: wire.AgentUnavailable}), atEnd, "The agent isn't answering", "The line is fine, the agent behind it isn't.", afterEnd("Try again → Summary.start")},
		"agent_slow":        {talk(func(t *call.Talk) { t.State.Agent, t.State.Quality = wire.AgentThinking, slow }), inStage, "The agent is thinking", "Longer than usual (4 s). Your line is fine.", nil},
		"paused": {refused(rest.Problem{Code: rest.CodePaused, RetryAfterS: 30}), inBanner, "Calls are paused",
			"Calls that are on go on; new ones start again when an admin of this server says so.", []string{tryAgain}},
		"privacy_block":  {refused(rest.Problem{Code: rest.CodePrivacyBlock}), inBanner, "Calls are paused", "Privacy protection isn't active on this server, so no call may start.", nil},
		"rate_limited":   {refused(rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: 12}), inBanner, "Slow down a little", "You can try again in 12 s.", nil},
		"offline":        {call.Picture{Admission: call.Admission{Offline: true}}, inBanner, "You're offline", "Calls need a connection. We'll tell you when you're back.", nil},
		"offline server": {call.Picture{Admission: call.Admission{Offline: true, ServerDown: true}}, inBanner, "We can't reach the server", "Check your connection, then try again.", []string{"Try again → Page.askAgain"}},
		"server_error":   {refused(rest.Problem{Code: rest.CodeServerError, RequestID: "req_8F3K"}), inBanner, "Something broke on our side", "It's been logged. Request req_8F3K.", []string{tryAgain}},
	}
}

// TestEveryCodeHasItsPage: its title, its text, and what it offers, to the letter. A code
// without a row fails.
func TestEveryCodeHasItsPage(t *testing.T) {
	shown := shownCodes()
	for _, code := range callersCodes {
		if _, ok := shown[code]; !ok {
			t.Errorf("%s has no row", code)
		}
	}
	for name, s := range shown {
		code, _, _ := strings.Cut(name, " ")
		if !slices.Contains(callersCodes, code) {
			t.Errorf("%s is of no code", name)
		}
		t.Run(name, func(t *testing.T) {
			page := treeOf(call.PageOf(s.picture, false, false, false))
			box, ok := page.find(func(n node) bool { return n.hasClass(s.box) })
			if !ok {
				t.Fatalf("no %s in %q", s.box, page.texts)
			}
			told := box.texts
			if !strings.Contains(strings.Join(told, "\n")+"\n", s.title+"\n"+s.text+"\n") || !slices.Contains(told, s.text) {
				t.Errorf("no %q, %q in %q", s.title, s.text, told)
			}
			got := slices.DeleteFunc(box.acts(), func(act string) bool { return strings.Contains(act, "Summary.rating") })
			if !slices.Equal(got, s.acts) {
				t.Errorf("offers %q, want %q", got, s.acts)
			}
			start, isThere := page.find(func(n node) bool { return n.target == "Page.start" && n.hasClass("button-big") })
			if isThere && start.isDisabled != slices.Contains(noStart, name) {
				t.Errorf("a call can be started: %v", !start.isDisabled)
			}
		})
	}
}
