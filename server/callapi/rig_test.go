package callapi_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/server/admission"
	"parley/server/api"
	"parley/server/auth"
	"parley/server/callapi"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what a test waits for.
const patience = 10 * time.Second

// legs is MediaOpener and Legs at once: it answers as the offer says.
type legs struct {
	mu        sync.Mutex
	on        map[string]session.MediaEvents
	callers   []session.Caller
	delivered []string
	closed    int
}

func (m *legs) MaxDuration(session.Caller) time.Duration { return 0 }

func (m *legs) Open(_ context.Context, id string, c session.Caller, on session.MediaEvents) (session.Legs, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.on[id], m.callers = on, append(m.callers, c)
	return m, nil
}

func (m *legs) Offer(ctx context.Context, sdp string) (string, error) {
	switch sdp {
	case "bad":
		return "", errors.Join(session.ErrBadOffer, wire.Error{Code: wire.ErrBadOffer, Field: "sdp", Reason: "no_audio: no m=audio section"})
	case "nobody":
		return "", errors.Join(session.ErrAgentUnavailable, noKey{})
	case "broke":
		return "", session.ErrBudgetSpent
	case "slow":
		<-ctx.Done()
		return "", ctx.Err()
	}
	return "answer to " + sdp, nil
}

func (m *legs) AddCandidate(wire.CandidateInit) error { return nil }

func (m *legs) DeliverMessage(_ context.Context, text []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.delivered = append(m.delivered, string(text))
	return nil
}

func (m *legs) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed++
}

func (m *legs) events() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.delivered)
}

// connected has media flow in a session.
func (m *legs) tell(id string, st rtcstats.ConnectionState) {
	m.mu.Lock()
	on := m.on[id]
	m.mu.Unlock()
	on.ConnectionState(st, time.Now())
}

// rig is a handler over real tokens and real sessions.
type rig struct {
	t        *testing.T
	auth     *auth.Auth
	sessions *session.Sessions
	media    *legs
	handler  *callapi.Handler

	mu        sync.Mutex
	refused   []rest.ProblemCode
	backends  []*backend
	steerErr  error
	protected error
}

func newRig(t *testing.T, change func(*session.Config)) *rig {
	t.Helper()
	secret := make([]byte, 48)
	rand.Read(secret)
	r := &rig{t: t, media: &legs{on: map[string]session.MediaEvents{}}}
	var err error
	if r.auth, err = auth.New(auth.Config{Secret: secret, AllowedOrigins: []string{"https://app.example"}}); err != nil {
		t.Fatal(err)
	}
	cfg := session.Config{Media: r.media, DefaultAgent: "parrot", Settings: session.DefaultSettings()}
	cfg.Settings.MaxSessions, cfg.Settings.MaxPerUser = 10, 2
	if change != nil {
		change(&cfg)
	}
	r.sessions = session.New(cfg)
	r.handler = callapi.New(callapi.Config{
		Auth: r.auth, Secrets: r.auth, Sessions: r.sessions,
		Checks: admission.NewChecks(admission.Config{Protected: func() error { return r.protected }}),
		FindAgent: func(_ session.Caller, model string) (string, bool) {
			agent, ok := map[string]string{"": "parrot", "parrot": "parrot", "echo": "echo", "gpt-realtime": "echo"}[model]
			return agent, ok
		},
		Steer:      r.steer,
		EndSession: func(_ context.Context, id string) error { return r.sessions.End(id, wire.CallerLeft, "") },
		Refuse:     api.Refuse, ExpectBody: func(http.ResponseWriter, *http.Request) error { return nil },
		Refused: func(_ string, code rest.ProblemCode) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.refused = append(r.refused, code)
		},
	})
	t.Cleanup(r.close)
	return r
}

func (r *rig) close() {
	if err := r.sessions.Close(); err != nil {
		r.t.Error(err)
	}
	if err := r.handler.Close(); err != nil {
		r.t.Error(err)
	}
	if live, _, _ := r.sessions.Capacity(); live != 0 {
		r.t.Errorf("%d places are still taken", live)
	}
}

func (r *rig) token(user string) string {
	r.t.Helper()
	token, err := r.auth.Mint(auth.Claims{Subject: user}, time.Hour)
	if err != nil {
		r.t.Fatal(err)
	}
	return token
}

// request is one of a client's.
type request struct {
	method, path, bearer, kind, body string
	origin                           string
	ctx                              context.Context
}

func (r *rig) do(q request) *httptest.ResponseRecorder {
	r.t.Helper()
	ctx := q.ctx
	if ctx == nil {
		ctx = r.t.Context()
	}
	req := httptest.NewRequestWithContext(ctx, q.method, "http://parley.test"+q.path, strings.NewReader(q.body))
	if q.body == "" {
		req.Body = http.NoBody
	}
	for name, value := range map[string]string{"Content-Type": q.kind, "Origin": q.origin} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if q.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+q.bearer)
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return w
}

// offer asks for a call by an offer alone.
func (r *rig) offer(bearer, sdp string) *httptest.ResponseRecorder {
	r.t.Helper()
	return r.do(request{method: "POST", path: rest.PathCalls, bearer: bearer, kind: "application/sdp", body: sdp})
}

// call starts one, and returns its id and its session's.
func (r *rig) call(bearer string) (id, session string) {
	r.t.Helper()
	w := r.offer(bearer, "offer")
	if w.Code != http.StatusCreated {
		r.t.Fatalf("%d %s", w.Code, w.Body)
	}
	id = w.Header().Get("Location")[len(rest.PathCalls)+1:]
	return id, "sess_" + strings.TrimPrefix(id, "rtc_")
}

// secret asks for a client secret.
func (r *rig) secret(bearer, body string) string {
	r.t.Helper()
	w := r.do(request{method: "POST", path: rest.PathClientSecrets, bearer: bearer, kind: "application/json", body: body})
	var got struct{ Value string }
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || !strings.HasPrefix(got.Value, "ek_") {
		r.t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return got.Value
}

func (r *rig) live() int {
	live, _, _ := r.sessions.Capacity()
	return live
}

// form is a multipart body of fields, in pairs of name and value.
func form(fields ...string) (kind, body string) {
	var b bytes.Buffer
	f := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		w, _ := f.CreateFormField(fields[i])
		_, _ = io.WriteString(w, fields[i+1])
	}
	_ = f.Close()
	return f.FormDataContentType(), b.String()
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	limit, tick := time.After(patience), time.NewTicker(2*time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("not in time: %s", what)
		}
	}
}

// errorOf is what an answer says in OpenAI's shape.
func errorOf(t *testing.T, w *httptest.ResponseRecorder) (code, param string) {
	t.Helper()
	var got struct {
		Error struct {
			Type, Code, Message string
			Param               *string
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Error.Type == "" || got.Error.Message == "" {
		t.Fatalf("no error of OpenAI's shape: %d %s", w.Code, w.Body)
	}
	if got.Error.Param != nil {
		param = *got.Error.Param
	}
	return got.Error.Code, param
}

// noKey is why an agent fails, in words for admins and for callers.
type noKey struct{}

func (noKey) Error() string     { return "the key sk-x is wrong" }
func (noKey) ForCaller() string { return "Try another agent." }
