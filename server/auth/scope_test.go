package auth_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"parley/server/auth"
)

// A ruling is what one kind of token gets at one kind of server. A star stands
// for every value of its column.
type ruling struct{ server, mode, org, role, who, gets string }

// What a token gets.
const (
	newRefusal = "401"
	caller     = "no admin"
	all        = "all"
	own        = "own organization"
	allToSee   = "all, to look at"
	ownToSee   = "own organization, to look at"
)

// rulings are the whole matrix: every combination has exactly one.
var rulings = []ruling{
	{"production", "demo", "*", "*", "*", newRefusal},
	{"production", "organization", "*", "*", "*", newRefusal},
	{"production", "Production", "*", "*", "*", newRefusal},
	{"production", "", "*", "*", "nobody", caller},
	{"production", "", "*", "*", "demo-admin", caller},
	{"production", "", "*", "*", "listed sub", all},
	{"production", "", "*", "*", "listed phone", all},
	{"production", "", "*", "*", "listed e-mail", all},
	{"production", "", "*", "*", "auditor", allToSee},
	{"production", "production", "*", "*", "auditor", allToSee},
	{"production", "production", "*", "*", "nobody", caller},
	{"production", "production", "*", "*", "demo-admin", caller},
	{"production", "production", "*", "*", "listed sub", all},
	{"production", "production", "*", "*", "listed phone", all},
	{"production", "production", "*", "*", "listed e-mail", all},

	{"demo", "", "*", "*", "*", newRefusal},
	{"demo", "production", "*", "*", "*", newRefusal},
	{"demo", "organization", "*", "*", "*", newRefusal},
	{"demo", "Production", "*", "*", "*", newRefusal},
	{"demo", "demo", "*", "*", "demo-admin", all},
	{"demo", "demo", "*", "*", "nobody", caller},
	{"demo", "demo", "*", "*", "auditor", caller},
	{"demo", "demo", "*", "*", "listed sub", caller},
	{"demo", "demo", "*", "*", "listed phone", caller},
	{"demo", "demo", "*", "*", "listed e-mail", caller},

	{"organization", "", "*", "*", "*", newRefusal},
	{"organization", "production", "*", "*", "*", newRefusal},
	{"organization", "demo", "*", "*", "*", newRefusal},
	{"organization", "Production", "*", "*", "*", newRefusal},
	{"organization", "organization", "", "*", "*", newRefusal},
	{"organization", "organization", " acme", "*", "*", newRefusal},
	{"organization", "organization", "acme", "*", "listed sub", all},
	{"organization", "organization", "acme", "*", "listed phone", all},
	{"organization", "organization", "acme", "*", "listed e-mail", all},
	{"organization", "organization", "acme", "org_admin", "nobody", own},
	{"organization", "organization", "acme", "org_admin", "demo-admin", own},
	{"organization", "organization", "acme", "org_auditor", "nobody", ownToSee},
	{"organization", "organization", "acme", "org_auditor", "demo-admin", ownToSee},
	{"organization", "organization", "acme", "*", "auditor", allToSee},
	{"organization", "organization", "acme", "", "nobody", caller},
	{"organization", "organization", "acme", "", "demo-admin", caller},
	{"organization", "organization", "acme", "admin", "nobody", caller},
	{"organization", "organization", "acme", "admin", "demo-admin", caller},
	{"organization", "organization", "acme", "Org_Admin", "nobody", caller},
	{"organization", "organization", "acme", "Org_Admin", "demo-admin", caller},
}

