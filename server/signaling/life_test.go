package signaling_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"parley/shared/rest"
	"parley/shared/wire"
)

// How a socket goes decides whether its session stays for the grace.
func TestHowASocketGoes(t *testing.T) {
	with := func(code int) func(*client) {
		return func(c *client) {
			c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(patience))
			c.closes()
		}
	}
	cases := map[string]struct {
		go_     func(*client)
		ends    wire.EndCause // of a call; "": the place is kept
		unheard wire.EndCause // of whom nothing was heard before
	}{
		"bye":                   {func(c *client) { c.say(wire.Bye{}) }, wire.CallerLeft, wire.CallerLeft},
		"closed, done":          {with(websocket.CloseNormalClosure), wire.CallerLeft, wire.CallerLeft},
		"closed, going away":    {with(websocket.CloseGoingAway), "", ""},
		"closed, no status":     {with(websocket.CloseNoStatusReceived), "", ""},
		"closed, replaced":      {with(int(wire.CloseReplaced)), "", ""},
		"killed":                {func(c *client) { c.NetConn().(*net.TCPConn).SetLinger(0); c.NetConn().Close() }, "", wire.ConnectionLost},
		"closed without a word": {func(c *client) { c.NetConn().Close() }, "", wire.ConnectionLost},
		"half closed":           {func(c *client) { c.NetConn().(*net.TCPConn).CloseWrite() }, "", wire.ConnectionLost},
		"closed in a frame": {func(c *client) {
			raw(0x81, 0xfe, 0x10, 0x00)(c)
			c.NetConn().Close()
		}, "", wire.ConnectionLost},
		"never answers a ping": {func(*client) {}, "", ""}, // a client that does not read does not pong
		"trickles a message": {func(c *client) {
			// It answers every ping, and its message never comes to an end.
			c.NetConn().Write(masked(0x01, []byte("x")))
			go func() {
				for {
					if _, err := c.NetConn().Write(masked(0x00, []byte("x"))); err != nil {
						return
					}
					time.Sleep(10 * time.Millisecond) // the rhythm is what is tested
				}
			}()
			go drainFrames(c)
		}, "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { holdSocketGoes(t, (*house).call, c.go_, c.ends) })
		t.Run(name+", unheard", func(t *testing.T) { holdSocketGoes(t, (*house).start, c.go_, c.unheard) })
	}
}

// holdSocketGoes holds what becomes of the session of a socket that goes; "": it stays for
// the grace.
func holdSocketGoes(t *testing.T, begin func(*house, string) (*client, wire.Hello), leave func(*client), ends wire.EndCause) {
	t.Helper()
	h := open(t, roomy, mortal)
	cl, hello := begin(h, "a")
	began := time.Now()
	leave(cl)
	if ends != "" {
		if got := h.ended(hello.SessionID); got != ends {
			t.Errorf("ended %s", got)
		}
		return
	}
	h.state(hello.SessionID, wire.StateReconnecting)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("noticed after %v", took)
	}
	if live, _, _ := h.sessions.Capacity(); live != 1 {
		t.Errorf("%d places held", live)
	}
}

// TestWhoGaveUpBeforeBeingLetInHoldsNoPlace: a request that waited while the server stood
// still is answered when nobody is there to hear it.
func TestWhoGaveUpBeforeBeingLetInHoldsNoPlace(t *testing.T) {
	h := open(t, roomy, caps(1, 1))
	conn, err := net.Dial("tcp", h.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
		rest.PathSocket, h.server.Listener.Addr(), h.token("a"), wire.Subprotocol)
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	until(t, "it was let in, and is gone", func() bool {
		live, _, _ := h.sessions.Capacity()
		return live == 0 && h.seen.count(wire.StateEnded) == 1
	})
	h.start("a") // at once, with the only place
}

func TestGraceAndItsEnd(t *testing.T) {
	h := open(t, roomy, caps(1, 1), func(s *setup) { s.ReconnectGrace = 50 * time.Millisecond })
	c, hello := h.call("a")
	c.NetConn().Close()
	if got := h.ended(hello.SessionID); got != wire.ConnectionLost {
		t.Errorf("ended %s", got)
	}
	h.start("b") // the place is free
}

// A peer that vanished without a sign is off the list Silence after its last
// one, however long the grace.
func TestADeadPeerIsGoneInTime(t *testing.T) {
	h := open(t, roomy, mortal, func(s *setup) { s.Silence, s.ReconnectGrace = 600*time.Millisecond, time.Hour })
	_, hello := h.start("a") // and it never reads again
	if got := h.ended(hello.SessionID); got != wire.ConnectionLost {
		t.Errorf("ended %s", got)
	}
}

func TestASilentSocketIsClosed(t *testing.T) {
	h := open(t, roomy, func(s *setup) { s.OfferTimeout = 100 * time.Millisecond })
	c, _ := h.start("a")
	c.endsWith(wire.ProtocolError, wire.CloseProtocolError)
}

