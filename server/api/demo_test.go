package api_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/api"
	"parley/server/auth"
	"parley/server/logtest"
	"parley/shared/rest"
)

// demoRig is a demo server; refused counts the sign-ins that watchers were told of.
func demoRig(t *testing.T) (r *rig, refused *int) {
	t.Helper()
	refused = new(int)
	return newRigIn(t, auth.Config{Mode: auth.Demo}, watchedBy(refused)), refused
}

func watchedBy(refused *int) func(*api.Config) {
	return func(c *api.Config) {
		c.SignInRefused = func(string, string) { *refused++ }
	}
}

// enter asks to be let in, as a page does.
func (r *rig) enter(body string, edits ...edit) answer {
	r.t.Helper()
	return r.do("POST", rest.PathDemoSignIn, body, append([]edit{with("Content-Type", "application/json")}, edits...)...)
}

func passkey(key string) string { return `{"as":"admin","passkey":"` + key + `"}` }

// A visitor of a demo server is a caller, and remains one.
func TestEnteringADemoAsACaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := demoRig(t)
		in := r.enter(`{"as":"caller"}`)
		if in.status != http.StatusNoContent {
			t.Fatalf("%d %s", in.status, in.body)
		}
		session := with("Cookie", cookieHeader(in))
		me := read[rest.Me](t, r.do("GET", rest.PathMe, "", session))
		if !strings.HasPrefix(me.Subject, "visitor-") || !me.Rights.Call || me.Rights.Admin || me.Mode != "demo" {
			t.Errorf("entered as %+v", me)
		}
		if got := r.do("GET", rest.PathStats, "", session); got.status != http.StatusForbidden {
			t.Errorf("of an admin's page a visitor gets %d %s", got.status, got.body)
		}
		if other := r.enter(`{"as":"caller","passkey":"` + r.auth.DemoPasskey() + `"}`); other.status != http.StatusNoContent {
			t.Errorf("%d %s", other.status, other.body)
		} else if me := read[rest.Me](t, r.do("GET", rest.PathMe, "", with("Cookie", cookieHeader(other)))); me.Rights.Admin {
			t.Errorf("a caller with the passkey is %+v", me)
		}
	})
}

// The passkey makes an admin, which is on record like any other admin's coming.
func TestEnteringADemoAsItsAdmin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said, refused := new(logtest.Buffer), new(int)
		r := newRigIn(t, auth.Config{Mode: auth.Demo, Logger: slog.New(slog.NewTextHandler(said, nil))}, watchedBy(refused))
		bad := r.enter(passkey("aaaa-bbbb-cccc-dddd"))
		if bad.status != http.StatusUnauthorized || bad.problem(t).Code != rest.CodeUnauthorized || len(bad.header.Values("Set-Cookie")) > 0 || *refused != 1 {
			t.Errorf("a wrong passkey: %d %s, %d told", bad.status, bad.body, *refused)
		}
		if log := said.String(); !strings.Contains(log, "cause=passkey") || strings.Contains(log, "bbbb") {
			t.Errorf("the log says: %s", log)
		}
		in := r.enter(passkey(r.auth.DemoPasskey()))
		if in.status != http.StatusNoContent {
			t.Fatalf("%d %s", in.status, in.body)
		}
		session := with("Cookie", cookieHeader(in))
		if me := read[rest.Me](t, r.do("GET", rest.PathMe, "", session)); me.Subject != auth.DemoAdmin || !me.Rights.Admin {
			t.Errorf("entered as %+v", me)
		}
		lines := read[rest.Page[rest.AuditEntry]](t, r.do("GET", rest.PathAudit+"?action="+string(rest.AuditSignIn), "", session))
		if len(lines.Items) != 1 || lines.Items[0].Actor != auth.DemoAdmin {
			t.Errorf("on record: %+v", lines.Items)
		}
	})
}

