package relay

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/webrtc/v4"
	"golang.org/x/time/rate"

	"parley/server/leg"
)

// The caller's channel of agent events.
const (
	// maxMessage is the largest message that a caller may send: what browsers take, too.
	// The answer says so (a=max-message-size).
	maxMessage = 256 << 10
	// maxMessageSent is the largest message that every browser takes. Of who takes less,
	// says the offer, and pion sends no more.
	maxMessageSent = 256 << 10
	// messageBytes and messageBurst bound what a caller sends, in bytes a second. Who
	// sends more is read no faster than that, and loses nothing.
	messageBytes, messageBurst = 256 << 10, 512 << 10
	// messageRate bounds the messages a second; a client sends a handful each turn.
	messageRate, messageRateBurst = 20, 60
	// maxUnsentMessages bounds what waits for a caller who takes nothing more.
	maxUnsentMessages = 1 << 20
	// maxWaiting and maxWaitingBytes bound what is kept for a channel that isn't open
	// yet: the agent may be there some moments before the caller.
	maxWaiting, maxWaitingBytes = 32, 64 << 10
)

// Why a message did not go to the caller.
var (
	ErrMessageSize = errors.New("relay: the message is larger than the caller takes")
	ErrNoChannel   = errors.New("relay: the caller has no channel of agent events")
	ErrSlowCaller  = errors.New("relay: the caller doesn't take the messages that wait")
)

// messages is the caller's channel of agent events: that of the newest connection,
// and on it the newest.
type messages struct {
	handling sync.Mutex // one message of the caller at a time, from whichever channel

	mu      sync.Mutex
	dc      *webrtc.DataChannel // nil: none is open
	raw     datachannel.ReadWriteCloser
	waiting [][]byte
	bytes   int // in waiting
}

// WriteMessage implements leg.MessageWriter: it sends the caller one message of the
// agent's.
func (l *Leg) WriteMessage(text []byte) error { return l.messages.write(text) }

func (m *messages) write(text []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case len(text) > maxMessageSent:
		return ErrMessageSize
	case m.raw == nil && (len(m.waiting) == maxWaiting || m.bytes+len(text) > maxWaitingBytes):
		return ErrNoChannel
	case m.raw == nil:
		m.waiting = append(m.waiting, append([]byte(nil), text...))
		m.bytes += len(text)
		return nil
	}
	return m.sendLocked(text)
}

// sendLocked queues a message on the open channel, which doesn't block.
// mu must be held.
func (m *messages) sendLocked(text []byte) error {
	if m.dc.BufferedAmount()+uint64(len(text)) > maxUnsentMessages {
		return ErrSlowCaller
	}
	if _, err := m.raw.WriteDataChannel(text, true); err != nil {
		return fmt.Errorf("relay: send a message: %w", err)
	}
	return nil
}

// open has messages go by a channel, those first that waited for it.
func (m *messages) open(dc *webrtc.DataChannel, raw datachannel.ReadWriteCloser) {
	m.mu.Lock()
	defer m.mu.Unlock()
	waiting := m.waiting
	m.dc, m.raw, m.waiting, m.bytes = dc, raw, nil, 0
	for _, text := range waiting {
		_ = m.sendLocked(text) // a channel that is gone already loses all of them
	}
}

// close has messages go by a channel no more; nil stands for any.
func (m *messages) close(dc *webrtc.DataChannel) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if dc == nil || m.dc == dc {
		m.dc, m.raw, m.waiting, m.bytes = nil, nil, nil, 0
	}
}

// handleMessages hands on what the caller sends by a channel, until that closes.
func (l *Leg) handleMessages(dc *webrtc.DataChannel) {
	raw, err := dc.Detach()
	if err != nil {
		return
	}
	defer raw.Close()
	l.messages.open(dc, raw)
	defer l.messages.close(dc)
	size, count := rate.NewLimiter(messageBytes, messageBurst), rate.NewLimiter(messageRate, messageRateBurst)
	buf := make([]byte, 4<<10)
	for {
		text, isText, err := readMessage(raw, &buf)
		now := time.Now()
		if err != nil || !l.wait(max(size.ReserveN(now, len(text)).Delay(), count.ReserveN(now, 1).Delay())) {
			return
		}
		if isText {
			l.messages.handle(text, l.to)
		}
	}
}

// wait waits that long, and reports whether the leg still stands then.
func (l *Leg) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.done:
		return false
	}
}

func (m *messages) handle(text []byte, to leg.MessageHandler) {
	m.handling.Lock()
	defer m.handling.Unlock()
	to.HandleMessage(text)
}

// readMessage reads one message whole; buf grows as far as messages may be large.
func readMessage(raw datachannel.ReadWriteCloser, buf *[]byte) (message []byte, isText bool, err error) {
	for {
		n, isText, err := raw.ReadDataChannel(*buf)
		switch {
		case err == nil:
			return (*buf)[:n], isText, nil
		case !errors.Is(err, io.ErrShortBuffer) || len(*buf) >= maxMessage:
			return nil, false, err
		}
		*buf = make([]byte, min(2*len(*buf), maxMessage)) // the message is still there
	}
}
