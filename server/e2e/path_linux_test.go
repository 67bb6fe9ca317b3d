package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"parley/server/e2e/netpath"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// paths counts the paths that were opened: several are open at a time.
var paths atomic.Int64

// openPath joins the caller's and the server's namespaces.
func openPath(t *testing.T) *netpath.Path {
	t.Helper()
	path, err := netpath.Open(fmt.Sprintf("parley-%d-%d", os.Getpid(), paths.Add(1)))
	if errors.Is(err, netpath.ErrNotAllowed) {
		t.Skipf("this proof needs a network path of its own, which this machine refuses: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	path.Start()
	t.Cleanup(func() {
		if err := path.Close(); err != nil {
			t.Error(err)
		}
	})
	return path
}

// callAcross starts a call from one end of the path to the other.
func callAcross(t *testing.T, path *netpath.Path, flags ...string) (*server, *screen) {
	t.Helper()
	srv := startServer(t, path.B, flags...)
	// The namespaces have no names and no certificates; Chromium gives a page
	// the microphone on an address that it is told to trust.
	trusted := chromedp.Flag("unsafely-treat-insecure-origin-as-secure", srv.origin())
	caller := startBrowser(t, microphone{voice: voice(t)}, path.A, trusted).signIn(srv.callerLink)
	caller.startCall()
	return srv, caller
}

// outageTold is how long the page may speak of an outage once the path is back: a
// ping's turn, and a dial during which the server still asks the old socket. It takes
// 1.4 s; the rest is for a machine with much other work.
const outageTold = 4 * time.Second

// A cut of ten seconds, as a train in a tunnel makes it, must not end a call.
func aCutOfTenSecondsHeals(t *testing.T) {
	path := openPath(t)
	srv, caller := callAcross(t, path, "--agent=echo")
	caller.mayComplain("WebSocket")
	caller.mayComplain("net::ERR_")
	id := srv.onlySession(t).ID
	srv.isMeasured(t, caller)

	crowding, cut := watchCrowding(t), time.Now()
	path.Cut()
	healed := time.After(10 * time.Second)
	srv.saysPoor(t, crowding, cut)
	caller.says("Reconnecting…")
	caller.pictures("reconnecting")
	<-healed
	path.Heal()
	lasted := time.Since(cut)
	before := caller.sound().Packets
	start := time.Now()
	eventually(t, "the call goes on", patience, func() (string, bool) {
		text := caller.text()
		return text, !strings.Contains(text, "Reconnecting…") && strings.Contains(text, "Agent is") && caller.sound().Packets > before
	})
	t.Logf("whole again %v after the path", time.Since(start).Round(time.Millisecond))
	if now := srv.onlySession(t).ID; now != id {
		t.Errorf("it is another session: %s, was %s", now, id)
	}
	if !strings.HasSuffix(caller.address(), "/call") {
		t.Errorf("the caller was sent to %s", caller.address())
	}
	// The gap that the outage left is no fault of the line after it: once the paths of
	// socket and media are both back, the page says nothing of it anymore.
	var calm time.Time
	eventually(t, "the line is calm", patience, func() (string, bool) {
		text := caller.text()
		switch {
		case strings.Contains(text, "Wi-Fi"), strings.Contains(text, "Poor"), strings.Contains(text, "Reconnecting…"):
			calm = time.Time{}
		case calm.IsZero():
			calm = time.Now()
		}
		return text, !calm.IsZero() && time.Since(calm) > rtcstats.SettleLength*time.Millisecond
	})
	t.Logf("calm %v after the path", calm.Sub(start).Round(time.Millisecond))
	crowding.holds(t, "the page speaks of the outage after it", calm.Sub(start), outageTold)
	caller.press("End")
	caller.says("You ended the call.")
	r := srv.record(t, id)
	if r.EndCause != wire.CallerLeft {
		t.Errorf("the record says %s", r.EndCause)
	}
	srv.lostSeconds(t, r, lasted.Seconds())
}
