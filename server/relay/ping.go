package relay

import (
	"time"

	"github.com/pion/datachannel"
	"golang.org/x/time/rate"

	"parley/shared/wire"
)

// The caller's latency pings.
const (
	// pingRate bounds the echo, in messages a second: a caller sends two.
	pingRate, pingBurst = 10, 20
	// maxUnsent bounds what waits for a caller that takes nothing more.
	maxUnsent = 64 * wire.MaxPing
	// maxChannels bounds the data channels a caller may open in one call.
	maxChannels = 8
)

// HandleChannel takes a data channel from the caller: pings come back, messages go to the
// agent, and any other channel is closed.
func (c *connection) HandleChannel(d *datachannel.DataChannel) {
	l := c.leg
	switch n := c.channels.Add(1); {
	case n == maxChannels+1:
		c.hangUp("too many data channels")
		return
	case n > maxChannels:
		return
	}
	switch d.Config.Label {
	case wire.PingChannel:
		l.start(func() { echo(d, &l.signs) })
	case wire.EventChannel:
		l.start(func() { l.handleMessages(d) })
	default:
		d.Close()
	}
}

// echo sends back verbatim what comes, until the channel closes. A message over
// the rate is lost, as on a channel without retransmits any may be.
func echo(d *datachannel.DataChannel, of *signs) {
	defer d.Close()
	limit := rate.NewLimiter(pingRate, pingBurst)
	buf := make([]byte, wire.MaxPing)
	for {
		n, text, err := d.ReadDataChannel(buf)
		if err != nil {
			return
		}
		of.addPing(time.Now())
		if !limit.Allow() || d.BufferedAmount() > maxUnsent {
			continue
		}
		if _, err := d.WriteDataChannel(buf[:n], text); err != nil {
			return
		}
	}
}
