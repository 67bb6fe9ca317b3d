package rtcstats_test

import (
	"testing"

	"parley/shared/rtcstats"
)

// leg is a leg whose counters stand at n seconds of 50 packets and two pings.
func leg(at float64, received, pongs int64) rtcstats.Sample {
	return rtcstats.Sample{
		Timestamp:     at,
		Inbound:       &rtcstats.Inbound{ID: "in", SSRC: 1, PacketsReceived: received},
		Outbound:      &rtcstats.Outbound{ID: "out", SSRC: 2, PacketsSent: int64(at / 20), BytesSent: int64(4 * at)},
		RemoteInbound: &rtcstats.RemoteInbound{ID: "far", SSRC: 2, RoundTripTimeMeasurements: new(int64(3))},
		CandidatePair: &rtcstats.CandidatePair{ID: "pair", ResponsesReceived: new(int64(5))},
		Ping:          &rtcstats.Ping{RequestsSent: pongs, ResponsesReceived: pongs},
	}
}

// A second without any sign of the leg is silent; any one sign will do.
func TestASecondWithoutASign(t *testing.T) {
	for name, c := range map[string]struct {
		after  float64 // ms
		change func(s *rtcstats.Sample)
		silent bool
	}{
		"nothing at all":          {1000, func(*rtcstats.Sample) {}, true},
		"just long enough":        {rtcstats.SilenceInterval, func(*rtcstats.Sample) {}, true},
		"too short to say":        {rtcstats.SilenceInterval - 1, func(*rtcstats.Sample) {}, false},
		"too long to be now":      {rtcstats.MaxInterval + 1, func(*rtcstats.Sample) {}, false},
		"a packet":                {1000, func(s *rtcstats.Sample) { s.Inbound.PacketsReceived++ }, false},
		"another stream":          {1000, func(s *rtcstats.Sample) { s.Inbound.SSRC = 9 }, false},
		"a pong: the agent rests": {1000, func(s *rtcstats.Sample) { s.Ping.RequestsSent++; s.Ping.ResponsesReceived++ }, false},
		"a report":                {1000, func(s *rtcstats.Sample) { s.RemoteInbound.RoundTripTimeMeasurements = new(int64(4)) }, false},
		"an ICE check":            {1000, func(s *rtcstats.Sample) { s.CandidatePair.ResponsesReceived = new(int64(6)) }, false},
		"an end without pings":    {1000, func(s *rtcstats.Sample) { s.Ping = nil }, false},
		"a lost ping":             {1000, func(s *rtcstats.Sample) { s.Ping.RequestsSent++ }, true},
	} {
		t.Run(name, func(t *testing.T) {
			prev, cur := leg(60_000, 500, 20), leg(60_000+c.after, 500, 20)
			c.change(&cur)
			i := rtcstats.Rates(prev, cur)
			for direction, f := range map[string]rtcstats.Flow{"in": i.In, "out": i.Out} {
				if got := f.Silence > 0; got != c.silent {
					t.Errorf("%s: silence %v", direction, f.Silence)
				}
				if c.silent && (f.Silence != c.after/1000 || f.Packets != 0 || f.Expected != 0) {
					t.Errorf("%s: of a silence is counted %+v", direction, f)
				}
			}
		})
	}
}

// An end that answers pings knows of those that came; ICE knows that it missed its
// checks, whether there are pings or not.
func TestASecondWithoutASignAtTheEndThatAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		asked  int64 // pings that came so far; 0: none ever, or they are paused
		ice    rtcstats.ConnectionState
		change func(s *rtcstats.Sample)
		silent bool
	}{
		"pings were due":                  {20, rtcstats.StateConnected, func(*rtcstats.Sample) {}, true},
		"a ping":                          {20, rtcstats.StateConnected, func(s *rtcstats.Sample) { s.Ping.RequestsReceived++ }, false},
		"a packet of any kind":            {20, rtcstats.StateConnected, func(s *rtcstats.Sample) { s.Transport.PacketsReceived = new(int64(8)) }, false},
		"none was due":                    {0, rtcstats.StateConnected, func(*rtcstats.Sample) {}, false},
		"pings were paused since":         {20, rtcstats.StateConnected, func(s *rtcstats.Sample) { s.Ping = nil }, false},
		"ICE missed its checks":           {0, rtcstats.StateDisconnected, func(*rtcstats.Sample) {}, true},
		"ICE gave up":                     {0, rtcstats.StateFailed, func(*rtcstats.Sample) {}, true},
		"the far end closed":              {0, rtcstats.StateClosed, func(*rtcstats.Sample) {}, true},
		"ICE missed some, but one packet": {0, rtcstats.StateDisconnected, func(s *rtcstats.Sample) { s.Inbound.PacketsReceived++ }, false},
	} {
		t.Run(name, func(t *testing.T) {
			at := func(ms float64) rtcstats.Sample {
				s := leg(ms, 500, 0)
				s.Transport = &rtcstats.Transport{ICEState: string(c.ice), PacketsReceived: new(int64(7))}
				if s.Ping = nil; c.asked > 0 {
					s.Ping = &rtcstats.Ping{RequestsReceived: c.asked}
				}
				return s
			}
			prev, cur := at(60_000), at(61_000)
			c.change(&cur)
			if i := rtcstats.Rates(prev, cur); i.IsSilent() != c.silent {
				t.Errorf("in %+v, out %+v", i.In, i.Out)
			}
		})
	}
}

