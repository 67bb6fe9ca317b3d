package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/shared/wire"
)

// breaks lets a test bring about in the page what goes wrong in the world: answers of
// the server's (parleyAnswers, by path), the microphone's refusal (parleyMic), a
// connection that fails (parleyBreak) and sound that is held back (parleySilence). It
// keeps what the page gives the system: what a headset's keys do (parleyKeys), and how
// often the screen was to stay on (parleyAwake).
const breaks = `(() => {
  const fetched = window.fetch, asked = MediaDevices.prototype.getUserMedia, played = HTMLMediaElement.prototype.play;
  window.parleyAnswers = {};
  window.fetch = (address, ...rest) => {
    const found = parleyAnswers[new URL(address, location).pathname];
    return found ? Promise.resolve(new Response(JSON.stringify(found), { status: found.status, headers: { 'Content-Type': 'application/problem+json' } })) : fetched(address, ...rest);
  };
  window.parleyMic = null;
  MediaDevices.prototype.getUserMedia = function(...args) {
    return parleyMic ? Promise.reject(new DOMException(parleyMic[1] || '', parleyMic[0])) : asked.apply(this, args);
  };
  window.parleySilence = false;
  HTMLMediaElement.prototype.play = function() {
    return window.parleySilence ? Promise.reject(new DOMException('', 'NotAllowedError')) : played.call(this);
  };
  window.parleyBreak = '';
  window.RTCPeerConnection = new Proxy(window.RTCPeerConnection, { construct(target, args) {
    const pc = new target(...args);
    if (!parleyBreak) return pc;
    Object.defineProperty(pc, 'connectionState', { get: () => 'failed' });
    if (parleyBreak === 'dtls') {
      Object.defineProperty(pc, 'iceConnectionState', { get: () => 'connected' });
      pc.getSenders = () => [{ transport: { state: 'failed' } }];
    }
    setTimeout(() => pc.dispatchEvent(new Event('connectionstatechange')), 100);
    return pc;
  } });
  window.parleyKeys = {};
  const handle = MediaSession.prototype.setActionHandler;
  MediaSession.prototype.setActionHandler = function(action, does) { parleyKeys[action] = does; return handle.call(this, action, does); };
  window.parleyAwake = 0;
  const wake = WakeLock.prototype.request;
  WakeLock.prototype.request = function(...args) { parleyAwake++; return wake.apply(this, args); };
  window.parleyCopied = '';
  navigator.clipboard.writeText = text => { window.parleyCopied = text; return Promise.resolve(); };
})()`

// set changes what goes wrong in the page.
func (s *screen) set(script string) { evaluate[any](s, "void ("+script+")") }

// checkFirst goes from a summary to the checks before a call. On a busy machine what the
// summary still loads can move the button from under the pointer.
func (s *screen) checkFirst() {
	s.t.Helper()
	s.press("Check first")
	pressed := time.Now()
	eventually(s.t, "the checks before a call", 2*patience, func() (string, bool) {
		text := s.text()
		if strings.Contains(text, "Check first") && time.Since(pressed) > patience/4 {
			s.press("Check first")
			pressed = time.Now()
		}
		return text, strings.Contains(text, "Ready when you are")
	})
}

// answersAdmission has the server's answer to who asks for a line be a problem, or ("")
// its own again.
func (s *screen) answersAdmission(problem string) {
	if problem == "" {
		s.set("parleyAnswers = {}")
		return
	}
	s.set("parleyAnswers['/api/v1/realtime/admission'] = " + problem)
}

