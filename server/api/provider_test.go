package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/api"
	"parley/server/auth"
	"parley/shared/rest"
)

// accounts is an identity provider whose word is taken: who it says has signed in, and
// whose sign-in has ended.
type accounts struct {
	who  auth.ProviderClaims
	next string
	err  error
	// logout is where to sign out, before the ID token.
	logout    string
	logoutErr error
	// kept is the cookie that Finish was shown last.
	kept string
}

func (p *accounts) Begin(_ context.Context, next string) (address, cookie string, err error) {
	p.next = next
	return "https://id.example.test/auth?state=s", "the flow", p.err
}

func (p *accounts) Finish(_ context.Context, cookie string, _ url.Values) (auth.ProviderClaims, string, error) {
	p.kept = cookie
	return p.who, p.next, p.err
}

func (p *accounts) LogoutAddress(_ context.Context, idToken string) (string, error) {
	return p.logout + idToken, p.logoutErr
}

func (p *accounts) VerifyLogout(_ context.Context, token string) (session, subject string, err error) {
	if token != "signed" {
		return "", "", errors.New("the token is nobody's")
	}
	return p.who.Session, p.who.Subject, nil
}

// refusedThere is an error that the page of signing in explains.
type refusedThere string

func (e refusedThere) Error() string         { return "refused there" }
func (e refusedThere) SignInProblem() string { return string(e) }

func withAccounts(t *testing.T, p *accounts) *rig {
	t.Helper()
	return newRig(t, func(c *api.Config) { c.Provider, c.ProviderSession = p, time.Hour })
}

func form(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }

// cookieOf is the one that an answer sets; nil: none.
func cookieOf(a answer, name string) *http.Cookie {
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

const flowCookie = "parley_sign_in"

// Who is sent to the provider comes back signed in, on the page that they asked for: by a
// page, for a redirect from another site brings no cookie along that is Strict.
func TestASignInByAProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &accounts{who: auth.ProviderClaims{Subject: "ada", Session: "s1"}}
		r := withAccounts(t, p)
		there := r.do("GET", rest.PathProviderStart+"?next=/call/history", "")
		flow := cookieOf(there, flowCookie)
		if there.status != http.StatusSeeOther || !strings.HasPrefix(there.header.Get("Location"), "https://id.example.test/") {
			t.Fatalf("%d to %s", there.status, there.header.Get("Location"))
		}
		if flow == nil || !flow.HttpOnly || flow.SameSite != http.SameSiteLaxMode || flow.Value != "the flow" {
			t.Fatalf("the flow's cookie: %v", flow)
		}
		back := r.do("GET", rest.PathProviderCallback+"?code=c", "", with("Cookie", flowCookie+"="+flow.Value))
		if p.kept != "the flow" || back.status != http.StatusOK || !strings.Contains(string(back.body), "url=/call/history") {
			t.Errorf("%q came back: %d %s", p.kept, back.status, back.body)
		}
		if gone := cookieOf(back, flowCookie); gone == nil || gone.MaxAge >= 0 {
			t.Errorf("the flow's cookie stays: %v", gone)
		}
		session := with("Cookie", cookieHeader(back))
		if me := r.do("GET", rest.PathMe, "", session); me.status != http.StatusOK || !strings.Contains(string(me.body), `"ada"`) {
			t.Errorf("signed in as %s", me.body)
		}
		if out := r.do("POST", rest.PathProviderLogout, "logout_token=signed", form); out.status != http.StatusOK {
			t.Errorf("the provider's logout: %d %s", out.status, out.body)
		}
		if me := r.do("GET", rest.PathMe, "", session); me.status != http.StatusUnauthorized {
			t.Errorf("after it: %d %s", me.status, me.body)
		}
	})
}

// cookieHeader is what a browser sends after an answer.
func cookieHeader(a answer) string {
	var all []string
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.MaxAge >= 0 {
			all = append(all, c.Name+"="+c.Value)
		}
	}
	return strings.Join(all, "; ")
}

// Without a page that they asked for, an admin comes to the admin pages, and all others to
// the call; a page of somebody else's is none.
func TestWhereASignInLeads(t *testing.T) {
	for name, test := range map[string]struct{ who, next, want string }{
		"a caller":         {"ada", "", "/call"},
		"an admin":         {"root", "", "/admin"},
		"an admin's call":  {"root", "/call", "/call"},
		"another site":     {"ada", "https://evil.example/", "/call"},
		"another by slash": {"ada", "//evil.example/", "/call"},
	} {
		p := &accounts{who: auth.ProviderClaims{Subject: test.who}}
		r := withAccounts(t, p)
		r.do("GET", rest.PathProviderStart+"?next="+url.QueryEscape(test.next), "")
		back := r.do("GET", rest.PathProviderCallback, "", with("Cookie", flowCookie+"=x"))
		if !strings.Contains(string(back.body), `url=`+test.want+`"`) {
			t.Errorf("%s is led on by %s", name, back.body)
		}
	}
}