// Before the first answer nothing is known of pings: a call that is beginning
// is not silent.
func TestNoSilenceBeforeTheFirstAnswer(t *testing.T) {
	if i := rtcstats.Rates(leg(1000, 0, 0), leg(2000, 0, 0)); i.In.Silence != 0 {
		t.Errorf("silence %v", i.In.Silence)
	}
}

func TestASilentSecondIsALostSecond(t *testing.T) {
	for name, c := range map[string]struct {
		heard, silent int
		loss          float64
		lost          int64
	}{
		"all of it":       {0, 3, 1, 150},
		"one of ten":      {9, 1, .1, 50},
		"half":            {5, 5, .5, 250},
		"none":            {10, 0, 0, 0},
		"more than a row": {2, 10, 1, 500}, // the window holds ten
	} {
		t.Run(name, func(t *testing.T) {
			var w rtcstats.Window
			at := 0.0
			for range c.heard {
				at += 1000
				w.Add(at, second(0))
			}
			for range c.silent {
				at += 1000
				w.Add(at, rtcstats.Silent(1))
			}
			f := w.Figures()
			near(t, "loss", f.LossRatio, c.loss)
			near(t, "effective loss", f.EffectiveLossRatio, c.loss)
			if f.Lost != c.lost || f.Quiet || f.Silent != (c.silent > 0) {
				t.Errorf("%+v", f)
			}
		})
	}
}

// outage is a window after ten good seconds and a silence.
func outage(seconds int) (w *rtcstats.Window, at float64) {
	w = new(rtcstats.Window)
	for range 10 {
		at += 1000
		w.Add(at, second(0))
	}
	for range seconds {
		at += 1000
		w.Add(at, rtcstats.Silent(1))
	}
	return w, at
}

// What was lost in a silence is told after it, by packets that skip numbers and
// by the far end's next report. It has been counted.
func TestTheFirstDeltaAfterASilenceStartsAnew(t *testing.T) {
	late := second(0)
	late.Lost, late.Expected, late.Concealed, late.Samples = 400, 450, 40_000, 48_000
	for name, told := range map[string][]rtcstats.Flow{
		"by the first packet":     {late, second(0), second(0)},
		"by a report, 5 s later":  {second(0), second(0), second(0), second(0), second(0), late, second(0)},
		"by nobody: none was due": {second(0), second(0)},
	} {
		t.Run(name, func(t *testing.T) {
			w, at := outage(8)
			for _, f := range told {
				at += 1000
				w.Add(at, f)
				if got := w.Figures(); got.Lost != 0 || got.Silent || got.Silence != 0 {
					t.Errorf("after %v ms: %+v", at, got)
				}
			}
			near(t, "loss", w.Figures().LossRatio, 0)
		})
	}
}

// Only one report is of the silence: what is lost afterwards is lost.
func TestLossAfterASilenceCounts(t *testing.T) {
	w, at := outage(8)
	w.Add(at+1000, second(0))
	w.Add(at+2000, second(25)) // the silence's
	w.Add(at+3000, second(25))
	near(t, "loss", w.Figures().LossRatio, .5)

	w, at = outage(8)
	w.Add(at+1000, second(0))
	w.Add(at+1000+rtcstats.SettleLength+1, second(25)) // too late to be of it
	near(t, "loss", w.Figures().LossRatio, .5)
}

// A silence that is short is a loss like others: the seconds around it count.
func TestAShortSilenceStaysInTheWindow(t *testing.T) {
	w, at := outage(1)
	w.Add(at+1000, second(0))
	if f := w.Figures(); f.Silence != 1 || f.Lost != 50 || f.Silent {
		t.Errorf("%+v", f)
	}
	w, at = outage(rtcstats.OutageLength)
	w.Add(at+1000, second(0))
	if f := w.Figures(); f.Silence != 0 || f.Samples != 1 {
		t.Errorf("after an outage: %+v", f)
	}
}

func TestTheNewestInterval(t *testing.T) {
	var w rtcstats.Window
	if f := w.Newest(); f.Samples != 0 || f.LossRatio != nil {
		t.Errorf("of an empty window: %+v", f)
	}
	w.Add(1000, second(25))
	w.Add(2000, second(5))
	near(t, "loss", w.Newest().LossRatio, .1)
	w.Add(3000, rtcstats.Silent(1))
	near(t, "loss of a silence", w.Newest().LossRatio, 1)
}

// What a window counts of a flow: the losses that a silence told before are not
// told again by what comes after it, and a silence has lost its packets.
func TestAWindowCountsTheLossesOfASilenceOnce(t *testing.T) {
	var w rtcstats.Window
	second := func(lost int64) rtcstats.Flow {
		return rtcstats.Flow{Seconds: 1, Packets: 50, Expected: 50 + lost, Lost: lost}
	}
	var lost, expected int64
	for i, f := range []rtcstats.Flow{second(0), rtcstats.Silent(1), rtcstats.Silent(1), second(100), second(1)} {
		counted := w.Add(float64(i+1)*1000, f).WithMissed()
		lost, expected = lost+counted.Lost, expected+counted.Expected
	}
	if lost != 100 || expected != 250 {
		t.Errorf("%d of %d packets lost, want 100 of 250", lost, expected)
	}
}
