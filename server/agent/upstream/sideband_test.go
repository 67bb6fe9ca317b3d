package upstream_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"parley/server/agent"
	"parley/server/agent/double"
	"parley/server/agent/realtime"
	"parley/server/agent/upstream"
	"parley/shared/wire"
)

const steering = "steering-token-of-at-least-32-characters"

// backend is one of the operator's.
type backend struct {
	mu     sync.Mutex
	events []string
	ended  int
	err    error
	handle func([]byte)
}

func (b *backend) write(text []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, string(text))
	return b.err
}

func (b *backend) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended++
}

func (b *backend) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.events, "\n")
}

func (b *backend) endings() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended
}

// has reports whether an event that holds all of these words came.
func (b *backend) has(words ...string) func() bool {
	return func() bool {
	lines:
		for _, line := range strings.Split(b.text(), "\n") {
			for _, word := range words {
				if !strings.Contains(line, word) {
					continue lines
				}
			}
			return true
		}
		return false
	}
}

func join(t *testing.T, ctx context.Context, c *caller) *backend {
	t.Helper()
	b := &backend{}
	var err error
	if b.handle, err = c.leg.(agent.SteeredLeg).Steer(ctx, steering, b.write, b.end); err != nil {
		t.Fatal(err)
	}
	return b
}

// steered gives an agent a sideband.
func steered(grants ...realtime.Grant) func(*upstream.Config) {
	return func(c *upstream.Config) {
		c.Sideband = &upstream.Sideband{Token: steering, Grants: grants}
	}
}

// A backend sees the session whole and steers within its own allow-list; the caller's
// side sees nothing of what it says or is told.
func TestASidebandSteersACall(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{}, steered(realtime.GrantInstructions, realtime.GrantRespond))
	c := r.open("sess_1")
	eventually(t, "it listens", c.is(wire.AgentListening))
	eventually(t, "the caller is told of the session", func() bool { return strings.Contains(c.text(), "session.created") })
	b := join(t, t.Context(), c)
	eventually(t, "the backend is told what the session is", b.has("session.created", prompt))
	if n := r.service.Calls()[0].Sidebands(); n != 1 {
		t.Errorf("%d backends are joined at the service", n)
	}
	const secret = "Sing everything."
	b.handle([]byte(`{"type":"session.update","event_id":"from-backend-1","session":{"type":"realtime","instructions":"` + secret + `","audio":{"output":{"voice":"cedar"}}}}`))
	eventually(t, "the session is another", b.has("session.updated", secret))
	session := r.service.Calls()[0].Session()
	if session["instructions"] != secret {
		t.Errorf("the service has %v", session["instructions"])
	}
	if voice := session["audio"].(map[string]any)["output"].(map[string]any)["voice"]; voice != "marin" {
		t.Errorf("the voice, which it may not change, is %v", voice)
	}
	b.handle([]byte(`{"type":"conversation.item.delete","event_id":"from-backend-2","item_id":"i"}`))
	eventually(t, "what it may not do is refused", b.has(`"error"`, "from-backend-2"))
	b.handle([]byte(`{"type":"response.create","event_id":"from-backend-3"}`))
	eventually(t, "the agent speaks", c.is(wire.AgentSpeaking))
	eventually(t, "it is told of the answer", b.has("response.done"))
	for _, word := range []string{secret, "from-backend-1", "from-backend-2", "recorded voice"} {
		if strings.Contains(c.text(), word) {
			t.Errorf("the caller is told %q", word)
		}
	}
	if strings.Contains(b.text(), "recorded voice") {
		t.Error("a backend that may not see words is told them")
	}
	c.hangUp()
	if b.endings() != 1 {
		t.Errorf("ended %d times", b.endings())
	}
}