// What went wrong there is told on the page of signing in, and no session begins.
func TestASignInThatFails(t *testing.T) {
	for name, test := range map[string]struct {
		p    *accounts
		want string
	}{
		"refused":             {&accounts{err: refusedThere(rest.SignInForbidden)}, rest.SignInForbidden},
		"the provider is off": {&accounts{err: refusedThere(rest.SignInDown)}, rest.SignInDown},
		"no name":             {&accounts{who: auth.ProviderClaims{Subject: ""}}, rest.SignInForbidden},
		"a name too long":     {&accounts{who: auth.ProviderClaims{Subject: strings.Repeat("a", 4096)}}, rest.SignInForbidden},
	} {
		r := withAccounts(t, test.p)
		back := r.do("GET", rest.PathProviderCallback, "", with("Cookie", flowCookie+"=x"))
		if at := back.header.Get("Location"); back.status != http.StatusSeeOther || at != "/sign-in?problem="+test.want {
			t.Errorf("%s: %d to %q", name, back.status, at)
		}
		if cookieHeader(back) != "" {
			t.Errorf("%s: signed in by %s", name, cookieHeader(back))
		}
	}
	r := withAccounts(t, &accounts{err: errors.New("a fault of ours")})
	if back := r.do("GET", rest.PathProviderStart, ""); back.status != http.StatusInternalServerError {
		t.Errorf("a fault of ours: %d %s", back.status, back.body)
	}
}

// Two cookies of a flow's name are none: one of them is somebody else's.
func TestAFlowOfTwoCookies(t *testing.T) {
	p := &accounts{who: auth.ProviderClaims{Subject: "ada"}}
	r := withAccounts(t, p)
	r.do("GET", rest.PathProviderCallback, "", with("Cookie", flowCookie+"=a; "+flowCookie+"=b"))
	if p.kept != "" {
		t.Errorf("the provider's answer was held against %q", p.kept)
	}
}

// A logout that the provider did not sign is refused as OpenID Connect has it, and who
// goes on making them up waits.
func TestALogoutOfNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := withAccounts(t, &accounts{})
		first := r.do("POST", rest.PathProviderLogout, "logout_token=made+up", form)
		if first.status != http.StatusBadRequest || string(first.body) != `{"error":"invalid_request"}` {
			t.Errorf("%d %s", first.status, first.body)
		}
		var last answer
		for range 100 {
			if last = r.do("POST", rest.PathProviderLogout, "logout_token=made+up", form); last.status == http.StatusTooManyRequests {
				break
			}
		}
		if last.status != http.StatusTooManyRequests || last.header.Get("Retry-After") == "" {
			t.Errorf("after a hundred: %d %v", last.status, last.header)
		}
		long := "logout_token=" + strings.Repeat("a", 16<<10)
		if got := r.do("POST", rest.PathProviderLogout, long, form, from("203.0.113.9")); got.status == http.StatusOK {
			t.Errorf("a body beyond its bound: %d", got.status)
		}
	})
}

// A logout of a subject, without a session, withdraws whatever they hold.
func TestALogoutOfASubject(t *testing.T) {
	p := &accounts{who: auth.ProviderClaims{Subject: "ada"}}
	r := withAccounts(t, p)
	token := r.as("ada")
	if out := r.do("POST", rest.PathProviderLogout, "logout_token=signed", form); out.status != http.StatusOK {
		t.Fatalf("%d %s", out.status, out.body)
	}
	if me := r.do("GET", rest.PathMe, "", token); me.status != http.StatusUnauthorized {
		t.Errorf("a token from before: %d", me.status)
	}
	if e := r.newest(rest.AuditRevoke); e.Actor != "identity provider" {
		t.Errorf("on record: %+v", e)
	}
}

// TestSigningOutAtTheProvider: who signed in there is told where to sign out, too; nobody
// else is, and a provider that doesn't answer keeps nobody signed in here.
func TestSigningOutAtTheProvider(t *testing.T) {
	for name, test := range map[string]struct {
		idToken string
		err     error
		want    string // of the body; "": 204
	}{
		"signed in there":       {"ey.J", nil, `{"provider_logout":"https://id.example.test/end?hint=ey.J"}`},
		"without an ID token":   {"", nil, ""},
		"one that is too long":  {strings.Repeat("x", 4<<10+1), nil, ""},
		"the provider is away":  {"ey.J", errors.New("no answer"), ""},
		"the longest that goes": {strings.Repeat("x", 4<<10), nil, `{"provider_logout":"https://id.example.test/end?hint=` + strings.Repeat("x", 4<<10) + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			r := withAccounts(t, &accounts{who: auth.ProviderClaims{Subject: "ada", IDToken: test.idToken}, logout: "https://id.example.test/end?hint=", logoutErr: test.err})
			session := with("Cookie", cookieHeader(r.do("GET", rest.PathProviderCallback+"?code=c", "", with("Cookie", flowCookie+"=x"))))
			out := r.do("DELETE", rest.PathAuthSession, "", session, with("Origin", "http://parley.test"))
			if want := map[bool]int{true: http.StatusOK, false: http.StatusNoContent}[test.want != ""]; out.status != want || strings.TrimSpace(string(out.body)) != test.want {
				t.Errorf("%d %.200s, want %d", out.status, out.body, want)
			}
			if me := r.do("GET", rest.PathMe, "", session); me.status != http.StatusUnauthorized {
				t.Errorf("signed in still: %d", me.status)
			}
		})
	}
}
