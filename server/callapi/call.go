package callapi

import (
	"context"
	"errors"
	"time"

	"parley/server/session"
	"parley/shared/wire"
)

// call is one live call. It holds the session's link in place of a socket.
type call struct {
	handler *Handler
	id      string
	account string // of who holds it
	link    *session.Link
	early   []wire.Warning // that came before the answer
	told    int            // events of our own, for their ids
}

// hold tells the caller what the session says, until it is over, and then why.
func (c *call) hold() {
	defer c.handler.remove(c)
	defer c.link.Release()
	for _, w := range c.early {
		c.warn(w)
	}
	for {
		select {
		case m := <-c.link.Outbox():
			if w, ok := m.(wire.Warning); ok { // what else there is, clients of OpenAI's have no word for
				c.warn(w)
			}
		case <-c.link.Context().Done():
			c.sayFarewell()
			return
		}
	}
}

// warn tells of an end that is near, or that it is not any more.
func (c *call) warn(w wire.Warning) {
	c.told++
	c.deliver(warningEvent(c.told, w), warningTimeout)
}

// sayFarewell tells why the call is over. Who hung up knows.
func (c *call) sayFarewell() {
	var end *session.End
	if !errors.As(context.Cause(c.link.Context()), &end) || end.Cause == wire.CallerLeft {
		return
	}
	c.told++
	c.deliver(endEvent(c.told, end), farewellTimeout)
}

// deliver sends an event by the call's data channel. A caller who has none, or takes
// none, is told by the hang-up alone.
func (c *call) deliver(event []byte, within time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if err := c.link.DeliverMessage(ctx, event); err != nil {
		c.handler.cfg.Logger.Debug("event not delivered", "session", c.link.Session().ID(), "event", "call_event", "err", err)
	}
}
