package relay_test

import (
	"testing"
	"time"

	"parley/server/relay"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// Pings are due while they come in their rhythm. In a cut all signs stop together,
// and they stay due; when pings alone stop, they are paused.
func TestPingsAreDueWhileTheyComeInTheirRhythm(t *testing.T) {
	begun := time.Now()
	var s relay.Signs
	at := func(d time.Duration) time.Time { return begun.Add(d) }
	if got := s.Sample(7, at(time.Second)); got.Ping != nil || *got.Transport.PacketsReceived != 7 {
		t.Errorf("before any ping: %+v", got)
	}
	s.Ping(at(time.Second))
	for _, c := range []struct {
		what    string
		packets uint32
		at      time.Duration
		isDue   bool
	}{
		{"with the ping", 8, time.Second, true},
		{"in a cut", 8, 30 * time.Second, true},
		{"the last sign that the rhythm allows", 9, time.Second + relay.PingRhythm, true},
		{"a sign beyond the rhythm", 10, time.Second + relay.PingRhythm + time.Millisecond, false},
		{"a cut after pings were paused", 10, time.Minute, false},
	} {
		got := s.Sample(c.packets, at(c.at))
		if (got.Ping != nil) != c.isDue || c.isDue && got.Ping.RequestsReceived != 1 {
			t.Errorf("%s: %+v", c.what, got.Ping)
		}
	}
}

// A leg's samples say by which signs it lives, and go on when it is cut off.
func TestSamplesTellOfSigns(t *testing.T) {
	c := newCaller(t, callerConfig{})
	pings := c.openChannel(wire.PingChannel)
	c.call(c.reflected())
	c.echoes()
	within(t, "the ping channel opens", pings.opened)
	if err := pings.dc.SendText("1"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a sample has the ping and the packets", func() bool {
		_, s := c.events.last()
		return s.Ping != nil && s.Ping.RequestsReceived == 1 && s.Transport.ICEState == string(rtcstats.StateConnected) &&
			s.Transport.PacketsReceived != nil && *s.Transport.PacketsReceived > 0
	})
	c.leave()
	eventually(t, "samples say that it is cut off", func() bool {
		_, s := c.events.last()
		return s.Transport != nil && s.Transport.ICEState == string(rtcstats.StateClosed)
	})
	_, before := c.events.last()
	eventually(t, "and go on", func() bool {
		_, s := c.events.last()
		return s.Timestamp > before.Timestamp
	})
}
