package rtcstats_test

import (
	"math"
	"testing"

	"parley/shared/rtcstats"
)

// second is a second of speech: 50 packets, of which lost are missing.
func second(lost int64) rtcstats.Flow {
	return rtcstats.Flow{Seconds: 1, Packets: 50 - lost, Expected: 50, Lost: lost, Bytes: 80 * (50 - lost), Jitter: 0.004, JitterTime: 1}
}

func near(t *testing.T, name string, got *float64, want float64) {
	t.Helper()
	if got == nil || math.Abs(*got-want) > 1e-9 {
		t.Errorf("%s is %v, want %v", name, show(got), want)
	}
}

func show(v *float64) any {
	if v == nil {
		return "unknown"
	}
	return *v
}

func TestWindowAddsUpTenSeconds(t *testing.T) {
	var w rtcstats.Window
	at := 0.0
	for range 30 {
		at += 1000
		w.Add(at, second(25))
	}
	for range 10 {
		at += 1000
		w.Add(at, second(5))
	}
	f := w.Figures()
	if f.Samples != 10 || f.Seconds != 10 || f.At != at || f.Expected != 500 || f.Lost != 50 {
		t.Fatalf("%+v", f)
	}
	near(t, "loss", f.LossRatio, 0.1)
	near(t, "jitter", f.JitterMS, 4)
	near(t, "bitrate", f.BitrateBPS, 8*80*45)
	w.Add(at+1000, second(0))
	near(t, "loss a second on", w.Figures().LossRatio, 45.0/500)
}

func TestSumsAreDividedNotRatios(t *testing.T) {
	var w rtcstats.Window
	w.Add(1000, rtcstats.Flow{Seconds: 1, Expected: 10, Packets: 5, Lost: 5}) // 50 %
	w.Add(2000, second(0))                                                    // 0 %
	near(t, "loss", w.Figures().LossRatio, 5.0/60)
}

func TestLateArrivalsCountBack(t *testing.T) {
	var w rtcstats.Window
	w.Add(1000, second(3))
	back := second(0)
	back.Recovered, back.Expected = 3, 47
	w.Add(2000, back)
	f := w.Figures()
	near(t, "loss", f.LossRatio, 0)
	if f.Lost != 0 || f.Expected != 97 {
		t.Errorf("lost %d of %d", f.Lost, f.Expected)
	}
}

func TestSilenceIsNotLoss(t *testing.T) {
	silent := rtcstats.Flow{Seconds: 1, Expected: 9, Packets: 6, Lost: 3}
	var w rtcstats.Window
	w.Add(1000, silent)
	if f := w.Figures(); !f.Quiet || f.LossRatio != nil || f.EffectiveLossRatio != nil {
		t.Errorf("nine packets in a second say %+v", f)
	}
	w.Add(2000, rtcstats.Flow{Seconds: 1, Expected: 10, Packets: 9, Lost: 1})
	f := w.Figures()
	if f.Quiet {
		t.Error("quiet with ten packets in a second")
	}
	near(t, "loss", f.LossRatio, 0.1)
}

func TestWindowEmpties(t *testing.T) {
	var w rtcstats.Window
	w.Add(1000, second(1))
	w.Add(11000, rtcstats.Flow{Gap: rtcstats.GapLong})
	if f := w.Figures(); f.Samples != 0 || !f.Quiet || f.BitrateBPS != nil {
		t.Errorf("ten seconds later: %+v", f)
	}
	w.Add(12000, second(1))
	w.Add(5000, second(0)) // the clock was set back
	if f := w.Figures(); f.Samples != 1 || f.Lost != 0 || f.At != 5000 {
		t.Errorf("after the clock was set back: %+v", f)
	}
}

func TestFastSamplesTakeNoMoreRoom(t *testing.T) {
	var w rtcstats.Window
	for n := range 20000 {
		w.Add(float64(n+1), rtcstats.Flow{Seconds: 0.001, Expected: 1, Packets: 1})
	}
	f := w.Figures()
	if f.Samples > 30 {
		t.Errorf("%d spans", f.Samples)
	}
	if f.Expected < 9000 || f.Expected > 11000 {
		t.Errorf("%d packets in ten seconds of 1,000", f.Expected)
	}
}

