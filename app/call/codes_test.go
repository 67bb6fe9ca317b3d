package call_test

import (
	"html"
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

// callersCodes are all codes that a caller's page has to have words and a way on for.
var callersCodes = strings.Fields(`mic_denied mic_denied_system mic_none mic_busy mic_lost insecure unsupported audio_blocked
	token_expired forbidden cap_reached user_cap timeout_warn timeout max_length draining draining_call admin_ended ice_failed
	ice_disconnected lost dtls_failed agent_unavailable agent_slow paused privacy_block rate_limited offline server_error`)

// shownCode is a page that a code brought about, and what it has to say and to offer.
type shownCode struct {
	picture call.Picture
	title   string
	text    string
	actions []string
}

// shownCodes are the pages of all codes.
func shownCodes() map[string]shownCode {
	mic := func(code string) call.Picture {
		return call.Picture{Mic: call.MicCheck{State: call.MicFailed, Problem: code}}
	}
	talk := func(change func(*call.Talk)) call.Picture {
		return with(talking(), func(p *call.Picture) { change(&p.Talk) })
	}
	refused := func(p rest.Problem, retry time.Duration) call.Picture {
		r := &call.Refusal{Problem: p}
		if retry > 0 {
			r.RetryAt = noon.Add(retry)
		}
		return call.Picture{Now: noon, Refusal: r, Admission: call.Admission{HeldSince: time.Date(2026, 3, 4, 14, 2, 0, 0, time.Local)}}
	}
	warned := func(code wire.WarningCode, in time.Duration) call.Picture {
		return call.Apply(talking(), warning(code, in), noon)
	}
	ended := func(e wire.Ended) call.Picture { return call.Apply(talking(), peer.CallEnded{Ended: e}, noon) }
	failed := func(f peer.Failure) call.Picture {
		return call.Apply(with(talking(), func(p *call.Picture) { p.Phase, p.Talk.StartedAt = call.Connecting, time.Time{} }), peer.CallEnded{Failure: f}, noon)
	}
	slow := &quality.Verdict{Level: quality.Excellent, Cause: quality.CauseAgentSlow, Value: 4000}
	return map[string]shownCode{
		"mic_denied": {mic("mic_denied"), "Microphone is blocked",
			"Your browser is set to block the microphone for this site. Click the icon left of the address, allow Microphone, then come back.", []string{"Try again", "Show me how"}},
		"mic_denied_system": {mic("mic_denied_system"), "Your device blocks the microphone", "Allow it for your browser in system settings (Privacy → Microphone).", []string{"Try again"}},
		"mic_none":          {mic("mic_none"), "No microphone found", "Plug one in or connect a headset. We'll notice by ourselves.", []string{"Check again"}},
		"mic_busy":          {mic("mic_busy"), "Microphone is in use", "Another app or tab is using it. Close that app, then try again.", []string{"Try again"}},
		"mic_lost":          {talk(func(t *call.Talk) { t.Notice.Code = "mic_lost" }), "Microphone disconnected", "Choose another to go on.", []string{"Choose"}},
		"insecure":          {mic("insecure"), "This page isn't secure", "Browsers allow the microphone only on https. Open Parley with https://.", []string{"Open https"}},
		"unsupported":       {mic("unsupported"), "This browser can't make calls", "Use a current Chrome, Edge, Firefox or Safari.", nil},
		"audio_blocked":     {talk(func(t *call.Talk) { t.Blocked = true }), "Tap to hear the agent", "Your browser paused the sound.", []string{"Turn on sound"}},
		"token_expired":     {ended(wire.Ended{Cause: wire.TokenExpired}), "Your sign-in expired", "Sign in again; you'll come right back here.", []string{"Sign in"}},
		"forbidden":         {refused(rest.Problem{Code: rest.CodeForbidden}, 0), "You can't start calls", "Your account doesn't have call rights on this server.", nil},
		"cap_reached": {refused(rest.Problem{Code: rest.CodeCapReached, Limit: 100}, 15*time.Second), "All lines are busy",
			"All 100 lines are in use. We'll try again in 15 s and keep your place on this screen.", []string{"Try now", "Stop trying"}},
		"user_cap":      {refused(rest.Problem{Code: rest.CodeUserCap}, 0), "You're already in a call", "In another tab or device, since 14:02.", []string{"Move it here", "Cancel"}},
		"timeout_warn":  {warned(wire.WarnIdle, 118*time.Second), "Still there?", "This call ends in 1:58 because it's been quiet.", []string{"Keep talking"}},
		"timeout":       {ended(wire.Ended{Cause: wire.IdleTimeout}), "Call ended: quiet for 30 minutes", "Nothing was said, so we closed the line.", []string{"Call again"}},
		"max_length":    {warned(wire.WarnMaxDuration, 2*time.Minute), "This call ends in 2:00", "Calls on this server last 60 minutes at most.", []string{"OK"}},
		"draining":      {refused(rest.Problem{Code: rest.CodeDraining}, 0), "This server is restarting", "New calls start again in a moment.", []string{"Try again"}},
		"draining_call": {warned(wire.WarnDraining, 270*time.Second), "Short interruption coming", "The server restarts in 4:30. Your call ends then.", []string{"OK"}},
		"admin_ended":   {ended(wire.Ended{Cause: wire.AdminEnded, Message: "maintenance"}), "An admin ended this call", "Reason: maintenance.", []string{"Call again"}},
		"ice_failed": {failed(peer.ICEFailed), "Couldn't connect the call",
			"Your network blocks call traffic (UDP and the relay). Try mobile data, or turn off the VPN.", []string{"Try again", "Copy diagnostics"}},
		"ice_disconnected":  {talk(func(t *call.Talk) { t.Until = noon.Add(24 * time.Second) }), "Reconnecting…", "Your place is kept for 24 s.", []string{"End"}},
		"lost":              {call.Apply(talk(func(t *call.Talk) { t.Until = noon }), peer.CallEnded{Failure: peer.Lost}, noon), "Connection lost", "We tried for 30 seconds.", []string{"Call again"}},
		"dtls_failed":       {failed(peer.DTLSFailed), "Couldn't secure the line", "Encryption could not be set up, so we didn't connect.", []string{"Try again", "Copy diagnostics"}},
		"agent_unavailable": {ended(wire.Ended{Cause: wire.AgentUnavailable}), "The agent isn't answering", "The line is fine, the agent behind it isn't.", []string{"Try again"}},
		"agent_slow":        {talk(func(t *call.Talk) { t.State.Agent, t.State.Quality = wire.AgentThinking, slow }), "The agent is thinking", "Longer than usual (4.0 s). Your line is fine.", nil},
		"paused": {refused(rest.Problem{Code: rest.CodePaused, RetryAfterS: 30}, 0), "Calls are paused",
			"Calls that are on go on; new ones start again when an admin of this server says so.", []string{"Try again"}},
		"privacy_block": {refused(rest.Problem{Code: rest.CodePrivacyBlock}, 0), "Calls are paused", "Privacy protection isn't active on this server, so no call may start.", nil},
		"rate_limited":  {refused(rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: 12}, 0), "Slow down a little", "You can try again in 12 s.", []string{"Try again"}},
		"offline":       {call.Picture{Admission: call.Admission{Offline: true}}, "You're offline", "Calls need a connection. We'll tell you when you're back.", nil},
		"server_error":  {refused(rest.Problem{Code: rest.CodeServerError, RequestID: "req_8F3K"}, 0), "Something broke on our side", "It's been logged. Request req_8F3K.", []string{"Try again"}},
	}
}

// TestEveryCodeHasItsPage: its title, its text, and the controls that lead on. A code
// without a row fails.
func TestEveryCodeHasItsPage(t *testing.T) {
	shown := shownCodes()
	for _, code := range callersCodes {
		if _, ok := shown[code]; !ok {
			t.Errorf("%s has no row", code)
		}
	}
	if len(shown) != len(callersCodes) {
		t.Errorf("%d rows for %d codes", len(shown), len(callersCodes))
	}
	for code, s := range shown {
		t.Run(code, func(t *testing.T) {
			page := html.UnescapeString(app.HTMLString(call.PageOf(s.picture, false, false, false)))
			for _, want := range append([]string{s.title, s.text}, s.actions...) {
				if !strings.Contains(page, ">"+want+"<") {
					t.Errorf("no %q in %s", want, page)
				}
			}
		})
	}
	down := call.Picture{Admission: call.Admission{Offline: true, ServerDown: true}}
	if page := html.UnescapeString(app.HTMLString(call.PageOf(down, false, false, false))); !strings.Contains(page, "We can't reach the server") || strings.Contains(page, "You're offline") {
		t.Errorf("a server that is down is not told from a browser that is offline: %s", page)
	}
}
