package e2e_test

import (
	"testing"

	"parley/shared/wire"
)

// hears has the page take a message as if the server had sent it.
func (s *screen) hears(m wire.Message) {
	s.t.Helper()
	frame, err := wire.Encode(m)
	if err != nil {
		s.t.Fatal(err)
	}
	evaluate[any](s, "parleyProbe.receive("+string(frame)+")")
}

// What stands in a caller's way before the call.
func TestRefusalsAreAccessible(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil, "--agent=echo", "--max-sessions=1")
	denied := startBrowser(t, microphone{denied: true}, nil).signIn(srv.callerLink)
	denied.press("Start call")
	denied.says("Microphone is blocked")
	denied.says("allow Microphone, then come back")
	denied.isAccessibleWideAndNarrow("microphone denied")

	b := startBrowser(t, microphone{voice: voice(t)}, nil)
	caller := b.signIn(srv.callerLink)
	lacking := caller.openTab(srv.origin()+"/call", lacks("Navigator.prototype", "mediaDevices"))
	lacking.press("Check microphone")
	lacking.says("This browser can't make calls")
	lacking.isAccessibleWideAndNarrow("unsupported")
	lacking.close()

	admin := b.open(srv.adminLink)
	admin.press("Call")
	admin.startCall()
	caller.mayComplain("503")
	caller.goTo(srv.origin() + "/call")
	caller.says("The only line is in use")
	caller.isAccessibleWideAndNarrow("lines busy")
	caller.press("Start call")
	caller.says("We'll try again in")
	caller.isAccessibleWideAndNarrow("waiting for a line")
	caller.press("Stop trying")
	caller.saysNot("We'll try again in")
	admin.press("End")
	admin.says("You ended the call.")

	caller.press("Start call")
	caller.says("Agent is")
	other := caller.openTab(srv.origin() + "/call")
	other.mayComplain("503")
	other.says("You're already in a call")
	other.isAccessibleWideAndNarrow("in a call elsewhere")
}

// What the pages show when the server is gone.
func TestPagesWithoutAServerAreAccessible(t *testing.T) {
	t.Parallel()
	// Long enough for a look at "reconnecting", and well within what a page is waited for.
	srv := startServer(t, nil, "--agent=echo", "--reconnect-grace=12s")
	b := startBrowser(t, microphone{voice: voice(t)}, nil)
	caller, overview, sessions := b.signIn(srv.callerLink), b.open(srv.adminLink), b.open(srv.adminLink)
	for _, s := range []*screen{caller, overview, sessions} {
		s.mayComplain("") // of requests that nobody answers
	}
	caller.startCall()
	sessions.press("Sessions")
	sessions.says(short(srv.onlySession(t).ID))
	overview.says("Quality now")
	srv.kill()
	caller.says("Reconnecting")
	caller.isAccessibleWideAndNarrow("reconnecting")
	overview.says("as of")
	overview.isAccessibleWideAndNarrow("overview stale")
	sessions.says("as of")
	sessions.isAccessibleWideAndNarrow("sessions stale")
	caller.says("Connection lost")
	caller.isAccessibleWideAndNarrow("lost")
	caller.press("Check first")
	caller.says("We can't reach the server")
	caller.isAccessibleWideAndNarrow("server down")
	caller.goTo(srv.origin() + "/") // the worker has it
	caller.says("We can't reach the server")
	caller.isAccessibleWideAndNarrow("unreachable")
}
