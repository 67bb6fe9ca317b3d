package monitor_test

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/monitor"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

func only(t *testing.T, m *monitor.Monitor) rest.Session {
	t.Helper()
	rows := m.Active("")
	if len(rows) != 1 {
		t.Fatalf("%d live sessions", len(rows))
	}
	return rows[0]
}

func directionStats(t *testing.T, m *monitor.Monitor, leg rtcstats.Leg, d quality.Direction, by rtcstats.MeasuredBy) rest.StreamQuality {
	t.Helper()
	c, ok := m.Connection("s", time.Time{}, time.Time{}, time.Second)
	if !ok {
		t.Fatal("no such session")
	}
	for _, s := range c.Streams {
		if s.Leg == leg && s.Direction == d && s.MeasuredBy == by {
			return s
		}
	}
	t.Fatalf("no stream %s %s by %s in %d", leg, d, by, len(c.Streams))
	return rest.StreamQuality{}
}

func about(t *testing.T, name string, got *float64, want, tolerance float64) {
	t.Helper()
	if got == nil || math.Abs(*got-want) > tolerance {
		t.Errorf("%s is %v, want %v ± %v", name, show(got), want, tolerance)
	}
}

func show(v *float64) any {
	if v == nil {
		return "unknown"
	}
	return *v
}

// What each end measures is filed under the way the audio flows.
func TestDirectionsByLegAndEnd(t *testing.T) {
	// Each end loses one packet in n on its way in: another n for each.
	cases := []struct {
		leg   rtcstats.Leg
		by    rtcstats.MeasuredBy
		in    quality.Direction
		loses func(*call) *end
	}{
		{rtcstats.LegCaller, rtcstats.ByClient, quality.ToCaller, func(c *call) *end { return c.client }},
		{rtcstats.LegCaller, rtcstats.ByServer, quality.ToAgent, func(c *call) *end { return c.server }},
		{rtcstats.LegAgent, rtcstats.ByServer, quality.ToCaller, func(c *call) *end { return c.agent }},
	}
	for _, tc := range cases {
		t.Run(string(tc.leg)+" by "+string(tc.by), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := running(t, monitor.Config{})
				c := newCall(m, "s")
				tc.loses(c).in.every = 10
				tc.loses(c).out.every = 25
				c.talk(20)
				out := quality.ToAgent
				if tc.in == quality.ToAgent {
					out = quality.ToCaller
				}
				about(t, "loss in", directionStats(t, m, tc.leg, tc.in, tc.by).Latest.LossRatio, 0.1, 1e-9)
				about(t, "loss out", directionStats(t, m, tc.leg, out, tc.by).Latest.LossRatio, 0.04, 1e-9)
			})
		})
	}
}

func TestRatingIsTheWorstDirectionByItsBestWitness(t *testing.T) {
	cases := map[string]struct {
		change    func(*call)
		level     quality.Level
		direction quality.Direction
		value     float64
	}{
		"all well":                             {func(*call) {}, quality.Excellent, "", 0},
		"the server says of what it gets":      {func(c *call) { c.server.in.every = 10 }, quality.Poor, quality.ToAgent, 10},
		"the client says of what it gets":      {func(c *call) { c.client.in.every = 25 }, quality.Fair, quality.ToCaller, 4},
		"the worse of both":                    {func(c *call) { c.server.in.every, c.client.in.every = 50, 10 }, quality.Poor, quality.ToCaller, 10},
		"hearsay does not count":               {func(c *call) { c.server.out.every, c.client.out.every = 5, 5 }, quality.Excellent, "", 0},
		"unless there is nothing else":         {func(c *call) { c.client = nil; c.server.out.every = 10 }, quality.Poor, quality.ToCaller, 10},
		"nor does the agent's leg":             {func(c *call) { c.agent.in.every = 5 }, quality.Excellent, "", 0},
		"a relay that is silent is no witness": {func(c *call) { c.server = nil; c.client.out.every = 10 }, quality.Poor, quality.ToAgent, 10},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := running(t, monitor.Config{})
				c := newCall(m, "s")
				tc.change(c)
				c.talk(20)
				q := only(t, m).Quality
				if q.Level != tc.level || q.Direction != tc.direction || math.Abs(q.Value-tc.value) > 0.11 {
					t.Errorf("%+v", q)
				}
			})
		})
	}
}

func TestNoDataAfterFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		c := newCall(m, "s")
		c.client, c.agent = nil, nil
		c.talk(2)
		if q := only(t, m).Quality; q.Level != quality.None {
			t.Errorf("after one interval: %+v", q)
		}
		c.talk(2)
		if q := only(t, m).Quality; q.Level != quality.Excellent {
			t.Errorf("after three: %+v", q)
		}
		time.Sleep(monitor.ServerStale)
		if q := only(t, m).Quality; q.Level != quality.Excellent {
			t.Errorf("five seconds later: %+v", q)
		}
		time.Sleep(time.Nanosecond)
		row := only(t, m)
		if row.Quality != (quality.Verdict{Level: quality.None}) || row.Metrics != nil {
			t.Errorf("a nanosecond more: %+v", row)
		}
	})
}

// The client's numbers come each five seconds: between two batches it is still
// the witness of what it hears; when they stay out the relay's word stands in.
func TestFallBackWhenTheClientFallsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		c := newCall(m, "s")
		c.client.in.every = 10
		c.talk(20)
		for range 5 {
			c.talk(1)
			if q := only(t, m).Quality; q.Level != quality.Poor {
				t.Fatalf("between two batches: %+v", q)
			}
		}
		c.client = nil
		last := time.Now()
		for time.Since(last) < monitor.ClientStale {
			if q := only(t, m).Quality; q.Level != quality.Poor {
				t.Fatalf("%v after the last batch: %+v", time.Since(last), q)
			}
			c.talk(1)
		}
		c.talk(1)
		if q := only(t, m).Quality; q.Level != quality.Excellent {
			t.Errorf("by the relay's word: %+v", q)
		}
	})
}

func TestSummaryIsOverTheWholeSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		c := newCall(m, "s")
		c.client, c.agent = nil, nil
		c.talk(101) // the first look has no interval
		c.server.in.every = 5
		c.server.rtt = 80 * time.Millisecond
		c.talk(100)
		s := directionStats(t, m, rtcstats.LegCaller, quality.ToAgent, rtcstats.ByServer)
		if s.PacketsLost != 1000 || s.PacketsReceived != 9000 {
			t.Errorf("%d lost, %d received of 10,000", s.PacketsLost, s.PacketsReceived)
		}
		loss, rtt := s.Summary.LossRatio, s.Summary.RTTMS
		if loss.Min != 0 || loss.Max != 0.2 || loss.Avg != 0.1 {
			t.Errorf("loss %+v", *loss)
		}
		if rtt.Min != 40 || rtt.Max != 80 || rtt.Avg < 55 || rtt.Avg > 65 {
			t.Errorf("round trip %+v", *rtt)
		}
		if mos := s.Summary.MOS; mos.Min >= mos.Avg || mos.Avg >= mos.Max || mos.Max > 4.5 {
			t.Errorf("MOS %+v", *mos)
		}
		about(t, "delay", s.Latest.DelayMS, 36.5+40+quality.PlayoutMS, 0.1)
	})
}

func TestCountersTellWhatALongGapLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		c := newCall(m, "s")
		c.client, c.agent = nil, nil
		c.talk(11)
		c.server.in.every = 10
		for range 20 {
			time.Sleep(time.Second)
			c.server.second() // counted, never reported
		}
		c.server.in.every = 0
		c.talk(10)
		s := directionStats(t, m, rtcstats.LegCaller, quality.ToAgent, rtcstats.ByServer)
		if s.PacketsLost != 100 || s.PacketsReceived != 1900 {
			t.Errorf("%d lost, %d received", s.PacketsLost, s.PacketsReceived)
		}
		about(t, "loss of now", s.Latest.LossRatio, 0, 1e-9)
	})
}