// A caller's way on from each code that stands before a call: its words, and that what
// it offers does what it says.
func TestWhatOneCanDoBeforeACall(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil, "--agent=echo")
	b := startBrowser(t, microphone{voice: voice(t)}, nil)
	caller := b.open(srv.callerLink, breaks)
	caller.says("Ready when you are")
	caller.mayComplain("503")
	for _, mic := range []struct{ refusal, title, text, action string }{
		{"['NotAllowedError']", "Microphone is blocked", "Click the icon left of the address, allow Microphone, then come back.", "Try again"},
		{"['NotAllowedError', 'Permission denied by system']", "Your device blocks the microphone", "Allow it for your browser in system settings (Privacy → Microphone).", "Try again"},
		{"['NotFoundError']", "No microphone found", "Plug one in or connect a headset. We'll notice by ourselves.", "Check again"},
		{"['NotReadableError']", "Microphone is in use", "Another app or tab is using it. Close that app, then try again.", "Try again"},
	} {
		caller.set("parleyMic = " + mic.refusal)
		caller.press("Check microphone")
		caller.says(mic.title)
		caller.says(mic.text)
		caller.keep(mic.title)
		if mic.title == "Microphone is blocked" {
			caller.press("Show me how")
			caller.says("Allow the microphone")
			caller.press("Close")
		}
		caller.set("parleyMic = null")
		if mic.action == "Check again" { // by itself
			caller.set("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
		} else {
			caller.press(mic.action)
		}
		caller.says("We can hear you")
		caller.press("My calls")
		caller.press("Call")
		caller.says("Check microphone")
	}
	caller.refusedAndLetIn()
}

// byItself is what a page does about a refusal without being asked, within seconds.
const byItself = "by itself"

// refusedAndLetIn brings about what the server refuses a call for, and goes on.
func (s *screen) refusedAndLetIn() {
	s.t.Helper()
	for _, refusal := range []struct{ problem, title, text, action string }{
		{"{ status: 403, code: 'forbidden' }", "You can't start calls", "Your account doesn't have call rights on this server.", ""},
		{"{ status: 503, code: 'privacy_block' }", "Calls are paused", "Privacy protection isn't active on this server, so no call may start.", ""},
		{"{ status: 429, code: 'rate_limited', retry_after_s: 12 }", "Slow down a little", "You can try again in ", ""},
		{"{ status: 500, code: 'server_error', request_id: 'req_8F3K' }", "Something broke on our side", "It's been logged. Request req_8F3K.", "Try again"},
		{"{ status: 503, code: 'draining', retry_after_s: 60 }", "This server is restarting", "New calls start on another line. Connecting you there…", byItself},
		{"{ status: 503, code: 'cap_reached', limit: 100, retry_after_s: 60 }", "All lines are busy", "All 100 lines are in use. We'll try again in ", "Try now"},
		{"{ status: 503, code: 'org_cap', limit: 20, retry_after_s: 60 }", "Your organization's lines are busy", "All 20 lines are in use. We'll try again in ", "Try now"},
		{"{ status: 503, code: 'user_cap' }", "You're already in a call", "In another tab or device", "Move it here"},
	} {
		s.answersAdmission(refusal.problem)
		s.press("Start call")
		s.says(refusal.title)
		s.says(refusal.text)
		s.keep(refusal.title)
		s.answersAdmission("")
		if refusal.action == "" {
			s.press("My calls") // and back, to be asked anew
			s.press("Call")
			s.saysNot(refusal.title)
			continue
		}
		if refusal.action != byItself {
			s.press(refusal.action)
		}
		s.says("Agent is")
		s.press("End")
		s.checkFirst()
	}
	s.set("dispatchEvent(new Event('offline'))")
	s.says("Calls need a connection. We'll tell you when you're back.")
	s.set("dispatchEvent(new Event('online'))")
	s.saysNot("You're offline")
	s.answersAdmission("{ status: 401, code: 'unauthorized' }")
	s.press("Start call")
	s.says("Sign in again; you'll come right back here.")
	s.press("Sign in")
	s.says("Access token")
	if at := s.address(); !strings.HasSuffix(at, "/sign-in?next=/call") {
		s.t.Errorf("signing in again is at %s", at)
	}
}

// isAskedWhetherAnybodyIsThere, and speaks while muted.
func (s *screen) isAskedWhetherAnybodyIsThere() {
	s.t.Helper()
	s.hears(wire.Warning{Code: wire.WarnIdle, EndsAt: time.Now().Add(2 * time.Minute)})
	s.says("Still there?")
	s.isAccessibleNarrow("warning " + string(wire.WarnIdle))
	s.hears(wire.Warning{Code: wire.WarnIdle})
	s.saysNot("Still there?")
	s.press("Mute")
	s.says("Press M to unmute")
	s.isAccessible("speaking while muted")
	s.press("Unmute")
}

