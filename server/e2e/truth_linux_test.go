package e2e_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"parley/server/e2e/netpath"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// measured is how long a path is looked at, and window how long one that has changed must
// have been the same before: figures are of ten seconds, and a second or two on their way.
const (
	measured  = 30 * time.Second
	window    = rtcstats.WindowLength * time.Millisecond
	unsettled = window + 2*time.Second
)

// tolerance is how true figures must be.
type tolerance struct{ rtt, loss, jitter float64 } // ms, percentage points, share of the path's

// Beside the suite's other tests a page's turn takes its time; the aim is of a quiet machine.
var (
	beside = tolerance{rtt: 10, loss: 1, jitter: math.Inf(1)}
	aim    = tolerance{rtt: 1, loss: 0.2, jitter: 0.15}
)

// leastJitter is from how much jitter of the path on, in ms, its share is compared: below it
// a browser's own rhythm is the larger part.
const leastJitter = 2.0

// A kind is what a line does to packets, one way and the other.
type kind struct {
	name     string
	up, down netpath.Conditions
}

var kinds = []kind{
	{"40 ms, 3 %", lossy(40, 0.03), lossy(40, 0.03)},
	{"30 ms, 5 % down", lossy(30, 0), lossy(30, 0.05)},
	{"10 ms up, 120 ms down", lossy(10, 0), lossy(120, 0)},
	{"60 ms, 10 ms of jitter", jittery(60, 10), jittery(60, 10)},
	{"5 ms, 1 %", lossy(5, 0.01), lossy(5, 0.01)},
	{"40 ms, 15 % up", lossy(40, 0.15), lossy(40, 0)},
	{"40 ms, 200 ms of each 2 s", bursty(40), bursty(40)},
}

func lossy(ms time.Duration, loss float64) netpath.Conditions {
	return netpath.Conditions{Delay: ms * time.Millisecond, Loss: loss}
}

func jittery(ms, jitter time.Duration) netpath.Conditions {
	return netpath.Conditions{Delay: ms * time.Millisecond, Jitter: jitter * time.Millisecond}
}

func bursty(ms time.Duration) netpath.Conditions {
	return netpath.Conditions{Delay: ms * time.Millisecond, Bursts: netpath.Bursts{Length: 200 * time.Millisecond, Each: 2 * time.Second}}
}

// The promise: over a path of known delay and loss, what Parley shows is what
// the path did. The suite looks at the first kind, TestSevenKindsOfPath at all.
func whatParleyShowsIsTrue(t *testing.T) {
	c := newPathCall(t)
	for try := 1; ; try++ {
		crowding := watchCrowding(t)
		all := c.look(t, kinds[0])
		late := all[0].truth.rtt - 2*float64(kinds[0].up.Delay/time.Millisecond)
		if late <= beside.rtt && crowding.factor() < mostCrowded {
			all.hold(t, beside)
			return
		}
		t.Logf("look %d: %.1f tasks a processor held the path's own packets up: %v", try, crowding.factor(), all[0].truth)
		if try == looks {
			t.Skipf("this machine has %.1f tasks a processor: a round trip of milliseconds can't be measured on it", crowding.factor())
		}
	}
}

// looks is how often a time in which the path was slower than it was set to, by
// all that may be between it and what is shown, is passed over for another.
const looks = 3

// TestSevenKindsOfPath holds what the page shows and what the record has against what paths
// did, and prints a table of it.
func TestSevenKindsOfPath(t *testing.T) {
	if os.Getenv("PARLEY_TEST_PATHS") == "" {
		t.Skip("takes five minutes of a machine that does nothing else: make paths")
	}
	c := newPathCall(t)
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "path\t\tround trip, ms\t\tlost up, %\t\tdown\t\tjitter up, ms\t\tdown\t\ttasks\t")
	for _, k := range kinds {
		crowding := watchCrowding(t)
		all := c.look(t, k)
		for _, s := range all {
			fmt.Fprintf(table, "%s\t%s\t%.2f\t%+.2f\t%.2f\t%+.2f\t%.2f\t%+.2f\t%.2f\t%+.2f\t%.2f\t%+.2f\t%.1f\t\n", k.name, s.by,
				s.truth.rtt, s.said.rtt-s.truth.rtt, s.truth.toAgent, s.said.toAgent-s.truth.toAgent, s.truth.toCaller, s.said.toCaller-s.truth.toCaller,
				s.truth.jitterUp, s.said.jitterUp-s.truth.jitterUp, s.truth.jitterDown, s.said.jitterDown-s.truth.jitterDown, crowding.factor())
		}
		if crowding.factor() < mostCrowded {
			all.hold(t, aim)
		}
	}
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Logf("what the path did, and by how much the page and the API are off:\n%s", &text)
}

