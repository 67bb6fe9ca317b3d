package relay

import (
	"time"

	"github.com/pion/webrtc/v4"
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

// channel takes a data channel from the caller: pings come back, messages go to the
// agent, and any other channel is closed.
func (l *Leg) channel(d *webrtc.DataChannel) {
	switch n := l.channels.Add(1); {
	case n == maxChannels+1:
		l.hangUp("too many data channels")
		return
	case n > maxChannels:
		return
	}
	d.OnOpen(func() {
		switch d.Label() {
		case wire.PingChannel:
			l.start(func() { echo(d, &l.signs) })
		case wire.EventChannel:
			l.start(func() { l.handleMessages(d) })
		default:
			d.Close()
		}
	})
}

// echo sends back verbatim what comes, until the channel closes. A message over
// the rate is lost, as on a channel without retransmits any may be.
func echo(d *webrtc.DataChannel, of *signs) {
	raw, err := d.Detach()
	if err != nil {
		return
	}
	defer raw.Close()
	limit := rate.NewLimiter(pingRate, pingBurst)
	buf := make([]byte, wire.MaxPing)
	for {
		n, text, err := raw.ReadDataChannel(buf)
		if err != nil {
			return
		}
		of.addPing(time.Now())
		if !limit.Allow() || d.BufferedAmount() > maxUnsent {
			continue
		}
		if _, err := raw.WriteDataChannel(buf[:n], text); err != nil {
			return
		}
	}
}
