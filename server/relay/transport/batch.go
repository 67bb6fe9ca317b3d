package transport

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/ipv4"

	"parley/server/stamp"
)

// batch reads and writes many packets of a UDP socket by one system call (recvmmsg and
// sendmmsg where there are such). Both work for IPv6, too.
type batch struct {
	socket  *net.UDPConn
	packets *ipv4.PacketConn
	in      []ipv4.Message
	stamps  []time.Time // when the packets that were read came, by the kernel; zero: it doesn't say
	readAt  time.Time

	mu      sync.Mutex
	isHeld  bool           // what is sent waits
	out     []ipv4.Message // what waits
	sending []ipv4.Message // what is under way
}

func newBatch(socket *net.UDPConn) *batch {
	b := &batch{socket: socket, packets: ipv4.NewPacketConn(socket), in: make([]ipv4.Message, batchSize)}
	for i := range b.in {
		b.in[i].Buffers = [][]byte{make([]byte, receiveMTU+1)} // one more than may be: it tells a longer one
		b.in[i].OOB = make([]byte, stamp.Space)
	}
	stamp.Enable(socket)
	return b
}

// read takes packets, at least one.
func (b *batch) read() (int, error) {
	n, err := b.packets.ReadBatch(b.in, 0)
	b.stamps, b.readAt = b.stamps[:0], time.Now()
	for i := range max(0, n) {
		b.stamps = append(b.stamps, stamp.Of(b.in[i].OOB[:b.in[i].NN]))
	}
	return n, err
}

// packet returns one that was read, good until the next read.
func (b *batch) packet(i int) ([]byte, netip.AddrPort) {
	m := &b.in[i]
	addr, ok := m.Addr.(*net.UDPAddr)
	if !ok || m.N > receiveMTU {
		return nil, netip.AddrPort{}
	}
	at := addr.AddrPort()
	return m.Buffers[0][:m.N], netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// came returns when a packet that was read came, by the monotonic clock.
func (b *batch) came(i int) time.Time {
	if age := b.readAt.Sub(b.stamps[i]); 0 < age && age <= maxStampAge {
		return b.readAt.Add(-age)
	}
	return b.readAt // the kernel doesn't say, or its clock was set
}

// send sends one packet, of which it keeps no more than a copy. Errors are the line's:
// a packet may be lost.
func (b *batch) send(packet []byte, to *net.UDPAddr) {
	b.mu.Lock()
	if !b.isHeld {
		b.mu.Unlock()
		_, _ = b.socket.WriteTo(packet, to)
		return
	}
	n := len(b.out)
	if n < cap(b.out) { // a message that was sent has a buffer
		b.out = b.out[:n+1]
	} else {
		b.out = append(b.out, ipv4.Message{})
	}
	m := &b.out[n]
	if m.Buffers == nil {
		m.Buffers = [][]byte{nil}
	}
	m.Buffers[0], m.Addr = append(m.Buffers[0][:0], packet...), to
	b.mu.Unlock()
}

// hold has what is sent wait, so that it goes out together.
func (b *batch) hold() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.isHeld = true
}

// release sends what waits, and what comes meanwhile, in order.
func (b *batch) release() {
	for {
		b.mu.Lock()
		if len(b.out) == 0 {
			b.isHeld = false
			b.mu.Unlock()
			return
		}
		b.out, b.sending = b.sending[:0], b.out
		b.mu.Unlock()
		b.write(b.sending)
	}
}

// write sends all messages but those that the kernel refuses.
func (b *batch) write(all []ipv4.Message) {
	if len(all) == 1 {
		_, _ = b.socket.WriteTo(all[0].Buffers[0], all[0].Addr)
		return
	}
	for len(all) > 0 {
		n, err := b.packets.WriteBatch(all[:min(len(all), batchSize)], 0)
		if err != nil || n <= 0 {
			n = 1 // the first one was refused
		}
		all = all[n:]
	}
}
