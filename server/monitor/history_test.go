package monitor_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/monitor"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

func streamOver(t *testing.T, m *monitor.Monitor, from, to time.Time, step time.Duration) rest.StreamQuality {
	t.Helper()
	c, ok := m.Connection("s", from, to, step)
	if !ok {
		t.Fatal("no such session")
	}
	for _, s := range c.Streams {
		if s.Leg == rtcstats.LegCaller && s.MeasuredBy == rtcstats.ByServer && s.Direction == quality.ToAgent {
			return s
		}
	}
	t.Fatal("no such stream")
	return rest.StreamQuality{}
}

func TestSeriesTellsEachSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		c := newCall(m, "s")
		c.client, c.agent = nil, nil
		c.talk(151)    // seconds 1 to 151, rated from 2 on
		for range 30 { // 152 to 181: nothing is told
			time.Sleep(time.Second)
			c.server.second()
		}
		c.server.rtt = 90 * time.Millisecond
		c.talk(20)
		start := c.row.StartedAt
		s := streamOver(t, m, start.Add(100*time.Second), start.Add(190*time.Second), time.Second)
		if len(s.Series) != 90 {
			t.Fatalf("%d points for 90 s", len(s.Series))
		}
		for i, p := range s.Series {
			second := 100 + i
			if want := start.Add(time.Duration(second) * time.Second); !p.At.Equal(want) {
				t.Fatalf("point %d is of %v, want %v", i, p.At, want)
			}
			// The look that ends the silence spans it: counted, but of no second.
			if gap := second > 151 && second <= 182; p.Gap != gap {
				t.Errorf("second %d: gap is %v", second, p.Gap)
			} else if !gap {
				want := 40.0
				if second > 151 {
					want = 90
				}
				about(t, "round trip", p.Metrics.RTTMS, want, 0.25)
				about(t, "R", p.Metrics.R, 88.6, 0.3)
			}
		}
		if s.PacketsReceived != 50*(52+7) {
			t.Errorf("%d packets in the 59 s that were rated", s.PacketsReceived)
		}
	})
}

func TestStepsAverageTheirSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		c := newCall(m, "s")
		c.client, c.agent = nil, nil
		c.talk(120)
		start := c.row.StartedAt
		s := streamOver(t, m, start, start.Add(120*time.Second), 25*time.Second)
		if len(s.Series) != 5 || s.Series[4].At != start.Add(100*time.Second) {
			t.Fatalf("%d points", len(s.Series))
		}
		for _, p := range s.Series {
			about(t, "round trip", p.Metrics.RTTMS, 40, 0.1)
		}
		if coarse := streamOver(t, m, start, start.Add(120*time.Second), time.Hour); len(coarse.Series) != 1 {
			t.Errorf("%d points of an hour", len(coarse.Series))
		}
		if none := streamOver(t, m, start.Add(time.Hour), start.Add(time.Minute), time.Second); len(none.Series) != 0 {
			t.Errorf("%d points of a span that ends before it starts", len(none.Series))
		}
		// In the units of a figure no second may be lost, however fine the step.
		if fine := streamOver(t, m, start, start.Add(10*time.Second), time.Millisecond); len(fine.Series) != 10 {
			t.Errorf("%d points of ten seconds", len(fine.Series))
		}
	})
}

// A batch comes in at once and tells of five seconds.
func TestBatchesAreSpreadOverTheirSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		c := newCall(m, "s")
		c.server, c.agent = nil, nil
		c.talk(60)
		conn, _ := m.Connection("s", c.row.StartedAt, c.row.StartedAt.Add(60*time.Second), time.Second)
		gaps := 0
		for _, p := range conn.Streams[0].Series {
			if p.Gap {
				gaps++
			}
		}
		if gaps > 2 { // before the first interval
			t.Errorf("%d gaps in a minute", gaps)
		}
	})
}

func TestOnlyTheLastHourIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		c := newCall(m, "s")
		c.client, c.agent = nil, nil
		c.talk(2 * 3600)
		s := streamOver(t, m, time.Time{}, time.Time{}, 0)
		if n := len(s.Series); n != 3600 {
			t.Errorf("%d points of two hours", n)
		}
		measured := 0
		for _, p := range s.Series {
			if !p.Gap {
				measured++
			}
		}
		if measured < 3590 {
			t.Errorf("%d seconds of the last hour are kept", measured)
		}
		if s.PacketsReceived != 50*(7200-1) {
			t.Errorf("%d packets over the whole session", s.PacketsReceived)
		}
		if old := streamOver(t, m, c.row.StartedAt, c.row.StartedAt.Add(10*time.Minute), time.Second); len(old.Series) != 0 {
			t.Errorf("%d points of what is gone", len(old.Series))
		}
	})
}

// What is packed comes back to within half a unit, noise and all.
func TestHistoryIsTrueToHalfAUnit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		c := newCall(m, "s")
		c.client, c.agent = nil, nil
		c.server.noise = rand.New(rand.NewPCG(1, 2))
		c.server.in.every = 37
		var told []rest.Metrics
		c.talk(1)
		for range 300 {
			c.talk(1)
			told = append(told, streamOver(t, m, time.Time{}, time.Time{}, 0).Latest)
		}
		s := streamOver(t, m, c.row.StartedAt.Add(2*time.Second), c.row.StartedAt.Add(302*time.Second), time.Second)
		if len(s.Series) != len(told) {
			t.Fatalf("%d points, %d told", len(s.Series), len(told))
		}
		for i, p := range s.Series {
			for name, c := range map[string]struct {
				got, want *float64
				within    float64
			}{
				"loss":    {p.Metrics.LossRatio, told[i].LossRatio, 0.0005},
				"jitter":  {p.Metrics.JitterMS, told[i].JitterMS, 0.25},
				"rtt":     {p.Metrics.RTTMS, told[i].RTTMS, 0.25},
				"delay":   {p.Metrics.DelayMS, told[i].DelayMS, 0.5},
				"bitrate": {p.Metrics.BitrateBPS, told[i].BitrateBPS, 500},
				"R":       {p.Metrics.R, told[i].R, 0.25},
				"MOS":     {p.Metrics.MOS, told[i].MOS, 0.02},
			} {
				if c.got == nil || c.want == nil || math.Abs(*c.got-*c.want) > c.within+1e-9 {
					t.Fatalf("second %d: %s is %v, was %v", i+2, name, show(c.got), show(c.want))
				}
			}
		}
	})
}
