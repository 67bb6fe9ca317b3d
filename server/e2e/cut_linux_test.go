package e2e_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// cutGrace is how long the server keeps a place in the test of a cut that is
// longer. PARLEY_CUT_GRACE=30s runs it with the default.
const cutGrace = 10 * time.Second

// noticed is how late a drop may be told. It takes 2.5 s, also on a machine with
// much other work.
const noticed = 3 * time.Second

// A cut that outlasts the grace: the page counts down to the end that it keeps,
// and the seconds in which nothing came through are lost ones.
func TestALongCutEndsWhenThePageSays(t *testing.T) {
	grace := cutGrace
	if text := os.Getenv("PARLEY_CUT_GRACE"); text != "" {
		var err error
		if grace, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	path := openPath(t)
	_, caller := callAcross(t, path, "--agent=echo", "--reconnect-grace="+grace.String())
	caller.mayComplain("WebSocket")
	caller.mayComplain("net::ERR_")
	eventually(t, "the line is rated", patience, func() (string, bool) {
		return caller.text(), levelShown.MatchString(caller.text()) || strings.Contains(caller.text(), "Poor")
	})

	cut := time.Now()
	path.Cut()
	told := caller.watchCountdown(cut, grace)
	ended := time.Since(cut)
	t.Logf("cut: told after %v with %v left, over after %v", told.after.Round(time.Millisecond), told.left, ended.Round(time.Millisecond))
	if told.after > noticed {
		t.Errorf("the cut is told after %v", told.after)
	}
	if want := told.after + told.left; math.Abs(float64(ended-want)) > float64(2*time.Second) {
		t.Errorf("over %v after the cut, but %v left was said at %v", ended, told.left, told.after)
	}
	caller.says("Connection lost")
	lost := caller.lostOfCall()

	t.Logf("the page: %.1f %% lost to the caller", lost)
	if !(lost >= 1) {
		t.Errorf("the page's end tells %.1f %% lost to the caller", lost)
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
