package transport

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"parley/server/limit"
)

var errTooLong = errors.New("transport: a packet that is too long")

// PortConfig says what a port is made of.
type PortConfig struct {
	// UDP are the sockets of one address, at least one, each of which is read by a goroutine
	// of its own: see [ListenUDP].
	UDP []*net.UDPConn
	TCP net.Listener // of connections whose remote address is a *net.TCPAddr
	// IsAllowed reports whether media may come from and go to an address.
	IsAllowed func(netip.Addr) bool
	// Divert takes a packet of UDP that is no call's, before all else; nil: none is. The
	// bytes are only good until it returns.
	Divert func(packet []byte, from netip.AddrPort) bool
	// SendRelayed takes a packet to an address that is reached otherwise than by UDP, of
	// which it must keep a copy; nil: there is none.
	SendRelayed func(packet []byte, to netip.AddrPort) bool
}

// Port is the UDP sockets and the TCP listener that all calls share.
type Port struct {
	cfg     PortConfig
	table   *table
	batches []*batch // one a UDP socket
	delays  delays
	wg      sync.WaitGroup
	done    chan struct{}

	handshakes chan struct{} // a place for each
	byAddress  *limit.Concurrency

	mu       sync.Mutex
	isClosed bool
	conns    map[net.Conn]struct{}
}

// NewPort makes a port. It takes nothing until Run.
func NewPort(cfg PortConfig) *Port {
	p := &Port{
		cfg: cfg, table: newTable(), done: make(chan struct{}),
		handshakes: make(chan struct{}, maxHandshakes), byAddress: limit.NewConcurrency(maxHandshakesPerAddress),
		conns: make(map[net.Conn]struct{}),
	}
	for _, socket := range cfg.UDP {
		p.batches = append(p.batches, newBatch(socket))
	}
	return p
}

// Run serves calls until Close.
func (p *Port) Run() {
	for _, b := range p.batches {
		p.wg.Go(func() { p.serveUDP(b) })
	}
	p.wg.Go(p.serveTCP)
	p.wg.Go(p.tick)
	p.wg.Wait()
}

// Close ends Run. The transports must be closed before.
func (p *Port) Close() error {
	p.mu.Lock()
	if p.isClosed {
		p.mu.Unlock()
		return nil
	}
	p.isClosed = true
	close(p.done)
	conns := p.conns
	p.conns = nil
	p.mu.Unlock()
	p.table.close()
	err := p.cfg.TCP.Close()
	for _, socket := range p.cfg.UDP {
		err = errors.Join(err, socket.Close())
	}
	for c := range conns {
		c.Close()
	}
	return err
}

// serveUDP takes packets of one socket in batches. What is answered to one batch goes out
// together. The kernel gives all packets of an address to the same socket, so that those of
// a path stay in order.
func (p *Port) serveUDP(b *batch) {
	for {
		n, err := b.read()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(faultPause) // a stranger can cause errors: they don't end the socket
			continue
		}
		b.hold()
		for i := range n {
			packet, from := b.packet(i)
			if p.cfg.Divert == nil || !p.cfg.Divert(packet, from) {
				p.receive(packet, origin{peer: from}, b, b.came(i))
			}
		}
		b.release()
		p.delays.add(b.stamps, time.Now())
	}
}

// TakeDelay returns how late this machine passed packets of UDP on since it was last asked:
// what nineteen in twenty did not exceed from the kernel's stamp of their arrival until all
// that they caused was sent. It is false where none came, or the kernel doesn't stamp.
func (p *Port) TakeDelay() (time.Duration, bool) { return p.delays.take() }

// Receive takes a packet as one that came by UDP. It changes none of its bytes, and
// keeps none.
func (p *Port) Receive(packet []byte, from netip.AddrPort) {
	p.receive(packet, origin{peer: from}, p.batches[0], time.Now())
}

// receive takes a packet of a call's that came at a time, by which socket of UDP, if by any. What comes from an address that no check has
// verified is dropped, unless it is one.
func (p *Port) receive(packet []byte, from origin, by *batch, came time.Time) {
	kind := kindOf(packet)
	if kind == stunPacket && !isKeepalive(packet) {
		p.receiveCheck(packet, from, by)
		return
	}
	way := p.pathOf(from)
	if way == nil || way.isClosed.Load() {
		return
	}
	switch kind {
	case dtlsPacket:
		way.transport.receiveDTLS(packet, way, came)
	case mediaPacket:
		way.transport.receiveMedia(packet, way, came)
	}
}

func (p *Port) pathOf(from origin) *path {
	if from.stream != nil {
		return from.stream.path.Load()
	}
	return p.table.pathOf(from.peer)
}

// send sends a packet by UDP: by the socket that the newest check came by, whose goroutine
// is where most packets are sent from.
func (p *Port) send(packet []byte, to *path) {
	if p.cfg.SendRelayed == nil || !p.cfg.SendRelayed(packet, to.peer) {
		by := to.socket.Load()
		if by == nil {
			by = p.batches[0] // the check is being looked at
		}
		by.send(packet, to.addr)
	}
}

// serveTCP takes connections.
func (p *Port) serveTCP() {
	for {
		conn, err := p.cfg.TCP.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			select {
			case <-time.After(faultPause):
				continue
			case <-p.done:
				return
			}
		}
		if !p.keep(conn) {
			conn.Close()
			continue
		}
		p.wg.Go(func() {
			defer p.drop(conn)
			p.serveStream(conn)
		})
	}
}

func (p *Port) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isClosed {
		return false
	}
	p.conns[conn] = struct{}{}
	return true
}

func (p *Port) drop(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
}

// tick has all transports look at the time.
func (p *Port) tick() {
	each := time.NewTicker(tickInterval)
	defer each.Stop()
	var all []*Transport
	for {
		select {
		case <-each.C:
		case <-p.done:
			return
		}
		all = p.table.transports(all[:0])
		for _, t := range all {
			t.tick()
		}
		clear(all)
	}
}

// enterHandshake takes a place for a handshake, if there is one.
func (p *Port) enterHandshake(key string) (leave func(), ok bool) {
	select {
	case p.handshakes <- struct{}{}:
	default:
		return nil, false
	}
	if !p.byAddress.Enter(key) {
		<-p.handshakes
		return nil, false
	}
	return func() { p.byAddress.Leave(key); <-p.handshakes }, true
}
