package monitor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"parley/server/monitor"
	"parley/shared/quality"
	"parley/shared/rtcstats"
)

// Bytes are counted from the first look on and through a counter that begins anew,
// and told of both legs: live, by connection, in the record and in the minutes kept.
func TestBytesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := new(book)
		m := running(t, monitor.Config{Recorder: kept})
		c := newCall(m, "s")
		c.talk(30)
		in := c.server.s.Inbound.BytesReceived
		c.server.s.Inbound.SSRC, c.server.s.Inbound.BytesReceived, c.server.s.Inbound.PacketsReceived = 99, 0, 0
		c.talk(40)
		in += c.server.s.Inbound.BytesReceived
		out := c.server.s.Outbound.BytesSent
		if row := only(t, m); row.BytesReceived != in || row.BytesSent != out {
			t.Errorf("live: %d received and %d sent, want %d and %d", row.BytesReceived, row.BytesSent, in, out)
		}
		for _, s := range []struct {
			leg   rtcstats.Leg
			d     quality.Direction
			bytes int64
		}{
			{rtcstats.LegCaller, quality.ToAgent, in}, {rtcstats.LegCaller, quality.ToCaller, out},
			{rtcstats.LegAgent, quality.ToCaller, c.agent.s.Inbound.BytesReceived}, {rtcstats.LegAgent, quality.ToAgent, c.agent.s.Outbound.BytesSent},
		} {
			if got := directionStats(t, m, s.leg, s.d, rtcstats.ByServer); got.Bytes != s.bytes {
				t.Errorf("%s %s: %d bytes, want %d", s.leg, s.d, got.Bytes, s.bytes)
			}
		}
		now := time.Now()
		if got := streamOver(t, m, now.Add(-10*time.Second), now, time.Second); got.Bytes != 10*50*80 {
			t.Errorf("over ten seconds: %d bytes, want %d", got.Bytes, 10*50*80)
		}
		c.end("caller_left")
		if q, _ := m.Quality("s"); q.BytesReceived != in || q.BytesSent != out {
			t.Errorf("the record: %+v", q)
		}
		time.Sleep(2 * monitor.Tick)
		var sum int64
		chunks, _ := kept.read()
		for _, chunk := range chunks {
			if chunk.Leg == rtcstats.LegCaller && chunk.Direction == quality.ToAgent && chunk.MeasuredBy == rtcstats.ByServer {
				sum += chunk.Bytes
			}
		}
		if sum != in {
			t.Errorf("the minutes kept have %d bytes, want %d", sum, in)
		}
	})
}

// A restart of ICE is counted in the row, in connection's errors and in the record.
func TestICERestartsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		c := newCall(m, "s")
		for _, n := range []int64{1, 1, 3} {
			c.row.ICERestarts = n
			m.SessionChanged(c.row)
		}
		connection, _ := m.Connection("s", time.Time{}, time.Time{}, time.Second)
		if row := only(t, m); row.ICERestarts != 3 || len(connection.Errors) != 1 || connection.Errors[0].Kind != "ice_restart" || connection.Errors[0].Count != 3 {
			t.Errorf("%+v, %+v", row, connection.Errors)
		}
		if q, _ := m.Quality("s"); q.ICERestarts != 3 {
			t.Errorf("the record: %+v", q)
		}
	})
}
