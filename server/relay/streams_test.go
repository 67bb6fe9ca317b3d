package relay_test

import (
	"testing"

	"github.com/pion/rtcp"

	"parley/server/agent"
	"parley/server/relay"
	"parley/shared/rtcstats"
)

func TestTooManyStreamsHangUp(t *testing.T) {
	t.Parallel()
	l, on := open(t, listen(t), agent.Echo{})
	c := newCaller(t, callerConfig{})
	c.call(l)
	named := uint32(1000)
	nameAnother := func() error {
		named++
		return c.pc.WriteRTCP([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{{SSRC: named}}}})
	}
	for range relay.MaxStreams + 1 {
		if err := nameAnother(); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the relay hangs up", func() bool {
		_ = nameAnother() // in place of one that was lost on the way; none is sent after the end
		state, _ := on.last()
		return state == rtcstats.StateFailed
	})
}
