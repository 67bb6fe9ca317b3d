package rtcstats_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"testing"
	"testing/quick"

	"parley/shared/rtcstats"
)

func TestRatesOfRealBrowsers(t *testing.T) {
	for _, browser := range []string{"chromium", "firefox"} {
		for look := 1; look < 5; look++ {
			i := rtcstats.Rates(sample(t, fmt.Sprintf("%s-%d", browser, look)), sample(t, fmt.Sprintf("%s-%d", browser, look+1)))
			name := fmt.Sprintf("%s %d", browser, look)
			if i.In.Gap != rtcstats.NoGap || i.Out.Gap != rtcstats.NoGap {
				t.Fatalf("%s: gaps %d and %d", name, i.In.Gap, i.Out.Gap)
			}
			if i.In.Seconds < 0.9 || i.In.Seconds > 1.3 {
				t.Errorf("%s: %v s", name, i.In.Seconds)
			}
			// One packet each 20 ms.
			for way, f := range map[string]rtcstats.Flow{"in": i.In, "out": i.Out} {
				if rate := float64(f.Expected) / f.Seconds; rate < 40 || rate > 60 {
					t.Errorf("%s %s: %v packets a second", name, way, rate)
				}
				if f.Bytes <= 0 || f.JitterTime <= 0 {
					t.Errorf("%s %s: %+v", name, way, f)
				}
			}
			if i.In.BufferCount < 40000 || i.In.Samples < 40000 {
				t.Errorf("%s: %d samples left the buffer, %d were played; 48,000 a second are due", name, i.In.BufferCount, i.In.Samples)
			}
		}
	}
}

// a second of a call, as an end would count it.
func base() rtcstats.Sample {
	return rtcstats.Sample{
		Timestamp: 1000,
		Inbound: &rtcstats.Inbound{
			ID: "in", SSRC: 1, PacketsReceived: 100, PacketsLost: 5, BytesReceived: 8000, Jitter: 0.004,
			PacketsDiscarded: new(int64(2)), JitterBufferDelay: new(960.0), JitterBufferEmittedCount: new(int64(48000)),
			TotalSamplesReceived: new(int64(48000)), ConcealedSamples: new(int64(500)), SilentConcealedSamples: new(int64(100)),
			ConcealmentEvents: new(int64(3)), LossRuns: new(int64(2)), LossRunPackets: new(int64(5)),
		},
		Outbound: &rtcstats.Outbound{ID: "out", SSRC: 2, PacketsSent: 100, BytesSent: 8000, TargetBitrate: new(32000.0)},
		RemoteInbound: &rtcstats.RemoteInbound{
			ID: "rin", SSRC: 2, PacketsLost: 1, Jitter: new(0.006),
			TotalRoundTripTime: new(0.1), RoundTripTimeMeasurements: new(int64(2)),
		},
		CandidatePair: &rtcstats.CandidatePair{ID: "p", TotalRoundTripTime: new(0.2), ResponsesReceived: new(int64(4))},
		MediaPlayout:  &rtcstats.MediaPlayout{ID: "AP", TotalPlayoutDelay: new(960.0), TotalSamplesCount: new(int64(48000))},
		Ping:          &rtcstats.Ping{RequestsSent: 2, ResponsesReceived: 2, TotalRoundTripTime: 0.08},
	}
}

// later is base one second on: 48 of 50 packets came.
func later() rtcstats.Sample {
	s := clone(base())
	s.Timestamp += 1000
	s.Inbound.PacketsReceived += 48
	s.Inbound.PacketsLost += 2
	s.Inbound.BytesReceived += 4000
	*s.Inbound.PacketsDiscarded++
	*s.Inbound.JitterBufferDelay += 48000 * 0.05
	*s.Inbound.JitterBufferEmittedCount += 48000
	*s.Inbound.TotalSamplesReceived += 48000
	*s.Inbound.ConcealedSamples += 2000
	*s.Inbound.SilentConcealedSamples += 80
	*s.Inbound.ConcealmentEvents++
	*s.Inbound.LossRuns++
	*s.Inbound.LossRunPackets += 2
	s.Outbound.PacketsSent += 50
	s.Outbound.BytesSent += 4000
	s.RemoteInbound.PacketsLost++
	*s.RemoteInbound.TotalRoundTripTime += 0.06
	*s.RemoteInbound.RoundTripTimeMeasurements++
	*s.CandidatePair.TotalRoundTripTime += 0.07
	*s.CandidatePair.ResponsesReceived++
	*s.MediaPlayout.TotalPlayoutDelay += 48000 * 0.03
	*s.MediaPlayout.TotalSamplesCount += 48000
	s.Ping.RequestsSent += 2
	s.Ping.ResponsesReceived += 2
	s.Ping.TotalRoundTripTime += 0.1
	return s
}

