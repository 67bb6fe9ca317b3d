//go:build js

package browser

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall/js"

	"parley/shared/wire"
	"parley/wasm/peer"
)

// Limits of a socket. A browser has no way to slow a server down or to see that
// a frame has left, so both ends of the pipe are watched.
const (
	// MaxQueued is how many frames may wait to be received: a server sends a few
	// a second, and sixty candidates at the start.
	MaxQueued = 256
	// MaxBuffered is how many bytes may wait to be sent: a report has 10 KiB.
	MaxBuffered = 1 << 20
)

// Socket is a browser's WebSocket. It implements peer.Socket.
type Socket struct {
	js        js.Value
	wake      chan struct{} // one token while there is news
	listeners cleanups

	mu     sync.Mutex
	frames [][]byte
	over   *peer.CloseError
}

// Dial opens a WebSocket and waits until it is open. The address is a path of the
// page's own origin, or an http or https address of another. A browser doesn't tell
// why a socket was refused: the error is then a *peer.CloseError with the code 1006.
func Dial(ctx context.Context, address string, subprotocols ...string) (_ *Socket, err error) {
	defer recoverJSError(&err)
	offered := make([]any, len(subprotocols))
	for i, name := range subprotocols {
		offered[i] = name
	}
	ws := js.Global().Get("WebSocket").New(socketURL(address), offered)
	ws.Set("binaryType", "arraybuffer")
	s := &Socket{js: ws, wake: make(chan struct{}, 1)}
	opened := make(chan struct{}, 1)
	s.listeners.add(listen(ws, "open", func(js.Value) { opened <- struct{}{} }))
	s.listeners.add(listen(ws, "message", s.message))
	s.listeners.add(listen(ws, "close", func(ev js.Value) {
		s.end(wire.CloseCode(ev.Get("code").Int()), stringOrEmpty(ev.Get("reason")))
	}))
	select {
	case <-opened:
		return s, nil
	case <-s.wake:
		return nil, s.closed()
	case <-ctx.Done():
		return nil, errors.Join(context.Cause(ctx), s.Close(wire.CloseNormalClosure))
	}
}

// socketURL names the scheme of sockets: not every browser takes http for it.
func socketURL(address string) string {
	if strings.HasPrefix(address, "/") {
		address = js.Global().Get("location").Get("origin").String() + address
	}
	if after, ok := strings.CutPrefix(address, "http"); ok {
		return "ws" + after
	}
	return address
}

func (s *Socket) message(ev js.Value) {
	data := ev.Get("data")
	if data.Type() != js.TypeString {
		s.refuse(wire.CloseUnsupportedData, "not text")
		return
	}
	s.mu.Lock()
	full := len(s.frames) >= MaxQueued
	if !full {
		s.frames = append(s.frames, []byte(data.String()))
	}
	s.mu.Unlock()
	if full {
		s.refuse(wire.CloseMessageTooBig, "too many frames")
		return
	}
	s.signalWake()
}

// refuse closes on a server that doesn't keep to the protocol.
func (s *Socket) refuse(code wire.CloseCode, reason string) {
	s.end(code, reason)
	s.js.Call("close", int(wire.CloseNormalClosure))
}

// end notes how the socket ended. The first word stands. The browser may take
// minutes for its own last word on a dead network: nobody listens for it.
func (s *Socket) end(code wire.CloseCode, reason string) {
	s.listeners.runAll()
	s.mu.Lock()
	if s.over == nil {
		s.over = &peer.CloseError{Code: code, Reason: reason}
	}
	s.mu.Unlock()
	s.signalWake()
}

func (s *Socket) signalWake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Socket) closed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over == nil {
		return nil
	}
	return s.over
}

// next takes the oldest frame; when there is none, how the socket ended.
func (s *Socket) next() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.frames) > 0 {
		frame := s.frames[0]
		s.frames = s.frames[1:]
		return frame, nil
	}
	if s.over != nil {
		return nil, s.over
	}
	return nil, nil
}

// Receive implements peer.Socket.
func (s *Socket) Receive(ctx context.Context) ([]byte, error) {
	for {
		if frame, err := s.next(); frame != nil || err != nil {
			return frame, err
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Send implements peer.Socket. The browser takes the frame at once and sends it
// when it can.
func (s *Socket) Send(_ context.Context, frame []byte) (err error) {
	defer recoverJSError(&err)
	if err := s.closed(); err != nil {
		return err
	}
	if n := s.js.Get("bufferedAmount").Int(); n > MaxBuffered {
		return fmt.Errorf("browser: %d bytes wait to be sent", n)
	}
	const open = 1 // WebSocket.OPEN; send() is silent about any other state
	if s.js.Get("readyState").Int() != open {
		return errors.New("browser: the socket is not open")
	}
	s.js.Call("send", string(frame))
	return nil
}

// Close implements peer.Socket. The browser lets a page say 1000 and 3000–4999
// only.
func (s *Socket) Close(code wire.CloseCode) (err error) {
	defer recoverJSError(&err)
	s.end(code, "")
	if code < 3000 || code > 4999 {
		code = wire.CloseNormalClosure
	}
	s.js.Call("close", int(code))
	return nil
}
