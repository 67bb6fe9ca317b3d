package callapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"parley/server/fault"
)

// backend is what the handler joined to a session.
type backend struct {
	ctx            context.Context
	session, token string
	write          func([]byte) error
	ended          func()

	mu   sync.Mutex
	said []string
}

func (b *backend) handle(text []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said = append(b.said, string(text))
}

func (b *backend) heard() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.said)
}

func (r *rig) steer(ctx context.Context, session, token string, write func([]byte) error, ended func()) (func([]byte), error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.steerErr != nil {
		return nil, r.steerErr
	}
	b := &backend{ctx: ctx, session: session, token: token, write: write, ended: ended}
	r.backends = append(r.backends, b)
	return b.handle, write([]byte(`{"type":"session.created"}`))
}

func (r *rig) failSteering(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steerErr = err
}

// serve listens for real connections until the test is over.
func (r *rig) serve() string {
	server := httptest.NewServer(r.handler)
	r.t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http")
}

// dialLikeWS connects as npm's ws, under OpenAI's SDK, does.
func dialLikeWS(t *testing.T, address, token string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	dialer := websocket.Dialer{EnableCompression: true, HandshakeTimeout: patience} // ws offers permessage-deflate
	conn, answer, err := dialer.Dial(address, http.Header{"Authorization": {"Bearer " + token}, "X-OpenAI-Agents-SDK": {"openai-agents-js/0.20.0"}})
	if conn != nil {
		t.Cleanup(func() { conn.Close() })
	}
	return conn, answer, err
}

func next(t *testing.T, conn *websocket.Conn) string {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	_, text, err := conn.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A backend sees what the call says to it and is heard, until the call is over.
func TestASideband(t *testing.T) {
	r := newRig(t, nil)
	conn, _, err := dialLikeWS(t, r.serve()+"/v1/realtime?call_id=rtc_abc", "service")
	if err != nil {
		t.Fatal(err)
	}
	if got := next(t, conn); got != `{"type":"session.created"}` {
		t.Errorf("told first %s", got)
	}
	b := r.backends[0]
	if b.session != "sess_abc" || b.token != "service" {
		t.Errorf("joined to %s with %s", b.session, b.token)
	}
	for _, text := range []string{`{"type":"session.update"}`, `{"type":"response.create"}`} {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "both are heard", func() bool { return len(b.heard()) == 2 })
	if b.heard()[0] != `{"type":"session.update"}` {
		t.Errorf("heard %q", b.heard())
	}
	if err := b.write([]byte(`{"type":"response.done"}`)); err != nil {
		t.Fatal(err)
	}
	b.ended()
	if got := next(t, conn); got != `{"type":"response.done"}` {
		t.Errorf("before the end %s", got)
	}
	if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Errorf("ended by %v", err)
	}
	<-b.ctx.Done()
}

// A backend that goes, says too much at once or takes nothing is let go of.
func TestABackendThatGoes(t *testing.T) {
	for name, do := range map[string]func(*testing.T, *websocket.Conn, *backend){
		"it closes": func(_ *testing.T, conn *websocket.Conn, _ *backend) { conn.Close() },
		"it says too much": func(t *testing.T, conn *websocket.Conn, _ *backend) {
			if err := conn.WriteMessage(websocket.TextMessage, make([]byte, 256<<10+1)); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			conn, _, err := dialLikeWS(t, r.serve()+"/v1/realtime?call_id=rtc_abc", "service")
			if err != nil {
				t.Fatal(err)
			}
			do(t, conn, r.backends[0])
			select {
			case <-r.backends[0].ctx.Done():
			case <-time.After(patience):
				t.Error("it is still joined")
			}
		})
	}
	t.Run("it takes nothing", func(t *testing.T) {
		r := newRig(t, nil)
		if _, _, err := dialLikeWS(t, r.serve()+"/v1/realtime?call_id=rtc_abc", "service"); err != nil {
			t.Fatal(err)
		}
		event := []byte(strings.Repeat("x", 64<<10))
		for range 5000 { // more than any socket's buffers and the outbox hold
			if err := r.backends[0].write(event); err != nil {
				r.backends[0].ended()
				return
			}
		}
		t.Error("what nobody takes is kept without end")
	})
}

// Who may not steer is told why, in OpenAI's words.
func TestASidebandThatIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		path, token string
		err         error
		status      int
		code        string
	}{
		"no token":                {"?call_id=rtc_a", "", nil, 401, "invalid_api_key"},
		"a token of nobody":       {"?call_id=rtc_a", "x", errors.New("no sideband's token"), 401, "invalid_api_key"},
		"no such call":            {"?call_id=rtc_a", "x", fmt.Errorf("x: %w", fault.NotFound), 404, "call_id_not_found"},
		"one too many":            {"?call_id=rtc_a", "x", fmt.Errorf("x: %w", fault.Conflict), 429, "rate_limit_exceeded"},
		"no call named":           {"?model=gpt-realtime", "x", nil, 400, "invalid_value"},
		"a call named by nothing": {"?call_id=", "x", nil, 400, "invalid_value"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			r.failSteering(test.err)
			header := http.Header{}
			if test.token != "" {
				header.Set("Authorization", "Bearer "+test.token)
			}
			_, answer, err := websocket.DefaultDialer.Dial(r.serve()+"/v1/realtime"+test.path, header)
			if err == nil || answer == nil {
				t.Fatalf("joined, %v", err)
			}
			body := make([]byte, 1024)
			n, _ := answer.Body.Read(body)
			if answer.StatusCode != test.status || !strings.Contains(string(body[:n]), `"`+test.code+`"`) {
				t.Errorf("%d %s", answer.StatusCode, body[:n])
			}
		})
	}
	t.Run("no WebSocket", func(t *testing.T) {
		r := newRig(t, nil)
		if w := r.do(request{method: "GET", path: "/v1/realtime?call_id=rtc_a", bearer: "x"}); w.Code != 400 || len(r.backends) != 0 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
	t.Run("too many tries", func(t *testing.T) {
		r := newRig(t, nil)
		r.failSteering(errors.New("no sideband's token"))
		var last int
		for range 61 {
			last = r.do(request{method: "GET", path: "/v1/realtime?call_id=rtc_a", bearer: "x"}).Code
		}
		if last != 429 {
			t.Errorf("the 61st is answered %d", last)
		}
	})
}
