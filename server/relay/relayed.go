package relay

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// Bounds of what TURN clients send and get here.
const (
	// firstRelayedPort and lastRelayedPort are between those that a machine's
	// programs choose for themselves and those that its kernel gives their sockets
	// (from 32,768 on Linux, 49,152 elsewhere): a relayed address has no socket that
	// would keep a caller on this machine from having the same.
	firstRelayedPort = 1024
	lastRelayedPort  = 32767
	// relayedQueue holds what a call sends to one TURN client that doesn't read:
	// a second of audio.
	relayedQueue = 64
	// maxRelayed bounds one packet that a client sends: no browser sends more than 1,280
	// bytes.
	maxRelayed = 1500
	// turnQueue holds requests and channel data of UDP: 20 ms of 1,000 calls.
	turnQueue = 1024
)

// errNoRelayedAddress: a TURN client asked for an address of a family that callers
// aren't told, or all ports are taken.
var errNoRelayedAddress = errors.New("relay: no relayed address left")

// relayedAddresses are the relayed transport addresses (RFC 8656 §2) of TURN clients.
// They exist in this process alone: what a client sends goes from its address into
// the media port, and what a call writes to the address goes to
// the client. So no packet of a TURN client can reach anything but the media port, and
// no port is open for it.
type relayedAddresses struct {
	receive   func(packet []byte, from netip.AddrPort) // takes what clients send
	mediaPort uint16
	count     atomic.Int64 // spares the lock where nobody is relayed

	mu    sync.RWMutex
	conns map[netip.AddrPort]*queueConn
	byIP  map[netip.Addr]int // of conns
	next  uint16
}

func newRelayedAddresses(mediaPort uint16, receive func(packet []byte, from netip.AddrPort)) *relayedAddresses {
	return &relayedAddresses{
		receive: receive, mediaPort: mediaPort,
		conns: make(map[netip.AddrPort]*queueConn), byIP: make(map[netip.Addr]int),
		next: firstRelayedPort + uint16(rand.IntN(lastRelayedPort-firstRelayedPort)),
	}
}

// open makes a relayed address of ip. It has one peer, the media port of the same
// address: what is sent elsewhere is dropped.
func (r *relayedAddresses) open(ip netip.Addr) (*queueConn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.freeLocked(ip)
	if !ok {
		return nil, errNoRelayedAddress
	}
	send := func(b []byte, to netip.AddrPort) (int, error) {
		if to == netip.AddrPortFrom(ip, r.mediaPort) && len(b) <= maxRelayed {
			r.receive(b, at)
		}
		return len(b), nil
	}
	c := newQueueConn(net.UDPAddrFromAddrPort(at), relayedQueue, send, func() { r.forget(at) })
	r.conns[at] = c
	r.byIP[ip]++
	r.count.Add(1)
	return c, nil
}

// freeLocked finds the next port that nobody has. mu must be held.
func (r *relayedAddresses) freeLocked(ip netip.Addr) (netip.AddrPort, bool) {
	for range lastRelayedPort - firstRelayedPort + 1 {
		at := netip.AddrPortFrom(ip, r.next)
		if r.next++; r.next > lastRelayedPort {
			r.next = firstRelayedPort
		}
		if _, isTaken := r.conns[at]; !isTaken && at.Port() != r.mediaPort {
			return at, true
		}
	}
	return netip.AddrPort{}, false
}

func (r *relayedAddresses) forget(at netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, at)
	if r.byIP[at.Addr()]--; r.byIP[at.Addr()] <= 0 {
		delete(r.byIP, at.Addr())
	}
	r.count.Add(-1)
}

// send gives a packet of a call to the TURN client that has an address; false if none
// has.
func (r *relayedAddresses) send(b []byte, to netip.AddrPort) bool {
	if r == nil || r.count.Load() == 0 || to.Port() > lastRelayedPort {
		return false
	}
	ip := to.Addr().Unmap()
	r.mu.RLock()
	c := r.conns[netip.AddrPortFrom(ip, to.Port())]
	r.mu.RUnlock()
	if c == nil {
		return false
	}
	c.put(b, netip.AddrPortFrom(ip, r.mediaPort))
	return true
}

// has reports whether an IP address is that of a TURN client.
func (r *relayedAddresses) has(ip netip.Addr) bool {
	if r == nil || r.count.Load() == 0 {
		return false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byIP[ip] > 0
}
