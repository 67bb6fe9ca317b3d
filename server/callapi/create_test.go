package callapi_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

// Both forms of the request start a call: 201, the answer, and where the call is.
func TestACallIsStarted(t *testing.T) {
	for name, test := range map[string]struct {
		path   string
		fields []string // none: the offer alone
		agent  string
	}{
		"the offer alone":    {rest.PathCalls, nil, "parrot"},
		"a model beside it":  {rest.PathCalls + "?model=gpt-realtime", nil, "echo"},
		"an agent beside it": {rest.PathCalls + "?model=echo", nil, "echo"},
		"a form":             {rest.PathCalls, []string{"sdp", "offer"}, "parrot"},
		"a form's session": {
			rest.PathCalls + "?model=parrot",
			[]string{"session", `{"type":"realtime","model":"gpt-realtime","instructions":"be rude","audio":{"output":{"voice":"x"}}}`, "sdp", "offer", "more", "x"}, "echo",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			q := request{method: "POST", path: test.path, bearer: r.token("ada"), kind: "application/sdp; charset=utf-8", body: "offer"}
			if test.fields != nil {
				q.kind, q.body = form(test.fields...)
			}
			w := r.do(q)
			location := w.Header().Get("Location")
			if w.Code != http.StatusCreated || w.Body.String() != "answer to offer" || w.Header().Get("Content-Type") != "application/sdp" || !strings.HasPrefix(location, "/v1/realtime/calls/rtc_") {
				t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
			}
			c := r.media.callers[0]
			if c.User != "ada" || c.Agent != test.agent || !c.IsSocketless {
				t.Errorf("called as %+v", c)
			}
			if r.live() != 1 {
				t.Errorf("%d places are taken", r.live())
			}
		})
	}
}

// Each refusal has its status and its code, and leaves no place taken.
func TestRefusals(t *testing.T) {
	offer := request{method: "POST", path: rest.PathCalls, kind: "application/sdp", body: "offer"}
	with := func(change func(q *request)) request {
		q := offer
		change(&q)
		return q
	}
	ofForm := func(fields ...string) request {
		return with(func(q *request) { q.kind, q.body = form(fields...) })
	}
	for name, test := range map[string]struct {
		q           request
		before      func(r *rig)
		status      int
		code, param string
	}{
		"no key":                 {with(func(q *request) { q.bearer = "-" }), nil, 401, "invalid_api_key", ""},
		"a key that isn't known": {with(func(q *request) { q.bearer = "ek_abcdefghijklmnopqrstuvwxyz" }), nil, 401, "invalid_api_key", ""},
		"another origin":         {with(func(q *request) { q.origin = "https://evil.example" }), nil, 403, "origin_not_allowed", ""},
		"no media type":          {with(func(q *request) { q.kind = "" }), nil, 415, "unsupported_content_type", ""},
		"another media type":     {with(func(q *request) { q.kind = "application/json" }), nil, 415, "unsupported_content_type", ""},
		"no offer":               {with(func(q *request) { q.body = "" }), nil, 400, "invalid_offer", "sdp"},
		"too large an offer":     {with(func(q *request) { q.body = strings.Repeat("x", wire.MaxSDP+1) }), nil, 413, "request_too_large", "sdp"},
		"a bad offer":            {with(func(q *request) { q.body = "bad" }), nil, 400, "invalid_offer", "sdp"},
		"a model that isn't":     {with(func(q *request) { q.path += "?model=gpt-5" }), nil, 404, "model_not_found", "model"},
		"a value that isn't":     {with(func(q *request) { q.path += "?takeover=yes" }), nil, 400, "invalid_value", "takeover"},
		"a form without offer":   {ofForm("session", `{"type":"realtime"}`), nil, 400, "invalid_offer", "sdp"},
		"a session of no JSON":   {ofForm("sdp", "offer", "session", "{"), nil, 400, "malformed", "session"},
		"another session":        {ofForm("sdp", "offer", "session", `{"type":"transcription"}`), nil, 400, "invalid_value", "session.type"},
		"a part twice":           {ofForm("sdp", "offer", "sdp", "offer"), nil, 400, "malformed", "sdp"},
		"too many parts":         {ofForm("a", "", "b", "", "c", "", "d", "", "e", "", "f", "", "g", "", "h", ""), nil, 400, "malformed", ""},
		"too large a form":       {ofForm("sdp", "offer", "session", strings.Repeat(" ", 256<<10)), nil, 413, "request_too_large", "session"},
		"no form at all":         {with(func(q *request) { q.kind = "multipart/form-data" }), nil, 400, "malformed", ""},
		"no agent":               {with(func(q *request) { q.body = "nobody" }), nil, 503, "agent_unavailable", ""},
		"no money":               {with(func(q *request) { q.body = "broke" }), nil, 429, "insufficient_quota", ""},
		"no privacy":             {offer, func(r *rig) { r.protected = errors.New("off") }, 503, "privacy_block", ""},
		"draining": {offer, func(r *rig) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_ = r.sessions.Drain(ctx)
		}, 503, "draining", ""},
		"all lines busy": {offer, func(r *rig) {
			r.sessions.UpdateSettings(settings(1, 2))
			_, _ = r.sessions.Admit(session.Caller{User: "z", TokenExpires: time.Now().Add(time.Hour)})
		}, 503, "cap_reached", ""},
		"the user's places taken": {offer, func(r *rig) {
			r.sessions.UpdateSettings(settings(9, 1))
			r.call(r.token("ada"))
		}, 503, "user_cap", ""},
		"too often": {offer, func(r *rig) {
			for range 24 { // 20, and two for each of two sessions
				r.offer(r.token("ada"), "bad")
			}
		}, 429, "rate_limit_exceeded", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			if test.before != nil {
				test.before(r)
			}
			taken := r.live()
			q := test.q
			switch q.bearer {
			case "":
				q.bearer = r.token("ada")
			case "-":
				q.bearer = ""
			}
			r.refused = nil
			w := r.do(q)
			code, param := errorOf(t, w)
			if w.Code != test.status || code != test.code || param != test.param {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if again := w.Code == 429 || w.Code == 503; again != (w.Header().Get("Retry-After") != "") {
				t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
			}
			eventually(t, "the place is given back", func() bool { return r.live() == taken })
			if test.code != "origin_not_allowed" && len(r.refused) != 1 {
				t.Errorf("%d refusals are counted", len(r.refused))
			}
		})
	}
}

