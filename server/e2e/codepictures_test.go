package e2e_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"parley/shared/quality"
	"parley/shared/wire"
)

// deaf lets a test keep from the page what the server really says (parleyDeaf), but for
// that it is there.
const deaf = `(() => {
  window.parleyDeaf = false;
  window.WebSocket = new Proxy(window.WebSocket, { construct(target, args) {
    const socket = new target(...args);
    socket.addEventListener('message', e => { if (parleyDeaf && e.isTrusted && !e.data.includes('"pong"')) e.stopImmediatePropagation(); });
    return socket;
  } });
  const fetched = window.fetch, asked = MediaDevices.prototype.getUserMedia;
  window.parleySlow = window.parleyHush = false;
  window.fetch = async (...args) => {
    if (parleySlow) await new Promise(done => setTimeout(done, 900 * Math.random()));
    return fetched(...args);
  };
  MediaDevices.prototype.getUserMedia = async function(...args) {
    return parleyHush ? new AudioContext().createMediaStreamDestination().stream : asked.apply(this, args);
  };
  CacheStorage.prototype.has = () => Promise.resolve(false);
})()`

// shoot keeps the page wide and narrow, light and dark, in a folder of the artefacts.
func (s *screen) shoot(folder, name string) {
	s.t.Helper()
	for _, shape := range []size{desktop, phone} {
		s.resize(shape)
		for _, scheme := range []string{"light", "dark"} {
			s.wear(scheme)
			s.shootOne(folder, fmt.Sprintf("%s-%d-%s", name, shape.width, scheme))
		}
		s.fitsAcross(name)
	}
	s.wear("light")
	s.resize(desktop)
}

func (s *screen) shootOne(folder, name string) {
	s.t.Helper()
	evaluate[any](s, "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 300))))")
	if err := s.keepIn(folder, name); err != nil {
		s.t.Fatal(err)
	}
}

// The pictures that a person looks at: each code that stops a caller, the states of a
// call without colour, and each check before a call that fails alone.
func TestPicturesOfACallersPage(t *testing.T) {
	if os.Getenv("PARLEY_PICTURES") == "" {
		t.Skip("makes pictures to look at, in artifacts/: run `make screenshots`")
	}
	t.Parallel()
	srv := startServer(t, nil, "--agent=echo", "--reconnect-grace=30s")
	b := startBrowser(t, microphone{voice: voice(t)}, nil, withMotion)
	caller := b.open(srv.callerLink, breaks, deaf)
	caller.mayComplain("")
	caller.says("Ready when you are")
	caller.says("Round trip")
	caller.shootsTheMicrophone()
	for name, script := range map[string]string{
		"unsupported": lacks("Navigator.prototype", "mediaDevices"), "insecure": lacks("globalThis", "isSecureContext"),
	} {
		other := b.open(srv.callerLink, script)
		other.press("Check microphone")
		other.saysOne("This page isn't secure", "This browser can't make calls")
		other.shoot("codes", name)
	}
	caller.shootsRefusals()
	caller.startCall()
	caller.shootsTheCall()
	caller.shootsEnds()
	caller.shootsAnUpdate()
	caller.shootsALostCall(srv)
}

func (s *screen) shootsTheMicrophone() {
	for _, code := range []struct{ name, refusal, title, press string }{
		{"mic_denied", "['NotAllowedError']", "Microphone is blocked", "Check microphone"},
		{"mic_denied_system", "['NotAllowedError', 'Permission denied by system']", "Your device blocks the microphone", "Try again"},
		{"mic_busy", "['NotReadableError']", "Microphone is in use", "Try again"},
		{"mic_none", "['NotFoundError']", "No microphone found", "Try again"},
	} {
		s.set("parleyMic = " + code.refusal)
		s.press(code.press)
		s.says(code.title)
		s.shoot("codes", code.name)
	}
	s.set("parleyMic = null")
	s.press("Check again")
	s.says("We can hear you")
	s.press("Play test sound")
	s.says("If you heard three notes")
	s.shoot("checks", "all-well")
	s.wearsForced("forced", "ready")
	s.set("parleySlow = true")
	s.set("dispatchEvent(new Event('online'))")
	s.says("varies by")
	s.shoot("checks", "line")
	s.set("parleySlow = false")
	s.set("dispatchEvent(new Event('online'))")
	s.saysNot("varies by")
	s.press("I heard nothing")
	s.says("Round trip")
	s.shoot("checks", "hearing")
	s.press("Play test sound")
	s.says("If you heard three notes")
	s.set("parleyHush = true")
	s.chooses("mic-device", "Fake Audio Input 1")
	s.says("We can't hear anything yet")
	s.shoot("checks", "being-heard")
	s.set("parleyHush = false")
	s.press("My calls")
	s.press("Call")
	s.press("Check microphone")
	s.says("We can hear you")
}

