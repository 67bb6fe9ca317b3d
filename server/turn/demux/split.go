package demux

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"slices"
	"sync"
	"time"
)

// FirstBytes is how long a connection may take to say what it is: its TLS handshake
// and the first bytes after it, each. Whoever is slower is turned away.
const FirstBytes = 10 * time.Second

// protocolTURN is TURN's name in ALPN (RFC 7443). Browsers name none.
const protocolTURN = "stun.turn"

// Splitter hands each connection of a listener to one of two others.
type Splitter struct {
	from    net.Listener
	sort    func(net.Conn) (conn net.Conn, isTURN bool, err error)
	closed  chan struct{}
	once    sync.Once
	running sync.WaitGroup

	mu      sync.Mutex
	sorting map[net.Conn]struct{} // what hasn't said yet what it is

	// TURN gives the connections of TURN clients, Others all else. Both are closed
	// by Close alone, which their own Close is.
	TURN, Others net.Listener
}

// SplitTCP splits a listener by the first bytes of each connection.
func SplitTCP(from net.Listener) *Splitter {
	return newSplitter(from, func(c net.Conn) (net.Conn, bool, error) { return peek(c) })
}

// SplitTLS ends TLS on each connection of a listener and splits them by what they
// named in ALPN and, if that was nothing, by the first bytes that they send. Others
// are *tls.Conn, as net/http wants them, but for those that named nothing: see State.
func SplitTLS(from net.Listener, config *tls.Config) *Splitter {
	config = config.Clone()
	if !slices.Contains(config.NextProtos, protocolTURN) {
		config.NextProtos = append(slices.Clone(config.NextProtos), protocolTURN)
	}
	return newSplitter(from, func(c net.Conn) (net.Conn, bool, error) {
		secure := tls.Server(c, config)
		ctx, cancel := context.WithTimeout(context.Background(), FirstBytes)
		defer cancel()
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, false, err
		}
		switch secure.ConnectionState().NegotiatedProtocol {
		case protocolTURN:
			return secure, true, nil
		case "":
			return peek(secure)
		}
		return secure, false, nil
	})
}

func newSplitter(from net.Listener, sort func(net.Conn) (net.Conn, bool, error)) *Splitter {
	s := &Splitter{from: from, sort: sort, closed: make(chan struct{}), sorting: make(map[net.Conn]struct{})}
	s.TURN = &part{splitter: s, conns: make(chan net.Conn)}
	s.Others = &part{splitter: s, conns: make(chan net.Conn)}
	return s
}

// Run accepts and sorts until the listener is closed, and returns why it can't go on;
// nil after Close.
func (s *Splitter) Run() error {
	defer s.running.Wait()
	for {
		c, err := s.from.Accept()
		if err != nil {
			isClosed := s.isClosed()
			s.Close()
			if isClosed {
				return nil
			}
			return err
		}
		s.running.Go(func() { s.handOver(c) })
	}
}

// handOver sorts a connection and waits until somebody takes it.
func (s *Splitter) handOver(c net.Conn) {
	if !s.enter(c) {
		c.Close()
		return
	}
	sorted, isTURN, err := s.sort(c)
	s.leave(c)
	if err != nil {
		c.Close()
		return
	}
	to := s.Others.(*part) // both are made by newSplitter
	if isTURN {
		to = s.TURN.(*part)
	}
	select {
	case to.conns <- sorted:
	case <-s.closed:
		c.Close()
	}
}

func (s *Splitter) enter(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosed() {
		return false
	}
	s.sorting[c] = struct{}{}
	return true
}

func (s *Splitter) leave(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sorting, c)
}

func (s *Splitter) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// Close closes the listener and what it has not handed over. Run returns then.
func (s *Splitter) Close() error {
	err := net.ErrClosed
	s.once.Do(func() {
		close(s.closed)
		err = s.from.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		for c := range s.sorting {
			c.Close()
		}
	})
	if err == net.ErrClosed {
		return nil // it was before
	}
	return err
}

// part is one of the two listeners.
type part struct {
	splitter *Splitter
	conns    chan net.Conn
}

func (p *part) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.splitter.closed:
		return nil, net.ErrClosed
	}
}

func (p *part) Close() error   { return p.splitter.Close() }
func (p *part) Addr() net.Addr { return p.splitter.from.Addr() }

// peek reads the first bytes of a connection and gives it back with them.
func peek(c net.Conn) (net.Conn, bool, error) {
	if err := c.SetReadDeadline(time.Now().Add(FirstBytes)); err != nil {
		return nil, false, err
	}
	first := bufio.NewReaderSize(c, 16) // the least that it takes; a larger one would copy more than needed
	b, err := first.Peek(PeekSize)
	if err != nil {
		return nil, false, err
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		return nil, false, err
	}
	return &peeked{Conn: c, first: first}, IsStream(b), nil
}

// peeked is a connection whose first bytes were read already.
type peeked struct {
	net.Conn
	first *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) {
	if p.first != nil && p.first.Buffered() > 0 {
		return p.first.Read(b)
	}
	p.first = nil
	return p.Conn.Read(b)
}

// State returns what TLS agreed on with a connection of Others that is no *tls.Conn;
// nil for one without TLS.
func State(c net.Conn) *tls.ConnectionState {
	if p, ok := c.(*peeked); ok {
		c = p.Conn
	}
	secure, ok := c.(*tls.Conn)
	if !ok {
		return nil
	}
	state := secure.ConnectionState()
	return &state
}
