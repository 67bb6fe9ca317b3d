package monitor_test

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/monitor"
	"parley/shared/quality"
	"parley/shared/rtcstats"
)

// iceNotices is how long ICE takes to notice that nothing comes.
const iceNotices = 5

// The seconds of a cut count from the first one on, also in a call's first seconds:
// before a client's first or second report, and before a ping was answered, when only
// ICE tells of the cut, and late.
func TestTheSecondsOfAnEarlyCutAreLostOnes(t *testing.T) {
	for talked := 1; talked <= 4; talked++ {
		for _, isPinged := range []bool{true, false} {
			for _, heals := range []bool{true, false} {
				t.Run(fmt.Sprintf("after %d s, pings %v, heals %v", talked, isPinged, heals), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { cutEarly(t, talked, isPinged, heals, true) })
				})
			}
			t.Run(fmt.Sprintf("after %d s, pings %v, before the first report", talked, isPinged), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { cutEarly(t, talked, isPinged, true, false) })
			})
		}
	}
}

func cutEarly(t *testing.T, talked int, isPinged, heals, isReported bool) {
	const lasts = 10
	m := running(t, monitor.Config{})
	c := newPingedCall(m)
	if c.client.s.Ping = nil; isPinged {
		c.client.s.Ping = &rtcstats.Ping{RequestsSent: 2, ResponsesReceived: 2}
	} else {
		c.server.s.Ping = nil
	}
	c.client.buffered = false // it answers no pings
	c.server.s.Transport = &rtcstats.Transport{ICEState: string(rtcstats.StateConnected)}
	c.client.s.Transport = c.server.s.Transport
	if c.batch = append(c.batch, copied(c.client.s)); isReported {
		c.sendBatch() // the first report comes with the connection
	}
	c.talk(talked)
	c.cut(iceNotices, false)
	missed := &rtcstats.Transport{ICEState: string(rtcstats.StateDisconnected)}
	c.server.s.Transport, c.client.s.Transport = missed, missed
	c.cut(lasts-iceNotices, false)
	if row := only(t, m); row.Quality.Level != quality.Poor {
		t.Errorf("live, in the cut: %+v", row.Quality)
	}
	if heals {
		c.server.s.Transport = &rtcstats.Transport{ICEState: string(rtcstats.StateConnected)}
		c.client.s.Transport = c.server.s.Transport
		c.heal(lasts)
		c.talk(20)
	}
	streams, _ := m.Connection("s", time.Time{}, time.Time{}, time.Second)
	if len(streams.Streams) != 4 {
		t.Errorf("%d streams", len(streams.Streams))
	}
	for _, s := range streams.Streams {
		if lost := float64(s.PacketsLost) / 50; math.Abs(lost-lasts) > 1 {
			t.Errorf("%s by %s lost %.1f s, want %d", s.Direction, s.MeasuredBy, lost, lasts)
		}
	}
	c.end("connection_lost")
	q, _ := m.Quality("s")
	// Of a call that ends in the cut the client's samples from before it never come.
	least, most := lasts/float64(lasts+talked), 1.0
	if length := float64(lasts + talked + 20); heals {
		least, most = lasts/length, lasts/length
	}
	if got, within := q.Summary.LossRatio.Avg, 0.05; got < least-within || got > most+within {
		t.Errorf("the record has a loss of %.3f, want %.3f to %.3f", got, least, most)
	}
}