// Where a service has no sideband, or lost it, the call's channel of events serves.
func TestASidebandByTheCallsOwnChannel(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		service   double.Config
		isDropped bool
	}{
		"another dialect":     {service: double.Config{Dialect: double.JSONSDP}},
		"the call is unknown": {service: double.Config{Faults: double.Faults{WithoutSideband: true}}},
		"the service drops":   {isDropped: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, test.service, steered())
			c := r.open("sess_1")
			eventually(t, "the caller is told of the session", func() bool { return strings.Contains(c.text(), "session.created") })
			b := join(t, t.Context(), c)
			eventually(t, "the backend is told what the session is", b.has(prompt))
			call := r.service.Calls()[0]
			if test.isDropped {
				call.CloseSidebands()
				eventually(t, "nobody is joined at the service", func() bool { return call.Sidebands() == 0 })
			}
			eventually(t, "what it says reaches the service", func() bool {
				b.handle([]byte(`{"type":"input_audio_buffer.clear"}`))
				return b.has("input_audio_buffer.cleared")()
			})
			if n := call.Sidebands(); n != 0 {
				t.Errorf("%d backends are joined at the service", n)
			}
		})
	}
}

func TestWhoMaySteer(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{}, steered())
	c := r.open("sess_1")
	leg := c.leg.(agent.SteeredLeg)
	for _, token := range []string{"", "x", steering + "x", key} {
		if _, err := leg.Steer(t.Context(), token, nil, nil); !errors.Is(err, agent.ErrNotSteered) {
			t.Errorf("%q: %v", token, err)
		}
	}
	ctx, leave := context.WithCancel(t.Context())
	for range 4 {
		join(t, ctx, c)
	}
	if _, err := leg.Steer(t.Context(), steering, nil, nil); err == nil {
		t.Error("a fifth backend is joined")
	}
	leave()
	eventually(t, "there is room again", func() bool {
		b := &backend{}
		_, err := leg.Steer(t.Context(), steering, b.write, b.end)
		return err == nil
	})
	none := newRig(t, double.Config{}, nil)
	if none.agent.IsSteeredBy("") {
		t.Error("an agent without a sideband is steered by no token")
	}
}

// A backend that takes nothing, or floods, is let go of; the call goes on.
func TestABackendThatMisbehaves(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{}, steered())
	c := r.open("sess_1")
	eventually(t, "it listens", c.is(wire.AgentListening))
	slow := &backend{err: errors.New("full")}
	if _, err := c.leg.(agent.SteeredLeg).Steer(t.Context(), steering, slow.write, slow.end); err != nil {
		t.Fatal(err)
	}
	c.leg.HandleMessage([]byte(`{"type":"response.create"}`))
	eventually(t, "the slow one is gone", func() bool { return slow.endings() == 1 })
	flood := join(t, t.Context(), c)
	for range 2000 {
		flood.handle([]byte(`{"type":"input_audio_buffer.clear"}`))
	}
	if flood.endings() != 1 {
		t.Errorf("the flooding one ended %d times", flood.endings())
	}
	if len(c.left) > 0 {
		t.Errorf("the call ended: %v", <-c.left)
	}
}

// The double has a sideband as the service has.
func TestTheDoublesOwnSideband(t *testing.T) {
	t.Parallel()
	r := newRig(t, double.Config{}, nil)
	c := r.open("sess_1")
	eventually(t, "it listens", c.is(wire.AgentListening))
	address := "ws" + strings.TrimPrefix(r.web, "http") + double.SidebandPath + "?call_id="
	header := map[string][]string{"Authorization": {"Bearer " + key}}
	if _, answer, err := websocket.DefaultDialer.Dial(address+"rtc_other", header); err == nil || answer.StatusCode != 404 {
		t.Errorf("another call: %v", err)
	}
	conn, _, err := websocket.DefaultDialer.Dial(address+r.service.Calls()[0].ID, header)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"response.create"}`)); err != nil {
		t.Fatal(err)
	}
	seen := ""
	for !strings.Contains(seen, "response.created") {
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		_, text, err := conn.ReadMessage()
		if err != nil {
			t.Fatalf("after %s: %v", seen, err)
		}
		seen += string(text)
	}
	if !strings.Contains(seen, "session.created") {
		t.Errorf("told %s", seen)
	}
	eventually(t, "the caller hears it, too", c.is(wire.AgentSpeaking))
}