func settings(max, perUser int) session.Settings {
	s := session.DefaultSettings()
	s.MaxSessions, s.MaxPerUser = max, perUser
	return s
}

// Who goes away before the answer has left: the place is free.
func TestACallerWhoDoesNotWait(t *testing.T) {
	r := newRig(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan *httptest.ResponseRecorder)
	go func() {
		done <- r.do(request{method: "POST", path: rest.PathCalls, bearer: r.token("ada"), kind: "application/sdp", body: "slow", ctx: ctx})
	}()
	eventually(t, "the place is taken", func() bool { return r.live() == 1 })
	cancel()
	if w := <-done; w.Code == http.StatusCreated || r.live() != 0 {
		t.Errorf("%d, %d places taken", w.Code, r.live())
	}
}

// A closed handler takes no call, and gives its place back.
func TestAClosedHandlerTakesNoCall(t *testing.T) {
	r := newRig(t, nil)
	if err := r.handler.Close(); err != nil {
		t.Fatal(err)
	}
	w := r.offer(r.token("ada"), "offer")
	if code, _ := errorOf(t, w); w.Code != 503 || code != "draining" || r.live() != 0 {
		t.Errorf("%d %s, %d places taken", w.Code, w.Body, r.live())
	}
}

// A takeover ends the caller's oldest call and takes its place.
func TestATakeover(t *testing.T) {
	r := newRig(t, nil)
	r.sessions.UpdateSettings(settings(9, 1))
	r.call(r.token("ada"))
	w := r.do(request{method: "POST", path: rest.PathCalls + "?takeover=1", bearer: r.token("ada"), kind: "application/sdp", body: "offer"})
	if w.Code != http.StatusCreated || r.live() != 1 {
		t.Fatalf("%d %s, %d live", w.Code, w.Body, r.live())
	}
	eventually(t, "the first is told", func() bool {
		return len(r.media.events()) == 1 && strings.Contains(r.media.events()[0], `"code":"replaced"`)
	})
}

// Of an agent that fails a caller is told what is for callers, and nothing of what is
// for admins.
func TestWhatACallerIsToldOfAnAgentThatFails(t *testing.T) {
	r := newRig(t, nil)
	body := r.offer(r.token("ada"), "nobody").Body.String()
	_, id := r.call(r.token("ada"))
	r.media.mu.Lock()
	on := r.media.on[id]
	r.media.mu.Unlock()
	on.AgentLeft(noKey{})
	r.close()
	told := r.media.events()
	if len(told) != 1 {
		t.Errorf("told %d times of the end", len(told))
	}
	for _, text := range append(told, body) {
		if !strings.Contains(text, "Try another agent.") || strings.Contains(text, "sk-x") {
			t.Errorf("told %s", text)
		}
	}
}
