package signaling

import (
	"errors"
	"io"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"parley/shared/wire"
)

// setControlHandlers sets what happens on control frames, and the first deadline.
func (s *socket) setControlHandlers() {
	// The handlers give no error: it would end reading before the goodbye.
	s.conn.SetPongHandler(func(string) error {
		s.noteSign(true)
		s.takeFrameToken()
		return nil
	})
	s.conn.SetPingHandler(func(data string) error {
		s.noteSign(false)
		if s.takeFrameToken() {
			// A pong that can't be written now is one less; the writer's own
			// deadline notices a peer that takes nothing.
			_ = s.conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(s.h.limits.CloseWait))
		}
		return nil
	})
	s.extendReadDeadline(time.Now(), true)
}

// noteSign notes that the peer said something itself.
func (s *socket) noteSign(pong bool) {
	s.extendReadDeadline(time.Now(), pong)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hasSpoken = true
}

// extendReadDeadline notes a sign of the peer. A pong also moves the read deadline, but
// never past the time that the message under way has left, and not any more
// once the socket is closing.
func (s *socket) extendReadDeadline(now time.Time, pong bool) {
	if l := s.current(); l != nil {
		l.Heard(now)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = now
	if s.heardC != nil {
		close(s.heardC)
		s.heardC = nil
	}
	if !pong || s.closing {
		return
	}
	by := now.Add(s.h.limits.PongTimeout)
	if !s.messageBy.IsZero() && s.messageBy.Before(by) {
		by = s.messageBy
	}
	_ = s.conn.SetReadDeadline(by)
}

// takeFrameToken takes one frame from the bucket, or refuses the socket.
func (s *socket) takeFrameToken() bool {
	if s.isRefused() {
		return false
	}
	if s.frames.Allow() {
		return true
	}
	if l := s.current(); l != nil {
		l.Send(wire.Error{Code: wire.ErrRateLimited}) // where there is no room, the close code says the same
	}
	s.refuse(wire.CloseRateLimited, string(wire.RateLimited), wire.RateLimited)
	return false
}

// read takes frames until the socket is gone, and gives why. Once the socket is
// refused it only waits for the peer's half of the closing handshake.
func (s *socket) read() error {
	for {
		kind, r, err := s.conn.NextReader()
		if err != nil {
			return err
		}
		s.noteSign(false)
		if !s.takeFrameToken() {
			continue
		}
		if err := s.readMessage(kind, r); err != nil {
			return err
		}
	}
}

// readMessage reads one message and handles it. Its error is the connection's.
func (s *socket) readMessage(kind int, r io.Reader) error {
	if kind != websocket.TextMessage {
		s.closeForViolation(wire.CloseUnsupportedData, "text frames only")
		return nil
	}
	s.setMessageDeadline(time.Now().Add(s.h.limits.PongTimeout))
	frame, err := s.readAll(r)
	s.setMessageDeadline(time.Time{})
	switch {
	case err != nil:
		return err
	case len(frame) > wire.MaxFrame:
		s.closeForViolation(wire.CloseMessageTooBig, "64 KiB a frame")
	case !utf8.Valid(frame): // RFC 6455 §8.1; gorilla does not look
		s.closeForViolation(wire.CloseInvalidFramePayloadData, "not UTF-8")
	default:
		s.takeFrame(frame)
	}
	return nil
}

func (s *socket) setMessageDeadline(by time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messageBy = by
}

// readAll reads a message of at most one byte more than allowed, into the
// socket's own buffer.
func (s *socket) readAll(r io.Reader) ([]byte, error) {
	frame, limited := s.buf[:0], io.LimitReader(r, wire.MaxFrame+1)
	for {
		if len(frame) == cap(frame) {
			frame = append(frame, 0)[:len(frame)]
		}
		n, err := limited.Read(frame[len(frame):cap(frame)])
		frame = frame[:len(frame)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if s.buf = frame; cap(frame) > keepBuffer {
		s.buf = nil
	}
	return frame, nil
}

// closeForViolation refuses the socket for what no client of ours does.
func (s *socket) closeForViolation(code wire.CloseCode, reason string) {
	s.refuse(code, reason, wire.ProtocolError)
}
