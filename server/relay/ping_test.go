package relay_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/pion/webrtc/v4"

	"parley/server/agent"
	"parley/server/relay"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// channel is a data channel of a caller's and what came by it.
type channel struct {
	dc     *webrtc.DataChannel
	opened chan struct{}
	closed chan struct{}

	mu   sync.Mutex
	came []webrtc.DataChannelMessage
}

// openChannel adds a data channel as wasm/peer does: unordered, no retransmits.
func (c *caller) openChannel(label string) *channel {
	c.t.Helper()
	var ordered bool
	var retransmits uint16
	dc, err := c.pc.CreateDataChannel(label, &webrtc.DataChannelInit{Ordered: &ordered, MaxRetransmits: &retransmits})
	if err != nil {
		c.t.Fatal(err)
	}
	return c.watch(dc)
}

// watch keeps what comes by a channel.
func (c *caller) watch(dc *webrtc.DataChannel) *channel {
	ch := &channel{dc: dc, opened: make(chan struct{}), closed: make(chan struct{})}
	dc.OnOpen(func() { close(ch.opened) })
	dc.OnClose(sync.OnceFunc(func() { close(ch.closed) }))
	dc.OnMessage(func(m webrtc.DataChannelMessage) {
		ch.mu.Lock()
		defer ch.mu.Unlock()
		ch.came = append(ch.came, m)
	})
	return ch
}

func (ch *channel) messages() []string {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	var all []string
	for _, m := range ch.came {
		all = append(all, fmt.Sprintf("%v %s", m.IsString, m.Data))
	}
	return all
}

func within(t testing.TB, what string, done <-chan struct{}) {
	t.Helper()
	eventually(t, what, func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	})
}

func TestPingsComeBack(t *testing.T) {
	l, _ := open(t, listen(t), agent.Echo{})
	c := newCaller(t, callerConfig{})
	ch := c.openChannel(wire.PingChannel)
	other := c.openChannel("other")
	c.call(l)
	within(t, "the channel opens", ch.opened)
	longest := strings.Repeat("x", wire.MaxPing)
	if err := ch.dc.SendText(longest); err != nil {
		t.Fatal(err)
	}
	if err := ch.dc.Send([]byte{0, 255, 7}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both come back", func() bool { return len(ch.messages()) == 2 })
	for _, want := range []string{"true " + longest, "false \x00\xff\x07"} {
		if got := ch.messages(); got[0] != want && got[1] != want {
			t.Errorf("%q is not among %q", want, got)
		}
	}
	within(t, "another channel is closed", other.closed)
	if err := ch.dc.SendText(longest + "x"); err != nil {
		t.Fatal(err)
	}
	within(t, "a message that is too long closes the channel", ch.closed)
}

func TestPingsAreLimited(t *testing.T) {
	l, _ := open(t, listen(t), agent.Echo{})
	c := newCaller(t, callerConfig{})
	ch := c.openChannel(wire.PingChannel)
	c.call(l)
	within(t, "the channel opens", ch.opened)
	const sent = 2000
	for i := range sent {
		if err := ch.dc.SendText(fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	// The channel works on: what is sent when there is room again comes back.
	eventually(t, "a later one comes back", func() bool {
		if err := ch.dc.SendText("later"); err != nil {
			t.Fatal(err)
		}
		all := ch.messages()
		return len(all) > 0 && all[len(all)-1] == "true later"
	})
	if n := len(ch.messages()); n < 2 || n > sent/4 {
		t.Errorf("%d of %d came back, the burst is %d", n, sent, relay.PingBurst)
	}
}

func TestTooManyChannelsHangUp(t *testing.T) {
	l, on := open(t, listen(t), agent.Echo{})
	c := newCaller(t, callerConfig{})
	for i := range relay.MaxChannels + 1 {
		c.openChannel(fmt.Sprint(i))
	}
	c.negotiate(l, false)
	eventually(t, "the relay hangs up", func() bool {
		state, _ := on.last()
		return state == rtcstats.StateFailed
	})
}
