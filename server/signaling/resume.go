package signaling

import (
	"context"
	"errors"

	"github.com/gorilla/websocket"

	"parley/server/admission"
	"parley/server/session"
	"parley/shared/wire"
)

// A caller whose place is still held can't say so in the URL: ids and tokens
// never stand there. So a socket of a caller with a session that waits opens
// without a place; its first message resumes that session, or anything else (or
// silence) asks for a place of its own.

// resume links the socket to the session it names. A place taken at the
// upgrade, because no session was known to wait, is given back.
func (s *socket) resume(m wire.Resume, first bool) *wire.Error {
	if !first {
		return &wire.Error{Code: wire.ErrOutOfOrder, Field: "type"}
	}
	s.entering.Lock()
	defer s.entering.Unlock()
	kept, err := s.h.cfg.Sessions.Resume(s.caller, m.SessionID, m.ResumeToken)
	if err != nil {
		return s.forward(m)
	}
	fresh := s.current()
	if s.attach(kept) != nil {
		return &wire.Error{Code: wire.ErrUnknownResume}
	}
	if fresh != nil && fresh.Session() != kept {
		fresh.End(wire.Replaced)
	}
	return nil
}

// ensureLink gives the socket's link, taking a place if it has none yet. Without
// one the socket is refused.
func (s *socket) ensureLink() *session.Link {
	s.entering.Lock()
	defer s.entering.Unlock()
	if l := s.current(); l != nil || s.isRefused() || s.isForwarded() {
		return l
	}
	place, err := s.h.cfg.Sessions.Admit(s.caller)
	if err != nil {
		refused := admission.RefusalOf(err)
		code := wire.CloseTryAgainLater
		if refused.Code == session.Draining {
			code = wire.CloseServiceRestart
		}
		s.refuse(code, string(refused.Code), "")
		return nil
	}
	s.attachPlace(place)
	return s.current()
}

// attachPlace attaches the socket to its own new place. The session may have ended
// just now: then that is why the socket is closed.
func (s *socket) attachPlace(place *session.Session) {
	err := s.attach(place)
	if end := (*session.End)(nil); errors.As(err, &end) {
		s.refuse(end.Cause.CloseCode(), string(end.Cause), "")
	}
}

// isSilent says whether one of the user's sockets does not answer: its session
// may be what the caller comes back for.
func (h *Handler) isSilent(ctx context.Context, account string) bool {
	ctx, cancel := context.WithTimeout(ctx, h.limits.ProbeWait)
	defer cancel()
	sockets := h.socketsOf(account)
	answers := make(chan bool, len(sockets))
	for _, s := range sockets {
		h.serving.Go(func() { answers <- s.isAnsweringPing(ctx) })
	}
	for range sockets {
		if !<-answers {
			return true
		}
	}
	return false
}

// isAnsweringPing pings the peer and waits for any sign of it.
func (s *socket) isAnsweringPing(ctx context.Context) bool {
	heard := s.nextSign()
	by, _ := ctx.Deadline()
	if s.conn.WriteControl(websocket.PingMessage, nil, by) != nil {
		return false
	}
	select {
	case <-heard:
		return true
	case <-s.gone:
		return false
	case <-ctx.Done():
		return false
	}
}

// nextSign is closed with the peer's next sign.
func (s *socket) nextSign() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.heardC == nil {
		s.heardC = make(chan struct{})
	}
	return s.heardC
}
