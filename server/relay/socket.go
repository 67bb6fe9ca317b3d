package relay

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"parley/server/turn/demux"
)

// How packets are read when there are many. Woken for each packet by itself, a
// server of some dozens of calls spends more on waking up than on the packets.
// So while it is busy it lets them gather for a moment and takes them together.
const (
	// gather is that moment. It is the delay that this costs at most, a tenth of a
	// packet's own length.
	gather = 2 * time.Millisecond
	// busyRate is from how many packets a second it is worth it: twenty calls.
	busyRate = 1000
	// rateWindow is over how long they are counted.
	rateWindow = 100 * time.Millisecond
	// waitedFor tells a read that waited from one that found a packet ready.
	waitedFor = 25 * time.Microsecond
)

// socket is the UDP socket, as the one goroutine that reads from it sees it.
type socket struct {
	*net.UDPConn
	turn    *queueConn        // takes what is a TURN server's; nil: there is none
	relayed *relayedAddresses // nil: there is no TURN server

	last   time.Time // when the newest packet was taken
	waited bool      // for it
	busy   bool
	since  time.Time // begin of the window
	count  int       // packets in it
}

// ReadFromAddrPort takes a packet. Errors that a stranger can cause are his,
// not the socket's: it ends with the socket alone.
func (s *socket) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	if s.busy && s.waited {
		time.Sleep(gather)
		s.last = time.Now()
	}
	for {
		if n, from, ok := s.relayed.take(b); ok {
			return n, from, nil
		}
		n, from, err := s.ReadFromUDPAddrPort(b)
		switch {
		case err == nil && s.turn != nil && demux.IsTURN(b[:n]):
			s.turn.put(b[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
		case err == nil:
			s.note(time.Now())
			return n, from, nil
		case errors.Is(err, net.ErrClosed):
			return 0, from, err
		case s.relayed.isWoken(err):
		default:
			time.Sleep(gather) // should one last, it must not keep a core busy
		}
	}
}

func (s *socket) note(now time.Time) {
	s.waited = now.Sub(s.last) > waitedFor
	s.last = now
	s.count++
	if d := now.Sub(s.since); d >= rateWindow {
		s.busy = float64(s.count) >= busyRate*d.Seconds()
		s.since, s.count = now, 0
	}
}

// WriteToAddrPort sends a packet, to a TURN client's relayed address as to any other.
func (s *socket) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if s.relayed.send(b, to) {
		return len(b), nil
	}
	return s.WriteToUDPAddrPort(b, to)
}

// SetWriteDeadline does nothing. Pion sets one on the socket of all when a leg closes while
// another writes, and the other's packet would be lost; a write to a UDP socket doesn't
// wait for long.
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline is no leg's to set, either.
func (s *socket) SetDeadline(time.Time) error { return nil }

// WriteTo is WriteToAddrPort for who has a net.Addr.
func (s *socket) WriteTo(b []byte, to net.Addr) (int, error) {
	if addr, ok := to.(*net.UDPAddr); ok {
		return s.WriteToAddrPort(b, addr.AddrPort())
	}
	return s.UDPConn.WriteTo(b, to)
}
