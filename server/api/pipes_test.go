package api_test

import (
	"context"
	"net"
	"sync"
	"time"
)

// pipes is a listener of net.Pipe, which works in a synctest bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	mu    sync.Mutex
	ended []time.Time // when the server closed a connection
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	mine, theirs := net.Pipe()
	select {
	case p.conns <- &watched{Conn: theirs, pipes: p}:
		return mine, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.done) }); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (p *pipes) closedAt() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Time(nil), p.ended...)
}

// watched notes when the server lets go of a connection.
type watched struct {
	net.Conn
	pipes *pipes
	once  sync.Once
}

// RemoteAddr is a proxy's, on the same machine.
func (c *watched) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40000} }

func (c *watched) Close() error {
	c.once.Do(func() {
		c.pipes.mu.Lock()
		c.pipes.ended = append(c.pipes.ended, time.Now())
		c.pipes.mu.Unlock()
	})
	return c.Conn.Close()
}
