package transport

import (
	"net"
	"sync"
	"time"

	"github.com/pion/transport/v4/packetio"
)

// packetConn is the net.PacketConn of one call's DTLS: what comes on any of the call's
// paths is read here, and what is written goes by the path in use.
type packetConn struct {
	transport *Transport
	unread    *packetio.Buffer
	once      sync.Once
	closed    chan struct{}
}

func newPacketConn(t *Transport) *packetConn {
	c := &packetConn{transport: t, unread: packetio.NewBuffer(), closed: make(chan struct{})}
	c.unread.SetLimitCount(maxUnreadDTLS)
	c.unread.SetLimitSize(maxUnreadDTLSBytes)
	return c
}

// put queues a copy of a packet; one that finds no room is lost, as on any line.
func (c *packetConn) put(packet []byte) { _, _ = c.unread.Write(packet) }

// ReadFrom implements net.PacketConn.
func (c *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := c.unread.Read(b)
	return n, callAddr{}, err
}

// WriteTo implements net.PacketConn. What has nowhere to go is lost.
func (c *packetConn) WriteTo(b []byte, _ net.Addr) (int, error) {
	if way := c.transport.sendingPath(); way != nil {
		way.send(b)
	}
	return len(b), nil
}

// Close implements net.PacketConn.
func (c *packetConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.unread.Close()
}

// LocalAddr implements net.PacketConn.
func (*packetConn) LocalAddr() net.Addr { return callAddr{} }

// SetReadDeadline implements net.PacketConn.
func (c *packetConn) SetReadDeadline(t time.Time) error { return c.unread.SetReadDeadline(t) }

// SetDeadline implements net.PacketConn.
func (c *packetConn) SetDeadline(t time.Time) error { return c.unread.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn: a write waits for nothing.
func (*packetConn) SetWriteDeadline(time.Time) error { return nil }

// callAddr is the address of either end: which it is, ICE decides.
type callAddr struct{}

// Network implements net.Addr.
func (callAddr) Network() string { return "ice" }

// String implements net.Addr.
func (callAddr) String() string { return "call" }
