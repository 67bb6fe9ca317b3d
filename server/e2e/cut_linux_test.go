package e2e_test

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// cutGrace is how long the server keeps a place in the test of a cut that is
// longer. PARLEY_CUT_GRACE=30s runs it with the default.
const cutGrace = 10 * time.Second

// noticed is how late a drop may be told. It takes 2.5 s, also on a machine with
// much other work.
const noticed = 3 * time.Second

// keptWithin is by how much a countdown may miss the end: it counts whole seconds, and
// the test looks at it now and then.
const keptWithin = 2 * time.Second

// A cut that outlasts the grace: the page counts down to the end that it keeps,
// and the seconds in which nothing came through are lost ones.
func aLongCutEndsWhenThePageSays(t *testing.T) {
	grace := cutGrace
	if text := os.Getenv("PARLEY_CUT_GRACE"); text != "" {
		var err error
		if grace, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	path := openPath(t)
	srv, caller := callAcross(t, path, "--agent=echo", "--reconnect-grace="+grace.String())
	trusted := chromedp.Flag("unsafely-treat-insecure-origin-as-secure", srv.origin())
	admin := startBrowser(t, microphone{}, path.B, trusted).open(srv.adminLink)
	id := srv.onlySession(t).ID
	caller.mayComplain("WebSocket")
	caller.mayComplain("net::ERR_")
	srv.isMeasured(t, caller)

	admin.says("1 of 100")
	crowding, cut := watchCrowding(t), time.Now()
	path.Cut()
	srv.saysPoor(t, crowding, cut)
	admin.saysCut()
	crowding.holds(t, "the admin's page tells of it", time.Since(cut), 2*noticed)
	told := caller.watchCountdown(cut, grace)
	ended := time.Since(cut)
	t.Logf("cut: told after %v with %v left, over after %v", told.after.Round(time.Millisecond), told.left, ended.Round(time.Millisecond))
	crowding.holds(t, "the cut is told", told.after, noticed)
	crowding.holds(t, "it is over, beside what was said to be left", (ended - told.after - told.left).Abs(), keptWithin)
	caller.says("Connection lost")
	lost := caller.lostOfCall()

	r := srv.record(t, id)
	if r.EndCause != wire.ConnectionLost {
		t.Errorf("the record says %s, the page connection_lost", r.EndCause)
	}
	// The page, the server's record and its streams count the same seconds: from the
	// cut to the end that each noticed, of the call's own length.
	want := r.EndedAt.Sub(cut).Seconds()
	srv.lostSeconds(t, r, want)
	if share := 100 * want / r.DurationS; math.Abs(lost-share) > 100*countedWithin/r.DurationS {
		t.Errorf("the page tells %.1f %% lost to the caller, the cut is %.1f %% of the call", lost, share)
	}
	t.Logf("the page: %.1f %% lost to the caller", lost)
	if !(lost >= 1) {
		t.Errorf("the page's end tells %.1f %% lost to the caller", lost)
	}
}

// countedWithin is by how many seconds counts of a cut may differ: each end looks once
// a second, and notices at its own moment when the cut begins and ends.
const countedWithin = 4.0

// isMeasured waits until the page shows how good the line is, and the server rates it by
// the client's word, too. A cut before that is counted whole, but told late: until a ping
// was answered only ICE knows of silence, after 5 s.
func (s *server) isMeasured(t *testing.T, caller *screen) {
	t.Helper()
	id := s.onlySession(t).ID
	eventually(t, "the line is rated and reported", patience, func() (string, bool) {
		text := caller.text()
		isRated := levelShown.MatchString(text) || strings.Contains(text, "Poor")
		return text, isRated && slices.ContainsFunc(s.connection(t, id, "").Streams, func(stream rest.StreamQuality) bool {
			return stream.MeasuredBy == rtcstats.ByClient && stream.PacketsReceived > 0
		})
	})
}

// saysPoor waits until the live picture says that the call is poor, which has to be
// within two seconds of the first that is silent.
func (s *server) saysPoor(t *testing.T, crowding *crowding, cut time.Time) {
	t.Helper()
	eventually(t, "the live picture says poor", patience, func() (string, bool) {
		live := s.onlySession(t)
		return fmt.Sprint(live.Quality), live.Quality.Level == quality.Poor
	})
	crowding.holds(t, "the live picture says poor", time.Since(cut), noticed)
}

// saysCut waits until the admin's page tells of a call that is cut: a poor one for the
// second until its connection counts as lost, and then one without.
func (s *screen) saysCut() {
	s.t.Helper()
	eventually(s.t, "the admin's page tells of the cut", patience, func() (string, bool) {
		text := s.text()
		return text, strings.Contains(text, "Poor") || strings.Contains(text, "No connection")
	})
}

// record is the session as it is kept, once it is over.
func (s *server) record(t *testing.T, id string) (r rest.SessionRecord) {
	t.Helper()
	eventually(t, "the session is on record", patience, func() (string, bool) {
		var page rest.Page[rest.SessionRecord]
		if err := s.get(rest.PathSessions, &page); err != nil {
			t.Fatal(err)
		}
		for _, r = range page.Items {
			if r.ID == id && r.EndedAt != nil {
				return "", true
			}
		}
		return fmt.Sprint(page), false
	})
	return r
}

// lostSeconds holds what every stream of the caller's leg and the record say of a cut
// against its length.
func (s *server) lostSeconds(t *testing.T, r rest.SessionRecord, want float64) {
	t.Helper()
	c := s.connection(t, r.ID, "")
	if len(c.Streams) < 4 {
		t.Errorf("%d streams, want both directions by both ends", len(c.Streams))
	}
	for _, stream := range c.Streams {
		if stream.Leg != rtcstats.LegCaller {
			continue
		}
		if got := float64(stream.PacketsLost) / 50; math.Abs(got-want) > countedWithin {
			t.Errorf("%s by %s: %.1f s lost, the cut took %.1f s", stream.Direction, stream.MeasuredBy, got, want)
		}
		t.Logf("%s by %s: %d packets lost, %d came", stream.Direction, stream.MeasuredBy, stream.PacketsLost, stream.PacketsReceived)
	}
	loss := r.Quality.Summary.LossRatio
	if loss == nil || math.Abs(loss.Avg*r.DurationS-want) > countedWithin {
		t.Errorf("the record has a loss of %+v over %.1f s, the cut took %.1f s", loss, r.DurationS, want)
	}
	if poor := float64(r.Quality.Seconds[quality.Poor]); poor < want-countedWithin {
		t.Errorf("the record has %.0f s of a poor line, the cut took %.1f s", poor, want)
	}
}

// countdown is what a page said first of a dropped call.
type countdown struct {
	after time.Duration // since the cut
	left  time.Duration
}

var (
	placeKept  = regexp.MustCompile(`Your place is kept for (\d+) s`)
	levelShown = regexp.MustCompile(`Excellent|Good|Fair`)
)

// watchCountdown watches the page from a cut to the end of the call.
func (s *screen) watchCountdown(cut time.Time, grace time.Duration) (first countdown) {
	s.t.Helper()
	last := time.Duration(math.MaxInt64)
	eventually(s.t, "the call ends", grace+patience, func() (string, bool) {
		text := s.text()
		if m := placeKept.FindStringSubmatch(text); m != nil {
			seconds, _ := strconv.Atoi(m[1]) // digits, by the pattern
			left := time.Duration(seconds) * time.Second
			if first.after == 0 {
				first = countdown{time.Since(cut), left}
			}
			if left > last {
				s.t.Errorf("the countdown rose from %v to %v", last, left)
			}
			last = left
			if rated := levelShown.FindString(text); rated != "" {
				s.t.Errorf("%s, %v after the cut", rated, time.Since(cut))
			}
		}
		return text, strings.Contains(text, "Connection lost")
	})
	return first
}

// lostOfCall is what the page's summary tells of the way to the caller.
func (s *screen) lostOfCall() float64 {
	return number(evaluate[string](s, `[...document.querySelectorAll('dt')].find(d => d.innerText.includes('Agent → you'))?.nextElementSibling.innerText ?? ''`))
}
