package turn

import (
	"net"
	"time"

	"parley/server/limit"
)

// How much is read of UDP, whose senders anybody can forge.
const (
	// strangerBurst and strangerInterval bound the packets of one address without an
	// allocation that are answered: a browser needs some ten for a call, and an office
	// behind one address starts twenty calls at once. An answer has some hundred
	// bytes: who forges the address of another sends them 5 KB/s of it at most.
	strangerBurst    = 200
	strangerInterval = 20 * time.Millisecond
	// strangersBurst and strangersInterval bound those of all addresses: 2,000
	// answers a second.
	strangersBurst    = 2000
	strangersInterval = 500 * time.Microsecond
	// clientBurst and clientInterval bound the packets of one client with an
	// allocation: ten times a call's.
	clientBurst    = 1000
	clientInterval = time.Millisecond
)

// guard reads what the limits allow, and drops the rest unanswered.
type guard struct {
	net.PacketConn
	clients *clients
	figures *figures

	byAddress, ofAll, byClient *limit.Limiter
}

func newGuard(conn net.PacketConn, c *clients, f *figures) *guard {
	return &guard{
		PacketConn: conn, clients: c, figures: f,
		byAddress: limit.NewBucket(strangerBurst, strangerInterval),
		ofAll:     limit.NewBucket(strangersBurst, strangersInterval),
		byClient:  limit.NewBucket(clientBurst, clientInterval),
	}
}

func (g *guard) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := g.PacketConn.ReadFrom(b)
		if err != nil || g.isAllowed(from) {
			return n, from, err
		}
		g.figures.refused(RefusedRate)
	}
}

func (g *guard) isAllowed(from net.Addr) bool {
	addr, ok := from.(*net.UDPAddr)
	if !ok {
		return false
	}
	at := addr.AddrPort()
	if g.clients.isKnown(at) {
		return g.byClient.Take(at.String()) == 0
	}
	return g.byAddress.Take(limit.AddressKey(at.Addr())) == 0 && g.ofAll.Take("") == 0
}
