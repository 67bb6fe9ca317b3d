package transport

import (
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// origin is where a packet came from: an address on UDP, or a TCP connection.
type origin struct {
	peer   netip.AddrPort
	stream *stream // nil: UDP
}

// path is a way to a caller that a check has verified.
type path struct {
	origin
	transport *Transport
	addr      *net.UDPAddr // peer, as the socket takes it; nil: TCP
	socket    atomic.Pointer[batch]
	isClosed  atomic.Bool  // nothing is sent anymore
	checked   atomic.Int64 // when a check last came, in ns since the transport was made
	used      atomic.Int64 // when a packet last came that is no check, alike

	// The transport's mu must be held for these.
	ufrag    string // of the newest check
	priority uint32 // that the caller gives it
}

func (t *Transport) newPath(from origin) *path {
	p := &path{origin: from, transport: t}
	if from.stream == nil {
		p.addr = net.UDPAddrFromAddrPort(from.peer)
	}
	return p
}

// isBetter reports whether of two paths that the caller nominated this one is to be used
// (RFC 8445 §8.1.1): UDP before TCP, then by the caller's priority.
func (p *path) isBetter(than *path) bool {
	if isUDP := p.stream == nil; isUDP != (than.stream == nil) {
		return isUDP
	}
	return p.priority >= than.priority // the newer of two that are alike
}

// isIdle reports whether no packet but checks came for some time.
func (p *path) isIdle() bool {
	return p.isClosed.Load() || p.transport.now()-time.Duration(p.used.Load()) >= idlePath
}

// isFresh reports whether a check came lately.
func (p *path) isFresh() bool {
	return !p.isClosed.Load() && p.transport.now()-time.Duration(p.checked.Load()) < disconnectedAfter
}

// send sends one packet, which it copies.
func (p *path) send(packet []byte) {
	switch {
	case p.isClosed.Load():
	case p.stream != nil:
		p.stream.send(packet)
	default:
		p.transport.port.send(packet, p)
	}
}

// close has nothing sent anymore, and ends a TCP connection.
func (p *path) close() {
	p.isClosed.Store(true)
	if p.stream != nil {
		p.stream.end()
		return
	}
	p.transport.port.table.removePath(p)
}

func (p *path) protocol() string {
	if p.stream != nil {
		return "tcp"
	}
	return "udp"
}