// A peer that answers pings stays, far beyond the time without a pong.
func TestPongsKeepASocket(t *testing.T) {
	h := open(t, roomy, mortal)
	c, hello := h.call("a")
	pings := make(chan struct{}, 100)
	answer := c.PingHandler()
	c.SetPingHandler(func(data string) error {
		select {
		case pings <- struct{}{}:
		default:
		}
		return answer(data)
	})
	go drainFrames(c)
	for range 50 { // a second of pings, and half of one without a pong is death
		<-pings
	}
	if got := h.seen.of(hello.SessionID).State; got != wire.StateActive {
		t.Errorf("state %s", got)
	}
}

// narrow gives connections that hold next to nothing on their way.
type narrow struct{ net.Listener }

func (n narrow) Accept() (net.Conn, error) {
	c, err := n.Listener.Accept()
	if err == nil {
		c.(*net.TCPConn).SetWriteBuffer(4 << 10)
	}
	return c, err
}

func TestASlowReaderIsEnded(t *testing.T) {
	for name, change := range map[string]func(*setup){
		"by the write deadline": func(s *setup) { s.Outbox = 10000; s.signaling.Limits.WriteTimeout = 300 * time.Millisecond },
		"by the full outbox":    func(s *setup) { s.Outbox = 4 },
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, roomy, change, func(s *setup) {
				s.listen = func(l net.Listener) net.Listener { return narrow{l} }
			})
			h.media.answer = string(make([]byte, wire.MaxSDP/8))
			d := &websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, network, addr)
				if err == nil {
					c.(*net.TCPConn).SetReadBuffer(4 << 10)
				}
				return c, err
			}}
			c, p := h.dialWith(d, map[string][]string{"Authorization": {"Bearer " + h.token("a")}}, "")
			if p != nil {
				t.Fatal(p)
			}
			id := read[wire.Hello](c).SessionID
			for h.seen.of(id).Cause == "" { // and never reads
				frame, _ := wire.Encode(wire.Offer{SDP: "x"})
				if c.WriteMessage(websocket.TextMessage, frame) != nil {
					break
				}
				time.Sleep(2 * time.Millisecond) // below the limit of frames
			}
			if got := h.ended(id); got != wire.SlowClient {
				t.Errorf("ended %s", got)
			}
			began := time.Now()
			if err := h.handler.Close(); err != nil || time.Since(began) > 5*time.Second {
				t.Errorf("the socket was there for another %v, %v", time.Since(began), err)
			}
			until(t, "closed legs", func() bool { h.media.mu.Lock(); defer h.media.mu.Unlock(); return h.media.closed == 1 })
		})
	}
}

// A peer that never answers the close frame does not hold the socket.
func TestThePeersHalfOfTheGoodbyeIsNotAwaitedForLong(t *testing.T) {
	h := open(t, roomy)
	_, hello := h.start("a")
	if err := h.sessions.End(hello.SessionID, wire.AdminEnded, ""); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- h.handler.Close() }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("the socket is still open")
	}
}

func TestCloseAndDrain(t *testing.T) {
	cases := map[string]struct {
		stop func(h *house) error
		last wire.Message // nil: none; the session outlives the socket
	}{
		"sessions first": {func(h *house) error { return errors.Join(h.sessions.Close(), h.handler.Close()) },
			wire.Ended{Cause: wire.ServerShutdown}},
		"sockets first": {func(h *house) error { return h.handler.Close() }, nil},
		"drain": {func(h *house) error {
			ctx, cancel := context.WithTimeout(h.t.Context(), 50*time.Millisecond)
			defer cancel()
			return h.sessions.Drain(ctx)
		}, wire.Ended{Cause: wire.ServerShutdown}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := open(t, roomy)
			cl, hello := h.start("a")
			done := make(chan error, 1)
			go func() { done <- c.stop(h) }()
			code, before := cl.closes()
			if code != wire.CloseServiceRestart {
				t.Errorf("closed with %d", code)
			}
			var last wire.Message
			if len(before) > 0 {
				last = before[len(before)-1]
			}
			if last != c.last {
				t.Errorf("before the close: %v", before)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			if c.last == nil {
				h.state(hello.SessionID, wire.StateReconnecting)
			}
			if _, p := h.tryDial("b", ""); p == nil {
				t.Error("opened after the end")
			}
		})
	}
}

// A thousand come and go, half of them without a word; nothing of them stays.
func TestChurnLeavesNothingBehind(t *testing.T) {
	const total, atOnce = 1000, 50
	h := open(t, roomy, caps(2*atOnce, 1), func(s *setup) { s.ReconnectGrace = time.Millisecond })
	count := func() (goroutines, files int) {
		runtime.GC()
		dir, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc here to count descriptors in")
		}
		return runtime.NumGoroutine(), len(dir)
	}
	goroutines, files := count()
	var wg sync.WaitGroup
	turns := make(chan struct{}, atOnce)
	for i := range total {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			c, _ := h.call(fmt.Sprint("user", i))
			if i%2 == 0 {
				c.say(wire.Bye{})
				c.closes()
			}
			c.NetConn().Close()
		})
	}
	wg.Wait()
	until(t, "every place free", func() bool { live, _, _ := h.sessions.Capacity(); return live == 0 })
	until(t, "goroutines and descriptors back", func() bool {
		g, f := count()
		return g <= goroutines+20 && f <= files+10
	})
}
