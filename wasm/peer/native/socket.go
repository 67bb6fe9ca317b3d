//go:build !js

package native

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// writeTimeout bounds one write: a server that takes nothing for so long is gone.
const writeTimeout = 10 * time.Second

// Socket is a WebSocket of gorilla's. It implements peer.Socket.
type Socket struct {
	conn *websocket.Conn
	once sync.Once
}

// Dial opens a signaling socket. A refusal of the server's is a *rest.Problem.
func Dial(ctx context.Context, address string, header http.Header) (*Socket, error) {
	dialer := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}
	conn, res, err := dialer.DialContext(ctx, address, header)
	if err != nil {
		return nil, fmt.Errorf("native: dial: %w", refusal(res, err))
	}
	if conn.Subprotocol() != wire.Subprotocol {
		_ = conn.Close() // the reason below says more
		return nil, errors.New("native: dial: the server doesn't speak " + wire.Subprotocol)
	}
	conn.SetReadLimit(wire.MaxFrame)
	return &Socket{conn: conn}, nil
}

func refusal(res *http.Response, err error) error {
	if res == nil {
		return err
	}
	defer res.Body.Close()
	body, readErr := io.ReadAll(io.LimitReader(res.Body, rest.MaxBody))
	problem := &rest.Problem{}
	if readErr != nil || json.Unmarshal(body, problem) != nil || problem.Code == "" {
		return err
	}
	return problem
}

// Send implements peer.Socket.
func (s *Socket) Send(ctx context.Context, frame []byte) error {
	by := time.Now().Add(writeTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(by) {
		by = d
	}
	if err := s.conn.SetWriteDeadline(by); err != nil {
		return fmt.Errorf("native: send: %w", err)
	}
	stop := context.AfterFunc(ctx, s.Cut)
	defer stop()
	if err := s.conn.WriteMessage(websocket.TextMessage, frame); err != nil {
		return fmt.Errorf("native: send: %w", err)
	}
	return nil
}

// Receive implements peer.Socket.
func (s *Socket) Receive(ctx context.Context) ([]byte, error) {
	stop := context.AfterFunc(ctx, s.Cut)
	defer stop()
	kind, frame, err := s.conn.ReadMessage()
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &closed):
		return nil, &peer.CloseError{Code: wire.CloseCode(closed.Code), Reason: closed.Text}
	case err != nil:
		return nil, fmt.Errorf("native: receive: %w", err)
	case kind != websocket.TextMessage:
		return nil, &peer.CloseError{Code: wire.CloseUnsupportedData, Reason: "not text"}
	}
	return frame, nil
}

// Close implements peer.Socket. It doesn't wait for the server's close frame.
func (s *Socket) Close(code wire.CloseCode) error {
	err := s.conn.WriteControl(websocket.CloseMessage,
		websocket.FormatCloseMessage(int(code), ""), time.Now().Add(writeTimeout))
	s.Cut()
	if err != nil && !errors.Is(err, websocket.ErrCloseSent) {
		return fmt.Errorf("native: close: %w", err)
	}
	return nil
}

// Cut closes the TCP connection and says nothing.
func (s *Socket) Cut() {
	s.once.Do(func() { _ = s.conn.Close() }) // it is given up either way
}
