package transport

import (
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3/pkg/protocol/recordlayer"
	"github.com/pion/transport/v4/packetio"
)

// packetConn is the net.PacketConn of one call's DTLS, for the handshake and, where no
// recordConn takes over, for all of the call: what comes on any of the call's paths is read
// here, and what is written goes by the path in use.
type packetConn struct {
	transport *Transport
	unread    atomic.Pointer[packetio.Buffer] // nil once a recordConn has taken over
	once      sync.Once
	closed    chan struct{}

	mu      sync.Mutex
	isMuted bool
	next    uint64 // the number of the first record after the handshake that none has had
}

func newPacketConn(t *Transport) *packetConn {
	c := &packetConn{transport: t, closed: make(chan struct{})}
	c.unread.Store(newUnread())
	return c
}

// newUnread makes a queue of packets, bounded.
func newUnread() *packetio.Buffer {
	b := packetio.NewBuffer()
	b.SetLimitCount(maxUnreadDTLS)
	b.SetLimitSize(maxUnreadDTLSBytes)
	return b
}

// put queues a copy of a packet; one that finds no room is lost, as on any line. It is
// false once nobody reads anymore.
func (c *packetConn) put(packet []byte) bool {
	unread := c.unread.Load()
	if unread == nil {
		return false
	}
	_, _ = unread.Write(packet)
	return true
}

// handOver has nothing sent or read anymore, and returns the number of the first record that
// who takes over may send: no two may have the same.
func (c *packetConn) handOver() (next uint64) {
	c.unread.Swap(nil).Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isMuted = true
	return c.next
}

// ReadFrom implements net.PacketConn.
func (c *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	unread := c.unread.Load()
	if unread == nil {
		return 0, nil, net.ErrClosed
	}
	n, err := unread.Read(b)
	return n, callAddr{}, err
}

// WriteTo implements net.PacketConn. What has nowhere to go is lost.
func (c *packetConn) WriteTo(b []byte, _ net.Addr) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isMuted {
		return 0, net.ErrClosed
	}
	c.noteNumbersLocked(b)
	if way := c.transport.sendingPath(); way != nil {
		way.send(b)
	}
	return len(b), nil
}

// noteNumbersLocked notes the numbers of the records of a packet. mu must be held.
func (c *packetConn) noteNumbersLocked(packet []byte) {
	for len(packet) >= recordHeader {
		if binary.BigEndian.Uint16(packet[3:]) == dataEpoch {
			c.next = max(c.next, binary.BigEndian.Uint64(packet[3:])&recordlayer.MaxSequenceNumber+1)
		}
		packet = packet[min(len(packet), recordHeader+int(binary.BigEndian.Uint16(packet[recordHeader-2:]))):]
	}
}

// Close implements net.PacketConn.
func (c *packetConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	if unread := c.unread.Load(); unread != nil {
		return unread.Close()
	}
	return nil
}

// LocalAddr implements net.PacketConn.
func (*packetConn) LocalAddr() net.Addr { return callAddr{} }

// SetReadDeadline implements net.PacketConn.
func (c *packetConn) SetReadDeadline(t time.Time) error {
	if unread := c.unread.Load(); unread != nil {
		return unread.SetReadDeadline(t)
	}
	return nil
}

// SetDeadline implements net.PacketConn.
func (c *packetConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn: a write waits for nothing.
func (*packetConn) SetWriteDeadline(time.Time) error { return nil }

// callAddr is the address of either end: which it is, ICE decides.
type callAddr struct{}

// Network implements net.Addr.
func (callAddr) Network() string { return "ice" }

// String implements net.Addr.
func (callAddr) String() string { return "call" }
