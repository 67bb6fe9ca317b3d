package relay

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhenALegIsDue(t *testing.T) {
	for name, c := range map[string]struct{ last, now, want time.Duration }{
		"in time":        {time.Second, time.Second, 2 * time.Second},
		"late":           {time.Second, 1900 * time.Millisecond, 2 * time.Second},
		"a second late":  {time.Second, 2 * time.Second, 3 * time.Second},
		"minutes late":   {time.Second, time.Minute, 61 * time.Second},
		"off the grid":   {0, 1234567 * time.Microsecond, 2240 * time.Millisecond},
		"nearly on it":   {0, 1239999 * time.Microsecond, 2240 * time.Millisecond},
		"the first time": {5 * time.Millisecond, 5 * time.Millisecond, 1010 * time.Millisecond},
	} {
		if got := nextDue(c.last, c.now); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// Legs are sampled each second from when each was added, and one that is closed drops out;
// while there are none, nothing is waited for.
func TestLegsAreSampledInTheirRhythm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, done := newRhythm(), make(chan struct{})
		go r.run(done)
		defer close(done)
		legs := make([]*Leg, 5)
		for i := range legs {
			legs[i] = &Leg{done: make(chan struct{})}
			r.add(legs[i])
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		waiting := func() []dueLeg {
			r.mu.Lock()
			defer r.mu.Unlock()
			return slices.Clone(r.queue)
		}
		all := waiting()
		if n := len(all); n != len(legs) {
			t.Fatalf("%d of %d legs wait", n, len(legs))
		}
		for i, due := range all {
			if want := 11*time.Second + time.Duration(i)*100*time.Millisecond; due.leg != legs[i] || due.at != want {
				t.Errorf("leg %d is due at %v, want %v", i, due.at, want)
			}
		}
		legs[0].mu.Lock()
		legs[0].closed = true
		legs[0].mu.Unlock()
		time.Sleep(sampleInterval)
		synctest.Wait()
		if n := len(waiting()); n != len(legs)-1 {
			t.Errorf("%d legs wait, want one less than %d", n, len(legs))
		}
	})
}
