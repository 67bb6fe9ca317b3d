package rest_test

import (
	"math"
	"testing"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
)

func durations(of ...time.Duration) *quality.Durations {
	var d quality.Durations
	for _, one := range of {
		d.Add(one)
	}
	return &d
}

// TestWaitsAreSummedUp in milliseconds, by the nearest rank: what is shown is a wait
// that somebody had, never one between two.
func TestWaitsAreSummedUp(t *testing.T) {
	var twenty []time.Duration
	for i := range 20 {
		twenty = append(twenty, time.Duration(20-i)*100*time.Millisecond)
	}
	for name, test := range map[string]struct {
		waits    []time.Duration
		p50, p95 float64
	}{
		"none":              {nil, 0, 0},
		"one":               {[]time.Duration{820500 * time.Microsecond}, 820.5, 820.5},
		"two":               {[]time.Duration{time.Second, 2 * time.Second}, 1000, 2000},
		"twenty":            {twenty, 1000, 1900},
		"below a millisec":  {[]time.Duration{7 * time.Microsecond}, 0.007, 0.007},
		"below a microsec":  {[]time.Duration{999}, 0, 0},
		"longer than a day": {[]time.Duration{25 * time.Hour}, 9e7, 9e7},
	} {
		d := durations(test.waits...)
		if got, want := rest.NewFirstWord(d), (rest.FirstWord{Turns: len(test.waits), P50MS: test.p50, P95MS: test.p95}); got != want {
			t.Errorf("%s: waits %+v, want %+v", name, got, want)
		}
		if got, want := rest.NewSilenced(d), (rest.Silenced{Interruptions: len(test.waits), P50MS: test.p50, P95MS: test.p95}); got != want {
			t.Errorf("%s: interruptions %+v, want %+v", name, got, want)
		}
	}
}

// TestATurnTellsHowLongItsCallerWaited, as it was written, to the microsecond.
func TestATurnTellsHowLongItsCallerWaited(t *testing.T) {
	for ms, want := range map[float64]time.Duration{
		0: 0, 0.001: time.Microsecond, 820.5: 820500 * time.Microsecond, 1500: 1500 * time.Millisecond, 3_600_000: time.Hour,
	} {
		turn := rest.Turn{WaitMS: ms}
		if got := turn.Wait(); got.Round(time.Nanosecond*100) != want {
			t.Errorf("%v ms: %v, want %v", ms, got, want)
		}
		if again := rest.NewFirstWord(durations(want)); math.Abs(again.P50MS-ms) > 1e-9 {
			t.Errorf("%v ms were summed up as %v", ms, again.P50MS)
		}
	}
}

// TestAnInterruptionLasted until the agent's voice stopped, whatever its events said.
func TestAnInterruptionLasted(t *testing.T) {
	for name, test := range map[string]struct {
		of   rest.Interruption
		want time.Duration
	}{
		"nobody saw it stop":       {rest.Interruption{}, 0},
		"only the event told":      {rest.Interruption{ClearedMS: new(120.0)}, 0},
		"it stopped":               {rest.Interruption{SilentMS: new(240.0)}, 240 * time.Millisecond},
		"the voice went on longer": {rest.Interruption{ClearedMS: new(120.0), SilentMS: new(240.5)}, 240500 * time.Microsecond},
		"it had just stopped":      {rest.Interruption{SilentMS: new(0.0)}, 0},
	} {
		if got := test.of.Lasted(); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
