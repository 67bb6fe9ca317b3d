// Package bus owns what the nodes of one Parley tell each other while they run: it
// publishes to all, asks one and carries a connection to one, over NATS core. Nothing that
// goes over it is kept, and each of it may be lost: whoever tells something over the bus
// also has it found in the record. It knows no session, no setting and no admin.
package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// Limits, and the rhythm.
const (
	// MaxMessage bounds a message: half of what NATS takes by default, so that an external
	// cluster needs no setting.
	MaxMessage = 512 << 10
	// MaxPending bounds what waits for the handler of a topic; beyond it messages are lost,
	// and counted. One second of 10,000 sessions of a node that somebody watches is 10 MB.
	MaxPending = 64 << 20
	// maxPendingMessages bounds their number.
	maxPendingMessages = 65_536
	// RequestTimeout is how long a question to a node may take: a commit, and the ways.
	RequestTimeout = 2 * time.Second
	// MaxAnswering bounds the questions that a node answers at a time; who asks beyond it
	// gets no answer in time, and asks again.
	MaxAnswering = 64
	// reconnectWait is the pause between attempts to find the bus again: all that is told
	// over it stands still meanwhile.
	reconnectWait = 250 * time.Millisecond
	// pingEvery and maxPingsOut bound how long a bus that says nothing is taken for one that
	// works.
	pingEvery   = time.Second
	maxPingsOut = 2
	// connectTimeout bounds one attempt.
	connectTimeout = 2 * time.Second
)

var (
	// ErrUnreachable: nobody took the question, so nothing was done.
	ErrUnreachable = errors.New("the node can't be reached")
	// ErrNoAnswer: what was asked for may have been done, or not.
	ErrNoAnswer = errors.New("the node did not answer in time")
	// ErrTooLarge: the message is over MaxMessage.
	ErrTooLarge = fmt.Errorf("a message of more than %d bytes", MaxMessage)
)

// RemoteError is why another node could not answer.
type RemoteError struct{ Text string }

// Error implements error.
func (e *RemoteError) Error() string { return "the node says: " + e.Text }

// Config is what a Bus needs.
type Config struct {
	Node string // name of this node, which no other has
	Connection
	// OnLost is told, with no lock held, that messages may have been lost: what was told
	// meanwhile is only in the record. nil: nobody is.
	OnLost func()
	Logger *slog.Logger
}

// Bus is safe for use by many goroutines.
type Bus struct {
	config    Config
	embedded  *embedded // nil: the servers are others'
	conn      *nats.Conn
	log       *slog.Logger
	answering chan struct{}
	serving   sync.WaitGroup
	closing   context.Context
	cancel    context.CancelFunc
	counted   counters

	mu            sync.Mutex
	subscriptions []*nats.Subscription // to topics; they last as long as the Bus
}

// Open connects to the bus, or goes on trying in the background: a node serves its own
// calls without. It fails for what no trying mends.
func Open(c Config) (*Bus, error) {
	if c.OnLost == nil {
		c.OnLost = func() {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	b := &Bus{config: c, log: c.Logger, answering: make(chan struct{}, MaxAnswering)}
	b.closing, b.cancel = context.WithCancel(context.Background())
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	if c.Listen != "" {
		if b.embedded, err = c.startEmbedded(c.Node, c.Logger); err != nil {
			return nil, err
		}
		options = append(options, nats.InProcessServer(b.embedded), nats.UserInfo(clusterName, b.embedded.password))
	}
	b.conn, err = nats.Connect(c.url(), append(options, b.watch()...)...)
	if err != nil {
		b.embedded.close()
		return nil, fmt.Errorf("bus: %w", err)
	}
	return b, nil
}

// watch are the options by which a Bus knows how it does.
func (b *Bus) watch() []nats.Option {
	return []nats.Option{
		nats.Name("parley " + b.config.Node), nats.NoEcho(),
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(reconnectWait), nats.ReconnectJitter(reconnectWait, reconnectWait),
		nats.ReconnectBufSize(-1), // what is told while the bus is away is found in the record
		nats.IgnoreAuthErrorAbort(),
		nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(maxPingsOut), nats.Timeout(connectTimeout),
		nats.ConnectHandler(func(c *nats.Conn) { b.log.Info("bus found", "event", "bus", "remote", c.ConnectedUrlRedacted()) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if b.closing.Err() == nil {
				b.log.Warn("bus lost", "event", "bus", "err", err)
			}
		}),
		nats.ReconnectHandler(func(c *nats.Conn) {
			b.counted.reconnects.Add(1)
			b.log.Info("bus found again", "event", "bus", "remote", c.ConnectedUrlRedacted())
			b.config.OnLost()
		}),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) { b.handleError(sub, err) }),
	}
}

