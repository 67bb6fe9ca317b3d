package peerconn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/pion/datachannel"
	"github.com/pion/webrtc/v4"
)

// Why a message was not sent.
var (
	ErrMessageSize = errors.New("the message is larger than the far end takes")
	ErrNoChannel   = errors.New("the far end has no channel of agent events")
	ErrSlow        = errors.New("the far end doesn't take the messages that wait")
)

// ChannelLimits bound a Channel.
type ChannelLimits struct {
	MaxSent     int // bytes of a message that is sent
	MaxReceived int // bytes of one that comes
	MaxUnsent   int // bytes that wait for a far end that takes nothing more
	// MaxWaiting and MaxWaitingBytes bound what is kept for a channel that isn't open
	// yet: one leg may be there some moments before the other.
	MaxWaiting, MaxWaitingBytes int
}

// DataChannel is a data channel that is open, of whichever connection.
type DataChannel interface {
	datachannel.ReadWriteCloser
	BufferedAmount() uint64
	OnBufferedAmountLow(func())
}

// Detach returns a channel of pion's PeerConnection that pion says is open.
func Detach(dc *webrtc.DataChannel) (DataChannel, error) {
	raw, err := dc.Detach()
	if err != nil {
		return nil, fmt.Errorf("detach a data channel: %w", err)
	}
	return detached{raw, dc}, nil
}

type detached struct {
	datachannel.ReadWriteCloser
	dc *webrtc.DataChannel
}

func (d detached) BufferedAmount() uint64       { return d.dc.BufferedAmount() }
func (d detached) OnBufferedAmountLow(f func()) { d.dc.OnBufferedAmountLow(f) }

// Channel is a leg's data channel of agent events, of whichever connection carries
// it: the newest that was opened. It implements leg.MessageWriter.
type Channel struct {
	limits ChannelLimits

	mu      sync.Mutex
	dc      DataChannel // nil: none is open
	waiting [][]byte
	bytes   int           // in waiting
	emptied chan struct{} // a sign that the far end has all that was sent
}

// NewChannel makes a channel that is not open.
func NewChannel(limits ChannelLimits) *Channel {
	return &Channel{limits: limits, emptied: make(chan struct{}, 1)}
}

// WriteMessage sends a text message to the far end, or keeps it until the channel
// is open.
func (c *Channel) WriteMessage(text []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case len(text) > c.limits.MaxSent:
		return ErrMessageSize
	case c.dc == nil && (len(c.waiting) == c.limits.MaxWaiting || c.bytes+len(text) > c.limits.MaxWaitingBytes):
		return ErrNoChannel
	case c.dc == nil:
		c.waiting = append(c.waiting, bytes.Clone(text))
		c.bytes += len(text)
		return nil
	}
	return c.sendLocked(text)
}

// sendLocked queues a message on the open channel, which doesn't block.
// mu must be held.
func (c *Channel) sendLocked(text []byte) error {
	if c.dc.BufferedAmount()+uint64(len(text)) > uint64(c.limits.MaxUnsent) {
		return ErrSlow
	}
	if _, err := c.dc.WriteDataChannel(text, true); err != nil {
		return fmt.Errorf("send a message: %w", err)
	}
	return nil
}

// WaitUntilSent returns once the far end has all that was sent, or no channel is open,
// or ctx is done. One waits at a time.
func (c *Channel) WaitUntilSent(ctx context.Context) error {
	for {
		c.mu.Lock()
		dc := c.dc
		c.mu.Unlock()
		if dc == nil || dc.BufferedAmount() == 0 {
			return nil
		}
		select {
		case <-c.emptied:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// signalEmptied has WaitUntilSent look again.
func (c *Channel) signalEmptied() {
	select {
	case c.emptied <- struct{}{}:
	default:
	}
}

// Reset forgets the connection that there was, and what waits for it.
func (c *Channel) Reset() { c.close(nil) }

// close has messages go by a channel no more; nil stands for any.
func (c *Channel) close(dc DataChannel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if dc == nil || c.dc == dc {
		c.dc, c.waiting, c.bytes = nil, nil, 0
		c.signalEmptied()
	}
}

// open has messages go by a channel, those first that waited for it.
func (c *Channel) open(dc DataChannel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	waiting := c.waiting
	c.dc, c.waiting, c.bytes = dc, nil, 0
	dc.OnBufferedAmountLow(c.signalEmptied) // low is none, unless somebody says otherwise
	for _, text := range waiting {
		_ = c.sendLocked(text) // a channel that is gone already loses all of them
	}
}

// Serve has messages go by a channel, and hands each text message that comes to handle,
// until the channel is closed or handle reports false.
func (c *Channel) Serve(dc DataChannel, handle func(text []byte) bool) {
	defer dc.Close()
	c.open(dc)
	defer c.close(dc)
	buf := make([]byte, 4<<10)
	for {
		text, isText, err := c.read(dc, &buf)
		if err != nil || isText && !handle(text) {
			return
		}
	}
}

// read reads one message whole; buf grows as far as messages may be large.
func (c *Channel) read(dc DataChannel, buf *[]byte) (message []byte, isText bool, err error) {
	for {
		n, isText, err := dc.ReadDataChannel(*buf)
		switch {
		case err == nil:
			return (*buf)[:n], isText, nil
		case !errors.Is(err, io.ErrShortBuffer) || len(*buf) >= c.limits.MaxReceived:
			return nil, false, err
		}
		*buf = make([]byte, min(2*len(*buf), c.limits.MaxReceived)) // the message is still there
	}
}
