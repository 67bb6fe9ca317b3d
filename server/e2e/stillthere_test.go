package e2e_test

import (
	"os"
	"testing"
	"time"
)

// Somebody who is quiet is warned, goes on by speaking or by pressing the button, and is
// told the truth when nobody was there. The clock of a server is its own: the shortest
// time-out it takes is a minute, of which it warns in the second half. That it warns two
// minutes before the end of a longer one, to the nanosecond, is the session's own test.
func TestAVoiceKeepsACall(t *testing.T) {
	if os.Getenv("PARLEY_PICTURES") == "" {
		t.Skip("takes three minutes of real silence: run `make screenshots`")
	}
	t.Parallel()
	srv := startServer(t, nil, "--agent=echo", "--idle-timeout=1m", "--idle-warning=30s")
	const silence = 42 * time.Second // long enough for the warning, too short for the end
	caller := startBrowser(t, microphone{voice: voiceWithPause(t, silence)}, nil).open(srv.callerLink, breaks)
	caller.says("Ready when you are")
	caller.startCall()
	caller.says("Still there?")
	caller.shoot("codes", "timeout_warn-for-real")
	caller.says("Good, still here.") // by the voice alone
	caller.shootOne("codes", "timeout_thanks-1280-light")
	caller.saysNot("Still there?")
	caller.says("Still there?")
	caller.press("Keep talking")
	caller.says("Good, still here.")
	caller.press("Mute") // so that nobody speaks
	caller.saysNot("Good, still here.")
	caller.says("Still there?")
	caller.says("Call ended: quiet for 1 minute")
	caller.says("Nothing was said, so we closed the line.")
	caller.says("Call again")
}
