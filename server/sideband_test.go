package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"parley/server/agent/double"
	"parley/shared/rest"
	"parley/shared/wire"
)

// A backend of the operator's steers a call of a caller's through the whole server, and
// is let go of when the call is over; its token is left nowhere.
func TestABackendSteersACall(t *testing.T) {
	t.Parallel()
	const token = "a-backends-token-of-40-characters-or-more"
	s := newService(t, double.Config{}, "sideband: {token_file: sideband.token, allow: [response.create]}")
	if err := os.WriteFile(filepath.Join(filepath.Dir(s.file), "sideband.token"), []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "--agents="+s.file)
	k, events := p.ringEvents(t, "ann", "polly")
	eventually(t, "the session is told", func() bool { return events.has("session.created") })
	dial := func(call, token string) (*websocket.Conn, error) {
		address := "ws" + strings.TrimPrefix(p.base, "http") + rest.PathSideband + "?call_id=" + call
		conn, answer, err := websocket.DefaultDialer.Dial(address, http.Header{"Authorization": {"Bearer " + token}})
		if err != nil && answer != nil {
			return nil, errors.New(answer.Status)
		}
		return conn, err
	}
	call := "rtc_" + strings.TrimPrefix(k.session(), "sess_")
	for name, test := range map[string]struct{ call, token, status string }{
		"a caller's token": {call, p.token(t, "ann"), "401"},
		"another call":     {"rtc_other", token, "404"},
	} {
		if _, err := dial(test.call, test.token); err == nil || !strings.HasPrefix(err.Error(), test.status) {
			t.Errorf("%s: %v", name, err)
		}
	}
	conn, err := dial(call, token)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, text, err := conn.ReadMessage(); err != nil || !strings.Contains(string(text), servicePrompt) {
		t.Errorf("told first %s, %v", text, err)
	}
	if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"response.create"}`)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the agent speaks", func() bool { return sawAgent(stateEvents(k), wire.AgentSpeaking) })
	p.ask(t, "demo-admin", http.MethodPost, "/api/v1/monitoring/sessions/"+k.session()+"/end", rest.EndRequest{Reason: "enough"}, nil)
	for err == nil {
		_, _, err = conn.ReadMessage()
	}
	if !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Errorf("the backend's connection ended by %v", err)
	}
	p.stop()
	p.finished(t)
	p.holdsNone(t, token, servicePrompt)
}
