//go:build !js

package native_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/rtp"

	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
	"parley/wasm/peer/native"
)

// serve answers requests until the test ends.
func serve(t *testing.T, h http.HandlerFunc) (address string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// serveSocket opens sockets that speak a subprotocol, and leaves them to talk.
func serveSocket(t *testing.T, subprotocol string, talk func(*websocket.Conn)) (address string) {
	t.Helper()
	up := websocket.Upgrader{Subprotocols: []string{subprotocol}}
	return "ws" + strings.TrimPrefix(serve(t, func(w http.ResponseWriter, r *http.Request) {
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Errorf("upgrade: %v", err)
			return
		}
		defer conn.Close()
		talk(conn)
	}), "http")
}

// untilClosed reads until the other end is gone.
func untilClosed(c *websocket.Conn) {
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			return
		}
	}
}

func dial(t *testing.T, address string) *native.Socket {
	t.Helper()
	s, err := native.Dial(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Cut)
	return s
}

// A refusal is told as the server gave it; an answer that is no Parley's is an error of
// the dial, and never taken for a refusal.
func TestADialThatIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want rest.ProblemCode // "": no problem of the server
	}{
		"with a reason":           {`{"status":503,"code":"` + string(rest.CodeCapReached) + `"}`, rest.CodeCapReached},
		"by a page":               {`<html>Bad Gateway</html>`, ""},
		"by JSON without a code":  {`{"status":503}`, ""},
		"by nothing":              {``, ""},
		"by more than is read":    {strings.Repeat(" ", rest.MaxBody) + `{"code":"late"}`, ""},
		"by a reason at the edge": {`{"code":"edge"}` + strings.Repeat(" ", rest.MaxBody-len(`{"code":"edge"}`)), "edge"},
	} {
		t.Run(name, func(t *testing.T) {
			address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusServiceUnavailable)
				_, _ = w.Write([]byte(c.body))
			})
			_, err := native.Dial(t.Context(), "ws"+strings.TrimPrefix(address, "http"), nil)
			var problem *rest.Problem
			if err == nil || errors.As(err, &problem) != (c.want != "") {
				t.Fatalf("got %v", err)
			}
			if problem != nil && problem.Code != c.want {
				t.Errorf("refused by %q, want %q", problem.Code, c.want)
			}
		})
	}
}

func TestADialOfAnotherProtocol(t *testing.T) {
	closed := make(chan struct{})
	address := serveSocket(t, "other.v1", func(c *websocket.Conn) { untilClosed(c); close(closed) })
	if _, err := native.Dial(t.Context(), address, nil); err == nil || !strings.Contains(err.Error(), wire.Subprotocol) {
		t.Errorf("got %v, want an error that names %s", err, wire.Subprotocol)
	}
	receive(t, closed, "the socket is closed")
}

// receive waits for a channel, generously: machines are busy.
func receive[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s: not in time", what)
	}
	return v
}

// How a socket ended is read from what the server sent last.
func TestHowASocketEnds(t *testing.T) {
	for name, c := range map[string]struct {
		talk func(*websocket.Conn)
		code wire.CloseCode // 0: no close code is known
	}{
		"with a code": {func(c *websocket.Conn) {
			_ = c.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(int(wire.CloseAdminEnded), "maintenance"))
		}, wire.CloseAdminEnded},
		"by a frame that is no text": {func(c *websocket.Conn) {
			_ = c.WriteMessage(websocket.BinaryMessage, []byte{1})
			untilClosed(c)
		}, wire.CloseUnsupportedData},
		"by a frame that is too long": {func(c *websocket.Conn) {
			_ = c.WriteMessage(websocket.TextMessage, make([]byte, wire.MaxFrame+1))
			untilClosed(c)
		}, 0},
		"without a word": {func(c *websocket.Conn) { _ = c.NetConn().Close() }, websocket.CloseAbnormalClosure},
	} {
		t.Run(name, func(t *testing.T) {
			s := dial(t, serveSocket(t, wire.Subprotocol, c.talk))
			_, err := s.Receive(t.Context())
			var closed *peer.CloseError
			switch {
			case err == nil:
				t.Error("a frame is received")
			case errors.As(err, &closed) != (c.code != 0):
				t.Errorf("got %v", err)
			case closed != nil && closed.Code != c.code:
				t.Errorf("closed with %d, want %d", closed.Code, c.code)
			}
		})
	}
}

func TestTheLongestFrameIsReceived(t *testing.T) {
	s := dial(t, serveSocket(t, wire.Subprotocol, func(c *websocket.Conn) {
		_ = c.WriteMessage(websocket.TextMessage, make([]byte, wire.MaxFrame))
		untilClosed(c)
	}))
	if frame, err := s.Receive(t.Context()); err != nil || len(frame) != wire.MaxFrame {
		t.Errorf("%d bytes, %v", len(frame), err)
	}
}

