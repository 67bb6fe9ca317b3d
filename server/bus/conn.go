package bus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// A connection between two nodes is a row of numbered pieces each way. One that is lost
// ends the connection, as a cable that is cut: nothing is sent again.
const (
	// maxPiece bounds the bytes of one message.
	maxPiece = 32 << 10
	// maxUnread bounds what a connection keeps for a reader who is slow; frames of signaling
	// are small, and their own limits far below.
	maxUnread = 1 << 20
	// maxBacklog bounds the connections that wait to be accepted.
	maxBacklog = 64
	headerSize = 8 // of a piece: its number
)

var (
	errPieceLost  = errors.New("a piece of the connection was lost")
	errSlowReader = errors.New("the reader is too slow")
)

// opening asks for a connection, and tells where pieces for the one who asks go.
type opening struct {
	Inbox  string `json:"inbox"`
	Remote string `json:"remote"` // the address of whom the connection is for
}

type opened struct {
	Inbox string `json:"inbox"`
}

// Dial opens a connection to a service of a node, for somebody at the address remote. Its
// error is one of Request's.
func (b *Bus) Dial(ctx context.Context, node, service, remote string) (net.Conn, error) {
	c, err := b.newConn(remote)
	if err != nil {
		return nil, err
	}
	var other opened
	if err := b.Request(ctx, node, service, opening{c.inbox, remote}, &other); err != nil {
		return nil, errors.Join(err, c.release())
	}
	c.setPeer(other.Inbox)
	return c, nil
}

// Listener takes connections of other nodes. It is a net.Listener.
type Listener struct {
	bus      *Bus
	service  string
	accepted chan net.Conn
	closing  chan struct{}
	once     sync.Once
}

// Listen takes the connections to a service of this node.
func (b *Bus) Listen(service string) (*Listener, error) {
	l := &Listener{bus: b, service: service, accepted: make(chan net.Conn, maxBacklog), closing: make(chan struct{})}
	err := Answer(b, service, func(_ context.Context, _ string, q opening) (opened, error) {
		c, err := b.newConn(q.Remote)
		if err != nil {
			return opened{}, err
		}
		c.setPeer(q.Inbox)
		select {
		case <-l.closing:
			return opened{}, errors.Join(net.ErrClosed, c.release())
		default:
		}
		select {
		case l.accepted <- c:
			return opened{c.inbox}, nil
		default:
			return opened{}, errors.Join(errors.New("too many connections wait"), c.release())
		}
	})
	return l, err
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accepted:
		return c, nil
	case <-l.closing:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closing) })
	return nil
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return address(l.service) }

// address is who is at the other end, as net.Addr has it.
type address string

func (address) Network() string  { return "bus" }
func (a address) String() string { return string(a) }

// conn is one end of a connection.
type conn struct {
	bus    *Bus
	remote address
	inbox  string
	sub    *nats.Subscription

	writing sync.Mutex // held by who sends: pieces go in their order
	sent    uint64

	mu       sync.Mutex
	changed  chan struct{} // closed with each change of what is below
	peer     string        // the other's inbox
	unread   []byte
	received uint64
	failed   error // why no more comes; io.EOF: the other has closed
	closed   bool
	readBy   time.Time
	timer    *time.Timer
}

func (b *Bus) newConn(remote string) (*conn, error) {
	c := &conn{bus: b, remote: address(remote), inbox: b.conn.NewInbox(), changed: make(chan struct{})}
	sub, err := b.conn.Subscribe(c.inbox, c.take)
	if err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	c.sub = sub
	return c, nil
}

func (c *conn) setPeer(inbox string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.peer = inbox
}

// take adds a piece to what is there to read. An empty one is the other's farewell.
func (c *conn) take(m *nats.Msg) {
	c.bus.counted.received.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.failed != nil || c.closed:
		return
	case len(m.Data) < headerSize || binary.BigEndian.Uint64(m.Data) != c.received+1:
		c.failed = errPieceLost
	case len(m.Data) == headerSize:
		c.failed = io.EOF
	case len(c.unread)+len(m.Data)-headerSize > maxUnread:
		c.failed = errSlowReader
	default:
		c.received++
		c.unread = append(c.unread, m.Data[headerSize:]...)
	}
	c.tellLocked()
}

// tellLocked wakes who waits. mu must be held.
func (c *conn) tellLocked() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	for {
		n, wait, err := c.readNow(p)
		if n > 0 || err != nil {
			return n, err
		}
		select {
		case <-wait:
		case <-c.bus.closing.Done():
			return 0, net.ErrClosed
		}
	}
}

func (c *conn) readNow(p []byte) (n int, wait <-chan struct{}, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return 0, nil, net.ErrClosed
	case !c.readBy.IsZero() && !time.Now().Before(c.readBy):
		return 0, nil, os.ErrDeadlineExceeded
	case len(c.unread) > 0:
		n = copy(p, c.unread)
		c.unread = c.unread[n:]
		return n, nil, nil
	}
	return 0, c.changed, c.failed
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (n int, err error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	for len(p) > 0 {
		piece := p[:min(len(p), maxPiece)]
		if err := c.sendLocked(piece); err != nil {
			return n, err
		}
		n += len(piece)
		p = p[len(piece):]
	}
	return n, nil
}

// sendLocked sends one piece. writing must be held.
func (c *conn) sendLocked(piece []byte) error {
	c.mu.Lock()
	peer, closed := c.peer, c.closed
	c.mu.Unlock()
	if closed {
		return net.ErrClosed
	}
	c.sent++
	data := append(binary.BigEndian.AppendUint64(make([]byte, 0, headerSize+len(piece)), c.sent), piece...)
	if err := c.bus.conn.Publish(peer, data); err != nil {
		return err
	}
	c.bus.counted.published.Add(1)
	return nil
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.sendLocked(nil) // the other sees by its own deadlines what it isn't told
	return c.release()
}

// release ends this side alone.
func (c *conn) release() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	if c.timer != nil {
		c.timer.Stop()
	}
	c.tellLocked()
	c.mu.Unlock()
	if dropped, err := c.sub.Dropped(); err == nil {
		c.bus.counted.slow.Add(int64(dropped))
	}
	if err := c.sub.Unsubscribe(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		return fmt.Errorf("bus: %w", err)
	}
	return nil
}

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return address(c.bus.config.Node) }

// RemoteAddr is of whom the connection is for: as if they had come here by themselves.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readBy = t
	if c.timer != nil {
		c.timer.Stop()
	}
	if !t.IsZero() {
		c.timer = time.AfterFunc(time.Until(t), func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.tellLocked()
		})
	}
	c.tellLocked()
	return nil
}

// SetWriteDeadline implements net.Conn. Nothing that is written waits for the other.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