func rule(t *testing.T, r ruling) string {
	t.Helper()
	fits := func(pattern, value string) bool { return pattern == "*" || pattern == value }
	var found []string
	for _, x := range rulings {
		if fits(x.server, r.server) && fits(x.mode, r.mode) && fits(x.org, r.org) && fits(x.role, r.role) && fits(x.who, r.who) {
			found = append(found, x.gets)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d rulings for %+v", len(found), r)
	}
	return found[0]
}

// people are who may ask, as claims after a good payload's. The subject of all
// but two is alice.
var people = map[string]struct{ sub, claims string }{
	"nobody":        {"alice", ""},
	"demo-admin":    {"demo-admin", ""},
	"listed sub":    {"root", ""},
	"auditor":       {"eve", ""},
	"listed phone":  {"alice", `,"phone":"+905551234"`},
	"listed e-mail": {"alice", `,"email":"boss@x.org"`},
}

func TestEveryModeRoleOrganizationAndList(t *testing.T) {
	servers := map[string]*auth.Auth{}
	for _, mode := range []auth.Mode{auth.Production, auth.Demo, auth.Organization} {
		servers[string(mode)] = newAuth(t, func(c *auth.Config) {
			c.Mode, c.Admins, c.Auditors = mode, []string{"root", "+905551234", "boss@x.org"}, []string{"eve", "root"}
		})
	}
	for server, a := range servers {
		for _, mode := range []string{"", "production", "demo", "organization", "Production"} {
			for _, org := range []string{"", "acme", " acme"} {
				for _, role := range []string{"", "org_admin", "org_auditor", "admin", "Org_Admin"} {
					for who := range people {
						r := ruling{server: server, mode: mode, org: org, role: role, who: who}
						if got, want := ask(a, r), rule(t, r); got != want {
							t.Errorf("%+v gets %q, want %q", r, got, want)
						}
					}
				}
			}
		}
	}
}

// ask shows the server a token and tells what it got, in the words above.
func ask(a *auth.Auth, r ruling) string {
	claims := people[r.who].claims
	for name, value := range map[string]string{"mode": r.mode, "org": r.org, "role": r.role} {
		if value != "" {
			claims += fmt.Sprintf(",%q:%q", name, value)
		}
	}
	id, err := a.Verify(sign(header, fmt.Sprintf(`{"iss":"parley","aud":"parley","sub":%q,"iat":%d,"exp":%d%s}`,
		people[r.who].sub, now.Unix(), now.Add(time.Hour).Unix(), claims)))
	if err != nil {
		return newRefusal
	}
	scope, ok := a.Scope(id)
	switch {
	case !ok && scope == (auth.Scope{}) && !a.Admin(id):
		return caller
	case ok && scope == (auth.Scope{All: true}) && a.Admin(id):
		return all
	case ok && scope == (auth.Scope{Org: r.org}) && !a.Admin(id):
		return own
	case ok && scope == (auth.Scope{All: true, ReadOnly: true}) && !a.Admin(id):
		return allToSee
	case ok && scope == (auth.Scope{Org: r.org, ReadOnly: true}) && !a.Admin(id):
		return ownToSee
	}
	return fmt.Sprintf("%+v, %v", scope, ok)
}

// TestWhoVouches: an e-mail or a phone number makes an admin when its issuer
// verified it, or the token is the server's own.
func TestWhoVouches(t *testing.T) {
	k := newKeys(t)
	a := newAuth(t, func(c *auth.Config) {
		c.Admins, c.Keys.File = []string{"root", "+905551234", "boss@x.org"}, keyFile(t, k.usual(t))
	})
	for name, test := range map[string]struct {
		claims jwt.MapClaims
		admin  bool
	}{
		"e-mail, not said":             {jwt.MapClaims{"email": "boss@x.org"}, false},
		"e-mail, not verified":         {jwt.MapClaims{"email": "boss@x.org", "email_verified": false}, false},
		"e-mail, verified":             {jwt.MapClaims{"email": "boss@x.org", "email_verified": true}, true},
		"e-mail, verified by a text":   {jwt.MapClaims{"email": "boss@x.org", "email_verified": "true"}, false},
		"e-mail, verified by a number": {jwt.MapClaims{"email": "boss@x.org", "email_verified": 1}, false},
		"e-mail, verified by a list":   {jwt.MapClaims{"email": "boss@x.org", "email_verified": []bool{true}}, false},
		"e-mail, null":                 {jwt.MapClaims{"email": "boss@x.org", "email_verified": nil}, false},
		"e-mail, the phone verified":   {jwt.MapClaims{"email": "boss@x.org", "phone_number_verified": true}, false},
		"e-mail, another case":         {jwt.MapClaims{"email": "boss@x.org", "Email_Verified": true}, false},
		"phone, not said":              {jwt.MapClaims{"phone": "+905551234"}, false},
		"phone, verified":              {jwt.MapClaims{"phone": "+905551234", "phone_number_verified": true}, true},
		"phone_number, not said":       {jwt.MapClaims{"phone_number": "+905551234"}, false},
		"phone_number, verified":       {jwt.MapClaims{"phone_number": "+905551234", "phone_number_verified": true}, true},
		"phone_number, another's":      {jwt.MapClaims{"phone": "+905551234", "phone_number": "+1", "phone_number_verified": true}, false},
		"both, the same":               {jwt.MapClaims{"phone": "+905551234", "phone_number": "+905551234", "phone_number_verified": true}, true},
		"phone, the e-mail verified":   {jwt.MapClaims{"phone": "+905551234", "email_verified": true}, false},
		"phone_verified":               {jwt.MapClaims{"phone": "+905551234", "phone_verified": true}, false},
		"an e-mail as the phone":       {jwt.MapClaims{"phone": "boss@x.org", "email_verified": true}, false},
		"an e-mail as the name":        {jwt.MapClaims{"name": "boss@x.org", "email_verified": true}, false},
		"the subject":                  {jwt.MapClaims{"sub": "root"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			all := jwt.MapClaims{"iss": "parley", "aud": "parley", "sub": "alice", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
			maps.Copy(all, test.claims)
			id, err := a.Verify(signedBy(t, jwt.SigningMethodRS256, k.rsa, all, byKid("rsa")))
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := a.Scope(id); ok != test.admin {
				t.Fatalf("%+v is an admin: %v", id, ok)
			}
			own, err := a.Verify(signedBy(t, jwt.SigningMethodHS256, testSecret, all, nil))
			if err != nil {
				t.Fatal(err)
			}
			listed := own.Email == "boss@x.org" || own.Phone == "boss@x.org" || own.Phone == "+905551234" || own.Subject == "root"
			if _, ok := a.Scope(own); ok != listed {
				t.Fatalf("the server's own %+v is an admin: %v", own, ok)
			}
		})
	}
}

// TestScope asks of identities that no token would give, too.
func TestScope(t *testing.T) {
	production := func(c *auth.Config) { c.Admins = []string{"root", "+905551234", "boss@x.org"} }
	demo := func(c *auth.Config) { c.Mode = auth.Demo }
	org := func(c *auth.Config) {
		c.Mode, c.Admins, c.Auditors = auth.Organization, []string{"root"}, []string{"eve@x.org"}
	}
	nothing := auth.Scope{}
	for name, test := range map[string]struct {
		config func(*auth.Config)
		id     auth.Identity
		want   auth.Scope
	}{
		"listed":                 {production, auth.Identity{Subject: "root"}, auth.Scope{All: true}},
		"another case":           {production, auth.Identity{Subject: "Root"}, nothing},
		"unverified e-mail":      {production, auth.Identity{Subject: "a", Email: "boss@x.org"}, nothing},
		"unverified phone":       {production, auth.Identity{Subject: "a", Phone: "+905551234"}, nothing},
		"verified e-mail":        {production, auth.Identity{Subject: "a", Email: "boss@x.org", EmailVerified: true}, auth.Scope{All: true}},
		"verified phone":         {production, auth.Identity{Subject: "a", Phone: "+905551234", PhoneVerified: true}, auth.Scope{All: true}},
		"e-mail in another case": {production, auth.Identity{Subject: "a", Email: "Boss@x.org", EmailVerified: true}, nothing},
		"a space":                {production, auth.Identity{Subject: "a", Email: "boss@x.org ", EmailVerified: true}, nothing},
		"zero-width":             {production, auth.Identity{Subject: "a", Phone: "+905551234\u200b", PhoneVerified: true}, nothing},
		"phone as subject":       {production, auth.Identity{Subject: "+905551234"}, auth.Scope{All: true}},
		"name of an admin":       {production, auth.Identity{Subject: "a", Name: "root"}, nothing},
		"by role":                {production, auth.Identity{Subject: "a", Org: "x", Role: auth.RoleOrgAdmin}, nothing},
		"listed, of demo":        {production, auth.Identity{Subject: "root", Mode: "demo"}, nothing},
		"demo":                   {demo, auth.Identity{Subject: auth.DemoAdmin, Mode: "demo", Local: true}, auth.Scope{All: true}},
		"demo, by an issuer":     {demo, auth.Identity{Subject: auth.DemoAdmin, Mode: "demo"}, nothing},
		"demo without a mode":    {demo, auth.Identity{Subject: auth.DemoAdmin, Local: true}, nothing},
		"organization":           {org, auth.Identity{Subject: "a", Mode: "organization", Org: "x", Role: auth.RoleOrgAdmin}, auth.Scope{Org: "x"}},
		"of no organization":     {org, auth.Identity{Subject: "a", Mode: "organization", Role: auth.RoleOrgAdmin}, nothing},
		"listed, of none":        {org, auth.Identity{Subject: "root", Mode: "organization"}, nothing},
		"listed and org_admin":   {org, auth.Identity{Subject: "root", Mode: "organization", Org: "x", Role: auth.RoleOrgAdmin}, auth.Scope{All: true}},
		"auditor":                {org, auth.Identity{Subject: "a", Email: "eve@x.org", EmailVerified: true, Mode: "organization", Org: "x", Role: auth.RoleOrgAdmin}, auth.Scope{All: true, ReadOnly: true}},
		"auditor, unverified":    {org, auth.Identity{Subject: "a", Email: "eve@x.org", Mode: "organization", Org: "x"}, nothing},
		"org_auditor":            {org, auth.Identity{Subject: "a", Mode: "organization", Org: "x", Role: auth.RoleOrgAuditor}, auth.Scope{Org: "x", ReadOnly: true}},
		"org_auditor of none":    {org, auth.Identity{Subject: "a", Mode: "organization", Role: auth.RoleOrgAuditor}, nothing},
		"org_auditor elsewhere":  {production, auth.Identity{Subject: "a", Org: "x", Role: auth.RoleOrgAuditor}, nothing},
		"nobody":                 {org, auth.Identity{}, nothing},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := newAuth(t, test.config).Scope(test.id)
			if got != test.want || ok != (test.want != nothing) {
				t.Fatalf("got %+v, %v, want %+v", got, ok, test.want)
			}
		})
	}
}