// Who waits for a frame, or sends one, gives up with its context.
func TestASocketGivesUpWithItsContext(t *testing.T) {
	s := dial(t, serveSocket(t, wire.Subprotocol, untilClosed))
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() { _, err := s.Receive(ctx); failed <- err }()
	cancel()
	if err := receive(t, failed, "Receive"); err == nil {
		t.Error("a frame came of nobody")
	}
	if err := s.Send(t.Context(), []byte("{}")); err == nil {
		t.Error("a socket that was given up sends")
	}
	if err := dial(t, serveSocket(t, wire.Subprotocol, untilClosed)).Send(expired(t), []byte("{}")); err == nil {
		t.Error("a frame is sent after its time")
	}
}

func expired(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	t.Cleanup(cancel)
	return ctx
}

func TestClosingTellsTheCode(t *testing.T) {
	got := make(chan int, 1)
	s := dial(t, serveSocket(t, wire.Subprotocol, func(c *websocket.Conn) {
		_, _, err := c.ReadMessage()
		var closed *websocket.CloseError
		errors.As(err, &closed)
		got <- closed.Code
	}))
	if err := s.Close(wire.CloseReplaced); err != nil {
		t.Error(err)
	}
	if code := receive(t, got, "the close frame"); code != int(wire.CloseReplaced) {
		t.Errorf("closed with %d", code)
	}
	if err := s.Close(wire.CloseNormalClosure); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

// A session is ended by its own address and the caller's token; any answer but
// the documented one is an error.
func TestEndingASession(t *testing.T) {
	for status, isFine := range map[int]bool{
		http.StatusNoContent: true, http.StatusNotFound: false, http.StatusUnauthorized: false, http.StatusOK: false,
	} {
		var asked, token string
		address := serve(t, func(w http.ResponseWriter, r *http.Request) {
			asked, token = r.Method+" "+r.URL.EscapedPath(), r.Header.Get("Authorization")
			w.WriteHeader(status)
		})
		end := native.New(native.Config{Server: address, Token: "secret"}).Peer(func(peer.Event) {}).EndSession
		if err := end(t.Context(), "a/b"); (err == nil) != isFine {
			t.Errorf("%d: got %v", status, err)
		}
		if asked != "POST /api/v1/sessions/a%2Fb/end" || token != "Bearer secret" {
			t.Errorf("asked %q as %q", asked, token)
		}
	}
	nobody := httptest.NewServer(http.NotFoundHandler())
	nobody.Close()
	if err := native.New(native.Config{Server: nobody.URL}).Peer(func(peer.Event) {}).EndSession(t.Context(), "a"); err == nil {
		t.Error("a server that is gone ends a session")
	}
}

// Outside of a call nothing is sent, counted or cut.
func TestACallerWithoutACall(t *testing.T) {
	c := native.New(native.Config{})
	if err := c.Send(&rtp.Packet{}, native.Level{}); err == nil {
		t.Error("a packet is sent")
	}
	if err := c.SendEvent("{}"); err == nil {
		t.Error("an event is sent")
	}
	if got := c.Counts(); got != (native.Counts{}) {
		t.Errorf("counts %+v", got)
	}
	c.Cut()
}

// TestADrainingServerSendsCallersOn: who is refused by one that drains calls at once where
// it says, but never in the clear where the token came encrypted; and when that one is
// gone, asks the first again.
func TestADrainingServerSendsCallersOn(t *testing.T) {
	var refusals, greeted int
	var mu sync.Mutex
	count := func(of *int) {
		mu.Lock()
		defer mu.Unlock()
		*of++
	}
	open := serveSocket(t, wire.Subprotocol, func(*websocket.Conn) { count(&greeted) })
	draining := serve(t, func(w http.ResponseWriter, r *http.Request) {
		count(&refusals)
		w.WriteHeader(http.StatusServiceUnavailable)
		_ = json.NewEncoder(w).Encode(rest.Problem{Code: rest.CodeDraining, Nodes: []string{"ftp://x", "http://127.0.0.1:1", "http" + strings.TrimPrefix(open, "ws")}})
	})
	caller := native.New(native.Config{Server: draining, Token: "t"})
	socket, err := caller.Peer(func(peer.Event) {}).Dial(t.Context())
	if err != nil {
		t.Fatalf("nobody took the call: %v", err)
	}
	_, _ = socket.Receive(t.Context()) // its end: by then it was greeted
	mu.Lock()
	defer mu.Unlock()
	if refusals != 1 || greeted != 1 {
		t.Errorf("%d refusals, %d calls taken", refusals, greeted)
	}
}
