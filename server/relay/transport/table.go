package transport

import (
	"net/netip"
	"sync"
)

// table finds the transport of a packet: a check by the user name in it, any other by
// the address that it comes from. IPv4 addresses are told apart from nothing else: they
// are never IPv6-mapped.
type table struct {
	mu       sync.RWMutex
	isClosed bool
	byUfrag  map[string]*Transport
	byPeer   map[netip.AddrPort]*path // UDP's
}

func newTable() *table {
	return &table{byUfrag: make(map[string]*Transport), byPeer: make(map[netip.AddrPort]*path)}
}

// add notes a transport's user name; false: the port is closed.
func (b *table) add(t *Transport, ufrag string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.isClosed {
		return false
	}
	b.byUfrag[ufrag] = t
	return true
}

func (b *table) remove(used []Credentials) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range used {
		delete(b.byUfrag, c.Ufrag)
	}
}

func (b *table) transportOf(ufrag string) *Transport {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.byUfrag[ufrag]
}

func (b *table) pathOf(peer netip.AddrPort) *path {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.byPeer[peer]
}

// addPath has an address lead to a path. It is false while the address is that of
// another call that lives: a caller can't take over what is another's.
func (b *table) addPath(p *path) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if was := b.byPeer[p.peer]; was != nil && was.transport != p.transport && was.isFresh() {
		return false
	}
	b.byPeer[p.peer] = p
	return true
}

func (b *table) removePath(p *path) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byPeer[p.peer] == p {
		delete(b.byPeer, p.peer)
	}
}

// transports returns all there are, each once or twice after an ICE restart.
func (b *table) transports(all []*Transport) []*Transport {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, t := range b.byUfrag {
		all = append(all, t)
	}
	return all
}

// close takes no more transports.
func (b *table) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.isClosed = true
}
