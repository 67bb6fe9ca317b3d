package e2e_test

import (
	"testing"
	"time"
)

// shownWithin is how soon an end has to be on the page: a second, and some for
// a machine with other work and for the looks of the test itself.
const shownWithin = 2 * time.Second

// A server that dies and comes back knows nothing of the call: the page says so
// as soon as the server does.
func aCallWhoseServerIsKilled(t *testing.T) {
	srv := startServer(t, nil)
	caller := startBrowser(t, microphone{}, nil).signIn(srv.callerLink)
	caller.mayComplain("") // of a socket that is refused for a while
	caller.startCall()
	srv.kill()
	caller.says("Reconnecting")
	caller.saysNot("Excellent")
	srv.startAgain()
	caller.says("Connection lost")
	caller.saysNot("Reconnecting")
	caller.press("Check first")
	caller.says("Ready when you are")
}

// End ends, though nobody is there to hear of it.
func endingACallWhoseServerIsKilled(t *testing.T) {
	srv := startServer(t, nil)
	caller := startBrowser(t, microphone{}, nil).signIn(srv.callerLink)
	caller.mayComplain("")
	caller.startCall()
	srv.kill()
	caller.says("Reconnecting")
	crowding := watchCrowding(t)
	caller.press("End")
	pressed := time.Now()
	caller.says("You ended the call.")
	crowding.holds(t, "the end is shown", time.Since(pressed), shownWithin)
}