// goesOnAfterEachEnd by what its summary offers. Axe looks at one for each kind of page, by
// what it explains and what it offers to do.
func (s *screen) goesOnAfterEachEnd() {
	s.t.Helper()
	looked := map[wire.EndCause]bool{wire.AdminEnded: true, wire.IdleTimeout: true, wire.BudgetSpent: true, wire.MediaFailed: true, wire.ProtocolError: true}
	for _, end := range []struct {
		cause         wire.EndCause
		title, action string
	}{
		{wire.IdleTimeout, "Call ended: quiet for 30 minutes", "Call again"}, {wire.AdminEnded, "Reason: maintenance.", "Call again"},
		{wire.ConnectionLost, "Connection lost", "Call again"}, {wire.AgentUnavailable, "The line is fine, the agent behind it isn't.", "Try again"},
		{wire.Replaced, "Your call moved", "Start here"}, {wire.MediaFailed, "Connection lost", "Call again"},
		{wire.ProtocolError, "Something broke on our side", "Try again"}, {wire.BudgetSpent, "Call ended: the budget is used up", ""},
	} {
		s.hears(wire.Ended{Cause: end.cause, Message: map[bool]string{true: "maintenance"}[end.cause == wire.AdminEnded]})
		s.says(end.title)
		if looked[end.cause] {
			s.says("Copy diagnostics")
			s.isAccessibleNarrow("ended " + string(end.cause))
		}
		if end.action == "" {
			s.checkFirst()
			s.startCall()
			continue
		}
		s.press(end.action)
		s.says("Agent is")
	}
}

// The way on from each code in a call, and after it.
func TestWhatOneCanDoInACallAndAfter(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil, "--agent=echo")
	caller := startBrowser(t, microphone{voice: voice(t)}, nil).open(srv.callerLink, breaks)
	caller.says("Ready when you are")
	caller.startCall()
	for code, says := range map[wire.WarningCode]string{
		wire.WarnMaxDuration: "Calls on this server last 60 minutes at most.", wire.WarnDraining: "Short interruption coming",
		wire.WarnBudget: "What this account may spend on calls is nearly used up.", wire.WarnAgentStuck: "The agent isn't responding",
	} {
		caller.hears(wire.Warning{Code: code, EndsAt: time.Now().Add(2 * time.Minute)})
		caller.says(says)
		if code == wire.WarnDraining {
			caller.says("The server restarts in")
			caller.isAccessibleNarrow("warning " + string(code))
		}
		caller.press("OK")
		caller.saysNot(says)
		caller.hears(wire.Warning{Code: code}) // it is taken back
	}
	caller.isAskedWhetherAnybodyIsThere()
	caller.goesOnAfterEachEnd()
	caller.press("End")
	caller.says("You ended the call.")
	caller.press("Call") // in the rail
	caller.says("Ready when you are")
	caller.press("Start call")
	caller.says("Agent is")
	caller.press("End")
	for _, broken := range []struct{ how, title, text string }{
		{"ice", "Couldn't connect the call", "Your network blocks call traffic (UDP and the relay). Try mobile data, or turn off the VPN."},
		{"dtls", "Couldn't secure the line", "Encryption could not be set up, so we didn't connect."},
	} {
		caller.checkFirst()
		caller.set(fmt.Sprintf("parleyBreak = %q", broken.how))
		caller.press("Start call")
		caller.says(broken.title)
		caller.says(broken.text)
		caller.isAccessibleNarrow(broken.title)
		caller.press("Copy diagnostics")
		eventually(t, "the diagnostics are copied", patience, func() (string, bool) {
			copied := evaluate[string](caller, "parleyCopied")
			return copied, strings.Contains(copied, broken.how+"_failed")
		})
		caller.set("parleyBreak = parleyCopied = ''")
		caller.press("Try again")
		caller.says("Agent is")
		caller.press("End")
	}
	caller.checkFirst()
	caller.set("parleySilence = true")
	caller.set("Object.defineProperty(HTMLMediaElement.prototype, 'autoplay', { set() {} })")
	caller.press("Start call")
	caller.says("Tap to hear the agent")
	caller.set("parleySilence = false")
	caller.press("Turn on sound")
	caller.saysNot("Tap to hear the agent")
	caller.hears(wire.Ended{Cause: wire.TokenExpired})
	caller.says("Your sign-in expired")
	caller.isAccessibleNarrow("ended " + string(wire.TokenExpired))
	caller.press("Sign in")
	caller.says("Access token")
}
