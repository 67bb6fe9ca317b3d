package bus

import (
	"errors"
	"sync/atomic"
)

// counters are what a Bus counts as it goes; NATS counts what it drops itself.
type counters struct {
	published, received, slow, unknown, unread, busy, reconnects atomic.Int64
	requests, unreachable, unanswered, failed                    atomic.Int64
}

// Figures are what a Bus counted since it was opened.
type Figures struct {
	IsConnected         bool
	Published, Received int64 // messages; pieces of connections between nodes are some
	Slow                int64 // messages that were dropped: they came faster than they were handled
	UnknownVersions     int64 // messages of another release, which were left alone
	Unread              int64 // messages that are none
	Busy                int64 // requests over MaxAnswering, which were not answered
	Reconnects          int64

	Requests    int64 // to other nodes
	Unreachable int64 // of those: nobody took them
	Unanswered  int64 // no answer came in time
	Failed      int64 // the other node could not do it, or this one not ask
}

// Figures are those of this moment.
func (b *Bus) Figures() Figures {
	c := &b.counted
	return Figures{
		IsConnected: b.IsConnected(), Published: c.published.Load(), Received: c.received.Load(), Slow: c.slow.Load() + b.countDropped(),
		UnknownVersions: c.unknown.Load(), Unread: c.unread.Load(), Busy: c.busy.Load(), Reconnects: c.reconnects.Load(),
		Requests: c.requests.Load(), Unreachable: c.unreachable.Load(), Unanswered: c.unanswered.Load(), Failed: c.failed.Load(),
	}
}

// countDropped is what NATS dropped of topics.
func (b *Bus) countDropped() (dropped int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, sub := range b.subscriptions {
		if n, err := sub.Dropped(); err == nil {
			dropped += int64(n)
		}
	}
	return dropped
}

// countRequest counts a request, by what came of it.
func (c *counters) countRequest(err error) {
	c.requests.Add(1)
	switch {
	case err == nil:
	case errors.Is(err, ErrUnreachable):
		c.unreachable.Add(1)
	case errors.Is(err, ErrNoAnswer):
		c.unanswered.Add(1)
	default:
		c.failed.Add(1)
	}
}