func clone(s rtcstats.Sample) rtcstats.Sample {
	raw, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	var c rtcstats.Sample
	if err := json.Unmarshal(raw, &c); err != nil {
		panic(err)
	}
	return c
}

func TestRatesOfOneSecond(t *testing.T) {
	i := rtcstats.Rates(base(), later())
	in := i.In
	if in.Gap != rtcstats.NoGap || in.Seconds != 1 || in.Packets != 48 || in.Expected != 50 || in.Lost != 2 || in.Discarded != 1 ||
		in.Bytes != 4000 || in.Concealed != 1920 || in.Concealments != 1 || in.LossRuns != 1 || in.LossRunPackets != 2 {
		t.Errorf("in: %+v", in)
	}
	if i.Out.Packets != 50 || i.Out.Expected != 50 || i.Out.Lost != 1 || i.Out.TargetBitrate != 32000 {
		t.Errorf("out: %+v", i.Out)
	}
	if in.Pings.Count != 2 || math.Abs(in.Pings.Total-0.1) > 1e-9 || i.Out.Pings != in.Pings || in.Reports.Count != 1 || in.Checks.Count != 1 {
		t.Errorf("round trips: %+v %+v %+v", in.Pings, in.Reports, in.Checks)
	}
}

func TestGaps(t *testing.T) {
	type change = func(prev, cur *rtcstats.Sample)
	cases := map[string]struct {
		change  change
		in, out rtcstats.Gap
	}{
		"none":                        {func(_, _ *rtcstats.Sample) {}, 0, 0},
		"the clock stood":             {func(_, c *rtcstats.Sample) { c.Timestamp = 1000 }, rtcstats.GapClock, rtcstats.GapClock},
		"the clock went back":         {func(_, c *rtcstats.Sample) { c.Timestamp = 999 }, rtcstats.GapClock, rtcstats.GapClock},
		"three seconds":               {func(_, c *rtcstats.Sample) { c.Timestamp = 1000 + rtcstats.MaxInterval }, 0, 0},
		"longer than three seconds":   {func(_, c *rtcstats.Sample) { c.Timestamp = 1001 + rtcstats.MaxInterval }, rtcstats.GapLong, rtcstats.GapLong},
		"another ssrc in":             {func(_, c *rtcstats.Sample) { c.Inbound.SSRC = 9 }, rtcstats.GapRestart, 0},
		"another id in":               {func(_, c *rtcstats.Sample) { c.Inbound.ID = "other" }, rtcstats.GapRestart, 0},
		"another ssrc out":            {func(_, c *rtcstats.Sample) { c.Outbound.SSRC = 9 }, 0, rtcstats.GapRestart},
		"packets fell":                {func(_, c *rtcstats.Sample) { c.Inbound.PacketsReceived = 99 }, rtcstats.GapFell, 0},
		"bytes fell":                  {func(_, c *rtcstats.Sample) { c.Inbound.BytesReceived = 1 }, rtcstats.GapFell, 0},
		"an optional counter fell":    {func(_, c *rtcstats.Sample) { *c.Inbound.ConcealedSamples = 1 }, rtcstats.GapFell, 0},
		"a sum fell":                  {func(_, c *rtcstats.Sample) { *c.Inbound.JitterBufferDelay = 1 }, rtcstats.GapFell, 0},
		"sent packets fell":           {func(_, c *rtcstats.Sample) { c.Outbound.PacketsSent = 1 }, 0, rtcstats.GapFell},
		"nothing comes in any more":   {func(_, c *rtcstats.Sample) { c.Inbound = nil }, rtcstats.GapAbsent, 0},
		"nothing went out before":     {func(p, _ *rtcstats.Sample) { p.Outbound = nil }, 0, rtcstats.GapAbsent},
		"lost packets came after all": {func(_, c *rtcstats.Sample) { c.Inbound.PacketsLost = 3 }, 0, 0},
		"another loudspeaker":         {func(_, c *rtcstats.Sample) { c.MediaPlayout.ID = "B"; *c.MediaPlayout.TotalSamplesCount = 1 }, 0, 0},
		"another path":                {func(_, c *rtcstats.Sample) { c.CandidatePair.ID = "q"; *c.CandidatePair.ResponsesReceived = 0 }, 0, 0},
		"the pings began anew":        {func(_, c *rtcstats.Sample) { c.Ping = &rtcstats.Ping{} }, 0, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			prev, cur := base(), later()
			c.change(&prev, &cur)
			i := rtcstats.Rates(prev, cur)
			if i.In.Gap != c.in || i.Out.Gap != c.out {
				t.Fatalf("gaps %d and %d, want %d and %d", i.In.Gap, i.Out.Gap, c.in, c.out)
			}
			for _, f := range []rtcstats.Flow{i.In, i.Out} {
				if f.Gap != rtcstats.NoGap && f.Gap != rtcstats.GapLong && f != (rtcstats.Flow{Gap: f.Gap}) {
					t.Errorf("a gap that tells: %+v", f)
				}
			}
		})
	}
}

