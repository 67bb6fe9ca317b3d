package oidc_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"

	"parley/server/oidc"
	"parley/shared/rest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(int) { http.DefaultClient.CloseIdleConnections() }))
}

const redirect = "https://voice.example.org" + rest.PathProviderCallback

// signIn is one way to a provider and back.
type signIn struct {
	*oidc.Provider
	by  *provider
	now time.Time
}

func open(t *testing.T, change ...func(*oidc.Config)) *signIn {
	s := &signIn{by: newProvider(t), now: time.Now()}
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	c := oidc.Config{
		Issuer: s.by.URL, ClientID: "parley", Secret: "s3cret", Redirect: redirect,
		Scopes: []string{"email"}, GroupClaim: "groups", OrgClaim: "org",
		Client: &http.Client{Transport: transport}, Now: func() time.Time { return s.now },
	}
	for _, f := range change {
		f(&c)
	}
	var err error
	if s.Provider, err = oidc.New(c); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *signIn) begin(t *testing.T) (cookie string, answer url.Values) {
	t.Helper()
	address, cookie, err := s.Begin(t.Context(), "/admin/logs")
	if err != nil {
		t.Fatal(err)
	}
	return cookie, s.by.authorize(address)
}

func TestWhoSignedIn(t *testing.T) {
	s := open(t)
	cookie, answer := s.begin(t)
	who, next, err := s.Finish(t.Context(), cookie, answer)
	if err != nil {
		t.Fatal(err)
	}
	if who.Subject != "ada" || who.Name != "Ada Kern" || who.Email != "ada@example.org" || !who.EmailVerified || who.PhoneVerified ||
		who.Session != "s1" || !slices.Equal(who.Groups, []string{"staff", "ops"}) || next != "/admin/logs" {
		t.Errorf("%+v, on to %s", who, next)
	}
	if strings.Contains(cookie, answer.Get("state")) {
		t.Error("the cookie tells the state")
	}
	if _, _, err := s.Finish(t.Context(), cookie, answer); err == nil {
		t.Error("a code is taken twice")
	}
}

// Claims of another type are as if they weren't there, and grant nothing; one group may
// stand for itself; groups that the ID token lacks are asked for.
func TestClaims(t *testing.T) {
	for name, test := range map[string]struct {
		idToken  func(jwt.MapClaims)
		userinfo map[string]any
		groups   []string
		verified bool
	}{
		"one group":              {func(c jwt.MapClaims) { c["groups"] = "ops" }, nil, []string{"ops"}, true},
		"groups of no kind":      {func(c jwt.MapClaims) { c["groups"] = map[string]any{"ops": true} }, nil, nil, true},
		"verified in quotes":     {func(c jwt.MapClaims) { c["email_verified"] = "true" }, nil, []string{"staff", "ops"}, false},
		"groups at userinfo":     {func(c jwt.MapClaims) { delete(c, "groups") }, map[string]any{"sub": "ada", "groups": []string{"far"}}, []string{"far"}, true},
		"userinfo changes none":  {func(c jwt.MapClaims) { c["groups"] = nil }, map[string]any{"sub": "ada", "email_verified": false, "groups": []string{"far"}}, []string{"far"}, true},
		"no groups anywhere":     {func(c jwt.MapClaims) { delete(c, "groups") }, map[string]any{"sub": "ada"}, nil, true},
		"a claim with no groups": {func(c jwt.MapClaims) { c["groups"] = []string{} }, nil, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.by.idToken, s.by.userinfo = test.idToken, test.userinfo
			cookie, answer := s.begin(t)
			who, _, err := s.Finish(t.Context(), cookie, answer)
			if err != nil || !slices.Equal(who.Groups, test.groups) || who.EmailVerified != test.verified {
				t.Errorf("%+v, %v", who, err)
			}
		})
	}
}

