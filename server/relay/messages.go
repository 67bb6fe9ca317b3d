package relay

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"parley/server/leg/peerconn"
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

func newChannel() *peerconn.Channel {
	return peerconn.NewChannel(peerconn.ChannelLimits{
		MaxSent: maxMessageSent, MaxReceived: maxMessage, MaxUnsent: maxUnsentMessages,
		MaxWaiting: maxWaiting, MaxWaitingBytes: maxWaitingBytes,
	})
}

// WriteMessage implements leg.MessageWriter: it sends the caller one message of the
// agent's.
func (l *Leg) WriteMessage(text []byte) error { return l.messages.WriteMessage(text) }

// DeliverMessage sends the caller one message, and returns once the caller has it or
// ctx is done. Where there is no channel yet, the message waits for one, and nobody
// for the message.
func (l *Leg) DeliverMessage(ctx context.Context, text []byte) error {
	if err := l.messages.WriteMessage(text); err != nil {
		return err
	}
	return l.messages.WaitUntilSent(ctx)
}

// handleMessages hands on what the caller sends by a channel, until that closes.
func (l *Leg) handleMessages(dc peerconn.DataChannel) {
	size, count := rate.NewLimiter(messageBytes, messageBurst), rate.NewLimiter(messageRate, messageRateBurst)
	l.messages.Serve(dc, func(text []byte) bool {
		now := time.Now()
		if !l.wait(max(size.ReserveN(now, len(text)).Delay(), count.ReserveN(now, 1).Delay())) {
			return false
		}
		l.handling.Lock()
		defer l.handling.Unlock()
		l.to.HandleMessage(text)
		return true
	})
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
