package e2e_test

import "testing"

// hangsAfterReload are ways in which a page that goes on with a call gets no
// further.
var hangsAfterReload = map[string]string{
	"the microphone is asked for": `MediaDevices.prototype.getUserMedia = () => new Promise(() => {});`,
	"the socket doesn't open":     `window.WebSocket = class extends EventTarget { readyState = 0; bufferedAmount = 0; send() {} close() {} };`,
}

// Who cancels while the page takes the call up again ends the call: its place
// isn't kept for somebody who doesn't want it.
func TestCancellingAResumeEndsTheCall(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil, "--agent=echo")
	b := startBrowser(t, microphone{voice: voice(t)}, nil)
	for name, script := range hangsAfterReload {
		t.Run(name, func(t *testing.T) {
			caller := b.in(t).open(srv.callerLink, `if (sessionStorage.getItem('parley.place')) { `+script+` }`)
			caller.mayComplain("beforeunload")
			caller.says("Ready when you are")
			caller.startCall()
			caller.reload()
			caller.press("Cancel")
			caller.says("Ready when you are")
			eventually(t, "the session is over", soon, func() (string, bool) { return caller.text(), len(srv.active(t)) == 0 })
			caller.saysNot("You're already in a call")
			if kept := caller.place(); kept != "" {
				t.Errorf("the tab keeps %s", kept)
			}
		})
	}
}