// Nobody is signed in by anything but the answer to the very flow that this browser began.
func TestAnswersThatAreRefused(t *testing.T) {
	hour := time.Hour
	for name, test := range map[string]struct {
		change func(s *signIn, cookie *string, answer url.Values)
		want   string
	}{
		"no cookie":             {func(_ *signIn, c *string, _ url.Values) { *c = "" }, rest.SignInExpired},
		"a cookie made up":      {func(_ *signIn, c *string, _ url.Values) { *c = strings.Repeat("A", len(*c)) }, rest.SignInExpired},
		"another's state":       {func(_ *signIn, _ *string, a url.Values) { a.Set("state", strings.Repeat("x", 26)) }, rest.SignInExpired},
		"no state":              {func(_ *signIn, _ *string, a url.Values) { a.Del("state") }, rest.SignInExpired},
		"too late":              {func(s *signIn, _ *string, _ url.Values) { s.now = s.now.Add(oidc.FlowLife + time.Second) }, rest.SignInExpired},
		"another issuer":        {func(_ *signIn, _ *string, a url.Values) { a.Set("iss", "https://evil.example") }, rest.SignInUntrusted},
		"they said no":          {func(_ *signIn, _ *string, a url.Values) { a.Set("error", "access_denied") }, rest.SignInCanceled},
		"no code":               {func(_ *signIn, _ *string, a url.Values) { a.Del("code") }, rest.SignInUntrusted},
		"a code made up":        {func(_ *signIn, _ *string, a url.Values) { a.Set("code", "x") }, rest.SignInUntrusted},
		"a provider that fails": {func(s *signIn, _ *string, _ url.Values) { s.by.status = http.StatusBadGateway }, rest.SignInDown},
		"a provider that left":  {func(s *signIn, _ *string, _ url.Values) { s.by.Close() }, rest.SignInDown},
		"another flow's nonce":  {claim("nonce", "x"), rest.SignInUntrusted},
		"no nonce":              {claim("nonce", nil), rest.SignInUntrusted},
		"for another client":    {claim("aud", "other"), rest.SignInUntrusted},
		"by another issuer":     {claim("iss", "https://evil.example"), rest.SignInUntrusted},
		"expired":               {claim("exp", time.Now().Add(-hour).Unix()), rest.SignInUntrusted},
		"of a wrong hash":       {claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), rest.SignInUntrusted},
		"signed by the secret": {func(s *signIn, _ *string, _ url.Values) {
			s.by.sign = func(c jwt.MapClaims) string { return s.by.signWith(jwt.SigningMethodHS256, []byte("s3cret"), c) }
		}, rest.SignInUntrusted},
		"not signed": {func(s *signIn, _ *string, _ url.Values) {
			s.by.sign = func(c jwt.MapClaims) string {
				return s.by.signWith(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, c)
			}
		}, rest.SignInUntrusted},
		"userinfo of another": {func(s *signIn, _ *string, _ url.Values) {
			s.by.idToken, s.by.userinfo = func(c jwt.MapClaims) { delete(c, "groups") }, map[string]any{"sub": "eve", "groups": []string{"ops"}}
		}, rest.SignInUntrusted},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			cookie, answer := s.begin(t)
			test.change(s, &cookie, answer)
			who, _, err := s.Finish(t.Context(), cookie, answer)
			var failed *oidc.Failure
			if !errors.As(err, &failed) || failed.Code != test.want {
				t.Errorf("%+v, %v: want %s", who, err, test.want)
			}
		})
	}
}

// claim has the ID token say something else.
func claim(name string, value any) func(*signIn, *string, url.Values) {
	return func(s *signIn, _ *string, _ url.Values) {
		s.by.idToken = func(c jwt.MapClaims) {
			if c[name] = value; value == nil {
				delete(c, name)
			}
		}
	}
}

func TestOnlyMembersMaySignIn(t *testing.T) {
	for group, want := range map[string]bool{"ops": true, "Ops": false, "sales": false} {
		s := open(t, func(c *oidc.Config) { c.UserGroups = []string{"it", group} })
		cookie, answer := s.begin(t)
		_, _, err := s.Finish(t.Context(), cookie, answer)
		var failed *oidc.Failure
		if isForbidden := errors.As(err, &failed) && failed.Code == rest.SignInForbidden; isForbidden == want {
			t.Errorf("users of %s: %v", group, err)
		}
	}
}

func TestLogoutTokens(t *testing.T) {
	for name, test := range map[string]struct {
		change           func(jwt.MapClaims)
		session, subject string
		ok               bool
	}{
		"of a session":       {func(jwt.MapClaims) {}, "s1", "ada", true},
		"of a person":        {func(c jwt.MapClaims) { delete(c, "sid") }, "", "ada", true},
		"an ID token":        {func(c jwt.MapClaims) { delete(c, "events") }, "", "", false},
		"with a nonce":       {func(c jwt.MapClaims) { c["nonce"] = "n" }, "", "", false},
		"of nobody":          {func(c jwt.MapClaims) { delete(c, "sid"); delete(c, "sub") }, "", "", false},
		"for another client": {func(c jwt.MapClaims) { c["aud"] = "other" }, "", "", false},
		"expired":            {func(c jwt.MapClaims) { c["exp"] = 1 }, "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			session, subject, err := s.VerifyLogout(t.Context(), s.by.logoutToken(test.change))
			if (err == nil) != test.ok || session != test.session || subject != test.subject {
				t.Errorf("%q %q %v", session, subject, err)
			}
		})
	}
}

// A provider that is down when somebody asks is asked again, but not by everybody.
func TestAProviderThatComesBack(t *testing.T) {
	s := open(t)
	var asked int
	handler := s.by.Config.Handler
	s.by.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	for range 3 {
		var failed *oidc.Failure
		if _, _, err := s.Begin(t.Context(), ""); !errors.As(err, &failed) || failed.Code != rest.SignInDown {
			t.Errorf("%v", err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times within a moment", asked)
	}
	s.by.Config.Handler, s.now = handler, s.now.Add(5*time.Second)
	if _, _, err := s.Begin(t.Context(), ""); err != nil {
		t.Error(err)
	}
}

func TestIssuersThatAreNone(t *testing.T) {
	for _, issuer := range []string{"", "accounts.example.org", "http://accounts.example.org", "https://u:p@accounts.example.org", "https://accounts.example.org?x=1", "ftp://localhost"} {
		if _, err := oidc.New(oidc.Config{Issuer: issuer, ClientID: "parley"}); err == nil {
			t.Errorf("%q is taken", issuer)
		}
	}
}
