package auth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"parley/server/auth"
)

func TestOrigin(t *testing.T) {
	a := newAuth(t, func(c *auth.Config) { c.AllowedOrigins = []string{"https://app.example"} })
	with := func(pairs ...string) func(*http.Request) {
		return func(r *http.Request) {
			for i := 0; i < len(pairs); i += 2 {
				r.Header.Add(pairs[i], pairs[i+1])
			}
		}
	}
	socket := []string{"Connection", "Upgrade", "Upgrade", "websocket"}
	const cookie = "parley_session=x"
	for name, test := range map[string]struct {
		method  string
		prepare func(*http.Request)
		ok      bool
	}{
		"GET from anywhere":             {"GET", with("Origin", "https://evil.example"), true},
		"own":                           {"POST", with("Origin", "http://parley.test"), true},
		"allowed":                       {"DELETE", with("Origin", "https://app.example"), true},
		"a program with its token":      {"POST", with("Authorization", "Bearer x"), true},
		"a program without any":         {"POST", with(), true},
		"another":                       {"POST", with("Origin", "https://evil.example"), false},
		"own host, other scheme":        {"POST", with("Origin", "https://parley.test"), false},
		"own host, other port":          {"POST", with("Origin", "http://parley.test:81"), false},
		"own as a prefix":               {"POST", with("Origin", "http://parley.test.evil.example"), false},
		"null":                          {"POST", with("Origin", "null"), false},
		"two":                           {"POST", with("Origin", "http://parley.test", "Origin", "https://evil.example"), false},
		"cross-site without origin":     {"POST", with("Sec-Fetch-Site", "cross-site"), false},
		"same-site":                     {"POST", with("Sec-Fetch-Site", "same-site", "Origin", "http://x.parley.test"), false},
		"a lie about the site":          {"POST", with("Sec-Fetch-Site", "same-origin", "Origin", "https://evil.example"), false},
		"a cookie and no origin":        {"POST", with("Cookie", cookie), false},
		"a cookie and its origin":       {"POST", with("Cookie", cookie, "Origin", "http://parley.test"), true},
		"a made-up method":              {"PURGE", with("Origin", "https://evil.example"), false},
		"socket, own":                   {"GET", with(append(socket, "Origin", "http://parley.test")...), true},
		"socket, allowed":               {"GET", with(append(socket, "Origin", "https://app.example")...), true},
		"socket, another":               {"GET", with(append(socket, "Origin", "https://evil.example")...), false},
		"socket, null":                  {"GET", with(append(socket, "Origin", "null")...), false},
		"socket, cookie, no origin":     {"GET", with(append(socket, "Cookie", cookie)...), false},
		"socket, bearer, no origin":     {"GET", with(append(socket, "Authorization", "Bearer x")...), true},
		"socket in another case":        {"GET", with("Upgrade", "WebSocket", "Origin", "https://evil.example"), false},
		"socket among others":           {"GET", with("Upgrade", "h2c", "Upgrade", "websocket", "Origin", "https://evil.example"), false},
		"socket, cookie, own by header": {"GET", with(append(socket, "Cookie", cookie, "X-Forwarded-Host", "evil.example", "Origin", "https://evil.example")...), false},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, "http://parley.test/", nil)
			test.prepare(r)
			err := a.CheckOrigin(r)
			if (err == nil) != test.ok || err != nil && !errors.Is(err, auth.ErrOrigin) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestOriginOverHTTPS(t *testing.T) {
	a := newAuth(t, nil)
	for origin, ok := range map[string]bool{"https://parley.test": true, "http://parley.test": false} {
		r := httptest.NewRequest("POST", "https://parley.test/", nil)
		r.Header.Set("Origin", origin)
		if err := a.CheckOrigin(r); (err == nil) != ok {
			t.Errorf("%s: %v", origin, err)
		}
	}
}

func TestHost(t *testing.T) {
	open := newAuth(t, nil)
	named := newAuth(t, func(c *auth.Config) { c.Hosts = []string{"Parley.example", "localhost:8080"} })
	for host, want := range map[string]struct{ open, named bool }{
		"parley.example":                    {true, true},
		"PARLEY.example":                    {true, true},
		"localhost:8080":                    {true, true},
		"localhost":                         {true, false},
		"evil.example":                      {true, false},
		"127.0.0.1:8080":                    {true, false},
		"[::1]:8080":                        {true, false},
		"[::1]":                             {true, false},
		"":                                  {false, false},
		"evil.example/path":                 {false, false},
		"user@evil.example":                 {false, false},
		"parley.example:":                   {false, false},
		"parley.example:x":                  {false, false},
		"a b":                               {false, false},
		"\"><script>":                       {false, false},
		"::1":                               {true, false},
		":8080":                             {false, false},
		strings.Repeat("a", 260):            {false, false},
		"parley.example\r\nX-Injected: yes": {false, false},
	} {
		r := httptest.NewRequest("GET", "http://x/", nil)
		r.Host = host
		if err := open.CheckHost(r); (err == nil) != want.open {
			t.Errorf("any host, %q: %v", host, err)
		}
		if err := named.CheckHost(r); (err == nil) != want.named {
			t.Errorf("named hosts, %q: %v", host, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*auth.Config){
		"no secret":                 func(c *auth.Config) { c.Secret = nil },
		"an unknown mode":           func(c *auth.Config) { c.Mode = "test" },
		"an empty admin":            func(c *auth.Config) { c.Admins = []string{"a", ""} },
		"an admin with a space":     func(c *auth.Config) { c.Admins = []string{" a"} },
		"an origin with a path":     func(c *auth.Config) { c.AllowedOrigins = []string{"https://a.example/"} },
		"an origin without scheme":  func(c *auth.Config) { c.AllowedOrigins = []string{"a.example"} },
		"any origin":                func(c *auth.Config) { c.AllowedOrigins = []string{"*"} },
		"the null origin":           func(c *auth.Config) { c.AllowedOrigins = []string{"null"} },
		"an origin of another kind": func(c *auth.Config) { c.AllowedOrigins = []string{"file://x"} },
	} {
		t.Run(name, func(t *testing.T) {
			c := auth.Config{Secret: testSecret}
			change(&c)
			if _, err := auth.New(c); err == nil {
				t.Fatal("it was taken")
			}
		})
	}
}
