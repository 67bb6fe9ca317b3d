package outbound_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"parley/server/outbound"
)

// newEcho is a WebSocket that sends back what it is sent, at /ws; /away sends elsewhere.
func newEcho(t *testing.T) (url string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/away", http.RedirectHandler("/ws", http.StatusFound))
	mux.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		conn, err := new(websocket.Upgrader).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.WriteMessage(websocket.BinaryMessage, []byte("no text"))
		for {
			kind, text, err := conn.ReadMessage()
			if err != nil || conn.WriteMessage(kind, append([]byte(r.Header.Get("Authorization")+" "), text...)) != nil {
				return
			}
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http")
}

func dial(ctx context.Context, allowPrivate bool, url string) (*outbound.Socket, error) {
	header := http.Header{"Authorization": {"Bearer k"}}
	return outbound.DialSocket(ctx, outbound.Addresses{AllowPrivate: allowPrivate, Setting: "x"}, url, header, 5*time.Second, 100)
}

func TestASocketCarriesTextUpToItsLimit(t *testing.T) {
	s, err := dial(t.Context(), true, newEcho(t)+"/ws")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, fill := range []int{1, 100 - len("Bearer k ")} {
		text := strings.Repeat("x", fill)
		if err := s.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Read(); err != nil || string(got) != "Bearer k "+text {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := s.Write([]byte(strings.Repeat("x", 101-len("Bearer k ")))); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Read(); err == nil {
		t.Errorf("a message beyond the limit: %q", got)
	}
}

func TestASocketTakesNoDetours(t *testing.T) {
	at := newEcho(t)
	var status outbound.StatusError
	for _, path := range []string{"/away?secret", "/nowhere?secret"} {
		if _, err := dial(t.Context(), true, at+path); !errors.As(err, &status) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := dial(t.Context(), false, at+"/ws?secret"); !errors.Is(err, outbound.ErrAddress) || strings.Contains(err.Error(), "secret") {
		t.Errorf("a private address: %v", err)
	}
}
