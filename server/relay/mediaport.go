package relay

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"parley/server/limit"
	"parley/server/relay/transport"
)

// Bounds of the media port.
const (
	// portTries is how often a free TCP port is taken in the hope that UDP has
	// the same one free.
	portTries = 32
	// socketBuffer holds bursts: half a second of 500 calls. The kernel may give less.
	socketBuffer = 4 << 20
	// maxTCP bounds the TCP connections at once, of strangers and callers.
	maxTCP = 2048
	// maxTCPPerAddress bounds those of one address: a call takes one or two, and an
	// office behind a firewall without UDP has some dozens of calls.
	maxTCPPerAddress = 64
)

// mediaPort is the media port: UDP sockets, one a core, and one TCP socket of the same number.
type mediaPort struct {
	calls *transport.Port
	bound net.Addr // of the UDP sockets
	port  uint16   // told to callers

	advertised func() ([]netip.Addr, error) // what callers are told just now

	turn    *TURNPort // nil: all that comes is for calls
	running sync.WaitGroup
}

func openMediaPort(cfg Config) (*mediaPort, error) {
	at, err := literal(cfg.Addr)
	if err != nil {
		return nil, err
	}
	if _, err := advertised(cfg, at.Addr()); err != nil {
		return nil, err
	}
	tcp, udp, err := samePort(at)
	if err != nil {
		return nil, err
	}
	d := &mediaPort{bound: udp[0].LocalAddr(), port: udp[0].LocalAddr().(*net.UDPAddr).AddrPort().Port()}
	d.advertised = func() ([]netip.Addr, error) { return advertised(cfg, at.Addr()) }
	calls := transport.PortConfig{
		UDP: udp, TCP: &limitListener{Listener: tcp, byAddress: limit.NewConcurrency(maxTCPPerAddress)},
		// The second wall behind the check of signaled candidates. The addresses of TURN
		// clients are this server's own, of whatever network.
		IsAllowed: func(ip netip.Addr) bool { return d.isRelayed(ip) || checkIP(ip, cfg.AllowPrivate) == nil },
	}
	if cfg.TURN {
		d.openTURN(&calls)
	}
	d.calls = transport.NewPort(calls)
	d.running.Go(d.calls.Run)
	return d, nil
}

func (d *mediaPort) close() error {
	err := d.calls.Close()
	d.running.Wait()
	return err
}

// literal reads a listening address; ":port" is every address of the machine.
func literal(addr string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("media address %q: %w", addr, err)
	}
	if host == "" {
		host = "::"
	}
	at, err := netip.ParseAddrPort(net.JoinHostPort(host, port))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("media address %q: want a literal address and a port", addr)
	}
	return at, nil
}

// samePort opens the sockets of both on one port number. That of TCP is the first: it keeps
// any other server off the port, where those of UDP would share it.
func samePort(at netip.AddrPort) (*net.TCPListener, []*net.UDPConn, error) {
	tries := 1
	if at.Port() == 0 {
		tries = portTries
	}
	var err error
	for range tries {
		var tcp *net.TCPListener
		if tcp, err = net.ListenTCP(proto("tcp", at), &net.TCPAddr{IP: ip(at), Port: int(at.Port())}); err != nil {
			return nil, nil, fmt.Errorf("open media port: %w", err)
		}
		port := tcp.Addr().(*net.TCPAddr).Port
		var udp []*net.UDPConn
		if udp, err = transport.ListenUDP(proto("udp", at), &net.UDPAddr{IP: ip(at), Port: port}); err == nil {
			for _, s := range udp {
				_, _ = s.SetReadBuffer(socketBuffer), s.SetWriteBuffer(socketBuffer) // as much as the kernel gives
			}
			return tcp, udp, nil
		}
		tcp.Close()
	}
	return nil, nil, fmt.Errorf("open media port: %w", err)
}

func proto(name string, at netip.AddrPort) string {
	if at.Addr().Is4() {
		return name + "4"
	}
	return name
}

// ip is nil for "::", which also works on a machine without IPv6.
func ip(at netip.AddrPort) net.IP {
	if at.Addr() == netip.IPv6Unspecified() {
		return nil
	}
	return at.Addr().AsSlice()
}

// families picks the first address of each family.
func families(ips []netip.Addr) []netip.Addr {
	var one []netip.Addr
	for _, is := range []func(netip.Addr) bool{netip.Addr.Is4, netip.Addr.Is6} {
		if i := slices.IndexFunc(ips, is); i >= 0 {
			one = append(one, ips[i])
		}
	}
	return one
}

// limitListener is where TCP connections come in: no more than maxTCP at once and
// maxTCPPerAddress of one address.
type limitListener struct {
	net.Listener
	inside    atomic.Int64
	byAddress *limit.Concurrency
}

func (h *limitListener) Accept() (net.Conn, error) {
	for {
		c, err := h.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if key, ok := h.enter(c); ok {
			return &limitedConn{Conn: c, listener: h, key: key}, nil
		}
		c.Close()
	}
}

// enter takes a place for a connection, and returns whose it is.
func (h *limitListener) enter(c net.Conn) (key string, ok bool) {
	key = limit.AddressKey(c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr()) // the listener is TCP's
	if h.inside.Add(1) <= maxTCP && h.byAddress.Enter(key) {
		return key, true
	}
	h.inside.Add(-1)
	return "", false
}

type limitedConn struct {
	net.Conn
	listener *limitListener
	key      string
	isClosed atomic.Bool
}

func (g *limitedConn) Close() error {
	if !g.isClosed.Swap(true) {
		g.listener.inside.Add(-1)
		g.listener.byAddress.Leave(g.key)
	}
	return g.Conn.Close()
}
