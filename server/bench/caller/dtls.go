package caller

import (
	"context"
	"net"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/dtls/v3"
	"github.com/pion/logging"
	"github.com/pion/sctp"

	"parley/shared/wire"
)

// wireConn is what DTLS reads and writes. Reading it is what takes all other packets.
type wireConn struct {
	*net.UDPConn
	caller *Caller
}

// ReadFrom implements net.PacketConn.
func (w wireConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		packet, err := w.caller.read(b)
		if err != nil || packet != nil {
			return len(packet), w.server(), err
		}
	}
}

// WriteTo implements net.PacketConn.
func (w wireConn) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), w.caller.write(b) }

// SetDeadline implements net.PacketConn.
func (w wireConn) SetDeadline(t time.Time) error { return w.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn: one that DTLS gives itself would be that of
// audio, too.
func (wireConn) SetWriteDeadline(time.Time) error { return nil }

func (w wireConn) server() net.Addr { return net.UDPAddrFromAddrPort(w.caller.answer.candidate) }

// handshake is made by either role. The profiles of SRTP are in the order of pion's own
// peers: it has no say of what a server prefers.
func (c *Caller) handshake(ctx context.Context) (*dtls.Conn, error) {
	shared := []dtls.Option{
		dtls.WithCertificates(c.cfg.Certificate), dtls.WithInsecureSkipVerify(true),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
	}
	w := wireConn{c.socket, c}
	conn, err := c.newDTLS(w, shared)
	if err != nil {
		return nil, err
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // it has failed already
		return nil, err
	}
	return conn, nil
}

func (c *Caller) newDTLS(w wireConn, shared []dtls.Option) (*dtls.Conn, error) {
	if c.answer.isClient {
		client := make([]dtls.ClientOption, len(shared))
		for i, o := range shared {
			client[i] = o
		}
		return dtls.ClientWithOptions(w, w.server(), client...)
	}
	server := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert), dtls.WithInsecureSkipVerifyHello(true)}
	for _, o := range shared {
		server = append(server, o)
	}
	return dtls.ServerWithOptions(w, w.server(), server...)
}

// openChannel opens the channel of pings and counts what comes back until it ends. SCTP ends
// with DTLS, and no sooner: a server may close a channel that it doesn't want.
func (c *Caller) openChannel() {
	log := logging.NewDefaultLoggerFactory()
	association, err := sctp.ClientWithOptions(sctp.WithNetConn(c.conn), sctp.WithLoggerFactory(log))
	if err != nil {
		return // the call has ended
	}
	id := uint16(1) // RFC 8832 §6: even ones are the DTLS client's
	if c.answer.isClient {
		id = 0
	}
	channel, err := datachannel.Dial(association, id, &datachannel.Config{
		Label: wire.PingChannel, ChannelType: datachannel.ChannelTypePartialReliableRexmitUnordered, LoggerFactory: log,
	})
	if err != nil {
		return
	}
	c.channel.Store(channel)
	for b := make([]byte, wire.MaxPing); ; {
		if _, _, err := channel.ReadDataChannel(b); err != nil {
			return
		}
		c.pongs.Add(1)
	}
}

// Ping sends a ping, if there is a channel for it.
func (c *Caller) Ping() {
	if channel := c.channel.Load(); channel != nil {
		_, _ = channel.WriteDataChannel([]byte(time.Now().Format(time.RFC3339Nano)), true) // lost like any packet
	}
}

// Pongs is how many pings came back.
func (c *Caller) Pongs() int64 { return c.pongs.Load() }
