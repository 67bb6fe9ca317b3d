package e2e_test

import (
	"fmt"
	"testing"
	"time"
)

const (
	// toldWithin is how soon a page shows what became of its call, of the best of
	// some tries: other work of the machine counts, too.
	toldWithin = time.Second
	// loadedWithin is that with the load of a page before it.
	loadedWithin = 3 * time.Second
)

// move goes through the tab's history, as the browser's two arrows do.
func (s *screen) move(steps int) {
	s.t.Helper()
	evaluate[any](s, fmt.Sprintf("history.go(%d)", steps))
}

// goesOn checks that sound still comes in, of the same session.
func (s *screen) goesOn(srv *server, session string) {
	s.t.Helper()
	before := s.sound().Packets
	eventually(s.t, "the call goes on", patience, func() (string, bool) {
		now := s.sound()
		return fmt.Sprint(s.text(), now), now.Packets > before
	})
	if now := srv.onlySession(s.t).ID; now != session {
		s.t.Errorf("it is another session: %s, was %s", now, session)
	}
}

// place is what a tab keeps of its call; withPlace is a script that gives it to
// another tab: one that is duplicated, or that the browser restores.
func (s *screen) place() string {
	return evaluate[string](s, "sessionStorage.getItem('parley.place') ?? ''")
}

func withPlace(text string) string {
	return fmt.Sprintf("if (location.protocol === 'http:' && !sessionStorage.length) sessionStorage.setItem('parley.place', %q);", text)
}

// Back in mid-call leads to the sign-in page or to another: the call goes on, and
// each page says so.
func backAndForwardInMidCall(t *testing.T) {
	srv := startServer(t, nil, "--agent=echo")
	caller := startBrowser(t, microphone{voice: voice(t)}, nil).signIn(srv.callerLink)
	caller.startCall()
	id := srv.onlySession(t).ID
	crowding, best := watchCrowding(t), time.Minute
	for range 3 {
		caller.move(-1)
		start := time.Now()
		caller.says("Return")
		best = min(best, time.Since(start))
		caller.says("Access token")
		caller.goesOn(srv, id)
		caller.keep("back")
		caller.move(1)
		caller.says("Agent is")
		caller.goesOn(srv, id)
	}
	crowding.holds(t, "the page that Back leads to tells of the call", best, toldWithin)
	caller.move(-1)
	caller.press("Return")
	caller.says("Agent is")
	caller.press("End")
	caller.says("You ended the call.")
}

// Who presses Reload again before the page is there is talking again.
func reloadTwice(t *testing.T) {
	srv := startServer(t, nil, "--agent=echo")
	caller := startBrowser(t, microphone{voice: voice(t)}, nil).signIn(srv.callerLink)
	caller.mayComplain("beforeunload") // of a question that a page without a click can't ask
	caller.startCall()
	id := srv.onlySession(t).ID
	for range 2 {
		caller.reload()
		caller.reload() // while the call is being taken up again
		caller.goesOn(srv, id)
	}
	caller.press("End")
	caller.says("You ended the call.")
}

// A call goes on while its page is left for another inside the app, and for one outside;
// and a tab that is closed in mid-call and opened again by the browser goes on.
func TestLeavingInMidCallAndComingBack(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	caller := startBrowser(t, microphone{voice: voice(t)}, nil).signIn(srv.callerLink)
	caller.mayComplain("beforeunload")
	caller.startCall()
	id := srv.onlySession(t).ID
	caller.press("My calls")
	caller.says("still going on")
	caller.press("Return")
	caller.says("Agent is")
	caller.goesOn(srv, id)
	if n := evaluate[int](caller, "parleyProbe.peers.length"); n != 1 {
		t.Errorf("%d connections were made for one call", n)
	}
	caller.answering(func() { caller.goTo(srv.origin() + "/web/offline.html") })
	caller.says("Calls need a connection")
	caller.move(-1)
	caller.goesOn(srv, id)
	caller.says("Agent is")
	caller.press("End")
	caller.says("You ended the call.")
	caller.opensATabAgain(srv)
}

// opensATabAgain in whose call somebody was when it was closed.
func (s *screen) opensATabAgain(srv *server) {
	s.t.Helper()
	closed := s.openTab(srv.origin() + "/call")
	closed.startCall()
	id, place := srv.onlySession(s.t).ID, closed.place()
	closed.close()
	restored := s.openTab(srv.origin()+"/call", withPlace(place))
	restored.goesOn(srv, id)
	restored.press("End")
	restored.says("You ended the call.")
}

// A duplicated tab has a copy of all that the first one kept. The call stays
// where it is, the copy says so, and takes it when asked.
func aDuplicatedTab(t *testing.T) {
	srv := startServer(t, nil, "--agent=echo")
	first := startBrowser(t, microphone{voice: voice(t)}, nil).signIn(srv.callerLink)
	first.mayComplain("503") // of a call that can't start now
	first.startCall()
	id := srv.onlySession(t).ID
	crowding, start := watchCrowding(t), time.Now()
	second := first.openTab(srv.origin()+"/call", withPlace(first.place()))
	second.mayComplain("503")
	second.says("You're already in a call")
	crowding.holds(t, "the copy tells of the call", time.Since(start), loadedWithin)
	second.says("In another tab or device, since ")
	if kept := second.place(); kept != "" {
		t.Errorf("the copy keeps %s", kept)
	}
	first.goesOn(srv, id)
	second.press("Cancel")
	second.says("Ready when you are")
	first.goesOn(srv, id)
	second.press("Start call")
	second.press("Move it here")
	second.says("Agent is")
	first.says("Your call moved")
}
