package relay

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"
	"github.com/pion/webrtc/v4"

	"parley/server/leg/peerconn"
	"parley/server/limit"
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
	// tcpFirstWord is how long a TCP connection may stay without a STUN message,
	// or with one for a call that doesn't exist.
	tcpFirstWord = 10 * time.Second
	// tcpUnsent bounds what a stalled TCP caller keeps in memory: five seconds.
	tcpUnsent = 64 << 10
	// tcpUnread is how many packets of a TCP caller may wait.
	tcpUnread = 8
)

// mediaPort is the media port: one UDP socket, one TCP socket of the same number.
// Every call has a single candidate per protocol and address family behind it,
// whatever the addresses it is reached by: those are for the answer to list.
type mediaPort struct {
	udp     *ice.UDPMuxDefault
	tcp     *ice.TCPMuxDefault
	net     *stdnet.Net
	bound   net.Addr     // of the UDP socket
	port    uint16       // told to callers
	nominal []netip.Addr // one per address family that callers may come by

	advertised func() ([]netip.Addr, error) // what callers are told just now

	turn      *TURNPort // nil: all that comes is for calls
	splitting sync.WaitGroup
}

func openMediaPort(cfg Config, pionLog peerconn.Log) (*mediaPort, error) {
	at, err := literal(cfg.Addr)
	if err != nil {
		return nil, err
	}
	told, err := advertised(cfg, at.Addr())
	if err != nil {
		return nil, err
	}
	if len(cfg.PublicIPs) == 0 && at.Addr().IsUnspecified() {
		told = anyIPs(at.Addr()) // the machine may get addresses of another family later
	}
	sys, err := stdnet.NewNet()
	if err != nil {
		return nil, fmt.Errorf("read the machine's interfaces: %w", err)
	}
	tcp, udp, err := samePort(at)
	if err != nil {
		return nil, err
	}
	d := &mediaPort{net: sys, bound: udp.LocalAddr(), nominal: families(told)}
	d.advertised = func() ([]netip.Addr, error) { return advertised(cfg, at.Addr()) }
	d.port = udp.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	packets, connections := &socket{UDPConn: udp}, net.Listener(&limitListener{Listener: tcp, port: d, byAddress: limit.NewConcurrency(maxTCPPerAddress)})
	if cfg.TURN {
		connections = d.openTURN(packets, connections)
	}
	d.udp = ice.NewUDPMuxDefault(ice.UDPMuxParams{Logger: pionLog.NewLogger("udp"), UDPConn: packets, Net: sys})
	d.tcp = ice.NewTCPMuxDefault(ice.TCPMuxParams{
		Listener: connections, Logger: pionLog.NewLogger("tcp"),
		ReadBufferSize: tcpUnread, WriteBufferSize: tcpUnsent,
		FirstStunBindTimeout: tcpFirstWord, AliveDurationForConnFromStun: tcpFirstWord,
	})
	return d, nil
}

func (d *mediaPort) close() error {
	err := errors.Join(d.udp.Close(), d.tcp.Close())
	d.splitting.Wait()
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

// samePort opens both sockets on one port number.
func samePort(at netip.AddrPort) (*net.TCPListener, *net.UDPConn, error) {
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
		var udp *net.UDPConn
		if udp, err = net.ListenUDP(proto("udp", at), &net.UDPAddr{IP: ip(at), Port: port}); err == nil {
			_, _ = udp.SetReadBuffer(socketBuffer), udp.SetWriteBuffer(socketBuffer) // as much as the kernel gives
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

// anyIPs stand for the families that a socket bound to every address has.
func anyIPs(bound netip.Addr) []netip.Addr {
	ips := []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	if bound.Is6() {
		ips = append(ips, netip.IPv6Loopback())
	}
	return ips
}

func (d *mediaPort) networkTypes() []webrtc.NetworkType {
	var types []webrtc.NetworkType
	for _, ip := range d.nominal {
		if ip.Is4() {
			types = append(types, webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4)
		} else {
			types = append(types, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP6)
		}
	}
	return types
}

// nominalIP is the local address that stands for a family.
func (d *mediaPort) nominalIP(v6 bool) net.IP {
	for _, ip := range d.nominal {
		if ip.Is6() == v6 {
			return ip.AsSlice()
		}
	}
	return net.IPv6unspecified
}

// udpMux shows a call the UDP socket as one address per family.
type udpMux struct {
	*ice.UDPMuxDefault
	port *mediaPort
}

func (u udpMux) GetListenAddresses() []net.Addr {
	var all []net.Addr
	for _, ip := range u.port.nominal {
		all = append(all, net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, u.port.port)))
	}
	return all
}

func (u udpMux) GetConn(ufrag string, addr net.Addr) (net.PacketConn, error) {
	if at := u.port.bound.(*net.UDPAddr); !at.IP.IsUnspecified() {
		addr = at // a socket of one address takes no other
	}
	return u.UDPMuxDefault.GetConn(ufrag, addr)
}

// tcpMux shows a call the TCP socket as one address per family.
type tcpMux struct {
	*ice.TCPMuxDefault
	port *mediaPort
}

func (t tcpMux) LocalAddr() net.Addr { return &net.TCPAddr{Port: int(t.port.port)} }

func (t tcpMux) GetConnByUfrag(ufrag string, v6 bool, _ net.IP) (net.PacketConn, error) {
	return t.TCPMuxDefault.GetConnByUfrag(ufrag, v6, t.port.nominalIP(v6))
}

// network is the machine as a call sees it: one interface with the nominal
// addresses. Listing the real ones for each call would cost system calls.
type network struct {
	*stdnet.Net
	ips []netip.Addr
}

func (n network) Interfaces() ([]*transport.Interface, error) {
	i := transport.NewInterface(net.Interface{Index: 1, MTU: receiveMTU, Name: "media", Flags: net.FlagUp})
	for _, ip := range n.ips {
		i.AddAddress(&net.IPNet{IP: ip.AsSlice(), Mask: net.CIDRMask(ip.BitLen(), ip.BitLen())})
	}
	return []*transport.Interface{i}, nil
}

// limitListener is where TCP connections come in: no more than maxTCP at once and
// maxTCPPerAddress of one address, and all of a family to the same nominal
// address, as the calls expect them.
type limitListener struct {
	net.Listener
	port      *mediaPort
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

func (g *limitedConn) LocalAddr() net.Addr {
	from, _ := g.RemoteAddr().(*net.TCPAddr)
	v6 := from != nil && from.IP.To4() == nil
	return &net.TCPAddr{IP: g.listener.port.nominalIP(v6), Port: int(g.listener.port.port)}
}

func (g *limitedConn) Close() error {
	if !g.isClosed.Swap(true) {
		g.listener.inside.Add(-1)
		g.listener.byAddress.Leave(g.key)
	}
	return g.Conn.Close()
}
