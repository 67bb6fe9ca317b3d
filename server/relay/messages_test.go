package relay_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"parley/server/leg"
	"parley/server/leg/peerconn"
	"parley/server/relay"
	"parley/shared/wire"
)

// reader is an agent's side that keeps the messages of its caller.
type reader struct {
	leg.Handler
	mu   sync.Mutex
	came []string
}

func (r *reader) HandleMessage(text []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.came = append(r.came, string(text))
}

func (r *reader) messages() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.came...)
}

// read opens a leg whose agent's side reads messages.
func read(t *testing.T) (*relay.Leg, *reader) {
	t.Helper()
	r := &reader{Handler: leg.Discard}
	l, err := listen(t).Open("s1", &log{}, func(*relay.Leg) (leg.Handler, error) { return r, nil })
	if err != nil {
		t.Fatal(err)
	}
	return l, r
}

// openEvents adds the channel of agent events, as clients of realtime services do.
func (c *caller) openEvents() *channel {
	c.t.Helper()
	dc, err := c.pc.CreateDataChannel(wire.EventChannel, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.watch(dc)
}

// Messages pass both ways whole and in order, up to the largest each way; what the
// agent says before the channel is open waits for it.
func TestMessagesPassBothWays(t *testing.T) {
	t.Parallel()
	l, far := read(t)
	c := newCaller(t, callerConfig{})
	ch := c.openEvents()
	if err := l.WriteMessage([]byte("early")); err != nil {
		t.Fatal(err)
	}
	c.call(l)
	within(t, "the channel opens", ch.opened)
	largest := strings.Repeat("x", relay.MaxMessageSent)
	for _, text := range []string{"first", largest, "last"} {
		if err := l.WriteMessage([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all come", func() bool { return len(ch.messages()) == 4 })
	for i, want := range []string{"early", "first", largest, "last"} {
		if got := ch.messages()[i]; got != "true "+want {
			t.Errorf("message %d is another: %.40q of %d", i, got, len(got))
		}
	}
	if err := l.WriteMessage([]byte(largest + "x")); !errors.Is(err, peerconn.ErrMessageSize) {
		t.Errorf("a message that is larger than a caller takes: %v", err)
	}
	most := strings.Repeat("y", relay.MaxMessage)
	for _, text := range []string{"a", most, ""} {
		if err := ch.dc.SendText(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := ch.dc.Send([]byte("no text")); err != nil {
		t.Fatal(err)
	}
	if err := ch.dc.SendText("b"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all that are text come", func() bool { return len(far.messages()) == 4 })
	for i, want := range []string{"a", most, "", "b"} {
		if got := far.messages()[i]; got != want {
			t.Errorf("message %d of the caller is another: %.40q of %d", i, got, len(got))
		}
	}
	if err := ch.dc.SendText(most + "y"); err == nil {
		t.Error("pion sends more than the answer takes")
	}
}

// What comes too fast is read as fast as it may come, and all of it.
func TestAFloodOfMessagesIsSlowedDown(t *testing.T) {
	t.Parallel()
	l, far := read(t)
	c := newCaller(t, callerConfig{})
	ch := c.openEvents()
	c.call(l)
	within(t, "the channel opens", ch.opened)
	begun := time.Now()
	const more = 20
	for range relay.MessageBurst + more {
		if err := ch.dc.SendText("x"); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all come", func() bool { return len(far.messages()) == relay.MessageBurst+more })
	if took, least := time.Since(begun), more*time.Second/relay.MessageRate; took < least*9/10 {
		t.Errorf("%d over the burst took %v, want %v", more, took, least)
	}
}

// Without a channel only so much waits; a caller who comes back with another
// connection has another channel, and what waited for the old one is gone.
func TestMessagesWithoutAChannel(t *testing.T) {
	t.Parallel()
	l, far := read(t)
	for range relay.MaxWaiting {
		if err := l.WriteMessage([]byte("early")); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.WriteMessage([]byte("one more")); !errors.Is(err, peerconn.ErrNoChannel) {
		t.Errorf("one more than may wait: %v", err)
	}
	first := newCaller(t, callerConfig{})
	first.call(l)
	second := newCaller(t, callerConfig{})
	ch := second.openEvents()
	second.call(l)
	within(t, "the second's channel opens", ch.opened)
	if err := ch.dc.SendText("here"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the agent hears the second", func() bool { return len(far.messages()) == 1 })
	if err := l.WriteMessage([]byte("now")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second hears the agent", func() bool { return len(ch.messages()) > 0 })
	if got := ch.messages(); len(got) != 1 || got[0] != "true now" {
		t.Errorf("the second's channel has %q", got)
	}
}

// A caller who takes nothing more is told so by an error, and costs no more memory.
func TestACallerWhoTakesNoMessages(t *testing.T) {
	t.Parallel()
	l, _ := read(t)
	c := newCaller(t, callerConfig{})
	ch := c.openEvents()
	hold := make(chan struct{})
	ch.dc.OnMessage(func(webrtc.DataChannelMessage) { <-hold })
	t.Cleanup(func() { close(hold) })
	c.call(l)
	within(t, "the channel opens", ch.opened)
	text := []byte(strings.Repeat("z", relay.MaxMessageSent))
	eventually(t, "it is slow", func() bool { return errors.Is(l.WriteMessage(text), peerconn.ErrSlow) })
}

// Who delivers a message waits until the caller has it, but for no channel that isn't
// open.
func TestAMessageIsDelivered(t *testing.T) {
	t.Parallel()
	l, _ := read(t)
	c := newCaller(t, callerConfig{})
	ch := c.openEvents()
	if err := l.DeliverMessage(t.Context(), []byte("early")); err != nil {
		t.Fatal(err)
	}
	c.call(l)
	within(t, "the channel opens", ch.opened)
	if err := l.DeliverMessage(t.Context(), []byte("now")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the caller has both", func() bool { return len(ch.messages()) == 2 })
	c.leave()
	eventually(t, "nobody waits for who has left", func() bool { return l.DeliverMessage(t.Context(), []byte("late")) == nil })
}
