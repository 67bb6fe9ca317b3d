package transport_test

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"parley/server/relay/transport"
)

const readers = 4

// shared runs a port of several sockets.
func shared(t *testing.T, divert func([]byte, netip.AddrPort) bool) (*transport.Port, *net.UDPAddr) {
	t.Helper()
	if !transport.CanShareAddress {
		t.Skip("one socket is all there is here")
	}
	sockets, err := transport.ListenSockets("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}, readers)
	if err != nil || len(sockets) != readers {
		t.Fatalf("%d sockets, %v", len(sockets), err)
	}
	at := sockets[0].LocalAddr().(*net.UDPAddr)
	for _, s := range sockets {
		if got := s.LocalAddr().(*net.UDPAddr); got.Port != at.Port {
			t.Fatalf("a socket at %v, another at %v", at, got)
		}
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, transport.PortConfig{UDP: sockets, TCP: tcp, IsAllowed: anywhere, Divert: divert}), at
}

func TestAMachineHasSomeReaders(t *testing.T) {
	sockets, err := transport.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	for _, s := range sockets {
		defer s.Close()
	}
	if n := len(sockets); err != nil || n < 1 || n > transport.MaxReaders {
		t.Errorf("%d sockets, %v", n, err)
	}
	if _, err := transport.ListenSockets("udp4", &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1)}, readers); err == nil {
		t.Error("it listens at an address of nobody's")
	}
}

// Callers come by all sockets, and each is answered from the address that it asked, also
// while it moves from one address to the next, and sends from both.
func TestCallersMoveFromSocketToSocket(t *testing.T) {
	const calls, moves = 8, 12
	p, at := shared(t, nil)
	var all sync.WaitGroup
	for range calls {
		l, h := open(t, p)
		with := l.Credentials()
		steps := make([]client, moves)
		for i := range steps {
			steps[i] = newClient(t, at)
		}
		all.Go(func() {
			media := []byte{23, 254, 253, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}
			for i, c := range steps {
				packet := c.check(with)
				c.isAnswered(packet)
				c.send(media)
				if i > 0 {
					steps[i-1].send(media)
				}
			}
			if n := h.paired(); n != moves {
				t.Errorf("%d of %d paths were chosen", n, moves)
			}
		})
	}
	all.Wait()
	if n := p.SocketsInUse(); n < 2 {
		t.Errorf("callers came by %d of %d sockets", n, readers)
	}
}

// What an address sends is taken in order, by whichever socket it comes.
func TestAnAddressKeepsItsOrder(t *testing.T) {
	const addresses, packets = 8, 25 // no more than one socket keeps
	var mu sync.Mutex
	type numbered struct {
		from   netip.AddrPort
		number uint32
	}
	var all []numbered
	_, at := shared(t, func(packet []byte, from netip.AddrPort) bool {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, numbered{from, binary.BigEndian.Uint32(packet)})
		return true
	})
	var sending sync.WaitGroup
	for range addresses {
		c := newClient(t, at)
		sending.Go(func() {
			for n := range uint32(packets) {
				c.send(binary.BigEndian.AppendUint32(nil, n))
			}
		})
	}
	sending.Wait()
	each := time.NewTicker(5 * time.Millisecond)
	defer each.Stop()
	for end := time.Now().Add(patience); ; <-each.C {
		mu.Lock()
		n := len(all)
		mu.Unlock()
		if n == addresses*packets {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d packets came of %d", n, addresses*packets)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	next := make(map[netip.AddrPort]uint32)
	for _, p := range all {
		if p.number != next[p.from] {
			t.Fatalf("%v: %d came when %d was due", p.from, p.number, next[p.from])
		}
		next[p.from]++
	}
}