// pathCall is a call across a path.
type pathCall struct {
	path   *netpath.Path
	server *server
	caller *screen
	id     string
}

func newPathCall(t *testing.T) pathCall {
	t.Helper()
	path := openPath(t)
	srv, caller := callAcross(t, path, "--agent=echo")
	caller.press("Details")
	return pathCall{path, srv, caller, srv.onlySession(t).ID}
}

// claims are what the page and the API said of a path.
type claims []claim

// claim is what somebody said of a path, and what it did in the time that was spoken of.
type claim struct {
	by          string
	said, truth figures
}

// look gives the path its conditions, lets figures settle, and measures once.
func (c pathCall) look(t *testing.T, k kind) claims {
	t.Helper()
	c.path.SetAB(k.up)
	c.path.SetBA(k.down)
	settled := time.After(unsettled)
	c.path.Reset()
	<-settled
	from := time.Now()
	page := c.watch(measured)
	to := time.Now()
	truth := c.truth(from)
	ab, ba := c.path.Since(from)
	if ab.RTP.Packets < 1000 || ba.RTP.Packets < 1000 {
		t.Errorf("too little audio to measure: %+v %+v", ab.RTP, ba.RTP)
	}
	<-time.After(wire.ReportInterval + time.Second) // the browser tells of its last seconds in its next batch
	all := claims{page, {"API", c.server.figures(t, c.id, from, to), truth}}
	for _, s := range all {
		t.Logf("%s\nthe path:  %v\nthe %-6s %v", k.name, s.truth, s.by+":", s.said)
	}
	return all
}

// watch averages what the page shows, a look a second, and what the path did in the ten
// seconds before each look, which is what the page speaks of.
func (c pathCall) watch(during time.Duration) claim {
	var said, truth []figures
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for end := time.After(during); ; {
		select {
		case <-end:
			return claim{"page", meanOf(said), meanOf(truth)}
		case <-ticker.C:
			said, truth = append(said, c.caller.figures()), append(truth, c.truth(time.Now().Add(-window)))
		}
	}
}

// truth is what the path has done since a time. A round trip is that of the reports, which
// it is measured by; and the echo sends what comes when it comes, so
// that the caller hears the jitter of both ways.
func (c pathCall) truth(since time.Time) figures {
	ab, ba := c.path.Since(since)
	return figures{
		rtt:     milliseconds(ab.RTCP.MeanDelay + ba.RTCP.MeanDelay),
		toAgent: 100 * ab.RTP.LossRatio(), toCaller: 100 * ba.RTP.LossRatio(),
		jitterUp: milliseconds(ab.RTP.Jitter), jitterDown: math.Hypot(milliseconds(ab.RTP.Jitter), milliseconds(ba.RTP.Jitter)),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// hold holds what was said against the truth.
func (all claims) hold(t *testing.T, within tolerance) {
	t.Helper()
	for _, s := range all {
		for what, v := range map[string][3]float64{
			"the round trip":          {s.truth.rtt, s.said.rtt, within.rtt + s.truth.jitterUp/2}, // of a sender report each few seconds
			"loss to the agent":       {s.truth.toAgent, s.said.toAgent, within.loss},
			"loss to the caller":      {s.truth.toCaller, s.said.toCaller, within.loss},
			"jitter of what comes":    {s.truth.jitterUp, s.said.jitterUp, jitterWithin(s.truth.jitterUp, within)},
			"jitter of what is heard": {s.truth.jitterDown, s.said.jitterDown, jitterWithin(s.truth.jitterDown, within)},
		} {
			if truth, got, within := v[0], v[1], v[2]; math.IsNaN(got) || math.Abs(truth-got) > within {
				t.Errorf("the %s says %s is %.2f, the path's is %.2f: more than %g apart", s.by, what, got, truth, within)
			}
		}
	}
}

func jitterWithin(truth float64, within tolerance) float64 {
	if truth < leastJitter {
		return math.Inf(1)
	}
	return within.jitter * truth
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
	return figuresOf(s.connection(t, id, query), func(stream rest.StreamQuality) (rtt, loss, jitter float64) {
		return average(stream.Summary.RTTMS), average(stream.Summary.LossRatio), average(stream.Summary.JitterMS)
	})
}