// Tries are counted by address, right ones too, and what waits says for how long.
func TestTriesToEnterADemoAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := demoRig(t)
		right := passkey(r.auth.DemoPasskey())
		for range api.MaxDemoEntries {
			r.enter(passkey("guess"), from("192.0.2.1"))
			r.enter(`{"as":"caller"}`, from("192.0.2.1"))
		}
		for _, body := range []string{passkey("guess"), right, `{"as":"caller"}`} {
			got := r.enter(body, from("192.0.2.1"))
			if p := got.problem(t); got.status != http.StatusTooManyRequests || p.Code != rest.CodeRateLimited || p.RetryAfterS != 60 || got.header.Get("Retry-After") != "60" {
				t.Errorf("%s: %d %s", body, got.status, got.body)
			}
		}
		if got := r.enter(right, from("192.0.2.2")); got.status != http.StatusNoContent {
			t.Errorf("from elsewhere: %d %s", got.status, got.body)
		}
		time.Sleep(time.Minute)
		if got := r.enter(right, from("192.0.2.1")); got.status != http.StatusNoContent {
			t.Errorf("a minute later: %d %s", got.status, got.body)
		}
	})
}

// TestDemoEntriesAreBounded: many addresses together don't fill the store.
func TestDemoEntriesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := demoRig(t)
		for i := range api.MaxAllDemoEntries {
			if got := r.enter(`{"as":"caller"}`, from(fmt.Sprint("192.0.2.", i))); got.status != http.StatusNoContent {
				t.Fatalf("visitor %d: %d %s", i, got.status, got.body)
			}
		}
		if got := r.enter(`{"as":"caller"}`, from("198.51.100.1")); got.status != http.StatusTooManyRequests {
			t.Errorf("one more: %d %s", got.status, got.body)
		}
		if got := r.enter(passkey(r.auth.DemoPasskey()), from("198.51.100.1")); got.status != http.StatusNoContent {
			t.Errorf("the admin meanwhile: %d %s", got.status, got.body)
		}
	})
}

// What isn't a wish to enter is refused, and so is a page of another site.
func TestWhatDoesNotEnterADemo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := demoRig(t)
		for body, want := range map[string]int{
			"": http.StatusBadRequest, "{}": http.StatusUnprocessableEntity, `{"as":"root"}`: http.StatusUnprocessableEntity, `{"as":1}`: http.StatusBadRequest,
			`{"as":"admin"}`: http.StatusUnauthorized, `{"as":"caller","mode":"production"}`: http.StatusUnprocessableEntity, `{"as":"caller","as":"admin"}`: http.StatusBadRequest,
		} {
			if got := r.enter(body); got.status != want || len(got.header.Values("Set-Cookie")) > 0 {
				t.Errorf("%s: %d %s", body, got.status, got.body)
			}
		}
		for _, elsewhere := range []edit{with("Origin", "https://evil.example"), with("Sec-Fetch-Site", "cross-site")} {
			if got := r.enter(`{"as":"caller"}`, elsewhere); got.status != http.StatusForbidden {
				t.Errorf("from another site: %d %s", got.status, got.body)
			}
		}
	})
}

// Other servers have no such way in, whatever is known of them, and describe none.
func TestOnlyADemoIsEntered(t *testing.T) {
	for _, mode := range []auth.Mode{auth.Production, auth.Organization} {
		synctest.Test(t, func(t *testing.T) {
			r := newRigIn(t, auth.Config{Mode: mode}, nil)
			for _, body := range []string{`{"as":"caller"}`, passkey(demoKey(t))} {
				if got := r.enter(body); got.status != http.StatusNotFound {
					t.Errorf("%s: %s is answered %d %s", mode, body, got.status, got.body)
				}
			}
			if spec := r.do("GET", rest.PathOpenAPI, ""); strings.Contains(string(spec.body), rest.PathDemoSignIn) {
				t.Errorf("%s describes it", mode)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		r, _ := demoRig(t)
		if spec := r.do("GET", rest.PathOpenAPI, ""); !strings.Contains(string(spec.body), rest.PathDemoSignIn) {
			t.Error("a demo server doesn't describe it")
		}
	})
}

// demoKey is the passkey that a demo server with the rig's secret would have.
func demoKey(t *testing.T) string {
	t.Helper()
	a, err := auth.New(auth.Config{Mode: auth.Demo, Secret: []byte(testSecret)})
	return must(t, a, err).DemoPasskey()
}
