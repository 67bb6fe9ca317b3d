package outbound

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// socketWrite bounds one write to a service's WebSocket.
const socketWrite = 5 * time.Second

// Socket is a WebSocket to an endpoint that the operator names. One goroutine may read,
// and one write, at a time.
type Socket struct{ conn *websocket.Conn }

// StatusError is the HTTP status that an endpoint refuses a WebSocket with.
type StatusError int

func (e StatusError) Error() string { return fmt.Sprintf("HTTP %d", int(e)) }

// DialSocket opens a WebSocket, with no detours: no proxy, no redirect, no address that a
// doesn't allow. Messages may be up to maxMessage bytes. Its error holds no URL.
func DialSocket(ctx context.Context, a Addresses, url string, header http.Header, timeout time.Duration, maxMessage int64) (*Socket, error) {
	network := net.Dialer{Timeout: timeout, Control: a.Control}
	dialer := websocket.Dialer{NetDialContext: network.DialContext, HandshakeTimeout: timeout}
	conn, answer, err := dialer.DialContext(ctx, url, header)
	if err != nil {
		if answer != nil {
			return nil, StatusError(answer.StatusCode)
		}
		return nil, WithoutURL(err)
	}
	conn.SetReadLimit(maxMessage)
	return &Socket{conn}, nil
}

// Read returns the next message of text.
func (s *Socket) Read() ([]byte, error) {
	for {
		kind, text, err := s.conn.ReadMessage()
		if err != nil || kind == websocket.TextMessage {
			return text, err
		}
	}
}

// Write sends a message of text.
func (s *Socket) Write(text []byte) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(socketWrite)); err != nil {
		return err
	}
	return s.conn.WriteMessage(websocket.TextMessage, text)
}

// Close ends the connection, and a Read that waits.
func (s *Socket) Close() error { return s.conn.Close() }