func TestNumbersThatCantBeAreRefusedAndCounted(t *testing.T) {
	spoil := map[string]func(*rtcstats.Sample){
		"below zero":       func(s *rtcstats.Sample) { s.Inbound.PacketsReceived = -1 },
		"beyond all":       func(s *rtcstats.Sample) { s.Inbound.Jitter = rtcstats.MaxDelay + 1 },
		"fallen":           func(s *rtcstats.Sample) { s.Inbound.PacketsReceived = 1 },
		"fallen, outbound": func(s *rtcstats.Sample) { s.Outbound.BytesSent = 0 },
	}
	for name, change := range spoil {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := running(t, monitor.Config{})
				c := newCall(m, "s")
				c.server, c.agent = nil, nil
				c.talk(10)
				before := directionStats(t, m, rtcstats.LegCaller, quality.ToCaller, rtcstats.ByClient)
				time.Sleep(time.Second)
				s := c.client.second()
				good := copied(s)
				change(&s)
				m.SessionSampled("s", rtcstats.LegCaller, rtcstats.ByClient, time.Now(), s)
				m.SessionSampled("s", rtcstats.LegCaller, rtcstats.ByClient, time.Now(), good)
				after := directionStats(t, m, rtcstats.LegCaller, quality.ToCaller, rtcstats.ByClient)
				if got := after.PacketsReceived - before.PacketsReceived; got != 50 {
					t.Errorf("%d packets in the second of a refused and a good look", got)
				}
				conn, _ := m.Connection("s", time.Time{}, time.Time{}, 0)
				if len(conn.Errors) != 1 || conn.Errors[0].Kind != "bad_report" || conn.Errors[0].MeasuredBy != rtcstats.ByClient || conn.Errors[0].Count != 1 {
					t.Errorf("%+v", conn.Errors)
				}
			})
		})
	}
}

func TestAnEndThatInsistsIsBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		c := newCall(m, "s")
		c.server, c.agent = nil, nil
		c.talk(20)
		c.client = newEnd(1, true) // the same ids and ssrc, from zero
		c.client.s.Timestamp = 21_000
		c.talk(monitor.MaxRefusals)
		at := directionStats(t, m, rtcstats.LegCaller, quality.ToCaller, rtcstats.ByClient).PacketsReceived
		c.talk(5)
		if got := directionStats(t, m, rtcstats.LegCaller, quality.ToCaller, rtcstats.ByClient).PacketsReceived - at; got < 200 {
			t.Errorf("%d packets in five seconds", got)
		}
	})
}

// After a lost socket a client sends its newest looks again: no fault of its.
func TestLooksSeenBeforeAreNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		c := newCall(m, "s")
		c.server, c.agent = nil, nil
		c.talk(10)
		again := copied(c.client.s)
		for range 5 {
			m.SessionSampled("s", rtcstats.LegCaller, rtcstats.ByClient, time.Now(), again)
		}
		conn, _ := m.Connection("s", time.Time{}, time.Time{}, 0)
		if len(conn.Errors) != 0 {
			t.Errorf("%+v", conn.Errors)
		}
	})
}

func TestFaultsOfALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		c := newCall(m, "s")
		c.talk(10)
		c.client.s.CandidatePair = &rtcstats.CandidatePair{ID: "another"}
		c.talk(5)
		c.row.State = "reconnecting"
		m.SessionChanged(c.row)
		m.SessionChanged(c.row)
		c.row.State = "active"
		m.SessionChanged(c.row)
		conn, _ := m.Connection("s", time.Time{}, time.Time{}, 0)
		got := ""
		for _, e := range conn.Errors {
			got += fmt.Sprintf("%s %s %d; ", e.Kind, e.MeasuredBy, e.Count)
		}
		if want := "path_change client 1; reconnect  1; "; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestWhatIsNoSessionsIsDropped(t *testing.T) {
	m := monitor.New(monitor.Config{})
	e := newEnd(1, true)
	m.SessionSampled("nobody", rtcstats.LegCaller, rtcstats.ByClient, time.Now(), e.second())
	newCall(m, "s")
	for range 3 {
		m.SessionSampled("s", rtcstats.LegAgent, rtcstats.ByClient, time.Now(), e.second())
		m.SessionSampled("s", "third", rtcstats.ByServer, time.Now(), e.second())
	}
	if c, ok := m.Connection("s", time.Time{}, time.Time{}, 0); !ok || len(c.Streams) != 0 {
		t.Errorf("%+v", c.Streams)
	}
	if _, ok := m.Connection("nobody", time.Time{}, time.Time{}, 0); ok {
		t.Error("a connection of nobody")
	}
}
