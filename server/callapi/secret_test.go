package callapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/shared/rest"
)

// A client secret starts one call, as its token's user, with the agent it is for; who
// is refused a place still has it.
func TestAClientSecretStartsOneCall(t *testing.T) {
	r := newRig(t, nil)
	r.sessions.UpdateSettings(settings(9, 1))
	secret := r.secret(r.token("ada"), `{"session":{"type":"realtime","model":"gpt-realtime","instructions":"be rude"}}`)
	_, held := r.call(r.token("ada"))
	if w := r.offer(secret, "offer"); w.Code != 503 {
		t.Fatalf("with no place left: %d", w.Code)
	}
	if err := r.sessions.End(held, "caller_left", ""); err != nil {
		t.Fatal(err)
	}
	if w := r.do(request{method: "POST", path: rest.PathCalls + "?model=parrot", bearer: secret, kind: "application/sdp", body: "offer"}); w.Code != 404 {
		t.Errorf("for another agent: %d %s", w.Code, w.Body)
	}
	var started atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if r.offer(secret, "offer").Code == http.StatusCreated {
				started.Add(1)
			}
		})
	}
	all.Wait()
	if c := r.media.callers[len(r.media.callers)-1]; started.Load() != 1 || c.User != "ada" || c.Agent != "echo" {
		t.Errorf("started %d, as %+v", started.Load(), c)
	}
	if r.live() != 1 {
		t.Errorf("%d places are taken", r.live())
	}
}

// While new calls are paused nobody gets a secret or a call, and one that was given
// before is good afterwards.
func TestPausedCallsHaveNoSecrets(t *testing.T) {
	r := newRig(t, nil)
	secret := r.secret(r.token("ada"), "")
	pause := func(isPaused bool) {
		s := settings(9, 1)
		s.Paused = isPaused
		r.sessions.UpdateSettings(s)
	}
	pause(true)
	for name, w := range map[string]*httptest.ResponseRecorder{
		"a secret":             r.do(request{method: "POST", path: rest.PathClientSecrets, bearer: r.token("bob"), kind: "application/json", body: "{}"}),
		"a call with a secret": r.offer(secret, "offer"),
		"a call with a token":  r.offer(r.token("bob"), "offer"),
	} {
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "30" || !strings.Contains(w.Body.String(), "paused") {
			t.Errorf("%s: %d %v %s", name, w.Code, w.Header(), w.Body)
		}
	}
	pause(false)
	if w := r.offer(secret, "offer"); w.Code != http.StatusCreated {
		t.Errorf("resumed: %d %s", w.Code, w.Body)
	}
}

// Of the session a client is told its model, and nothing that makes the agent.
func TestWhatAClientSecretTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		for name, test := range map[string]struct {
			body, model string
			life        time.Duration
		}{
			"nothing asked for": {"", "parrot", 10 * time.Minute},
			"all asked for": {
				`{"expires_after":{"anchor":"created_at","seconds":60},"session":{"type":"realtime","model":"gpt-realtime","instructions":"be rude","tools":[{"name":"x"}]}}`,
				"gpt-realtime", time.Minute,
			},
			"longer than there is": {`{"expires_after":{"seconds":7200}}`, "parrot", 10 * time.Minute},
		} {
			w := r.do(request{method: "POST", path: rest.PathClientSecrets, bearer: r.token("ada"), kind: "application/json", body: test.body})
			var got struct {
				ExpiresAt int64 `json:"expires_at"`
				Session   map[string]any
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
				t.Fatalf("%s: %d %s", name, w.Code, w.Body)
			}
			if until := time.Until(time.Unix(got.ExpiresAt, 0)); until > test.life || until < test.life-time.Second {
				t.Errorf("%s: lives %s", name, until)
			}
			if len(got.Session) != 3 || got.Session["model"] != test.model || strings.Contains(w.Body.String(), "rude") {
				t.Errorf("%s: %s", name, w.Body)
			}
		}
		r.close()
	})
}

func TestRefusedClientSecrets(t *testing.T) {
	for name, test := range map[string]struct {
		bearer, kind, body string // bearer: "" is a token
		status             int
		code, param        string
	}{
		"no key":            {"-", "application/json", "{}", 401, "invalid_api_key", ""},
		"a client secret":   {"ek", "application/json", "{}", 401, "invalid_api_key", ""},
		"no JSON":           {"", "text/plain", "{}", 415, "unsupported_content_type", ""},
		"half of it":        {"", "application/json", "{", 400, "malformed", ""},
		"too large":         {"", "application/json", `{"x":"` + strings.Repeat("x", 256<<10) + `"}`, 413, "request_too_large", ""},
		"too short a life":  {"", "application/json", `{"expires_after":{"seconds":9}}`, 400, "invalid_value", "expires_after.seconds"},
		"too long a life":   {"", "application/json", `{"expires_after":{"seconds":7201}}`, 400, "invalid_value", "expires_after.seconds"},
		"another anchor":    {"", "application/json", `{"expires_after":{"anchor":"now"}}`, 400, "invalid_value", "expires_after.anchor"},
		"an unknown model":  {"", "application/json", `{"session":{"type":"realtime","model":"x"}}`, 404, "model_not_found", "session.model"},
		"another session":   {"", "application/json", `{"session":{"type":"transcription"}}`, 400, "invalid_value", "session.type"},
		"a session no JSON": {"", "application/json", `{"session":[]}`, 400, "malformed", "session"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			bearer := r.token("ada")
			switch test.bearer {
			case "-":
				bearer = ""
			case "ek":
				bearer = r.secret(bearer, "")
			}
			w := r.do(request{method: "POST", path: rest.PathClientSecrets, bearer: bearer, kind: test.kind, body: test.body})
			if code, param := errorOf(t, w); w.Code != test.status || code != test.code || param != test.param {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

// Signing out ends the secrets and, since its session names the token, the calls.
func TestACallByAClientSecretIsItsTokens(t *testing.T) {
	r := newRig(t, nil)
	token := r.token("ada")
	id, err := r.auth.Verify(token)
	if err != nil {
		t.Fatal(err)
	}
	r.call(r.secret(token, ""))
	if c := r.media.callers[0]; c.TokenID != id.ID || !c.TokenExpires.Equal(id.ExpiresAt) {
		t.Errorf("carried by %+v", c)
	}
	unused := r.secret(token, "")
	r.auth.Revoke(id.ID, id.ExpiresAt)
	if w := r.offer(unused, "offer"); w.Code != 401 {
		t.Errorf("a secret of a token that signed out: %d", w.Code)
	}
}
