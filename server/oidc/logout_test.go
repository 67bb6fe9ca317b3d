package oidc_test

import (
	"net/url"
	"testing"

	"parley/server/oidc"
)

// TestWhereToSignOut: an address of RP-Initiated Logout, with the ID token that came; none
// where the provider has no safe place for it, or is not to be asked.
func TestWhereToSignOut(t *testing.T) {
	for name, test := range map[string]struct {
		endSession string
		change     func(*oidc.Config)
		isNone     bool
	}{
		"https":                   {endSession: "https://id.example.org/end?tenant=7"},
		"this machine":            {endSession: "http://127.0.0.1:9/end?tenant=7"},
		"no place":                {isNone: true},
		"in the clear":            {endSession: "http://id.example.org/end", isNone: true},
		"a script":                {endSession: "javascript:alert(1)", isNone: true},
		"no address":              {endSession: "https://%", isNone: true},
		"by configuration, never": {endSession: "https://id.example.org/end", change: func(c *oidc.Config) { c.KeepsSession = true }, isNone: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, func(c *oidc.Config) {
				if test.change != nil {
					test.change(c)
				}
			})
			s.by.endSession = test.endSession
			cookie, answer := s.begin(t)
			who, _, err := s.Finish(t.Context(), cookie, answer)
			if err != nil || who.IDToken == "" {
				t.Fatalf("%+v, %v", who, err)
			}
			address, err := s.LogoutAddress(t.Context(), who.IDToken)
			if err != nil || (address == "") != test.isNone {
				t.Fatalf("%q, %v", address, err)
			}
			if test.isNone {
				return
			}
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			if q.Get("id_token_hint") != who.IDToken || q.Get("client_id") != "parley" || q.Get("post_logout_redirect_uri") != "https://voice.example.org/sign-in" ||
				len(q.Get("state")) < 20 || q.Get("tenant") != "7" {
				t.Errorf("%s", address)
			}
		})
	}
}
