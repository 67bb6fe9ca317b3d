package relay

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// A packet waits to be read, by itself in memory.
type packet struct {
	b    []byte
	peer netip.AddrPort // whom it comes from
}

// queueConn is a net.PacketConn whose packets come by a bounded queue: who reads too
// slowly loses some, as on any line.
type queueConn struct {
	local  net.Addr
	queue  chan packet
	send   func(b []byte, to netip.AddrPort) (int, error)
	closed chan struct{}
	once   sync.Once
	forget func() // told once of the end
}

func newQueueConn(local net.Addr, size int, send func([]byte, netip.AddrPort) (int, error), forget func()) *queueConn {
	return &queueConn{local: local, queue: make(chan packet, size), send: send, closed: make(chan struct{}), forget: forget}
}

// put queues a copy of a packet, if there is room.
func (c *queueConn) put(b []byte, peer netip.AddrPort) bool {
	if len(c.queue) == cap(c.queue) {
		return false
	}
	select {
	case c.queue <- packet{append([]byte(nil), b...), peer}:
		return true
	default:
		return false
	}
}

func (c *queueConn) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case p := <-c.queue:
		return copy(b, p.b), net.UDPAddrFromAddrPort(p.peer), nil
	case <-c.closed:
		return 0, nil, net.ErrClosed
	}
}

func (c *queueConn) WriteTo(b []byte, to net.Addr) (int, error) {
	addr, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, net.InvalidAddrError("not a UDP address")
	}
	at := addr.AddrPort()
	return c.send(b, netip.AddrPortFrom(at.Addr().Unmap(), at.Port()))
}

// Close ends the reads; what is queued is lost.
func (c *queueConn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.forget()
	})
	return nil
}

func (c *queueConn) LocalAddr() net.Addr { return c.local }

// Reads and writes here don't wait for a network.

func (c *queueConn) SetDeadline(time.Time) error      { return nil }
func (c *queueConn) SetReadDeadline(time.Time) error  { return nil }
func (c *queueConn) SetWriteDeadline(time.Time) error { return nil }
