package transport

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"parley/server/stamp"
)

// batch reads and writes many packets of a UDP socket by one system call (recvmmsg and
// sendmmsg where there are such).
type batch struct {
	reader *batchReader
	writer *batchWriter
	stamps []time.Time // when the packets that were read came, by the kernel; zero: it doesn't say
	readAt time.Time

	mu        sync.Mutex
	isHeld    bool      // what is sent waits
	isSending bool      // a goroutine sends what is under way, and then what waits
	out       []message // what waits
	sending   []message // what is under way
}

// message is a packet on its way out.
type message struct {
	packet []byte
	to     *net.UDPAddr
}

func newBatch(socket *net.UDPConn) *batch {
	stamp.Enable(socket)
	return &batch{reader: newBatchReader(socket), writer: newBatchWriter(socket)}
}

// read takes packets, at least one.
func (b *batch) read() (int, error) {
	n, err := b.reader.read()
	b.stamps, b.readAt = b.stamps[:0], time.Now()
	for i := range max(0, n) {
		b.stamps = append(b.stamps, stamp.Of(b.reader.control(i)))
	}
	return n, err
}

// packet returns one that was read, good until the next read.
func (b *batch) packet(i int) ([]byte, netip.AddrPort) {
	packet, from := b.reader.packet(i)
	if len(packet) > receiveMTU {
		return nil, netip.AddrPort{}
	}
	return packet, from
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
	b.queueLocked(packet, to)
	b.sendLocked(b.isHeld)
}

// queueLocked has a packet wait; one that finds no room is lost, as on any line. mu must be
// held.
func (b *batch) queueLocked(packet []byte, to *net.UDPAddr) {
	n := len(b.out)
	if n == maxUnsent {
		return
	}
	if n < cap(b.out) { // a message that was sent has a buffer
		b.out = b.out[:n+1]
	} else {
		b.out = append(b.out, message{})
	}
	m := &b.out[n]
	m.packet, m.to = append(m.packet[:0], packet...), to
}

// hold has what is sent wait, so that it goes out together.
func (b *batch) hold() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.isHeld = true
}

// release sends what waits, and what comes meanwhile, in order.
func (b *batch) release() {
	b.mu.Lock()
	b.isHeld = false
	b.sendLocked(false)
}

// sendLocked sends what waits, unless that is to wait on, or another goroutine does so. mu
// must be held, and is not afterwards.
func (b *batch) sendLocked(isToWait bool) {
	if isToWait || b.isSending {
		b.mu.Unlock()
		return
	}
	b.isSending = true
	for len(b.out) > 0 {
		b.out, b.sending = b.sending[:0], b.out
		b.mu.Unlock()
		b.writer.write(b.sending)
		b.mu.Lock()
	}
	b.isSending = false
	b.mu.Unlock()
}
