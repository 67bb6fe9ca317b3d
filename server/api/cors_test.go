package api_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/auth"
	"parley/shared/rest"
)

const elsewhere = "https://app.example"

// corsOf gives what an answer lets the page of another origin do.
func corsOf(h http.Header) map[string]string {
	found := map[string]string{}
	for name, values := range h {
		if rest, ok := strings.CutPrefix(name, "Access-Control-"); ok {
			found[rest] = strings.Join(values, "; ")
		}
	}
	return found
}

// TestPagesOfAllowedOriginsReadTheirAnswers, refusals too; nobody else does, and
// nobody by a cookie.
func TestPagesOfAllowedOriginsReadTheirAnswers(t *testing.T) {
	r := newRigIn(t, auth.Config{AllowedOrigins: []string{elsewhere}}, nil)
	for name, test := range map[string]struct {
		method, path, origin string
		status               int
		allowed              bool
	}{
		"allowed":               {"GET", rest.PathMe, elsewhere, 200, true},
		"allowed, another case": {"GET", rest.PathMe, "https://APP.example", 200, true},
		"allowed, 404":          {"GET", "/api/v1/sessions/x", elsewhere, 404, true},
		"allowed, no route":     {"GET", "/api/v1/none", elsewhere, 404, true},
		"allowed, 405":          {"PUT", rest.PathMe, elsewhere, 405, true},
		"allowed, unsafe":       {"POST", rest.PathTicket, elsewhere, 200, true},
		"another":               {"GET", rest.PathMe, "https://evil.example", 200, false},
		"another, unsafe":       {"POST", rest.PathTicket, "https://evil.example", 403, false},
		"a subdomain":           {"GET", rest.PathMe, "https://x.app.example", 200, false},
		"another scheme":        {"GET", rest.PathMe, "http://app.example", 200, false},
		"null":                  {"GET", rest.PathMe, "null", 200, false},
		"its own":               {"GET", rest.PathMe, "http://parley.test", 200, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := r.do(test.method, test.path, "", r.as("alice"), with("Origin", test.origin))
			cors := corsOf(got.header)
			if got.status != test.status || !strings.Contains(strings.Join(got.header["Vary"], ","), "Origin") {
				t.Fatalf("%d, %v: %s", got.status, got.header, got.body)
			}
			if test.allowed && (cors["Allow-Origin"] != test.origin || !strings.Contains(cors["Expose-Headers"], "Retry-After")) || !test.allowed && len(cors) > 0 {
				t.Errorf("%v", cors)
			}
			if _, ok := cors["Allow-Credentials"]; ok {
				t.Error("with credentials")
			}
		})
	}
	if got := r.do("GET", rest.PathMe, "", with("Origin", elsewhere)); got.status != 401 || corsOf(got.header)["Allow-Origin"] != elsewhere {
		t.Errorf("a refusal can't be read: %d %v", got.status, got.header)
	}
}

// TestPreflight: what a browser asks before a page elsewhere may ask with a
// token.
func TestPreflight(t *testing.T) {
	r := newRigIn(t, auth.Config{AllowedOrigins: []string{elsewhere}}, nil)
	for name, test := range map[string]struct {
		path, origin, method string
		status               int
		methods              string
	}{
		"a ticket":        {rest.PathTicket, elsewhere, "POST", 204, "POST"},
		"signing in":      {rest.PathAuthSession, elsewhere, "POST", 204, "POST, DELETE"},
		"another origin":  {rest.PathTicket, "https://evil.example", "POST", 204, ""}, // which a browser takes for no
		"no route":        {"/api/v1/none", elsewhere, "GET", 404, ""},
		"no preflight":    {rest.PathTicket, elsewhere, "", 204, ""}, // what methods there are, and no more
		"not the API":     {"/call", elsewhere, "GET", 404, ""},      // the rig has no pages
		"without a token": {rest.PathMe, elsewhere, "GET", 204, "GET"},
	} {
		t.Run(name, func(t *testing.T) {
			edits := []edit{with("Origin", test.origin)}
			if test.method != "" {
				edits = append(edits, with("Access-Control-Request-Method", test.method),
					with("Access-Control-Request-Headers", "authorization,content-type"))
			}
			got := r.do("OPTIONS", test.path, "", edits...)
			cors := corsOf(got.header)
			if got.status != test.status || cors["Allow-Methods"] != test.methods {
				t.Fatalf("%d %v", got.status, cors)
			}
			if test.methods != "" && (!strings.Contains(cors["Allow-Headers"], "Authorization") || cors["Allow-Origin"] != elsewhere || cors["Max-Age"] != "600") {
				t.Errorf("%v", cors)
			}
		})
	}
}

func TestTicketAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		got := read[rest.Ticket](t, r.do("POST", rest.PathTicket, "", r.as("alice")))
		if got.Ticket == "" || time.Until(got.ExpiresAt) > 30*time.Second || time.Until(got.ExpiresAt) < 30*time.Second-time.Millisecond {
			t.Fatalf("%+v", got)
		}
		if again := read[rest.Ticket](t, r.do("POST", rest.PathTicket, "", r.as("alice"))); again.Ticket == got.Ticket {
			t.Fatal("the same ticket twice")
		}
	})
}
