package monitor_test

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/monitor"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

// resent is how many looks a client keeps of a time without its socket: all from before
// the cut, and the newest.
const resent = 10

// cut lets seconds pass in which nothing gets through on the caller's leg. Each end
// goes on looking, and the client's looks come if its socket lives.
func (c *call) cut(seconds int, socket bool) {
	for range seconds {
		time.Sleep(time.Second)
		now := time.Now()
		c.server.s.Timestamp += 1000
		c.m.SessionSampled(c.row.ID, rtcstats.LegCaller, rtcstats.ByServer, now, copied(c.server.s))
		c.client.s.Timestamp += 1000
		c.client.s.Outbound.PacketsSent += 50
		if p := c.client.s.Ping; p != nil {
			p.RequestsSent += 2
		}
		if c.batch = append(c.batch, copied(c.client.s)); socket && len(c.batch) >= 5 {
			c.sendBatch()
		}
	}
}

func (c *call) sendBatch() {
	if len(c.batch) == 0 {
		return
	}
	newest := c.batch[len(c.batch)-1].Timestamp
	for _, s := range c.batch {
		at := time.Now().Add(-time.Duration(newest-s.Timestamp) * time.Millisecond)
		c.m.SessionSampled(c.row.ID, rtcstats.LegCaller, rtcstats.ByClient, at, s)
	}
	c.batch = nil
}

// heal lets the line go on after a cut: the gap in the sequence numbers is counted
// by both ends, and the client sends its newest looks again.
func (c *call) heal(seconds int) {
	c.server.s.Inbound.PacketsLost += 50 * int64(seconds)
	c.server.s.RemoteInbound.PacketsLost += 50 * int64(seconds)
	c.client.s.Inbound.PacketsLost += 50 * int64(seconds)
	c.client.s.RemoteInbound.PacketsLost += 50 * int64(seconds)
	if n := len(c.batch); n > resent {
		before := min(max(0, n-seconds), resent-1)
		c.batch = slices.Delete(c.batch, before, n-resent+before)
	}
	c.sendBatch()
}

func newPingedCall(m *monitor.Monitor) *call {
	c := newCall(m, "s")
	c.agent = nil
	c.server.s.Ping = &rtcstats.Ping{RequestsReceived: 20}
	return c
}

// The seconds of a cut are lost ones by the word of each end, in both directions,
// once: in the live picture, in connection and in the record.
func TestTheSecondsOfACutAreLostOnes(t *testing.T) {
	for name, tc := range map[string]struct {
		seconds int
		socket  bool // lives through the cut
		heals   bool
	}{
		"ten seconds, and it heals":                {10, false, true},
		"longer than what a client sends again":    {20, false, true},
		"the socket is another path, and it heals": {10, true, true},
		"the call ends in it":                      {30, false, false},
		"the call ends in it, the socket lives":    {30, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := running(t, monitor.Config{})
				c := newPingedCall(m)
				c.talk(60)
				c.cut(tc.seconds, tc.socket)
				if row := only(t, m); row.Quality.Level != quality.Poor || !isLost(row.Metrics[quality.ToAgent]) || !isLost(row.Metrics[quality.ToCaller]) {
					t.Errorf("live, in the cut: %+v", row)
				}
				talked := 60
				if tc.heals {
					c.heal(tc.seconds)
					c.talk(60)
					talked += 60
				}
				want := float64(tc.seconds) / float64(talked+tc.seconds)
				for _, by := range []rtcstats.MeasuredBy{rtcstats.ByClient, rtcstats.ByServer} {
					for _, d := range []quality.Direction{quality.ToAgent, quality.ToCaller} {
						s := directionStats(t, m, rtcstats.LegCaller, d, by)
						// A second at each edge of the cut may count for either.
						about(t, string(d)+" by "+string(by), &s.Summary.LossRatio.Avg, want, 2.0/float64(talked))
						if lost := 50 * float64(tc.seconds); math.Abs(float64(s.PacketsLost)-lost) > 100 {
							t.Errorf("%s by %s lost %d packets, want %v", d, by, s.PacketsLost, lost)
						}
					}
				}
				c.end("connection_lost")
				q, _ := m.Quality("s")
				about(t, "the record", &q.Summary.LossRatio.Avg, want, 2.0/float64(talked))
				if poor := q.Seconds[quality.Poor]; poor < tc.seconds-2 {
					t.Errorf("the record has %d s of a poor line, want %d", poor, tc.seconds)
				}
			})
		})
	}
}

func isLost(m rest.Metrics) bool { return m.LossRatio != nil && *m.LossRatio > 0.9 }

// A level falls within two seconds of the first silent one, whoever is asked.
func TestALevelFallsInACut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		c := newPingedCall(m)
		c.talk(20)
		c.cut(2, false)
		for _, by := range []rtcstats.MeasuredBy{rtcstats.ByClient, rtcstats.ByServer} {
			if s := directionStats(t, m, rtcstats.LegCaller, quality.ToCaller, by); s.Rating.Level != quality.Poor {
				t.Errorf("by %s: %+v", by, s.Rating)
			}
		}
		if q := only(t, m).Quality; q.Level != quality.Poor {
			t.Errorf("%+v", q)
		}
	})
}

// What is no cut counts no second as lost: a microphone that is off, an agent that
// rests, pings that are paused.
func TestWhatIsNoCut(t *testing.T) {
	for name, change := range map[string]func(*rtcstats.Sample){
		"pings come":         func(s *rtcstats.Sample) { s.Ping.RequestsReceived += 2 },
		"reports come":       func(s *rtcstats.Sample) { *s.RemoteInbound.RoundTripTimeMeasurements++ },
		"pings are paused":   func(s *rtcstats.Sample) { s.Ping = nil },
		"one packet in five": func(s *rtcstats.Sample) { s.Inbound.PacketsReceived++ },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := running(t, monitor.Config{})
				c := newPingedCall(m)
				c.client = nil
				c.talk(10)
				for range 10 {
					time.Sleep(time.Second)
					c.server.s.Timestamp += 1000
					change(&c.server.s)
					m.SessionSampled("s", rtcstats.LegCaller, rtcstats.ByServer, time.Now(), copied(c.server.s))
				}
				if s := directionStats(t, m, rtcstats.LegCaller, quality.ToAgent, rtcstats.ByServer); s.PacketsLost != 0 || s.Rating.Level != quality.Excellent {
					t.Errorf("%d packets lost, %+v", s.PacketsLost, s.Rating)
				}
			})
		})
	}
}
