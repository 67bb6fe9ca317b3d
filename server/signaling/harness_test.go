package signaling_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"parley/server/admission"
	"parley/server/auth"
	"parley/server/session"
	"parley/server/signaling"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// script is Media and Legs at once: it answers every offer.
type script struct {
	answer string

	mu         sync.Mutex
	on         map[string]session.MediaEvents
	candidates []string
	closed     int
}

func (m *script) MaxDuration(session.Caller) time.Duration { return 0 }

func (m *script) Open(_ context.Context, id string, _ session.Caller, on session.MediaEvents) (session.Legs, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.on[id] = on
	return m, nil
}

func (m *script) Offer(_ context.Context, sdp string) (string, error) {
	if sdp == "bad" {
		return "", session.ErrBadOffer
	}
	return m.answer, nil
}

func (m *script) AddCandidate(c wire.CandidateInit) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.candidates = append(m.candidates, c.Candidate)
	return nil
}

func (m *script) DeliverMessage(context.Context, []byte) error { return nil }

func (m *script) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed++
}

func (m *script) events(id string) session.MediaEvents {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.on[id]
}

// witness keeps the newest snapshot of each session and all samples.
type witness struct {
	mu      sync.Mutex
	newest  map[string]session.Snapshot
	samples []session.Observation
}

func (w *witness) SessionChanged(s session.Snapshot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.newest[s.ID] = s
}

func (w *witness) SessionSampled(_ string, o session.Observation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.samples = append(w.samples, o)
}

func (w *witness) of(id string) session.Snapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.newest[id]
}

// count is how many sessions are in a state.
func (w *witness) count(state wire.SessionState) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.newest {
		if s.State == state {
			n++
		}
	}
	return n
}

func (w *witness) sampled() []session.Observation {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]session.Observation(nil), w.samples...)
}

// setup is what a test may change before the house stands.
type setup struct {
	session.Config
	signaling signaling.Config
	checks    admission.Config
	listen    func(net.Listener) net.Listener
}

// house is real sockets, tokens and sessions; only media is scripted.
type house struct {
	t        *testing.T
	auth     *auth.Auth
	sessions *session.Sessions
	handler  *signaling.Handler
	server   *httptest.Server
	media    *script
	seen     *witness
}

// roomy leaves out the limits on how often; what is not named is the default.
func roomy(s *setup) {
	s.signaling.Limits.FrameRate, s.signaling.Limits.FrameBurst = 1000, 1000
	s.checks.Starts = 1000
}

// unhurried leaves a client that is refused all the time it may need to send the rest on
// a busy machine, before it reads why.
func unhurried(s *setup) { s.signaling.Limits.CloseWait = patience }

// mortal takes a peer for dead as soon as a test can wait for.
func mortal(s *setup) {
	s.signaling.Limits.PingInterval = 20 * time.Millisecond
	s.signaling.Limits.PongTimeout = 500 * time.Millisecond
}

// patient gives a peer that is there all the time it may need on a busy machine.
func patient(s *setup) { s.signaling.Limits.ProbeWait = patience }

func open(t *testing.T, changes ...func(*setup)) *house {
	t.Helper()
	h := &house{
		t: t, media: &script{answer: "v=0", on: make(map[string]session.MediaEvents)},
		seen: &witness{newest: make(map[string]session.Snapshot)},
	}
	secret := make([]byte, 48)
	rand.Read(secret)
	var err error
	if h.auth, err = auth.New(auth.Config{Secret: secret}); err != nil {
		t.Fatal(err)
	}
	s := setup{Config: session.Config{
		Media: h.media, Observer: h.seen, DefaultAgent: "parrot",
		Settings: session.Settings{IdleTimeout: time.Hour, IdleWarning: time.Minute, MaxSessions: 100, MaxPerUser: 1},
	}}
	for _, change := range changes {
		change(&s)
	}
	h.sessions = session.New(s.Config)
	if s.signaling.Auth == nil {
		s.signaling.Auth = h.auth
	}
	s.signaling.Sessions, s.signaling.Refuse = h.sessions, refuse
	s.signaling.Checks = admission.NewChecks(s.checks)
	s.signaling.HasAgent = func(agent, _, _ string) bool { return slices.Contains([]string{"", "parrot", "echo"}, agent) }
	h.handler = signaling.New(s.signaling)
	h.server = httptest.NewUnstartedServer(h.handler)
	if s.listen != nil {
		h.server.Listener = s.listen(h.server.Listener)
	}
	h.server.Start()
	t.Cleanup(h.close)
	return h
}

func (h *house) close() {
	if err := errors.Join(h.sessions.Close(), h.handler.Close()); err != nil {
		h.t.Error(err)
	}
	h.server.Close()
	if live, _, _ := h.sessions.Capacity(); live != 0 {
		h.t.Errorf("%d sessions live in the end", live)
	}
}

func refuse(w http.ResponseWriter, _ *http.Request, p rest.Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}

