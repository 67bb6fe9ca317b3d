package api

import (
	"net"
	"net/netip"
	"sync/atomic"

	"parley/server/limit"
)

// MaxConnections is how many connections one address may hold open over HTTP:
// room for the people of an office behind one address, each with a page, its
// stream and a call, while a stranger can't take the server's descriptors.
const MaxConnections = 256

// LimitConnections returns l, which closes what an address opens beyond
// MaxConnections. Addresses that are exempt stand for many callers: proxies.
func LimitConnections(l net.Listener, exempt func(netip.Addr) bool) net.Listener {
	return &connectionLimiter{Listener: l, open: limit.NewConcurrency(MaxConnections), exempt: exempt}
}

type connectionLimiter struct {
	net.Listener
	open   *limit.Concurrency
	exempt func(netip.Addr) bool
}

// Accept implements net.Listener. What is too much is closed before it costs a
// handshake, and so without an answer.
func (c *connectionLimiter) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer, ok := conn.RemoteAddr().(*net.TCPAddr)
		if !ok || c.exempt(peer.AddrPort().Addr()) {
			return conn, nil
		}
		key := limit.AddressKey(peer.AddrPort().Addr())
		if c.open.Enter(key) {
			return &countedConn{Conn: conn, leave: func() { c.open.Leave(key) }}, nil
		}
		_ = conn.Close()
	}
}

// countedConn gives its place back when it is closed.
type countedConn struct {
	net.Conn
	leave    func()
	isClosed atomic.Bool
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	if !c.isClosed.Swap(true) {
		c.leave()
	}
	return c.Conn.Close()
}