// handleError is told of what goes wrong in the background.
func (b *Bus) handleError(sub *nats.Subscription, err error) {
	if !errors.Is(err, nats.ErrSlowConsumer) || sub == nil {
		b.log.Warn("bus", "event", "bus", "err", err)
		return
	}
	lost, _ := sub.Dropped() // fails for one that is closed, whose messages nobody misses
	b.log.Warn("messages of the bus were lost: they came faster than they were handled", "event", "bus", "cause", sub.Subject, "count", lost)
	b.config.OnLost()
}

// Node is the name of this node.
func (b *Bus) Node() string { return b.config.Node }

// ListenAddr is where the server inside this process takes other nodes; "" where there is
// none.
func (b *Bus) ListenAddr() string {
	if b.embedded == nil {
		return ""
	}
	return b.embedded.ClusterAddr().String()
}

// IsConnected reports whether this node has a server of the bus. That others have one too is
// seen by what they say.
func (b *Bus) IsConnected() bool { return b.conn.IsConnected() }

// Close waits for the handlers that run, and ends the connection.
func (b *Bus) Close() error {
	b.cancel()
	b.conn.Close()
	b.serving.Wait()
	b.embedded.close()
	return nil
}

// Publish tells all other nodes. On an error nobody was told; without one they were, if
// nothing was lost on the way.
func (b *Bus) Publish(topic string, message any) error {
	data, err := b.encode(message)
	if err != nil {
		return err
	}
	if err := b.conn.Publish(toAll(topic), data); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	b.counted.published.Add(1)
	return nil
}

// Subscribe has handle called with each message of a topic from another node, one after the
// other.
func Subscribe[T any](b *Bus, topic string, handle func(from string, message T)) error {
	sub, err := b.subscribe(toAll(topic), func(m *nats.Msg) {
		var message T
		e, err := b.decode(m.Data, &message)
		if err == nil && e.From != b.config.Node {
			handle(e.From, message)
		}
	})
	if err != nil {
		return err
	}
	return sub.SetPendingLimits(maxPendingMessages, MaxPending)
}

// subscribe is for topics: their subscriptions end with the Bus.
func (b *Bus) subscribe(subject string, handle nats.MsgHandler) (*nats.Subscription, error) {
	sub, err := b.conn.Subscribe(subject, handle)
	if err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.subscriptions = append(b.subscriptions, sub)
	return sub, nil
}

// Request asks one node, and reads what it says into answer. Its error is ErrUnreachable,
// ErrNoAnswer, ErrTooLarge or a *RemoteError.
func (b *Bus) Request(ctx context.Context, node, topic string, question, answer any) error {
	err := b.request(ctx, node, topic, question, answer)
	b.counted.countRequest(err)
	return err
}

func (b *Bus) request(ctx context.Context, node, topic string, question, answer any) error {
	data, err := b.encode(question)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	b.counted.published.Add(1)
	said, err := b.conn.RequestWithContext(ctx, toNode(node, topic), data)
	switch {
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrReconnectBufExceeded), errors.Is(err, nats.ErrDisconnected):
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	e, err := b.decode(said.Data, answer)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrNoAnswer, err)
	case e.Error != "":
		return &RemoteError{e.Error}
	}
	return nil
}

// Answer has questions of a topic to this node answered, each in a goroutine of its own.
// The context is over when the one who asks has given up.
func Answer[Q, A any](b *Bus, topic string, answer func(ctx context.Context, from string, question Q) (A, error)) error {
	_, err := b.subscribe(toNode(b.config.Node, topic), func(m *nats.Msg) {
		var question Q
		e, err := b.decode(m.Data, &question)
		if err != nil {
			return
		}
		select {
		case b.answering <- struct{}{}:
		default:
			b.counted.busy.Add(1)
			return
		}
		b.serving.Go(func() {
			defer func() { <-b.answering }()
			ctx, cancel := context.WithTimeout(b.closing, RequestTimeout)
			defer cancel()
			said, err := answer(ctx, e.From, question)
			b.respond(m, said, err)
		})
	})
	if err != nil {
		return err
	}
	if b.conn.IsConnected() {
		// A server that knows of it before anybody is told that the node is there; one that
		// goes away now is told by the reconnect.
		_ = b.conn.FlushTimeout(RequestTimeout)
	}
	return nil
}

// respond answers; what can't be said is an error of this node.
func (b *Bus) respond(m *nats.Msg, said any, failed error) {
	data, err := b.encode(said)
	if err = errors.Join(failed, err); err != nil {
		data, _ = json.Marshal(envelope{Version: Version, From: b.config.Node, Error: err.Error()}) // plain fields: it can't fail
	}
	if err := m.Respond(data); err != nil {
		b.log.Debug("an answer is lost with the bus", "event", "bus", "err", err)
		return
	}
	b.counted.published.Add(1)
}
