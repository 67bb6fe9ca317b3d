//go:build js

package browser

import (
	"context"
	"errors"
	"syscall/js"
	"testing"
	"time"

	"parley/shared/rtcstats"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// soon bounds what has to happen at once on a machine that has nothing else to do.
const soon = 45 * time.Second

var errEnough = errors.New("enough")

// never is a promise that doesn't settle.
func never() js.Value {
	executor := js.FuncOf(func(js.Value, []js.Value) any { return nil })
	defer executor.Release()
	return js.Global().Get("Promise").New(executor)
}

// deferred is a promise that the test settles.
func deferred() (promise js.Value, resolve func(any)) {
	made := js.Global().Get("Promise").Call("withResolvers")
	return made.Get("promise"), func(v any) { made.Call("resolve", v) }
}

// within fails unless f returns soon.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(soon):
		t.Fatalf("%s: still waiting after %v", what, soon)
	}
}

// eventually looks once in a while until look says true.
func eventually(t *testing.T, what string, look func() bool) {
	t.Helper()
	tick, limit := time.NewTicker(5*time.Millisecond), time.NewTimer(soon)
	defer tick.Stop()
	defer limit.Stop()
	for !look() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("%s: not within %v", what, soon)
		}
	}
}

func waiting() int {
	p := pending()
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting)
}

func TestAwait(t *testing.T) {
	value, err := await(t.Context(), js.Global().Get("Promise").Call("resolve", 7))
	if err != nil || value.Int() != 7 {
		t.Errorf("got %v, %v", value, err)
	}
	reason := js.Global().Get("DOMException").New("no", "NotAllowedError")
	_, err = await(t.Context(), js.Global().Get("Promise").Call("reject", reason))
	var rejected *Error
	if !errors.As(err, &rejected) || rejected.Name != "NotAllowedError" || rejected.Message != "no" {
		t.Errorf("got %v", err)
	}
}

func TestAwaitGivesUpWithItsContext(t *testing.T) {
	before := waiting()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errEnough)
	within(t, "await", func() {
		if _, err := await(ctx, never()); !errors.Is(err, errEnough) {
			t.Errorf("got %v", err)
		}
	})
	if n := waiting(); n != before {
		t.Errorf("%d promises are kept, %d before", n, before)
	}
}

func TestWhatComesTooLateIsGivenBack(t *testing.T) {
	before := waiting()
	promise, resolve := deferred()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var late []int
	if _, err := awaitOr(ctx, promise, func(v js.Value) { late = append(late, v.Int()) }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	resolve(3)
	eventually(t, "the late value", func() bool { return len(late) == 1 && late[0] == 3 })
	if n := waiting(); n != before {
		t.Errorf("%d promises are kept, %d before", n, before)
	}
}

// countListeners counts the listeners of all event targets from now on.
func countListeners(t *testing.T) (open func() int) {
	t.Helper()
	js.Global().Call("eval", `
	globalThis.listenersOpen = 0;
	globalThis.listenersReal = {add: EventTarget.prototype.addEventListener, remove: EventTarget.prototype.removeEventListener};
	EventTarget.prototype.addEventListener = function (...a) { listenersOpen++; return listenersReal.add.apply(this, a); };
	EventTarget.prototype.removeEventListener = function (...a) { listenersOpen--; return listenersReal.remove.apply(this, a); };`)
	t.Cleanup(func() {
		js.Global().Call("eval", `
		EventTarget.prototype.addEventListener = listenersReal.add;
		EventTarget.prototype.removeEventListener = listenersReal.remove;`)
	})
	return func() int { return js.Global().Get("listenersOpen").Int() }
}

func TestListenersAreTakenBack(t *testing.T) {
	open := countListeners(t)
	pending() // its two functions stay for good
	for name, use := range map[string]func(t *testing.T){
		"listen":       func(*testing.T) { listen(window(), "online", func(js.Value) {})() },
		"network":      func(*testing.T) { WatchNetwork(func() {})() },
		"leaving":      func(*testing.T) { GuardLeaving()() },
		"awake":        func(t *testing.T) { within(t, "KeepAwake", KeepAwake(func() {})) },
		"microphone":   func(t *testing.T) { openMicrophone(t).Close() },
		"sound":        func(t *testing.T) { newSound(t).Close() },
		"socket":       useSocket,
		"no socket":    useNoSocket,
		"connection":   useConnection,
		"many devices": useDevices,
	} {
		t.Run(name, func(t *testing.T) {
			before, kept, funcs := open(), waiting(), openFuncs()
			use(t)
			if n := open(); n != before {
				t.Errorf("%d listeners stay", n-before)
			}
			// A goroutine of a connection may take its last step after Close.
			eventually(t, "no function stays", func() bool { return openFuncs() <= funcs })
			// A wake lock that comes too late is still given back.
			eventually(t, "no promise stays", func() bool { return waiting() <= kept })
		})
	}
}

func openMicrophone(t *testing.T) *Microphone {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	m, err := OpenMicrophone(ctx, "", func(float64) {}, func() {})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newSound(t *testing.T) *Sound {
	t.Helper()
	s, err := NewSound("", func(bool) {})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func useDevices(t *testing.T) {
	if _, err := Devices(t.Context()); err != nil {
		t.Error(err)
	}
}

// echoPath is where the test's server echoes frames, and silentPath where it
// takes a connection and never answers.
const (
	echoPath   = "/echo"
	silentPath = "/silent"
)

func useSocket(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	s, err := Dial(ctx, echoPath, wire.Subprotocol)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(ctx, []byte("hello")); err != nil {
		t.Error(err)
	}
	if frame, err := s.Receive(ctx); err != nil || string(frame) != "hello" {
		t.Errorf("got %q, %v", frame, err)
	}
	if err := s.Close(wire.CloseNormalClosure); err != nil {
		t.Error(err)
	}
	var closed *peer.CloseError
	if _, err := s.Receive(ctx); !errors.As(err, &closed) || closed.Code != wire.CloseNormalClosure {
		t.Errorf("a closed socket gives %v", err)
	}
}

func useNoSocket(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errEnough)
	defer cancel()
	within(t, "Dial", func() {
		if _, err := Dial(ctx, silentPath, wire.Subprotocol); !errors.Is(err, errEnough) {
			t.Errorf("got %v", err)
		}
	})
}

func TestReceiveGivesUpWithItsContext(t *testing.T) {
	s, err := Dial(t.Context(), echoPath, wire.Subprotocol)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(wire.CloseNormalClosure)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errEnough)
	within(t, "Receive", func() {
		if _, err := s.Receive(ctx); !errors.Is(err, errEnough) {
			t.Errorf("got %v", err)
		}
	})
}

func TestFetchGivesUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errEnough)
	defer cancel()
	within(t, "Fetch", func() {
		if _, err := Fetch(ctx, Request{Method: "GET", URL: silentPath}); !errors.Is(err, errEnough) {
			t.Errorf("got %v", err)
		}
	})
}