func (h *house) token(user string) string {
	h.t.Helper()
	token, err := h.auth.Mint(auth.Claims{Subject: user}, time.Hour)
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

// url of the socket, with a query.
func (h *house) url(query string) string {
	return "ws" + strings.TrimPrefix(h.server.URL, "http") + rest.PathSocket + query
}

// client is a caller's end of the socket.
type client struct {
	t *testing.T
	*websocket.Conn
}

// tryDial opens a socket, or gives the problem it was refused with.
func (h *house) tryDial(user, query string) (*client, *rest.Problem) {
	h.t.Helper()
	return h.dialWith(&websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, HandshakeTimeout: patience},
		http.Header{"Authorization": {"Bearer " + h.token(user)}}, query)
}

func (h *house) dialWith(d *websocket.Dialer, header http.Header, query string) (*client, *rest.Problem) {
	h.t.Helper()
	conn, answer, err := d.Dial(h.url(query), header)
	if answer != nil && answer.Body != nil {
		defer answer.Body.Close()
	}
	if err == nil {
		h.t.Cleanup(func() { conn.Close() })
		return &client{h.t, conn}, nil
	}
	if answer == nil {
		h.t.Fatalf("dial: %v", err)
	}
	var p rest.Problem
	if err := json.NewDecoder(answer.Body).Decode(&p); err != nil {
		h.t.Fatalf("status %d without a problem: %v", answer.StatusCode, err)
	}
	if p.Status != answer.StatusCode {
		h.t.Errorf("status %d, in the problem %d", answer.StatusCode, p.Status)
	}
	if after := answer.Header.Get("Retry-After"); (after == "") != (p.RetryAfterS == 0) {
		h.t.Errorf("Retry-After %q, in the problem %d", after, p.RetryAfterS)
	}
	return nil, &p
}

func (h *house) dial(user string) *client {
	h.t.Helper()
	c, p := h.tryDial(user, "")
	if p != nil {
		h.t.Fatalf("refused: %v", p)
	}
	return c
}

// start opens a socket and takes its hello.
func (h *house) start(user string) (*client, wire.Hello) {
	h.t.Helper()
	c := h.dial(user)
	return c, read[wire.Hello](c)
}

// call brings a call up to where media flows.
func (h *house) call(user string) (*client, wire.Hello) {
	h.t.Helper()
	c, hello := h.start(user)
	c.say(wire.Offer{SDP: "v=0"})
	read[wire.Answer](c)
	h.media.events(hello.SessionID).ConnectionState(rtcstats.StateConnected, time.Now())
	return c, hello
}

func (c *client) say(m wire.Message) {
	c.t.Helper()
	frame, err := wire.Encode(m)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(websocket.TextMessage, frame)
}

func (c *client) write(kind int, frame []byte) {
	c.t.Helper()
	if err := c.WriteMessage(kind, frame); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

// next reads one message, or the error that the socket closed with.
func (c *client) next() (wire.Message, error) {
	c.t.Helper()
	c.SetReadDeadline(time.Now().Add(patience))
	kind, frame, err := c.ReadMessage()
	if err != nil {
		return nil, err
	}
	if kind != websocket.TextMessage {
		c.t.Fatalf("a frame of kind %d", kind)
	}
	m, err := wire.DecodeServer(frame)
	if err != nil {
		c.t.Fatalf("%s: %v", frame, err)
	}
	return m, nil
}

// read gives the next message of a type, leaving out states in between.
func read[M wire.Message](c *client) M {
	c.t.Helper()
	for {
		m, err := c.next()
		if err != nil {
			var want M
			c.t.Fatalf("waiting for %s: %v", want.Type(), err)
		}
		if m, ok := m.(M); ok {
			return m
		}
		if m.Type() != wire.TypeState {
			c.t.Fatalf("got %#v", m)
		}
	}
}

// closes reads until the socket closes, and gives the code and what came before.
func (c *client) closes() (code wire.CloseCode, before []wire.Message) {
	c.t.Helper()
	for {
		m, err := c.next()
		var closed *websocket.CloseError
		switch {
		case err == nil:
			before = append(before, m)
		case errors.As(err, &closed):
			return wire.CloseCode(closed.Code), before
		default:
			c.t.Fatalf("no close frame: %v", err)
		}
	}
}

// endsWith asserts that the session ends for a cause and the socket closes with
// a code.
func (c *client) endsWith(cause wire.EndCause, code wire.CloseCode) {
	c.t.Helper()
	got, before := c.closes()
	if got != code {
		c.t.Errorf("closed with %d, want %d", got, code)
	}
	if len(before) == 0 || before[len(before)-1] != (wire.Ended{Cause: cause}) {
		c.t.Errorf("before the close: %v, want ended %s", before, cause)
	}
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(time.Millisecond) // between two looks at a condition
	}
}

// ended waits until a session has ended, and gives why.
func (h *house) ended(id string) wire.EndCause {
	h.t.Helper()
	until(h.t, "end of the session", func() bool { return h.seen.of(id).State == wire.StateEnded })
	return h.seen.of(id).Cause
}

// state waits for a state of a session.
func (h *house) state(id string, want wire.SessionState) {
	h.t.Helper()
	until(h.t, string(want), func() bool { return h.seen.of(id).State == want })
}
