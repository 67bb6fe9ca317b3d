package rtcstats_test

import (
	"testing"

	"parley/shared/rtcstats"
)

// Seconds without a sign, of which none is known to have been due, are decided by what
// comes: silent when ICE missed its checks, else as they were counted. No more than
// seven of them wait.
func TestSecondsWithoutASignAreDecidedLater(t *testing.T) {
	const unsure = 3
	for name, tc := range map[string]struct {
		seconds int
		change  func(*rtcstats.Sample)
		silent  int // of the intervals that are decided, the last included
		decided int
	}{
		"a packet comes":        {unsure, func(s *rtcstats.Sample) { s.Inbound.PacketsReceived++ }, 0, unsure + 1},
		"ICE missed its checks": {unsure, func(s *rtcstats.Sample) { s.Transport.ICEState = string(rtcstats.StateDisconnected) }, unsure + 1, unsure + 1},
		"as many as wait":       {7, func(s *rtcstats.Sample) { s.Transport.ICEState = string(rtcstats.StateDisconnected) }, 8, 8},
		"nothing at all":        {8, func(s *rtcstats.Sample) { s.Inbound.PacketsReceived++ }, 0, 9},
	} {
		t.Run(name, func(t *testing.T) {
			at := func(second int) rtcstats.Sample {
				s := leg(float64(second)*1000, 500, 0)
				s.Transport = &rtcstats.Transport{ICEState: string(rtcstats.StateConnected)}
				return s
			}
			var p rtcstats.Pending
			var decided []rtcstats.Interval
			for n := range tc.seconds {
				i := rtcstats.Rates(at(n), at(n+1))
				if !i.IsUnsure || i.IsSilent() {
					t.Fatalf("second %d: %+v", n, i)
				}
				got := p.Add(i)
				if n < 7 && len(got) != 0 {
					t.Fatalf("second %d decides %v", n, got)
				}
				decided = append(decided, got...)
			}
			last := at(tc.seconds + 1)
			tc.change(&last)
			decided = append(decided, p.Add(rtcstats.Rates(at(tc.seconds), last))...)
			silent := 0
			for n, i := range decided {
				if want := float64(n+1) * 1000; i.At != want {
					t.Errorf("interval %d ends at %v, want %v", n, i.At, want)
				}
				if i.IsSilent() {
					silent++
				}
			}
			if len(decided) != tc.decided || silent != tc.silent {
				t.Errorf("%d decided, %d of them silent, want %d and %d", len(decided), silent, tc.decided, tc.silent)
			}
		})
	}
}
