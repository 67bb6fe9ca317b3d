//go:build js

package browser

import (
	"context"
	"errors"
	"strconv"
	"syscall/js"
	"testing"

	"parley/shared/wire"
	"parley/wasm/peer"
)

// scriptedSocket is a WebSocket that does what a test says, by its own fields.
const scriptedSocket = `value: class extends EventTarget {
  constructor(url, protocols) {
    super();
    Object.assign(this, {url, protocol: String(protocols), readyState: 1, bufferedAmount: 0, sent: [], closedWith: []});
    globalThis.socketTest = this;
    queueMicrotask(() => this.dispatchEvent(new Event('open')));
  }
  send(text) { this.sent.push(text); }
  close(code) { this.closedWith.push(code); }
  say(data) { this.dispatchEvent(new MessageEvent('message', {data})); }
}`

// dialScripted opens one.
func dialScripted(t *testing.T) (s *Socket, script js.Value) {
	t.Helper()
	replace(t, "globalThis", "WebSocket", scriptedSocket)
	s, err := Dial(t.Context(), "/socket?x=1", wire.Subprotocol)
	if err != nil {
		t.Fatal(err)
	}
	return s, js.Global().Get("socketTest")
}

// closeCode is what a socket was ended with, after all its frames.
func closeCode(t *testing.T, s *Socket) (code wire.CloseCode, frames int) {
	t.Helper()
	for {
		_, err := s.Receive(t.Context())
		var closed *peer.CloseError
		if errors.As(err, &closed) {
			return closed.Code, frames
		}
		if err != nil {
			t.Fatal(err)
		}
		frames++
	}
}

// A path is of the page's own origin, an address of another as it stands.
func TestASocketsAddress(t *testing.T) {
	replace(t, "globalThis", "WebSocket", scriptedSocket)
	for address, want := range map[string]string{
		"/socket?x=1":             "ws://" + js.Global().Get("location").Get("host").String() + "/socket?x=1",
		"http://localhost:1/s":    "ws://localhost:1/s",
		"https://parley.test/s?x": "wss://parley.test/s?x",
		"wss://parley.test/s":     "wss://parley.test/s",
	} {
		if _, err := Dial(t.Context(), address, wire.Subprotocol, "parley.ticket.t"); err != nil {
			t.Fatal(err)
		}
		script := js.Global().Get("socketTest")
		if got, by := script.Get("url").String(), script.Get("protocol").String(); got != want || by != "parley.v1,parley.ticket.t" {
			t.Errorf("%s: dialed %s by %s", address, got, by)
		}
	}
}

func TestFramesThatWaitAreBounded(t *testing.T) {
	for sent, want := range map[int]wire.CloseCode{MaxQueued: wire.CloseGoingAway, MaxQueued + 1: wire.CloseMessageTooBig} {
		s, script := dialScripted(t)
		for i := range sent {
			script.Call("say", strconv.Itoa(i))
		}
		if want == wire.CloseGoingAway {
			s.end(want, "") // by the server
		}
		if code, frames := closeCode(t, s); code != want || frames != MaxQueued {
			t.Errorf("%d sent: %d are received, closed with %d, want %d", sent, frames, code, want)
		}
	}
}

func TestAFrameThatIsNoText(t *testing.T) {
	s, script := dialScripted(t)
	script.Call("say", js.Global().Get("ArrayBuffer").New(1))
	if code, frames := closeCode(t, s); code != wire.CloseUnsupportedData || frames != 0 {
		t.Errorf("%d frames, closed with %d", frames, code)
	}
	if n := script.Get("closedWith").Length(); n != 1 {
		t.Errorf("the browser's socket is closed %d times", n)
	}
}

func TestWhatASocketSends(t *testing.T) {
	for name, c := range map[string]struct {
		field  string
		value  int
		isSent bool
	}{
		"open":                 {"readyState", 1, true},
		"still connecting":     {"readyState", 0, false},
		"closing":              {"readyState", 2, false},
		"closed":               {"readyState", 3, false},
		"as much as may wait":  {"bufferedAmount", MaxBuffered, true},
		"more waits than that": {"bufferedAmount", MaxBuffered + 1, false},
	} {
		s, script := dialScripted(t)
		script.Set(c.field, c.value)
		err := s.Send(t.Context(), []byte("héllo"))
		if sent := script.Get("sent").Length() == 1; (err == nil) != c.isSent || sent != c.isSent {
			t.Errorf("%s: %v, sent: %t", name, err, sent)
		}
	}
}

// The first word on how a socket ended stands, and nothing is sent after it.
func TestASocketThatIsOver(t *testing.T) {
	s, script := dialScripted(t)
	script.Call("dispatchEvent", js.Global().Call("eval", `new CloseEvent('close', {code: 4003, reason: 'maintenance'})`))
	if err := s.Close(wire.CloseNormalClosure); err != nil {
		t.Error(err)
	}
	var closed *peer.CloseError
	if _, err := s.Receive(t.Context()); !errors.As(err, &closed) || closed.Code != wire.CloseAdminEnded || closed.Reason != "maintenance" {
		t.Errorf("received %v", err)
	}
	if err := s.Send(t.Context(), []byte("{}")); !errors.As(err, &closed) || script.Get("sent").Length() != 0 {
		t.Errorf("sent after the end: %v", err)
	}
}

// Browsers throw at every close code but these.
func TestCodesThatAPageMaySay(t *testing.T) {
	for code, want := range map[wire.CloseCode]int{1000: 1000, 1001: 1000, 2999: 1000, 3000: 3000, 4999: 4999, 5000: 1000} {
		s, script := dialScripted(t)
		if err := s.Close(code); err != nil {
			t.Error(err)
		}
		if got := script.Get("closedWith").Index(0).Int(); got != want {
			t.Errorf("%d is said as %d, want %d", code, got, want)
		}
	}
}

func TestADialThatFails(t *testing.T) {
	for name, class := range map[string]string{
		"missing":   `value: undefined`,
		"throws":    `value: class { constructor() { throw new DOMException('no', 'SecurityError') } }`,
		"forbidden": `value: class extends EventTarget { constructor() { super(); queueMicrotask(() => this.dispatchEvent(new CloseEvent('close', {code: 1006}))); } close() {} }`,
	} {
		t.Run(name, func(t *testing.T) {
			replace(t, "globalThis", "WebSocket", class)
			within(t, "Dial", func() {
				if _, err := Dial(t.Context(), "/", wire.Subprotocol); err == nil {
					t.Error("it opens")
				}
			})
		})
	}
	if _, err := Dial(t.Context(), "/no-such-path", wire.Subprotocol); err == nil {
		t.Error("a path without a socket opens one")
	}
}

// A frame that is there is received even when the context is over: it was sent.
func TestAFrameThatIsThereIsReceived(t *testing.T) {
	s, script := dialScripted(t)
	script.Call("say", "first")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if frame, err := s.Receive(ctx); err != nil || string(frame) != "first" {
		t.Errorf("received %q, %v", frame, err)
	}
}
