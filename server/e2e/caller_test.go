package e2e_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/shared/wire"
)

// anyAddress is an IP address of either kind; a time of day has two colons.
var anyAddress = regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}\b|([0-9a-f]{0,4}:){3,}`)

// sentBy is the device whose sound the call sends.
func (s *screen) sentBy() string {
	return evaluate[string](s, "parleyProbe.peers.at(-1).getSenders()[0].track.label")
}

// chooses takes an option of the select with the id.
func (s *screen) chooses(id, label string) {
	s.t.Helper()
	eventually(s.t, "choose "+label, patience, func() (string, bool) {
		return s.text(), evaluate[bool](s, `(() => { const e = document.getElementById('`+id+`');
		  const o = e && [...e.options].find(o => o.text === '`+label+`'); if (!o) return false;
		  e.value = o.value; e.dispatchEvent(new Event('change', { bubbles: true })); return true; })()`)
	})
}

// A caller's call from its devices to its summary: who changes the microphone is heard
// by the other one, who loses it is told, and silence is warned of.
func TestACallersCall(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil, "--agent=echo")
	caller := startBrowser(t, microphone{voice: voice(t)}, nil).open(srv.callerLink, breaks)
	caller.says("Ready when you are")
	caller.press("Play test sound")
	caller.press("I heard nothing")
	caller.says("Turn up the volume of your device, or choose another speaker.")
	caller.startCall()
	id := srv.onlySession(t).ID
	caller.changesDevices()
	caller.isStillThere()
	caller.usesAHeadset()
	caller.says("You ended the call.")
	caller.readsTheSummary(srv, id)
	caller.choosesNoKeys()
}

func (s *screen) changesDevices() {
	s.t.Helper()
	s.press("Audio")
	s.pictures("audio")
	s.chooses("call-mic", "Fake Audio Input 2")
	eventually(s.t, "the other microphone is sent", patience, func() (string, bool) {
		label := s.sentBy()
		return label, label == "Fake Audio Input 2"
	})
	before := s.sound().Sent
	eventually(s.t, "and heard", patience, func() (string, bool) { return "", s.sound().Sent > before+voiced })
	s.set("parleyProbe.peers.at(-1).getSenders()[0].track.dispatchEvent(new Event('ended'))")
	s.says(`We switched to "`)
	s.isAccessible("microphone switched")
	s.keep("switched")
	s.press("Choose")
	eventually(s.t, "the focus goes where one chooses", patience, func() (string, bool) {
		at := evaluate[string](s, "document.activeElement.id")
		return at, at == "devices"
	})
	s.set(`MediaDevices.prototype.enumerateDevices = () => Promise.resolve([{ deviceId: 'new', kind: 'audioinput', label: 'Headset' }])`)
	s.set("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
	s.saysOne(`"Headset" was plugged in.`, `We switched to "`) // what is read is not written over
	s.press("Close audio")
}

// isStillThere is asked whether anybody is there. The button tells the server, whose word
// takes the question back.
func (s *screen) isStillThere() {
	s.t.Helper()
	evaluate[any](s, "window.parleyFrames = []; { const socket = parleyProbe.sockets.at(-1), send = socket.send; socket.send = f => { parleyFrames.push(f); send.call(socket, f); }; }")
	s.hears(wire.Warning{Code: wire.WarnIdle, EndsAt: time.Now().Add(2 * time.Minute)})
	s.says("Still there?")
	s.keep("still-there")
	s.press("Keep talking")
	s.saysNot("Still there?")
	eventually(s.t, "the server is told", patience, func() (string, bool) {
		frames := evaluate[string](s, "parleyFrames.join(' ')")
		return frames, strings.Contains(frames, string(wire.ActivityKeepAlive))
	})
	s.hears(wire.Warning{Code: wire.WarnIdle})
	s.says("Good, still here.")
}

// usesAHeadset to mute, to speak again and to hang up; the screen was kept on meanwhile.
func (s *screen) usesAHeadset() {
	s.t.Helper()
	s.set("parleyKeys.togglemicrophone({ action: 'togglemicrophone' })")
	s.says("You're muted")
	s.set("parleyKeys.togglemicrophone({ action: 'togglemicrophone' })")
	s.says("Agent is")
	if n := evaluate[int](s, "parleyAwake"); n < 1 {
		s.t.Error("the screen was never asked to stay on")
	}
	s.set("parleyKeys.hangup({ action: 'hangup' })")
}

// readsTheSummary at its own address, and after a reload; copies of it have no address
// of anybody's.
func (s *screen) readsTheSummary(srv *server, id string) {
	s.t.Helper()
	s.says("no audio stored · 0 storage attempts")
	s.pictures("summary")
	s.goTo(srv.origin() + "/call/" + id + "/summary")
	for _, words := range []string{"You ended the call.", "no audio stored · 0 storage attempts", "How was it?", "Start another call"} {
		s.says(words)
	}
	s.isAccessibleWideAndNarrow("summary of its own")
	if n := evaluate[int](s, "document.querySelectorAll('.summary-ribbon svg').length"); n != 1 {
		s.t.Errorf("%d ribbons", n)
	}
	s.press("It was bad")
	s.press("Echo")
	s.says("Thanks, noted.")
	s.press("Copy diagnostics")
	eventually(s.t, "diagnostics are JSON without an address", patience, func() (string, bool) {
		copied := evaluate[string](s, "parleyCopied")
		return copied, json.Valid([]byte(copied)) && strings.Contains(copied, id) && !anyAddress.MatchString(copied)
	})
	s.goTo(s.address())
	s.says("Thanks, noted.")
	if n := evaluate[int](s, `document.querySelectorAll('.rating [aria-pressed=true]').length`); n != 2 {
		s.t.Errorf("%d answers were kept, want 2", n)
	}
	s.press("My calls")
	s.says("you ended")
	s.isAccessibleWideAndNarrow("history")
	eventually(s.t, "the call's row leads to its summary", patience, func() (string, bool) {
		href := evaluate[string](s, "document.querySelector('.row-link').getAttribute('href')")
		return href, href == "/call/"+id+"/summary"
	})
}

// choosesNoKeys switches the shortcuts off: then a letter is a letter.
func (s *screen) choosesNoKeys() {
	s.t.Helper()
	s.press("My settings")
	s.says("Single-key shortcuts")
	s.pictures("settings")
	s.click("Single-key shortcuts", "checkbox")
	s.press("Call")
	s.startCall()
	s.types("m")
	s.press("Details")
	s.says("Estimated MOS") // by now the key would have done its work
	if text := s.text(); strings.Contains(text, "Unmute") {
		s.t.Errorf("a key mutes though keys are off:\n%s", text)
	}
	s.press("End")
	s.says("You ended the call.")
}