func TestAbsentIsNotZero(t *testing.T) {
	prev, cur := base(), later()
	prev.Inbound.ConcealedSamples, cur.Inbound.JitterBufferEmittedCount = nil, nil
	cur.RemoteInbound, cur.Ping, prev.MediaPlayout = nil, nil, nil
	i := rtcstats.Rates(prev, cur)
	if i.In.Samples != 0 || i.In.BufferCount != 0 || i.In.PlayoutCount != 0 || i.In.Pings.Count != 0 {
		t.Errorf("counted what one sample lacks: %+v", i.In)
	}
	if i.Out.Expected != 0 || i.Out.Packets != 50 {
		t.Errorf("the far end is silent, and yet: %+v", i.Out)
	}
	var w rtcstats.Window
	w.Add(i.At, i.In)
	if f := w.Figures(); f.ConcealedRatio != nil || f.BufferMS != nil || f.PlayoutMS != nil || f.LossRatio == nil {
		t.Errorf("%+v", f)
	}
}

// soundFlow fails on a number that can't be.
func soundFlow(t *testing.T, v any) {
	t.Helper()
	soundValue(t, "", reflect.ValueOf(v))
}

func soundValue(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			soundValue(t, name, v.Elem())
		}
	case reflect.Struct:
		for f, fv := range v.Fields() {
			soundValue(t, f.Name, fv)
		}
	case reflect.Int64, reflect.Int:
		if v.Int() < 0 {
			t.Fatalf("%s is %d", name, v.Int())
		}
	case reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) || f < 0 && name != "At" && name != "LevelDBFS" {
			t.Fatalf("%s is %v", name, f)
		}
	}
}

func FuzzRates(f *testing.F) {
	for _, browser := range []string{"chromium", "firefox"} {
		a, b := sample(f, browser+"-1"), sample(f, browser+"-2")
		rawA, _ := json.Marshal(a)
		rawB, _ := json.Marshal(b)
		f.Add(rawA, rawB)
		f.Add(rawB, rawA)
	}
	rawA, _ := json.Marshal(base())
	rawB, _ := json.Marshal(later())
	f.Add(rawA, rawB)
	f.Add(bytes.ReplaceAll(rawA, []byte(`"packetsLost":5`), []byte(`"packetsLost":9000000000000000000`)), rawB)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var prev, cur rtcstats.Sample
		if json.Unmarshal(a, &prev) != nil || json.Unmarshal(b, &cur) != nil {
			return
		}
		// Also of samples that Check would refuse.
		i := rtcstats.Rates(prev, cur)
		soundFlow(t, i.In)
		soundFlow(t, i.Out)
		var w rtcstats.Window
		for n := range 3 {
			w.Add(i.At+float64(1000*n), i.In)
			w.Add(i.At+float64(1000*n), i.Out)
			figures := w.Figures()
			soundFlow(t, figures)
			for name, r := range map[string]*float64{"loss": figures.LossRatio, "effective": figures.EffectiveLossRatio, "concealed": figures.ConcealedRatio} {
				if r != nil && *r > 1 {
					t.Fatalf("%s is %v", name, *r)
				}
			}
		}
	})
}

// Mutated JSON rarely reaches the extremes; random samples always do.
func TestRatesOfAnythingAreSound(t *testing.T) {
	sound := func(prev, cur rtcstats.Sample, same bool) bool {
		if same && prev.Inbound != nil && cur.Inbound != nil {
			cur.Inbound.ID, cur.Inbound.SSRC = prev.Inbound.ID, prev.Inbound.SSRC
		}
		prev.Timestamp, cur.Timestamp = 1000, 2000
		i := rtcstats.Rates(prev, cur)
		var w rtcstats.Window
		w.Add(i.At, i.In)
		w.Add(i.At+1000, i.Out)
		soundFlow(t, i.In)
		soundFlow(t, i.Out)
		soundFlow(t, w.Figures())
		return true
	}
	if err := quick.Check(sound, &quick.Config{MaxCount: 3000}); err != nil {
		t.Error(err)
	}
}