// Reports are believed before pings while they come at least each three seconds, the edge
// included.
func TestRoundTripPrefersReportsThatAreFresh(t *testing.T) {
	ping, report, check := rtcstats.RoundTrips{Total: 0.08, Count: 2}, rtcstats.RoundTrips{Total: 0.06, Count: 1}, rtcstats.RoundTrips{Total: 0.1, Count: 1}
	cases := map[string]struct {
		flow rtcstats.Flow
		want float64
	}{
		"all":             {rtcstats.Flow{Seconds: 1, Pings: ping, Reports: report, Checks: check}, 60},
		"reports just so": {rtcstats.Flow{Seconds: 3, Pings: ping, Reports: report, Checks: check}, 60},
		"reports of old":  {rtcstats.Flow{Seconds: 3.01, Pings: ping, Reports: report, Checks: check}, 40},
		"no reports":      {rtcstats.Flow{Seconds: 1, Pings: ping, Checks: check}, 40},
		"no pings":        {rtcstats.Flow{Seconds: 1, Reports: report, Checks: check}, 60},
		"ICE checks only": {rtcstats.Flow{Seconds: 1, Checks: check}, 100},
	}
	for name, c := range cases {
		var w rtcstats.Window
		w.Add(1000, c.flow)
		near(t, name, w.Figures().RTTMS, c.want)
	}
	var none rtcstats.Window
	none.Add(1000, second(0))
	if f := none.Figures(); f.RTTMS != nil {
		t.Errorf("no source, and yet %v ms", *f.RTTMS)
	}
}

func TestFiguresOfOneSecond(t *testing.T) {
	var w rtcstats.Window
	i := rtcstats.Rates(base(), later())
	w.Add(i.At, i.In)
	f := w.Figures()
	near(t, "loss", f.LossRatio, 0.04)
	near(t, "effective loss", f.EffectiveLossRatio, 0.06)
	near(t, "concealed", f.ConcealedRatio, 0.04)
	near(t, "one concealment", f.ConcealmentMS, 40)
	near(t, "buffer", f.BufferMS, 50)
	near(t, "playout", f.PlayoutMS, 30)
	near(t, "round trip", f.RTTMS, 60)
	near(t, "bitrate", f.BitrateBPS, 32000)
}

func TestBurstsAreSeenForAMinute(t *testing.T) {
	var w rtcstats.Window
	burst := second(6)
	burst.LossRuns, burst.LossRunPackets = 2, 6
	w.Add(600_000, burst)
	w.Add(601_000, second(0))
	f := w.Figures()
	near(t, "mean run of three at 6 % loss", f.BurstRatio, 3*0.94)
	if f.BurstLosses != 6 {
		t.Errorf("%d losses", f.BurstLosses)
	}
	for at := 602_000.0; at <= 649_000; at += 1000 {
		w.Add(at, second(0))
	}
	if f := w.Figures(); f.BurstLosses != 6 {
		t.Errorf("after 49 s: %d losses", f.BurstLosses)
	}
	for at := 650_000.0; at <= 661_000; at += 1000 {
		w.Add(at, second(0))
	}
	if f := w.Figures(); f.BurstLosses != 0 || f.BurstRatio != nil {
		t.Errorf("after 61 s: %+v", f)
	}
}

func TestUnansweredPings(t *testing.T) {
	var w rtcstats.Window
	w.Add(0.5, rtcstats.Flow{Seconds: 1, PingsSent: 2, Pings: rtcstats.RoundTrips{Total: 0.1, Count: 1}})
	for n := range 3 {
		w.Add(float64(1000*(n+1)), rtcstats.Flow{Seconds: 1, PingsSent: 2})
		if got, want := w.Figures().Unanswered, n == 2; got != want {
			t.Errorf("after %d pings: %v", 2*(n+1), got)
		}
	}
	w.Add(4000, rtcstats.Flow{Seconds: 1, PingsSent: 2, Pings: rtcstats.RoundTrips{Total: 0.1, Count: 1}})
	if w.Figures().Unanswered {
		t.Error("one was answered")
	}
}

func TestLevelOfSilence(t *testing.T) {
	var w rtcstats.Window
	w.Add(1000, rtcstats.Flow{Seconds: 1, Duration: 1})
	near(t, "digital silence", w.Figures().LevelDBFS, rtcstats.SilenceDBFS)
	w.Add(2000, rtcstats.Flow{Seconds: 1, Duration: 1, Energy: 0.2})
	near(t, "level", w.Figures().LevelDBFS, -10)
}