func TestCovers(t *testing.T) {
	for name, test := range map[string]struct {
		scope auth.Scope
		org   string
		want  bool
	}{
		"all":                      {auth.Scope{All: true}, "acme", true},
		"all, no organization":     {auth.Scope{All: true}, "", true},
		"own":                      {auth.Scope{Org: "acme"}, "acme", true},
		"another":                  {auth.Scope{Org: "acme"}, "globex", false},
		"another case":             {auth.Scope{Org: "acme"}, "Acme", false},
		"own, no organization":     {auth.Scope{Org: "acme"}, "", false},
		"nothing":                  {auth.Scope{}, "acme", false},
		"nothing, no organization": {auth.Scope{}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.scope.Covers(test.org); got != test.want {
				t.Fatalf("got %v", got)
			}
		})
	}
}

func TestMintOfEachMode(t *testing.T) {
	for name, test := range map[string]struct {
		mode   auth.Mode
		claims auth.Claims
		ok     bool
		org    string
	}{
		"production":                {auth.Production, auth.Claims{}, true, ""},
		"production with org":       {auth.Production, auth.Claims{Org: "acme"}, true, "acme"},
		"demo":                      {auth.Demo, auth.Claims{}, true, ""},
		"organization":              {auth.Organization, auth.Claims{Org: "acme", Role: auth.RoleOrgAdmin}, true, "acme"},
		"organization without org":  {auth.Organization, auth.Claims{Role: auth.RoleOrgAdmin}, false, ""},
		"organization, org of air":  {auth.Organization, auth.Claims{Org: " "}, false, ""},
		"for organization, no org":  {auth.Production, auth.Claims{Mode: "organization"}, false, ""},
		"organization, hidden char": {auth.Organization, auth.Claims{Org: "ac\u200bme"}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuth(t, func(c *auth.Config) { c.Mode = test.mode })
			test.claims.Subject = "alice"
			token, err := a.Mint(test.claims, time.Hour)
			if (err == nil) != test.ok {
				t.Fatalf("Mint: %v", err)
			}
			if err != nil {
				return
			}
			id, err := a.Verify(token)
			if err != nil || id.Org != test.org || id.Role != test.claims.Role || !id.Local {
				t.Fatalf("got %+v, %v", id, err)
			}
		})
	}
}
