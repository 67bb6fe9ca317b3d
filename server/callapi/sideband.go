package callapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"parley/server/accesslog"
	"parley/server/admission"
	"parley/server/fault"
	"parley/shared/rest"
)

// Limits of a sideband.
const (
	// sidebandOutbox is how many events may wait for a backend: two seconds of the most
	// that an agent may send.
	sidebandOutbox = 1000
	// maxSidebandMessage is the largest that a backend may send: what a browser may.
	maxSidebandMessage = 256 << 10
	// sidebandPing is between WebSocket pings, sidebandTimeout how long a backend may
	// leave them unanswered; sidebandWrite is how long one write may take.
	sidebandPing, sidebandTimeout, sidebandWrite = 20 * time.Second, 40 * time.Second, 10 * time.Second
	// maxSidebandTries are connections an address may try in a minute.
	maxSidebandTries = 60
)

// newUpgrader takes the subprotocol that OpenAI's clients name; compression it doesn't.
func newUpgrader() websocket.Upgrader {
	return websocket.Upgrader{
		HandshakeTimeout: 5 * time.Second, // the answer is 200 bytes
		Subprotocols:     []string{"realtime"},
		CheckOrigin:      func(*http.Request) bool { return true }, // answering did
	}
}

// sideband joins a backend of the operator's to a call by a WebSocket.
func (h *Handler) sideband(w http.ResponseWriter, r *http.Request) *rest.Problem {
	if wait := h.sidebandTries.Take(h.cfg.Remote(r)); wait > 0 {
		return admission.Later(admission.Problem(http.StatusTooManyRequests, rest.CodeRateLimited), wait)
	}
	session, p := sidebandSession(r)
	if p != nil {
		return p
	}
	token, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !isBearer {
		return admission.Problem(http.StatusUnauthorized, rest.CodeUnauthorized)
	}
	if !websocket.IsWebSocketUpgrade(r) {
		p := admission.Problem(http.StatusBadRequest, rest.CodeMalformed)
		p.Detail = "Open this as a WebSocket"
		return p
	}
	if !h.begin() {
		return admission.Problem(http.StatusServiceUnavailable, rest.CodeDraining)
	}
	defer h.running.Done()
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	s := &sideband{cancel: cancel, outbox: make(chan []byte, sidebandOutbox)}
	handle, err := h.cfg.Steer(ctx, session, token, s.put, cancel)
	if err != nil {
		return steerProblem(err)
	}
	accesslog.LineOf(r.Context()).Session(session)
	upgrader := newUpgrader()
	upgrader.Error = func(w http.ResponseWriter, r *http.Request, status int, _ error) {
		h.cfg.Refuse(w, r, *admission.Problem(status, rest.CodeMalformed))
	}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return nil // answered, or the backend is gone
	}
	s.serve(ctx, conn, handle)
	return nil
}

// sidebandSession is the session that the query's call id names.
func sidebandSession(r *http.Request) (string, *rest.Problem) {
	id := r.URL.Query().Get(FieldCall)
	if id == "" {
		p := admission.FieldProblem(FieldCall)
		p.Detail = "Write the id of a call; sessions without one are not started here"
		return "", p
	}
	return "sess_" + strings.TrimPrefix(id, idPrefix), nil
}

// steerProblem says why a backend is not joined to a call.
func steerProblem(err error) *rest.Problem {
	switch {
	case errors.Is(err, fault.NotFound):
		return unknownCall()
	case errors.Is(err, fault.Conflict):
		return admission.Later(admission.Problem(http.StatusTooManyRequests, rest.CodeRateLimited), time.Second)
	}
	return admission.Problem(http.StatusUnauthorized, rest.CodeUnauthorized)
}

// sideband is one backend's connection.
type sideband struct {
	outbox chan []byte
	cancel func()
}

var errSlowBackend = errors.New("callapi: a backend takes too little")

// put has an event go to the backend. It doesn't wait.
func (s *sideband) put(text []byte) error {
	select {
	case s.outbox <- append([]byte(nil), text...):
		return nil
	default:
		return errSlowBackend
	}
}

// serve carries events both ways until the backend or the call is gone.
func (s *sideband) serve(ctx context.Context, conn *websocket.Conn, handle func([]byte)) {
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		defer s.cancel()
		s.read(conn, handle)
	}()
	s.write(ctx, conn)
	_ = conn.Close() // reading ends with it
	<-reading
}

func (s *sideband) read(conn *websocket.Conn, handle func([]byte)) {
	conn.SetReadLimit(maxSidebandMessage)
	heard := func(string) error { return conn.SetReadDeadline(time.Now().Add(sidebandTimeout)) }
	conn.SetPongHandler(heard)
	_ = heard("") // a connection that is gone says so when it is read
	for {
		kind, text, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if kind == websocket.TextMessage {
			handle(text)
		}
	}
}

// write sends events and pings; when ctx is done, what is left of them and a goodbye.
func (s *sideband) write(ctx context.Context, conn *websocket.Conn) {
	ping := time.NewTicker(sidebandPing)
	defer ping.Stop()
	send := func(text []byte) error {
		_ = conn.SetWriteDeadline(time.Now().Add(sidebandWrite)) // its only error is that of the write
		return conn.WriteMessage(websocket.TextMessage, text)
	}
	for {
		select {
		case text := <-s.outbox:
			if send(text) != nil {
				return
			}
		case <-ping.C:
			if conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(sidebandWrite)) != nil {
				return
			}
		case <-ctx.Done():
			for len(s.outbox) > 0 {
				if send(<-s.outbox) != nil {
					return
				}
			}
			bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
			_ = conn.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second)) // who is gone needs none
			return
		}
	}
}
