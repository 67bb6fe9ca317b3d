package signaling

import (
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/gorilla/websocket"

	"parley/server/session"
	"parley/shared/wire"
)

// write sends what the session says and pings the peer, until one of them is
// over. It is the only one to send messages.
func (s *socket) write() {
	ping := time.NewTicker(s.h.limits.PingInterval)
	defer ping.Stop()
	wait := time.NewTimer(s.h.limits.ResumeWait)
	defer wait.Stop()
	for ok := true; ok; {
		l := s.current()
		outbox, done := channels(l)
		select {
		case m := <-outbox:
			select {
			case s.written <- struct{}{}:
			default:
			}
			ok = s.send(m)
			s.countRefusal(m)
		case m := <-s.replies:
			ok = s.send(m)
		case <-ping.C:
			ok = s.ping()
		case <-wait.C:
			s.ensureLink()
		case <-s.linked:
		case <-done:
			if ok = l != s.current(); !ok { // else it resumed another
				s.finish(l)
			}
		case <-s.stop:
			s.finish(l)
			return
		case <-s.h.stopping:
			s.refuse(wire.CloseServiceRestart, string(wire.ServerShutdown), "")
			s.finish(l)
			return
		case <-s.gone:
			return
		}
	}
}

// channels of a link; without one they never say anything.
func channels(l *session.Link) (<-chan wire.Message, <-chan struct{}) {
	if l == nil {
		return nil, nil
	}
	return l.Outbox(), l.Context().Done()
}

// send writes one message. A peer that takes nothing for WriteTimeout ends its
// session.
func (s *socket) send(m wire.Message) bool {
	return s.handleWriteError(s.writeBy(m, time.Now().Add(s.h.limits.WriteTimeout)))
}

// countRefusal counts an offer that the session refused like a frame that was: it
// takes a session longer to refuse one than a caller to make it up.
func (s *socket) countRefusal(m wire.Message) {
	if e, ok := m.(wire.Error); ok && e.Code == wire.ErrBadOffer && !s.bad.Allow() {
		s.closeForViolation(wire.ClosePolicyViolation, "too many bad offers")
	}
}

func (s *socket) ping() bool {
	return s.handleWriteError(s.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(s.h.limits.WriteTimeout)))
}

func (s *socket) writeBy(m wire.Message, by time.Time) error {
	frame, err := wire.Encode(m)
	if err != nil { // ours to mend: the caller can do nothing about it
		s.h.cfg.Logger.Error("message not sent", slog.String("event", string(m.Type())))
		return nil
	}
	if err := s.conn.SetWriteDeadline(by); err != nil {
		return err
	}
	return s.conn.WriteMessage(websocket.TextMessage, frame)
}

// handleWriteError looks at the error of a write. After one the connection is of no use
// (a frame may be half written), and the reader has to notice.
func (s *socket) handleWriteError(err error) bool {
	if err == nil {
		return true
	}
	var timeout net.Error
	if l := s.current(); l != nil && errors.As(err, &timeout) && timeout.Timeout() {
		l.End(wire.SlowClient)
	}
	_ = s.conn.Close()
	return false
}

// finish sends what is left, the end, and the close frame. All of it may take
// CloseWait.
func (s *socket) finish(l *session.Link) {
	by := time.Now().Add(s.h.limits.CloseWait)
	s.mu.Lock()
	code, reason := s.code, s.reason
	s.mu.Unlock()
	var end *session.End
	if l != nil {
		end, _ = isOver(l)
	}
	if end == nil && code == 0 {
		return // the peer left; there is nobody to tell
	}
	if end == nil || end.Cause != wire.SlowClient {
		s.flush(l, by)
	}
	if end != nil {
		_ = s.writeBy(wire.Ended{Cause: end.Cause, Message: end.Message()}, by)
	}
	if code == 0 {
		code, reason = end.Cause.CloseCode(), string(end.Cause)
	}
	s.close(code, reason)
}

// flush sends what waits and nothing that comes after.
func (s *socket) flush(l *session.Link, by time.Time) {
	outbox, _ := channels(l)
	for {
		select {
		case m := <-s.replies:
			if s.writeBy(m, by) != nil {
				return
			}
			continue
		default:
		}
		select {
		case m := <-outbox:
			if s.writeBy(m, by) != nil {
				return
			}
		default:
			return
		}
	}
}

// close sends the close frame; the reader then has CloseWait for the peer's.
func (s *socket) close(code wire.CloseCode, reason string) {
	by := time.Now().Add(s.h.limits.CloseWait)
	s.mu.Lock()
	s.closing = true
	_ = s.conn.SetReadDeadline(by)
	s.mu.Unlock()
	_ = s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(int(code), reason), by)
}