func (s *screen) shootsRefusals() {
	for _, code := range []struct{ name, problem, title string }{
		{"forbidden", "{ status: 403, code: 'forbidden' }", "You can't start calls"},
		{"cap_reached", "{ status: 503, code: 'cap_reached', limit: 100, retry_after_s: 15 }", "All lines are busy"},
		{"user_cap", "{ status: 503, code: 'user_cap' }", "You're already in a call"},
		{"draining", "{ status: 503, code: 'draining', retry_after_s: 15 }", "This server is restarting"},
		{"privacy_block", "{ status: 503, code: 'privacy_block' }", "Calls are paused"},
		{"rate_limited", "{ status: 429, code: 'rate_limited', retry_after_s: 12 }", "Slow down a little"},
		{"server_error", "{ status: 500, code: 'server_error', request_id: 'req_8F3K' }", "Something broke on our side"},
		{"token_expired", "{ status: 401, code: 'unauthorized' }", "Your sign-in expired"},
	} {
		s.answersAdmission(code.problem)
		s.press("Start call")
		s.says(code.title)
		s.shoot("codes", code.name)
		s.answersAdmission("")
		s.press("My calls")
		s.press("Call")
		s.saysNot(code.title)
		s.says("Round trip")
	}
	s.set("dispatchEvent(new Event('offline'))")
	s.says("You're offline")
	s.shoot("codes", "offline")
	s.set("dispatchEvent(new Event('online'))")
	s.saysNot("You're offline")
}

// hearsOf has the page believe that the agent does so, on a line without fault.
func (s *screen) hearsOf(agent wire.AgentState, v quality.Verdict) {
	s.hears(wire.State{Session: wire.StateActive, Agent: agent, Quality: &v})
}

func (s *screen) shootsTheCall() {
	well := quality.Verdict{Level: quality.Excellent, R: 93, MOS: 4.4}
	s.set("parleyDeaf = true")
	for _, w := range []struct {
		name, says string
		warning    wire.Warning
	}{
		{"timeout_warn", "Still there?", wire.Warning{Code: wire.WarnIdle, EndsAt: time.Now().Add(2 * time.Minute)}},
		{"max_length", "This call ends in", wire.Warning{Code: wire.WarnMaxDuration, EndsAt: time.Now().Add(2 * time.Minute)}},
		{"draining_call", "Short interruption coming", wire.Warning{Code: wire.WarnDraining, EndsAt: time.Now().Add(270 * time.Second)}},
	} {
		s.hearsOf(wire.AgentListening, well)
		s.hears(w.warning)
		s.says(w.says)
		s.shoot("codes", w.name)
		s.hears(wire.Warning{Code: w.warning.Code})
		s.saysNot(w.says)
	}
	s.hearsOf(wire.AgentThinking, quality.Verdict{Level: quality.Excellent, R: 93, MOS: 4.4, Cause: quality.CauseAgentSlow, Value: 4000})
	s.says("Longer than usual (4 s).")
	s.shoot("codes", "agent_slow")
	s.shootsStates(well)
	s.set("parleyDeaf = false")
	s.set("parleyProbe.peers.at(-1).getSenders()[0].track.dispatchEvent(new Event('ended'))")
	s.says(`We switched to "`)
	s.shoot("codes", "mic_lost-switched")
	s.press("Close")
	s.set("parleyMic = ['NotFoundError']")
	s.set("parleyProbe.peers.at(-1).getSenders()[0].track.dispatchEvent(new Event('ended'))")
	s.says("Choose another to go on.")
	s.shoot("codes", "mic_lost")
	s.set("parleyMic = null")
	s.press("End")
	s.checkFirst()
}