// listener takes what a connection tells, and drops it.
type listener struct{}

func (listener) Candidate(wire.CandidateInit) {}
func (listener) State(peer.ConnectionState)   {}
func (listener) Pong(string)                  {}
func (listener) AgentEvent(string)            {}

func connect(t *testing.T) (*Connection, func()) {
	t.Helper()
	mic, sound := openMicrophone(t), newSound(t)
	c, err := Connect(nil, mic, sound, listener{})
	if err != nil {
		t.Fatal(err)
	}
	return c, func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		sound.Close()
		mic.Close()
	}
}

func useConnection(t *testing.T) {
	c, done := connect(t)
	defer done()
	if err := c.OpenEvents(listener{}); err != nil {
		t.Error(err)
	}
	if sdp, err := c.Offer(t.Context(), false); err != nil || sdp == "" {
		t.Errorf("offer %q, %v", sdp, err)
	}
}

// methods are all of a connection that wait.
var methods = map[string]func(ctx context.Context, c *Connection) error{
	"offer":     func(ctx context.Context, c *Connection) error { _, err := c.Offer(ctx, true); return err },
	"answer":    func(ctx context.Context, c *Connection) error { return c.Answer(ctx, "v=0") },
	"candidate": func(ctx context.Context, c *Connection) error { return c.AddCandidate(ctx, wire.CandidateInit{}) },
	"sample": func(ctx context.Context, c *Connection) error {
		_, err := c.Sample(ctx)
		return err
	},
}

// silence makes a connection that answers nothing any more.
func silence(c *Connection) {
	object := c.pc.JSValue()
	for _, method := range []string{"createOffer", "setLocalDescription", "setRemoteDescription", "addIceCandidate", "getStats"} {
		object.Set(method, js.Global().Call("eval", "() => new Promise(() => {})"))
	}
}

func TestMethodsGiveUpWithTheirContext(t *testing.T) {
	for name, call := range methods {
		t.Run(name, func(t *testing.T) {
			c, done := connect(t)
			defer done()
			silence(c)
			ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, errEnough)
			defer cancel()
			within(t, name, func() {
				if err := call(ctx, c); !errors.Is(err, errEnough) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// A closed connection's promises never settle.
func TestMethodsGiveUpWithTheirConnection(t *testing.T) {
	for name, call := range methods {
		t.Run(name, func(t *testing.T) {
			c, done := connect(t)
			silence(c)
			before := waiting()
			got := make(chan error, 1)
			go func() { got <- call(t.Context(), c) }()
			eventually(t, "the method waits", func() bool { return waiting() > before })
			done()
			within(t, name, func() {
				if err := <-got; !errors.Is(err, errClosed) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestEveryMethodOfAClosedConnectionReturns(t *testing.T) {
	c, done := connect(t)
	done()
	for name, call := range methods {
		within(t, name, func() {
			if err := call(t.Context(), c); err == nil {
				t.Errorf("%s of a closed connection succeeds", name)
			}
		})
	}
}

func TestASampleIsOneOfRTCStats(t *testing.T) {
	c, done := connect(t)
	defer done()
	s, err := c.Sample(t.Context())
	if err != nil || s.Timestamp == 0 {
		t.Fatalf("got %+v, %v", s, err)
	}
	s.Ping = &rtcstats.Ping{}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}
