package session_test

import (
	"testing"
	"time"

	"parley/server/session"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// samples are of one stream, a second apart, with packets as given.
func samples(packets ...int64) []rtcstats.Sample {
	var all []rtcstats.Sample
	for i, n := range packets {
		all = append(all, rtcstats.Sample{
			Timestamp: 1e12 + float64(i)*1000,
			Inbound:   &rtcstats.Inbound{SSRC: 1, PacketsReceived: n, BytesReceived: n * 100},
			Outbound:  &rtcstats.Outbound{SSRC: 2, PacketsSent: n, BytesSent: n * 100},
		})
	}
	return all
}

func TestReportsAreHeldAgainstThoseBefore(t *testing.T) {
	cases := map[string]struct {
		change func([]rtcstats.Sample) []rtcstats.Sample
		taken  bool
	}{
		"rising":           {func(s []rtcstats.Sample) []rtcstats.Sample { return s }, true},
		"standing":         {func(s []rtcstats.Sample) []rtcstats.Sample { s[1] = s[0]; return s }, true},
		"nothing measured": {func(s []rtcstats.Sample) []rtcstats.Sample { s[1].Inbound, s[1].Outbound = nil, nil; return s }, true},
		"another stream": {func(s []rtcstats.Sample) []rtcstats.Sample {
			s[1].Inbound.SSRC, s[1].Inbound.PacketsReceived = 9, 1
			return s
		}, true},
		"loss that falls":     {func(s []rtcstats.Sample) []rtcstats.Sample { s[0].Inbound.PacketsLost = 5; return s }, true},
		"packets that fall":   {func(s []rtcstats.Sample) []rtcstats.Sample { s[1].Inbound.PacketsReceived = 99; return s }, false},
		"bytes that fall":     {func(s []rtcstats.Sample) []rtcstats.Sample { s[1].Inbound.BytesReceived = 9; return s }, false},
		"sent that fall":      {func(s []rtcstats.Sample) []rtcstats.Sample { s[1].Outbound.PacketsSent = 99; return s }, false},
		"sent bytes fall":     {func(s []rtcstats.Sample) []rtcstats.Sample { s[1].Outbound.BytesSent = 9; return s }, false},
		"newest first":        {func(s []rtcstats.Sample) []rtcstats.Sample { s[1].Timestamp = s[0].Timestamp - 1; return s }, false},
		"below the last ones": {func([]rtcstats.Sample) []rtcstats.Sample { return samples(49, 50) }, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(h *fixture) {
				_, l := h.call("a")
				if refused := l.Report(wire.Report{Samples: samples(50)}); refused != nil {
					t.Fatal(refused)
				}
				before := len(h.seen.sampled())
				refused := l.Report(wire.Report{Samples: c.change(samples(100, 200))})
				if taken := refused == nil; taken != c.taken || !taken && refused.Code != wire.ErrBadReport {
					t.Errorf("refused %v", refused)
				}
				if got := len(h.seen.sampled()) - before; c.taken && got != 2 || !c.taken && got != 0 {
					t.Errorf("%d samples handed on", got)
				}
			})
		})
	}
}

// A client whose counters begin anew within one stream loses one report, not the
// rest of its call's.
func TestCountersThatBeginAnewAreTakenAgain(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		_, l := h.call("a")
		for i, step := range []struct {
			packets []int64
			taken   bool
		}{{[]int64{100, 200}, true}, {[]int64{1, 2}, false}, {[]int64{3, 4}, true}, {[]int64{5, 300}, true}, {[]int64{299, 300}, false}, {[]int64{301}, true}} {
			if refused := l.Report(wire.Report{Samples: samples(step.packets...)}); (refused == nil) != step.taken {
				t.Errorf("report %d: refused %v", i, refused)
			}
		}
	})
}

func TestSamplesSayWhoseTheyAreAndWhen(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s, l := h.call("a")
		pass(time.Minute)
		old := samples(1, 2, 3)
		old[0].Timestamp -= 3.6e6 // an hour ago, says the client
		l.Report(wire.Report{Samples: old})
		s.Sampled(rtcstats.LegAgent, rtcstats.Sample{Timestamp: 5})
		now := time.Now()
		want := []session.Observation{
			{At: now.Add(-30 * time.Second), Leg: rtcstats.LegCaller, MeasuredBy: rtcstats.ByClient},
			{At: now.Add(-time.Second), Leg: rtcstats.LegCaller, MeasuredBy: rtcstats.ByClient},
			{At: now, Leg: rtcstats.LegCaller, MeasuredBy: rtcstats.ByClient},
			{At: now, Leg: rtcstats.LegAgent, MeasuredBy: rtcstats.ByServer},
		}
		if len(h.seen.sampled()) != len(want) {
			t.Fatalf("%d samples", len(h.seen.sampled()))
		}
		for i, got := range h.seen.sampled() {
			if !got.At.Equal(want[i].At) || got.Leg != want[i].Leg || got.MeasuredBy != want[i].MeasuredBy {
				t.Errorf("%d: %v %s %s, want %v", i, got.At, got.Leg, got.MeasuredBy, want[i])
			}
		}
		s.End(wire.CallerLeft, "")
		s.Sampled(rtcstats.LegCaller, rtcstats.Sample{})
		l.Report(wire.Report{Samples: samples(9)})
		if len(h.seen.sampled()) != len(want) {
			t.Error("a sample after the end")
		}
	})
}

// A sample lies as far back as its client says, up to a bound.
func TestHowFarBackASampleLies(t *testing.T) {
	for age, want := range map[time.Duration]time.Duration{
		session.MaxReportAge - time.Millisecond: session.MaxReportAge - time.Millisecond,
		session.MaxReportAge:                    session.MaxReportAge,
		session.MaxReportAge + time.Millisecond: session.MaxReportAge,
		time.Hour:                               session.MaxReportAge,
	} {
		bubble(t, nil, func(h *fixture) {
			_, l := h.call("a")
			two := samples(1, 2)
			two[1].Timestamp = two[0].Timestamp + float64(age.Milliseconds())
			if refused := l.Report(wire.Report{Samples: two}); refused != nil {
				t.Fatal(refused)
			}
			if got := time.Since(h.seen.sampled()[0].At); got != want {
				t.Errorf("a sample of %v before is taken as of %v before", age, got)
			}
		})
	}
}
