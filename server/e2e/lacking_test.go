package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// lacks is a script that takes a property away: naming it is undefined, or
// throws, as where a policy or an extension forbids it.
func lacks(object, name string) string {
	return fmt.Sprintf(`Object.defineProperty(%s, '%s', { configurable: true, value: undefined });`, object, name)
}

func forbids(object, name string) string {
	return fmt.Sprintf(`Object.defineProperty(%s, '%s', { configurable: true, get() { throw new DOMException('not here', 'SecurityError'); } });`, object, name)
}

// throws is a script that lets a function, or a constructor, throw.
func throws(object, name string) string {
	return fmt.Sprintf(`Object.defineProperty(%s, '%s', { configurable: true, value: function() { throw new DOMException('not now', 'InvalidStateError'); } });`, object, name)
}

// in is the browser for a part of a test: what it opens closes with the part.
func (b *browser) in(t *testing.T) *browser { return &browser{t: t, ctx: b.ctx} }

// in is the user for a part of a test: the tabs that they open close with the part.
func (s *screen) in(t *testing.T) *screen { return &screen{t: t, ctx: s.ctx} }

// saysOne waits until the page shows one of the texts.
func (s *screen) saysOne(texts ...string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("the page says one of %q", texts), patience, func() (string, bool) {
		text := s.text()
		return text, slices.ContainsFunc(texts, func(words string) bool { return strings.Contains(text, words) })
	})
}

// comforts are what a call can do without: objects, and names in them.
var comforts = map[string][]string{
	"window": {"sessionStorage", "localStorage", "indexedDB", "caches", "Notification", "AudioContext", "matchMedia", "BroadcastChannel"},
	"Navigator.prototype": {"wakeLock", "permissions", "connection", "onLine", "serviceWorker", "clipboard", "locks",
		"mediaSession", "storage", "userAgentData"},
}

// methods of comforts, which may throw when they are called.
var methods = map[string][]string{
	"window":                      {"AudioContext", "matchMedia", "Notification", "BroadcastChannel"},
	"Storage.prototype":           {"getItem", "setItem", "removeItem"},
	"WakeLock.prototype":          {"request"},
	"Permissions.prototype":       {"query"},
	"LockManager.prototype":       {"request"},
	"MediaDevices.prototype":      {"enumerateDevices"},
	"HTMLMediaElement.prototype":  {"play"},
	"Clipboard.prototype":         {"writeText"},
	"HTMLDialogElement.prototype": {"showModal"},
	"HTMLElement.prototype":       {"focus"},
	"Element.prototype":           {"replaceChildren"},
}

// forEach puts the scripts of all names together.
func forEach(names map[string][]string, script func(object, name string) string) string {
	var all strings.Builder
	for object, list := range names {
		for _, name := range list {
			all.WriteString(script(object, name))
		}
	}
	return all.String()
}

// What a call can do without: the page is there, and the call is made.
func TestACallInABrowserThatLacksComforts(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil, "--agent=echo")
	b := startBrowser(t, microphone{voice: voice(t)}, nil)
	for name, script := range map[string]string{
		"lacks":   forEach(comforts, lacks) + lacks("MediaDevices.prototype", "enumerateDevices"),
		"forbids": forEach(comforts, forbids),
		"throws":  forEach(methods, throws),
		"knows half": `Object.defineProperty(Navigator.prototype, 'connection', { value: { rtt: 50 } });
		  HTMLMediaElement.prototype.play = function() {};
		  MediaDevices.prototype.enumerateDevices = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
		  WakeLock.prototype.request = () => new Promise(() => {});
		  LockManager.prototype.request = () => ({});
		  AnalyserNode.prototype.getFloatTimeDomainData = () => { throw new DOMException('not now', 'InvalidStateError'); };
		  Clipboard.prototype.writeText = () => Promise.reject(new DOMException('no', 'NotAllowedError'));`,
	} {
		t.Run(name, func(t *testing.T) {
			caller := b.in(t).open(srv.callerLink, script)
			caller.mayComplain("service worker") // go-app's word on one that can't be had
			caller.says("Ready when you are")
			caller.press("Check microphone")
			caller.saysOne("We can hear you", "doesn't show how loud you are")
			caller.press("Theme: as the device")
			caller.startCall()
			caller.press("Mute")
			caller.says("You're muted")
			caller.press("End")
			caller.says("You ended the call.")
			caller.press("Copy diagnostics")
			caller.says("Your browser didn't let us copy this.")
		})
	}
}

// What no call can do without: the page is there, and says what is wrong.
func TestABrowserThatCannotCall(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil, "--agent=echo")
	user := startBrowser(t, microphone{voice: voice(t)}, nil).signIn(srv.callerLink)
	const unable = "This browser can't make calls"
	for name, test := range map[string]struct{ script, says string }{
		"no mediaDevices":                {lacks("Navigator.prototype", "mediaDevices"), unable},
		"mediaDevices is forbidden":      {forbids("Navigator.prototype", "mediaDevices"), unable},
		"no getUserMedia":                {lacks("MediaDevices.prototype", "getUserMedia"), unable},
		"getUserMedia throws":            {throws("MediaDevices.prototype", "getUserMedia"), unable},
		"not by https":                   {lacks("Navigator.prototype", "mediaDevices") + `Object.defineProperty(window, 'isSecureContext', { value: false });`, "This page isn't secure"},
		"no RTCPeerConnection":           {lacks("window", "RTCPeerConnection"), unable},
		"RTCPeerConnection is forbidden": {forbids("window", "RTCPeerConnection"), unable},
		"RTCPeerConnection throws":       {throws("window", "RTCPeerConnection"), unable},
		"no WebSocket":                   {lacks("window", "WebSocket"), unable},
		"WebSocket is forbidden":         {forbids("window", "WebSocket"), unable},
		"WebSocket throws":               {throws("window", "WebSocket"), "We can't reach the server"},
		"addTrack throws":                {throws("RTCPeerConnection.prototype", "addTrack"), unable},
		"createOffer throws":             {throws("RTCPeerConnection.prototype", "createOffer"), unable},
		"no data channels":               {lacks("RTCPeerConnection.prototype", "createDataChannel"), unable},
		"the microphone is in use":       {`MediaDevices.prototype.getUserMedia = () => Promise.reject(new DOMException('in use', 'NotReadableError'));`, "Microphone is in use"},
		"no microphone":                  {`MediaDevices.prototype.getUserMedia = () => Promise.reject(new DOMException('none', 'NotFoundError'));`, "No microphone found"},
		"the system says no":             {`MediaDevices.prototype.getUserMedia = () => Promise.reject(new DOMException('Permission denied by system', 'NotAllowedError'));`, "Your device blocks the microphone"},
	} {
		t.Run(name, func(t *testing.T) {
			caller := user.in(t).openTab(srv.origin()+"/call", test.script)
			caller.says("Ready when you are")
			caller.startCallUntil(test.says)
		})
	}
}
