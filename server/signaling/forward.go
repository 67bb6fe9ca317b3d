package signaling

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/websocket"

	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

// Elsewhere is what other nodes of a cluster hold. A caller who comes back for a call may
// come to any of them: what they say is passed on to the one that holds it, and media stays
// where it is.
type Elsewhere interface {
	// Holds reports whether another node holds a call that may be the caller's.
	Holds(c session.Caller) bool
	// HoldsOnRecord reports the same of the record: a call that began just now may not be
	// known otherwise.
	HoldsOnRecord(ctx context.Context, c session.Caller) bool
	// Dial opens a connection to the node that holds a session, for a caller who may be its
	// own. Where it can't, the session counts against the caller no more.
	Dial(ctx context.Context, sessionID string, c session.Caller) (net.Conn, error)
}

// forwardTimeout bounds opening a socket at another node.
const forwardTimeout = 5 * time.Second

// origin is what a socket was asked for with, to be asked for again at another node.
type origin struct {
	header http.Header
	host   string
	query  url.Values
}

// forwardedHeaders say who asks, from which page.
func forwardedHeaders() []string {
	return []string{"Authorization", "Cookie", "Origin", "User-Agent"}
}

func (h *Handler) originOf(r *http.Request) origin {
	o := origin{header: make(http.Header), host: r.Host, query: r.URL.Query()}
	for _, name := range forwardedHeaders() {
		if values := r.Header.Values(name); len(values) > 0 {
			o.header[name] = values
		}
	}
	o.header.Set("Host", r.Host)
	o.header.Del(headerSecure)
	if h.cfg.IsSecure(r) {
		o.header.Set(headerSecure, "1")
	}
	return o
}

// headerSecure says, between nodes, that the caller came by HTTPS.
const headerSecure = "Parley-Secure"

// FromNodes has handler answer what other nodes pass on, as if the caller had come here.
func FromNodes(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(headerSecure) != "" {
			r.TLS = new(tls.ConnectionState)
		}
		handler.ServeHTTP(w, r)
	})
}

// forward passes the socket on to the node that holds the session it names.
func (s *socket) forward(m wire.Resume) *wire.Error {
	if s.h.cfg.Elsewhere == nil {
		return &wire.Error{Code: wire.ErrUnknownResume}
	}
	far, err := s.dial(m.SessionID)
	if err == nil {
		err = writeMessage(far, m)
	}
	if err != nil {
		s.h.cfg.Logger.Info("a caller came back to another node than that of the call, which can't be reached", "event", "forward", "session", m.SessionID, "err", err)
		return &wire.Error{Code: wire.ErrUnknownResume}
	}
	s.mu.Lock()
	fresh := s.link
	s.far, s.link = far, nil
	s.mu.Unlock()
	if fresh != nil {
		fresh.End(wire.Replaced)
	}
	s.forwarding.Go(func() { s.readFar(far) })
	return nil
}

func (s *socket) dial(sessionID string) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), forwardTimeout)
	defer cancel()
	dialer := websocket.Dialer{
		Subprotocols: []string{wire.Subprotocol}, HandshakeTimeout: forwardTimeout,
		NetDialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return s.h.cfg.Elsewhere.Dial(ctx, sessionID, s.caller)
		},
	}
	to := url.URL{Scheme: "ws", Host: s.origin.host, Path: rest.PathSocket, RawQuery: s.origin.query.Encode()}
	far, answer, err := dialer.DialContext(ctx, to.String(), s.origin.header)
	if answer != nil && answer.Body != nil {
		_ = answer.Body.Close()
	}
	return far, err
}

func writeMessage(to *websocket.Conn, m wire.Message) error {
	frame, err := wire.Encode(m)
	if err != nil {
		return err
	}
	return to.WriteMessage(websocket.TextMessage, frame)
}

// passOn gives a frame to the node that the socket was passed on to; false: it was not.
func (s *socket) passOn(frame []byte) bool {
	s.mu.Lock()
	far := s.far
	s.mu.Unlock()
	if far == nil {
		return false
	}
	// What can't be written ends reading, too, and that is told.
	_ = far.WriteMessage(websocket.TextMessage, frame)
	return true
}

func (s *socket) isForwarded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.far != nil
}

// readFar gives the caller what the other node says, until one of them is over. A node that
// can't be heard any more is no end of the call: the caller comes back and asks again.
func (s *socket) readFar(far *websocket.Conn) {
	far.SetReadLimit(wire.MaxFrame)
	for {
		_, frame, err := far.ReadMessage()
		if err != nil {
			s.endForwarding(err)
			return
		}
		m, err := wire.DecodeServer(frame)
		if err != nil {
			continue // of another release
		}
		select {
		case s.replies <- m:
		case <-s.gone:
			return
		}
	}
}

func (s *socket) endForwarding(err error) {
	var closed *websocket.CloseError
	if errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure {
		s.refuse(wire.CloseCode(closed.Code), closed.Text, "")
		return
	}
	s.refuse(wire.CloseTryAgainLater, "the node of the call can't be reached", "")
}

// closeFar tells the other node what became of the caller: that they left, or that their
// connection broke.
func (s *socket) closeFar(err error) {
	s.mu.Lock()
	far := s.far
	s.mu.Unlock()
	if far == nil {
		return
	}
	if websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		_ = far.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(s.h.limits.CloseWait))
	}
	_ = far.Close()
}
