package auth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"parley/server/auth"
)

func TestGroupsMakeAdmins(t *testing.T) {
	for name, test := range map[string]struct {
		mode   auth.Mode
		org    string
		groups []string
		want   auth.Scope
		admin  bool
	}{
		"an admins' group":             {auth.Production, "", []string{"staff", "ops"}, auth.Scope{All: true}, true},
		"of another case":              {auth.Production, "", []string{"Ops"}, auth.Scope{}, false},
		"no group":                     {auth.Production, "", nil, auth.Scope{}, false},
		"an organization's, in none":   {auth.Production, "", []string{"leads"}, auth.Scope{}, false},
		"an organization's":            {auth.Organization, "acme", []string{"leads"}, auth.Scope{Org: "acme"}, true},
		"all organizations'":           {auth.Organization, "acme", []string{"ops", "leads"}, auth.Scope{All: true}, true},
		"an auditors' group":           {auth.Production, "", []string{"audit"}, auth.Scope{All: true, ReadOnly: true}, true},
		"auditors and admins":          {auth.Production, "", []string{"audit", "ops"}, auth.Scope{All: true}, true},
		"an organization's auditors":   {auth.Organization, "acme", []string{"review"}, auth.Scope{Org: "acme", ReadOnly: true}, true},
		"review and lead":              {auth.Organization, "acme", []string{"review", "leads"}, auth.Scope{Org: "acme"}, true},
		"review, in none":              {auth.Production, "", []string{"review"}, auth.Scope{}, false},
		"on a demo server, as nowhere": {auth.Demo, "", []string{"ops"}, auth.Scope{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuth(t, func(c *auth.Config) {
				c.Mode, c.AdminGroups, c.OrgAdminGroups = test.mode, []string{"ops"}, []string{"leads"}
				c.AuditorGroups, c.OrgAuditorGroups = []string{"audit"}, []string{"review"}
			})
			id, err := a.IdentityOf(auth.ProviderClaims{Subject: "ada", Org: test.org, Groups: test.groups}, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			if got, isAdmin := a.Scope(id); got != test.want || isAdmin != test.admin || id.ServerAdmin != test.want.All {
				t.Errorf("%+v %v, as %+v", got, isAdmin, id)
			}
		})
	}
}

func TestClaimsThatAreHeldToWhatATokenIs(t *testing.T) {
	for name, test := range map[string]struct {
		said auth.ProviderClaims
		mode auth.Mode
		life time.Duration
	}{
		"no subject":             {auth.ProviderClaims{}, auth.Production, time.Hour},
		"a subject with a space": {auth.ProviderClaims{Subject: "a b"}, auth.Production, time.Hour},
		"no organization":        {auth.ProviderClaims{Subject: "ada"}, auth.Organization, time.Hour},
		"for ever":               {auth.ProviderClaims{Subject: "ada"}, auth.Production, auth.MaxLife + 1},
		"for no time":            {auth.ProviderClaims{Subject: "ada"}, auth.Production, 0},
	} {
		a := newAuth(t, func(c *auth.Config) { c.Mode = test.mode })
		if id, err := a.IdentityOf(test.said, test.life); !errors.Is(err, auth.ErrUnauthorized) {
			t.Errorf("%s: %+v %v", name, id, err)
		}
	}
}

// What a provider ends by its session is over for who signed in by it, cookie and all,
// and for nobody else; a sign-in by a later session is good.
func TestAProviderEndsItsSession(t *testing.T) {
	a := newAuth(t, nil)
	cookie := func(session string) string {
		id, err := a.IdentityOf(auth.ProviderClaims{Subject: "ada", Session: session}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if err := a.StartSession(w, httptest.NewRequest(http.MethodPost, "http://parley.test/", nil), id); err != nil {
			t.Fatal(err)
		}
		return w.Result().Cookies()[0].Value
	}
	ended, other, none := cookie("s1"), cookie("s2"), cookie("")
	prefix, err := a.EndProviderSession(t.Context(), "s1")
	if err != nil || len(prefix) < 20 {
		t.Fatalf("%q %v", prefix, err)
	}
	for value, want := range map[string]bool{ended: false, other: true, none: true, cookie("s3"): true} {
		if _, err := bySession(a, value); (err == nil) != want {
			t.Errorf("%v, want %v", err, want)
		}
	}
}
