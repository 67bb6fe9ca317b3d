package callapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// Every end is told by the data channel before the legs close, in OpenAI's word where
// it has one; who hung up is told nothing.
func TestTheEndIsTold(t *testing.T) {
	for cause, code := range map[wire.EndCause]string{
		wire.IdleTimeout: "idle_timeout", wire.MaxDuration: "session_expired", wire.AdminEnded: "admin_ended", wire.Revoked: "revoked",
		wire.TokenExpired: "token_expired", wire.BudgetSpent: "budget_spent", wire.AgentLeft: "agent_left", wire.ServerShutdown: "server_shutdown",
		wire.RateLimited: "rate_limited", wire.PrivacyBlocked: "privacy_blocked", wire.Replaced: "replaced", wire.MediaFailed: "media_failed",
		wire.AgentSilent: "agent_silent", wire.AgentUnresponsive: "agent_unresponsive", wire.ResponseTimeout: "response_timeout", wire.AgentLost: "agent_lost", wire.NodeLost: "node_lost",
		wire.CallerLeft: "",
	} {
		t.Run(string(cause), func(t *testing.T) {
			r := newRig(t, nil)
			_, id := r.call(r.token("ada"))
			if err := r.sessions.End(id, cause, "too loud"); err != nil {
				t.Fatal(err)
			}
			r.close()
			events := r.media.events()
			if code == "" {
				if len(events) != 0 {
					t.Errorf("told %q", events)
				}
				return
			}
			var e struct {
				Type, EventID string
				Error         struct{ Type, Code, Message string }
			}
			if len(events) != 1 || json.Unmarshal([]byte(events[0]), &e) != nil {
				t.Fatalf("told %q", events)
			}
			if e.Type != "error" || e.Error.Code != code || e.Error.Type == "" || !strings.HasSuffix(e.Error.Message, " too loud") {
				t.Errorf("told %s", events[0])
			}
		})
	}
}

// What is about to end a call is told, and taken back when it is not any more.
func TestWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *session.Config) {
			c.Settings.IdleTimeout, c.Settings.IdleWarning = 10*time.Minute, 2*time.Minute
		})
		_, id := r.call(r.token("ada"))
		r.media.tell(id, rtcstats.StateConnected)
		time.Sleep(8 * time.Minute)
		synctest.Wait()
		events := r.media.events()
		if len(events) != 1 || !strings.HasPrefix(events[0], `{"type":"parley.warning","event_id":"parley_w1","code":"idle",`) || strings.Contains(events[0], `"ends_at":null`) {
			t.Fatalf("told %q", events)
		}
		r.media.mu.Lock()
		on := r.media.on[id]
		r.media.mu.Unlock()
		on.Speech(rtcstats.LegCaller)
		synctest.Wait()
		if events := r.media.events(); len(events) != 2 || !strings.Contains(events[1], `"ends_at":null`) {
			t.Fatalf("told %q", events)
		}
		time.Sleep(10*time.Minute - 1)
		synctest.Wait()
		if r.live() != 1 {
			t.Fatal("ended a nanosecond too early")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if events := r.media.events(); r.live() != 0 || !strings.Contains(events[len(events)-1], `"code":"idle_timeout"`) {
			t.Errorf("%d live, told %q", r.live(), events)
		}
		r.close()
	})
}

// The close of the connection is the caller's goodbye.
func TestACallerHangsUpByClosing(t *testing.T) {
	r := newRig(t, nil)
	id, session := r.call(r.token("ada"))
	r.media.tell(session, rtcstats.StateConnected)
	r.media.tell(session, rtcstats.StateClosed)
	if r.live() != 0 {
		t.Error("the call goes on")
	}
	w := r.do(request{method: "DELETE", path: rest.PathCalls + "/" + id, bearer: r.token("ada")})
	if code, _ := errorOf(t, w); w.Code != 404 || code != "call_id_not_found" {
		t.Errorf("hung up after that: %d %s", w.Code, w.Body)
	}
}

// A call is hung up by who holds it, either way, once; for all others there is none.
func TestHangUp(t *testing.T) {
	for name, q := range map[string]func(id string) request{
		"as OpenAI's": func(id string) request {
			return request{method: "POST", path: rest.PathCalls + "/" + id + "/hangup"}
		},
		"as others'": func(id string) request { return request{method: "DELETE", path: rest.PathCalls + "/" + id} },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			id, _ := r.call(r.token("ada"))
			ask := func(bearer, id string) int {
				req := q(id)
				req.bearer = bearer
				return r.do(req).Code
			}
			secret := r.secret(r.token("ada"), "")
			for who, bearer := range map[string]string{"nobody": "", "a client secret": secret} {
				if got := ask(bearer, id); got != 401 {
					t.Errorf("%s: %d", who, got)
				}
			}
			if got := ask(r.token("bob"), id); got != 404 || r.live() != 1 {
				t.Errorf("another user: %d, %d live", got, r.live())
			}
			if got := ask(r.token("ada"), "rtc_x"); got != 404 {
				t.Errorf("another call: %d", got)
			}
			if got := ask(r.token("ada"), id); got != http.StatusOK || r.live() != 0 {
				t.Errorf("its caller: %d, %d live", got, r.live())
			}
			if got := ask(r.token("ada"), id); got != 404 {
				t.Errorf("again: %d", got)
			}
		})
	}
}

func TestTooManyHangUps(t *testing.T) {
	r := newRig(t, nil)
	for range 60 {
		r.do(request{method: "DELETE", path: rest.PathCalls + "/rtc_x", bearer: r.token("ada")})
	}
	if w := r.do(request{method: "DELETE", path: rest.PathCalls + "/rtc_x", bearer: r.token("ada")}); w.Code != 429 {
		t.Errorf("the 61st in a minute: %d", w.Code)
	}
}
