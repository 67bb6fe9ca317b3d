package transport

import (
	"context"
	"net"

	"github.com/pion/datachannel"
	"github.com/pion/sctp"
)

// sctpMTU is the largest packet of SCTP: what DTLS and IPv6 leave of 1,280 bytes, as
// in pion.
const sctpMTU = 1191

// channelParameter is what SCTP is begun with.
type channelParameter struct{ maxSent uint32 }

// ServeChannels takes data channels of the caller's, from when DTLS is done. maxSent is
// the largest message that the caller takes. Only the first call counts.
func (t *Transport) ServeChannels(maxSent uint32) {
	select {
	case t.channels <- channelParameter{maxSent}:
	default:
	}
}

// serveChannels hands on the data channels that the caller opens, until DTLS has ended or
// the transport does.
func (t *Transport) serveChannels(conn net.Conn, ended <-chan struct{}) {
	var parameter channelParameter
	select {
	case parameter = <-t.channels:
	case <-ended:
		return
	case <-t.ctx.Done():
		return
	}
	t.wg.Add(1)
	stop := context.AfterFunc(t.ctx, func() { // SCTP's own waits end with its connection alone
		defer t.wg.Done()
		_ = conn.Close() // says goodbye
	})
	defer func() {
		if stop() {
			t.wg.Done()
		}
	}()
	association, err := sctp.ClientWithOptions( // either end may begin
		sctp.WithNetConn(conn), sctp.WithLoggerFactory(t.cfg.Log), sctp.WithMTU(sctpMTU),
		sctp.WithMaxMessageSize(parameter.maxSent), sctp.WithMaxReceiveBufferSize(t.cfg.MaxReceived),
	)
	if err != nil {
		return
	}
	defer association.Close()
	for {
		channel, err := datachannel.Accept(association, &datachannel.Config{LoggerFactory: t.cfg.Log})
		if err != nil {
			return
		}
		t.handler.HandleChannel(channel)
	}
}
