package turn

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"parley/server/turn/demux"
)

// How TURN clients come.
const (
	TransportUDP = "udp"
	TransportTCP = "tcp"
	TransportTLS = "tls"
)

// How long a client's connection may say nothing.
const (
	// strangerIdle is for one without an allocation: a browser asks for one at once.
	strangerIdle = demux.FirstBytes
	// clientIdle is for one with: ICE checks each 2 to 5 s whether the path still
	// stands, and gives it up after 30.
	clientIdle = 60 * time.Second
	// writeTimeout is how long a packet may take into the kernel: audio older than
	// that is of no use, and who reads nothing holds memory.
	writeTimeout = 5 * time.Second
	// lingerTimeout is how long a connection outlives its allocation, for the answer
	// to whoever gave it back.
	lingerTimeout = 2 * time.Second
)

// clients are those with an allocation, and the connections of all.
type clients struct {
	mu      sync.Mutex
	streams map[flow]*stream
	packets map[netip.AddrPort]struct{} // UDP clients with an allocation
}

// flow is who talks to which of our sockets of TCP.
type flow struct{ from, to string }

func flowOf(from, to net.Addr) flow { return flow{from.String(), to.String()} }

func newClients() *clients {
	return &clients{streams: make(map[flow]*stream), packets: make(map[netip.AddrPort]struct{})}
}

// allocated says that a client got an allocation, and returns how it came.
func (c *clients) allocated(from, to net.Addr) (transport string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if addr, ok := from.(*net.UDPAddr); ok {
		c.packets[addr.AddrPort()] = struct{}{}
		return TransportUDP
	}
	s := c.streams[flowOf(from, to)]
	if s == nil {
		return TransportTCP // closed in this very moment
	}
	s.isClient.Store(true)
	return s.transport
}

// released says that a client's allocation is over.
func (c *clients) released(from, to net.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if addr, ok := from.(*net.UDPAddr); ok {
		delete(c.packets, addr.AddrPort())
		return
	}
	if s := c.streams[flowOf(from, to)]; s != nil {
		s.isClient.Store(false)
		_ = s.Conn.SetReadDeadline(time.Now().Add(lingerTimeout)) // fails on a closed one alone
	}
}

// isKnown reports whether a UDP client has an allocation.
func (c *clients) isKnown(from netip.AddrPort) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.packets[from]
	return ok
}

func (c *clients) closeAll() {
	c.mu.Lock()
	streams := make([]*stream, 0, len(c.streams))
	for _, s := range c.streams {
		streams = append(streams, s)
	}
	c.mu.Unlock()
	for _, s := range streams {
		s.Close()
	}
}

func (c *clients) listener(from net.Listener, transport string) net.Listener {
	return &streamListener{Listener: from, clients: c, transport: transport}
}

// streamListener keeps account of the connections of TCP or TLS.
type streamListener struct {
	net.Listener
	clients   *clients
	transport string
}

func (l *streamListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	s := &stream{Conn: conn, clients: l.clients, transport: l.transport}
	l.clients.mu.Lock()
	defer l.clients.mu.Unlock()
	l.clients.streams[s.flow()] = s
	return s, nil
}

// stream is a connection of TCP or TLS that ends when it says nothing, or takes nothing.
type stream struct {
	net.Conn
	clients   *clients
	transport string
	isClient  atomic.Bool // has an allocation
	once      sync.Once
}

func (s *stream) flow() flow { return flowOf(s.RemoteAddr(), s.LocalAddr()) }

func (s *stream) Read(b []byte) (int, error) {
	idle := strangerIdle
	if s.isClient.Load() {
		idle = clientIdle
	}
	if err := s.SetReadDeadline(time.Now().Add(idle)); err != nil {
		return 0, err
	}
	return s.Conn.Read(b)
}

func (s *stream) Write(b []byte) (int, error) {
	if err := s.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	n, err := s.Conn.Write(b)
	if err != nil {
		s.Close() // half a message may be out: what follows would be garbage
	}
	return n, err
}

func (s *stream) Close() error {
	s.once.Do(func() {
		s.clients.mu.Lock()
		defer s.clients.mu.Unlock()
		delete(s.clients.streams, s.flow())
	})
	return s.Conn.Close()
}
