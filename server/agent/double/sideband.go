package double

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// sidebandWrite bounds one write to a backend.
const sidebandWrite = time.Second

// sideband has a backend see a call's events and send its own by a WebSocket.
func (s *Server) sideband(w http.ResponseWriter, r *http.Request, _ string) {
	c := s.find(r.URL.Query().Get("call_id"))
	if c == nil || c.IsOver() || c.faults.WithoutSideband {
		fail(w, http.StatusNotFound, "invalid_request_error", "call_id_not_found", "No session found for the provided call_id.")
		return
	}
	upgrader := websocket.Upgrader{Subprotocols: []string{"realtime"}, CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // answered
	}
	c.addSideband(conn)
	defer c.removeSideband(conn)
	for {
		_, text, err := conn.ReadMessage()
		if err != nil {
			return
		}
		select {
		case c.messages <- text:
		case <-c.ctx.Done():
			return
		}
	}
}

// addSideband tells a backend first what the session is.
func (c *Call) addSideband(conn *websocket.Conn) {
	created, _ := json.Marshal(map[string]any{"type": "session.created", "event_id": newID("event"), "session": c.Session()})
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sidebands == nil {
		c.sidebands = map[*websocket.Conn]struct{}{}
	}
	c.sidebands[conn] = struct{}{}
	writeSideband(conn, created)
}

// Sidebands returns how many backends are joined to the call.
func (c *Call) Sidebands() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sidebands)
}

func (c *Call) removeSideband(conn *websocket.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sidebands, conn)
	_ = conn.Close() // there is nothing left to lose
}

func (c *Call) tellSidebands(text []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.sidebands {
		writeSideband(conn, text)
	}
}

// writeSideband writes to a backend; one that takes nothing is closed, which its reader
// notices.
func writeSideband(conn *websocket.Conn, text []byte) {
	_ = conn.SetWriteDeadline(time.Now().Add(sidebandWrite)) // its only error is that of the write
	if conn.WriteMessage(websocket.TextMessage, text) != nil {
		_ = conn.Close()
	}
}

// CloseSidebands ends the connections of all backends. The end of a call does it, too.
func (c *Call) CloseSidebands() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.sidebands {
		_ = conn.Close()
	}
}
