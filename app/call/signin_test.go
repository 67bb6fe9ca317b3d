package call_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"parley/app/call"
	"parley/app/client"
	"parley/shared/rest"
)

func TestTokenFromALink(t *testing.T) {
	for fragment, want := range map[string]string{
		"#token=a.b.c": "a.b.c", "token=a.b.c": "a.b.c", "token= a.b.c ": "a.b.c",
		"": "", "token": "", "other=1": "", "token=": "", "xtoken=a": "",
	} {
		if got := call.TokenFrom(fragment); got != want {
			t.Errorf("%q: got %q, want %q", fragment, got, want)
		}
	}
}

// Whether a session has ended is known from the last sign-in, and not without
// a place to note it.
func TestSigningInIsRemembered(t *testing.T) {
	s := &tab{}
	if call.WasSignedIn(s) {
		t.Error("signed in before anybody was")
	}
	call.RememberSignIn(s)
	if !call.WasSignedIn(s) {
		t.Error("the sign-in is forgotten")
	}
	call.ForgetSignIn(s)
	if call.WasSignedIn(s) || len(s.kept) != 0 {
		t.Errorf("after signing out there is %v", s.kept)
	}
	call.RememberSignIn(nil)
	call.ForgetSignIn(nil)
	if call.WasSignedIn(nil) {
		t.Error("signed in while prerendering")
	}
}

// Only a local path is a place to go on to.
func TestNextPath(t *testing.T) {
	for next, want := range map[string]string{
		"/call": "/call", "/admin/sessions?quality=poor": "/admin/sessions?quality=poor",
		"": "", "call": "", "//evil.example": "", "https://evil.example": "", "/\\evil.example": "", "/a\\b": "",
		"/\t/evil.example": "", "/\n/x": "", "javascript:alert(1)": "", "/sign-in": "", "/sign-in?next=/sign-in": "", "/": "",
	} {
		if got := call.NextPath(next); got != want {
			t.Errorf("%q: got %q, want %q", next, got, want)
		}
	}
}

func jwt(payload string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".sig"
}

func TestTokenExpired(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for token, want := range map[string]bool{
		jwt(`{"exp":1699999999}`): true,
		jwt(`{"exp":1700000000}`): false,
		jwt(`{"exp":"soon"}`):     false,
		jwt(`{}`):                 false,
		jwt(`no json`):            false,
		"a.b":                     false,
		"a.%%%.c":                 false,
		"":                        false,
	} {
		if got := call.TokenExpired(token, now); got != want {
			t.Errorf("%q: got %v", token, got)
		}
	}
}

func TestSignInWords(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	old := jwt(`{"exp":1}`)
	cases := map[string]struct {
		token string
		err   error
		want  string
	}{
		"not for this server": {"a.b.c", &rest.Problem{Code: rest.CodeUnauthorized}, "This token isn't valid for this server."},
		"expired":             {old, &rest.Problem{Code: rest.CodeUnauthorized}, "This token has expired. Ask for a new one."},
		"too many tries":      {old, &rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: 240}, "Too many tries. You can try again in 4 min."},
		"no server":           {old, client.ErrNetwork, "We can't reach the server. Check your connection, then try again."},
		"our fault":           {old, &rest.Problem{Code: rest.CodeServerError}, "Something broke on our side. It's been logged."},
		"anything else":       {old, &rest.Problem{Code: rest.CodeMalformed}, "This token isn't valid for this server."},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := call.SignInWords(c.token, c.err, now); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Who enters a demo reads the words of any sign-in, but for the passkey.
func TestEnterDemoWords(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for want, err := range map[string]error{
		"That isn't this server's passkey.":                                 &rest.Problem{Code: rest.CodeUnauthorized},
		"Too many tries. You can try again in 45 s.":                        &rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: 45},
		"We can't reach the server. Check your connection, then try again.": client.ErrNetwork,
	} {
		if got := call.EnterDemoWords(err, now); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

// door answers sign-ins.
type door struct {
	me      rest.Me
	refused bool
	asked   []string
	bearer  string
}

func (d *door) Fetch(_ context.Context, r client.Request) (client.Response, error) {
	d.asked = append(d.asked, r.Method+" "+r.Path)
	if r.Path == rest.PathAuthSession {
		d.bearer = r.Header["Authorization"]
		if d.refused {
			return client.Response{Status: 401}, nil
		}
		return client.Response{Status: 204}, nil
	}
	body, err := json.Marshal(d.me)
	return client.Response{Status: 200, Body: body, Header: map[string]string{"Content-Type": "application/json"}}, err
}

func TestEnter(t *testing.T) {
	cases := map[string]struct {
		d    door
		next string
		want string
	}{
		"a caller":          {door{me: rest.Me{Rights: rest.Rights{Call: true}}}, "", "/call"},
		"an admin":          {door{me: rest.Me{Rights: rest.Rights{Call: true, Admin: true}}}, "", "/admin"},
		"somewhere to go":   {door{me: rest.Me{Rights: rest.Rights{Admin: true}}}, "/admin/sessions", "/admin/sessions"},
		"neither of either": {door{}, "", "/call"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			to, err := call.Enter(t.Context(), client.New(&c.d, nil), "a.b.c", c.next)
			if err != nil || to != c.want {
				t.Errorf("got %q, %v", to, err)
			}
			if c.d.bearer != "Bearer a.b.c" || strings.Join(c.d.asked, " ") != "POST /api/v1/auth/session GET /api/v1/me" {
				t.Errorf("asked %v with %q", c.d.asked, c.d.bearer)
			}
		})
	}
}

func TestARefusedTokenGoesNowhere(t *testing.T) {
	d := &door{refused: true}
	_, err := call.Enter(t.Context(), client.New(d, nil), "a.b.c", "/call")
	var problem *rest.Problem
	if !errors.As(err, &problem) || problem.Code != rest.CodeUnauthorized || len(d.asked) != 1 {
		t.Errorf("got %v after %v", err, d.asked)
	}
}
