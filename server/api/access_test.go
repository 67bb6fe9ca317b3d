package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/auth"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

// checkAnswer holds what is true of every answer of the interface.
func checkAnswer(t *testing.T, a answer) {
	t.Helper()
	id := a.header.Get("X-Request-Id")
	if !strings.HasPrefix(id, "req_") {
		t.Errorf("X-Request-Id %q", id)
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if a.status < 400 || len(a.body) == 0 {
		return
	}
	p := a.problem(t)
	if p.Status != a.status || p.RequestID != id || p.Code == "" || p.Title == "" || p.Type != "about:blank" ||
		a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("problem %+v as %s", p, a.header.Get("Content-Type"))
	}
	if a.status == http.StatusUnauthorized && a.header.Get("WWW-Authenticate") != "Bearer" {
		t.Error("401 without WWW-Authenticate")
	}
	later := a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable
	if later && (p.RetryAfterS < 1 || a.header.Get("Retry-After") != fmt.Sprint(p.RetryAfterS)) {
		t.Errorf("%d without Retry-After: %+v", a.status, p)
	}
}

func TestEvery401IsTheSame(t *testing.T) {
	r := newRig(t, nil)
	id := ""
	expired := func() string {
		past, err := auth.New(auth.Config{Secret: []byte("k7Qw2mZ9xVtR4bNc8JpLs3HdYf6GaE1u"),
			Now: func() time.Time { return time.Now().Add(-3 * time.Hour) }})
		if err != nil {
			t.Fatal(err)
		}
		token, err := past.Mint(auth.Claims{Subject: "alice"}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}()
	for name, change := range map[string]edit{
		"nothing":     func(*http.Request) {},
		"expired":     bearer(expired),
		"garbage":     bearer("garbage"),
		"two bearers": with("Authorization", "Bearer "+r.token("alice", time.Hour), "Bearer x"),
		"basic":       with("Authorization", "Basic eDp5"),
		"bad cookie":  with("Cookie", "parley_session=x"),
	} {
		got := r.do("GET", rest.PathMe, "", change)
		p := got.problem(t)
		p.RequestID = ""
		raw, _ := json.Marshal(p)
		if id == "" {
			id = string(raw)
		}
		if got.status != 401 || string(raw) != id || len(got.header["Set-Cookie"]) > 0 {
			t.Errorf("%s: %d %s, others %s", name, got.status, raw, id)
		}
	}
}

func TestSignInAndOut(t *testing.T) {
	r := newRig(t, nil)
	own := with("Origin", "http://parley.test")
	token := r.token("root", time.Hour)
	id, err := r.auth.Verify(token)
	must(t, 0, err)
	carried := r.callOf(session.Caller{User: "root", TokenID: id.ID, TokenExpires: id.ExpiresAt})
	r.callOf(session.Caller{User: "root", TokenID: "another", TokenExpires: id.ExpiresAt})
	signedIn := r.do("POST", rest.PathAuthSession, "", bearer(token), own)
	if signedIn.status != 204 || len(signedIn.body) > 0 {
		t.Fatalf("sign in: %d %s", signedIn.status, signedIn.body)
	}
	set := signedIn.header.Get("Set-Cookie")
	for _, want := range []string{"parley_session=", "Path=/", "HttpOnly", "SameSite=Strict"} {
		if !strings.Contains(set, want) {
			t.Errorf("cookie without %s: %s", want, set)
		}
	}
	cookie := with("Cookie", strings.Split(set, ";")[0])
	me := r.do("GET", rest.PathMe, "", cookie)
	var who rest.Me
	if err := json.Unmarshal(me.body, &who); err != nil {
		t.Fatalf("%d %s", me.status, me.body)
	}
	if who.Subject != "root" || who.Name != "Name of root" || !who.Rights.Call || !who.Rights.Admin ||
		who.Mode != "production" || who.Version != "1.2.3" || time.Until(who.ExpiresAt) < 59*time.Minute {
		t.Fatalf("me: %+v", who)
	}
	if got := r.do("POST", rest.PathAuthSession, "", cookie, own); got.status != 401 {
		t.Errorf("a cookie made a cookie: %d", got.status)
	}
	if got := r.do("DELETE", rest.PathAuthSession, "", cookie); got.status != 403 {
		t.Errorf("signed out without an Origin: %d", got.status)
	}
	out := r.do("DELETE", rest.PathAuthSession, "", cookie, own)
	if out.status != 204 || !strings.Contains(out.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Fatalf("sign out: %d %v", out.status, out.header)
	}
	if got := r.do("GET", rest.PathMe, "", cookie); got.status != 401 {
		t.Errorf("a kept copy of the cookie is still good: %d", got.status)
	}
	kept, err := r.bridge.History(r.store).Session(t.Context(), carried)
	if err != nil || kept.EndCause != wire.Revoked || r.live() != 1 {
		t.Errorf("the token's call is %+v, %v; %d are left", kept, err, r.live())
	}
}

// TestATokenIsNoCookie: browsers that were signed in by an older server are
// signed out.
func TestATokenIsNoCookie(t *testing.T) {
	r := newRig(t, nil)
	if got := r.do("GET", rest.PathMe, "", with("Cookie", "parley_session="+r.token("alice", time.Hour))); got.status != 401 {
		t.Fatalf("got %d", got.status)
	}
}

func TestOtherOriginsChangeNothing(t *testing.T) {
	r := newRig(t, nil)
	s1 := r.call("alice", "")
	end := strings.Replace(rest.PathEnd, "{id}", s1, 1)
	for name, change := range map[string]edit{
		"another origin": with("Origin", "https://evil.example"),
		"null":           with("Origin", "null"),
		"cross-site":     with("Sec-Fetch-Site", "cross-site"),
	} {
		got := r.do("POST", end, `{"reason":"x"}`, r.as("root"), change)
		if got.status != 403 || got.problem(t).Code != rest.CodeOrigin {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if r.live() != 1 {
		t.Fatal("the session was ended")
	}
}

func TestForgedHost(t *testing.T) {
	r := newRig(t, nil)
	got := r.do("GET", rest.PathHealth, "", func(r *http.Request) { r.Host = "evil.example/x" })
	if got.status != 400 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if strings.Contains(string(got.body), "evil") {
		t.Fatalf("the answer repeats it: %s", got.body)
	}
}

func TestUnsafeRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		const n = 60 // the limit that is promised
		begin := time.Now()
		post := func(user string) answer { return r.do("POST", rest.PathAuthSession, "", r.as(user)) }
		for i := range n {
			if got := post("alice"); got.status != 204 {
				t.Fatalf("request %d: %d", i+1, got.status)
			}
			time.Sleep(time.Second / 2)
		}
		got := post("alice")
		checkAnswer(t, got)
		if got.status != 429 {
			t.Fatalf("request %d: %d", n+1, got.status)
		}
		if wait := got.problem(t).RetryAfterS; wait != 30 {
			t.Fatalf("Retry-After %d, want 30", wait)
		}
		if got := post("bob"); got.status != 204 {
			t.Fatalf("another user: %d", got.status)
		}
		if got := r.do("GET", rest.PathMe, "", r.as("alice")); got.status != 200 {
			t.Fatalf("reading: %d", got.status)
		}
		time.Sleep(time.Until(begin.Add(time.Minute - time.Nanosecond)))
		if got := post("alice"); got.status != 429 {
			t.Fatalf("a nanosecond early: %d", got.status)
		}
		time.Sleep(time.Nanosecond)
		if got := post("alice"); got.status != 204 {
			t.Fatalf("after a minute: %d", got.status)
		}
	})
}

func TestRefusedSignInsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		const n = 10 // the limit that is promised
		try := func(token, peer string) answer {
			return r.do("POST", rest.PathAuthSession, "", bearer(token), from(peer))
		}
		good := r.token("alice", time.Hour)
		for i := range n {
			if got := try("wrong", "2001:db8::1"); got.status != 401 {
				t.Fatalf("try %d: %d", i+1, got.status)
			}
			if got := try(good, "192.0.2.7"); got.status != 204 {
				t.Fatalf("good sign-ins are counted too: %d", got.status)
			}
		}
		for name, peer := range map[string]string{"same address": "2001:db8::1", "its neighbour": "2001:db8::ffff"} {
			got := try("wrong", peer)
			checkAnswer(t, got)
			if got.status != 429 {
				t.Errorf("%s: %d", name, got.status)
			}
			if got := try(good, peer); got.status != 204 {
				t.Errorf("%s, a token that verifies: %d", name, got.status)
			}
		}
		if got := try(good, "2001:db8:0:1::1"); got.status != 204 {
			t.Errorf("another network: %d", got.status)
		}
		time.Sleep(time.Minute)
		if got := try("wrong", "2001:db8::1"); got.status != 401 {
			t.Errorf("a minute later: %d", got.status)
		}
	})
}