// shootsStates keeps the states of a call as somebody sees them who sees no colour.
func (s *screen) shootsStates(well quality.Verdict) {
	for name, agent := range map[string]wire.AgentState{"listening": wire.AgentListening, "thinking": wire.AgentThinking, "speaking": wire.AgentSpeaking} {
		s.hearsOf(agent, well)
		s.says("Agent is " + name)
		s.wearsForced("forced", name)
	}
	s.press("Mute")
	s.wearsForced("forced", "muted")
	s.press("Unmute")
	s.seesColour(false)
	for name, agent := range map[string]wire.AgentState{"listening": wire.AgentListening, "thinking": wire.AgentThinking, "speaking": wire.AgentSpeaking} {
		s.hearsOf(agent, well)
		s.says("Agent is " + name)
		s.shoot("states", name)
	}
	s.hearsOf(wire.AgentListening, well)
	s.press("Mute")
	s.says("You're muted")
	s.shoot("states", "muted")
	s.press("Unmute")
	s.seesColour(true)
}

// wearsForced has the page take the system's colours, and stand still.
func (s *screen) wearsForced(folder, name string) {
	s.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		if _, err := chromedp.Call(s.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "forced-colors", Value: "active"}, {Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}); err != nil {
			s.t.Fatal(err)
		}
		s.shootOne(folder, name+"-1280-"+scheme)
	}
	s.wear("light")
}

func (s *screen) seesColour(does bool) {
	s.t.Helper()
	as := emulation.SetEmulatedVisionDeficiencyTypeNone
	if !does {
		as = emulation.SetEmulatedVisionDeficiencyTypeAchromatopsia
	}
	if _, err := chromedp.Call(s.ctx, emulation.SetEmulatedVisionDeficiency, emulation.SetEmulatedVisionDeficiencyParams{Type: as}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *screen) shootsEnds() {
	for _, end := range []struct {
		name  string
		ended wire.Ended
		title string
	}{
		{"timeout", wire.Ended{Cause: wire.IdleTimeout}, "Call ended: quiet for 30 minutes"},
		{"admin_ended", wire.Ended{Cause: wire.AdminEnded, Message: "maintenance"}, "An admin ended this call"},
		{"agent_unavailable", wire.Ended{Cause: wire.AgentUnavailable}, "The agent isn't answering"},
		{"token_expired-in-a-call", wire.Ended{Cause: wire.TokenExpired}, "Your sign-in expired"},
	} {
		s.press("Start call")
		s.says("Agent is")
		s.hears(end.ended)
		s.says(end.title)
		s.shoot("codes", end.name)
		s.wearsForced("forced", end.name)
		s.press("Call")
		s.says("Ready when you are")
	}
	for _, how := range []string{"ice", "dtls"} {
		s.set(fmt.Sprintf("parleyBreak = %q", how))
		s.press("Start call")
		s.says("Copy diagnostics")
		s.shoot("codes", how+"_failed")
		s.set("parleyBreak = ''")
		s.checkFirst()
	}
	s.set("parleySilence = true")
	s.set("Object.defineProperty(HTMLMediaElement.prototype, 'autoplay', { configurable: true, set() {} })")
	s.press("Start call")
	s.says("Tap to hear the agent")
	s.shoot("codes", "audio_blocked")
	s.set("parleySilence = false")
	s.press("End")
	s.checkFirst()
}

func (s *screen) shootsAnUpdate() {
	s.set("goappOnUpdate()")
	s.says("A new version is ready")
	s.shoot("codes", "update_ready")
	s.press("Later")
}

func (s *screen) shootsALostCall(srv *server) {
	s.seesColour(false)
	s.press("Start call")
	s.shootOne("states", "connecting-1280-light")
	s.says("Agent is")
	srv.kill()
	s.says("Reconnecting…")
	s.shoot("states", "reconnecting")
	s.seesColour(true)
	s.shoot("codes", "ice_disconnected")
	s.says("Connection lost")
	s.shoot("codes", "lost")
}
