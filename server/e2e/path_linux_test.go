package e2e_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"parley/server/e2e/netpath"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// How true the figures must be, over how long.
const (
	measured     = 30 * time.Second
	rttWithin    = 10.0 // ms
	lossWithin   = 1.0  // percentage points
	delayEachWay = 40 * time.Millisecond
	lossEachWay  = 0.03
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

// The promise: over a path of known delay and loss, what Parley shows is what
// the path did.
func whatParleyShowsIsTrue(t *testing.T) {
	path := openPath(t)
	srv, caller := callAcross(t, path, "--agent=echo")
	id := srv.onlySession(t).ID
	caller.press("Details")

	path.Set(netpath.Conditions{Delay: delayEachWay, Loss: lossEachWay})
	settle(t, srv, id)
	var truth, shown, told figures
	for try := 1; ; try++ {
		crowding := watchCrowding(t)
		truth, shown, told = look(t, path, srv, caller, id)
		late := truth.rtt - 2*float64(delayEachWay/time.Millisecond)
		if late <= rttWithin && crowding.factor() < mostCrowded {
			break
		}
		t.Logf("look %d: %.1f tasks a processor held the path's own packets up: %v", try, crowding.factor(), truth)
		if try == looks && crowding.factor() >= mostCrowded {
			t.Skipf("this machine has %.1f tasks a processor: a round trip of milliseconds can't be measured on it", crowding.factor())
		}
		if try == looks {
			break
		}
	}
	truth.compare(t, "the page", shown)
	truth.compare(t, "the API", told)
}

// looks is how often a time in which the path was slower than it was set to, by
// all that may be between it and what is shown, is passed over for another.
const looks = 3

// look measures once: what the path did, what the page showed meanwhile, and
// what the API tells of it.
func look(t *testing.T, path *netpath.Path, srv *server, caller *screen, id string) (truth, shown, told figures) {
	t.Helper()
	path.Reset()
	from := time.Now()
	shown = watch(t, caller, measured)
	ab, ba := path.Truth()
	truth = figures{
		// Of the packets that carried the pings and their answers.
		rtt:      float64(ab.Data.MeanDelay+ba.Data.MeanDelay) / float64(time.Millisecond),
		toAgent:  100 * ab.RTP.LossRatio(),
		toCaller: 100 * ba.RTP.LossRatio(),
	}
	told = srv.figures(t, id, from, time.Now())
	t.Logf("the path:  %v (%d and %d packets of audio)\nthe page:  %v\nthe API:   %v", truth, ab.RTP.Packets, ba.RTP.Packets, shown, told)
	if ab.RTP.Packets < 1000 || ba.RTP.Packets < 1000 {
		t.Errorf("too little audio to measure: %+v %+v", ab.RTP, ba.RTP)
	}
	return truth, shown, told
}

// compare holds what somebody said against the truth.
func (f figures) compare(t *testing.T, who string, said figures) {
	t.Helper()
	for what, v := range map[string][3]float64{
		"the round trip":     {f.rtt, said.rtt, rttWithin},
		"loss to the agent":  {f.toAgent, said.toAgent, lossWithin},
		"loss to the caller": {f.toCaller, said.toCaller, lossWithin},
	} {
		if truth, got, within := v[0], v[1], v[2]; math.IsNaN(got) || math.Abs(truth-got) > within {
			t.Errorf("%s says %s is %.2f, the path's is %.2f: more than %g apart", who, what, got, truth, within)
		}
	}
}

// settle waits until nothing measured before the path changed is left in the
// figures, which are rolled over ten seconds.
func settle(t *testing.T, srv *server, id string) {
	t.Helper()
	changed := time.Now()
	eventually(t, "the figures are all of the changed path", time.Minute, func() (string, bool) {
		c := srv.connection(t, id, "")
		return fmt.Sprint(c), time.Since(changed) > 12*time.Second && c.Rating.Level != quality.Excellent
	})
}

// watch averages what the page shows, a look a second.
func watch(t *testing.T, caller *screen, during time.Duration) figures {
	t.Helper()
	var sum figures
	var looks float64
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for end := time.After(during); ; {
		select {
		case <-end:
			return figures{sum.rtt / looks, sum.toAgent / looks, sum.toCaller / looks}
		case <-ticker.C:
			now := caller.figures()
			sum = figures{sum.rtt + now.rtt, sum.toAgent + now.toAgent, sum.toCaller + now.toCaller}
			looks++
		}
	}
}

// figures is what the API says of a time.
func (s *server) figures(t *testing.T, id string, from, to time.Time) figures {
	t.Helper()
	query := fmt.Sprintf("?from=%s&to=%s", from.UTC().Format(time.RFC3339Nano), to.UTC().Format(time.RFC3339Nano))
	average := func(r *rest.Range) float64 {
		if r == nil {
			return math.NaN()
		}
		return r.Avg
	}
	return figuresOf(s.connection(t, id, query), func(stream rest.StreamQuality) (rtt, loss float64) {
		return average(stream.Summary.RTTMS), average(stream.Summary.LossRatio)
	})
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
