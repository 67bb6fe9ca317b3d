package auth_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"parley/server/auth"
	"parley/shared/rest"
)

// behindProxies trusts a network of each kind, and lets admins in from another.
func behindProxies(c *auth.Config) {
	c.TrustedProxies = []string{"10.0.0.0/8", "192.0.2.1", "2001:db8:ffff::/48"}
	c.AdminAllow = []string{"203.0.113.0/24", "2001:db8:1::/48", "127.0.0.1", "10.9.0.0/16"}
}

func from(peer string, forwarded ...string) *http.Request {
	r := httptest.NewRequest("GET", "http://parley.test/", nil)
	r.RemoteAddr = peer
	if forwarded != nil {
		r.Header["X-Forwarded-For"] = forwarded
	}
	return r
}

func TestRemote(t *testing.T) {
	a := newAuth(t, behindProxies)
	for name, test := range map[string]struct {
		peer      string
		forwarded []string
		want      string
		admin     bool
	}{
		"a caller":                      {"203.0.113.7:4711", nil, "203.0.113.7", true},
		"a caller elsewhere":            {"198.51.100.7:4711", nil, "198.51.100.7", false},
		"a caller who forges":           {"198.51.100.7:4711", []string{"203.0.113.7"}, "198.51.100.7", false},
		"forging to be the proxy":       {"198.51.100.7:4711", []string{"203.0.113.7, 10.0.0.1"}, "198.51.100.7", false},
		"IPv6":                          {"[2001:db8:1::5]:4711", nil, "2001:db8:1::5", true},
		"IPv4 in IPv6":                  {"[::ffff:203.0.113.7]:4711", nil, "203.0.113.7", true},
		"link-local with a zone":        {"[fe80::1%eth0]:4711", nil, "fe80::1", false},
		"this machine":                  {"127.0.0.1:4711", nil, "127.0.0.1", true},
		"through a proxy":               {"10.0.0.1:80", []string{"203.0.113.7"}, "203.0.113.7", true},
		"through a proxy by address":    {"192.0.2.1:80", []string{"203.0.113.7"}, "203.0.113.7", true},
		"its neighbour isn't one":       {"192.0.2.2:80", []string{"203.0.113.7"}, "192.0.2.2", false},
		"through a mapped proxy":        {"[::ffff:10.0.0.1]:80", []string{"203.0.113.7"}, "203.0.113.7", true},
		"through an IPv6 proxy":         {"[2001:db8:ffff::1]:80", []string{"2001:db8:1::5"}, "2001:db8:1::5", true},
		"through two":                   {"10.0.0.1:80", []string{"203.0.113.7, 10.0.0.2"}, "203.0.113.7", true},
		"through three, on three lines": {"10.0.0.1:80", []string{"203.0.113.7", "192.0.2.1", "10.0.0.2"}, "203.0.113.7", true},
		"forged before the real one":    {"10.0.0.1:80", []string{"203.0.113.7, 198.51.100.7"}, "198.51.100.7", false},
		"forged on a line of its own":   {"10.0.0.1:80", []string{"203.0.113.7", "198.51.100.7"}, "198.51.100.7", false},
		"forged with a trusted hop":     {"10.0.0.1:80", []string{"203.0.113.7, 10.0.0.3, 198.51.100.7"}, "198.51.100.7", false},
		"a mapped hop":                  {"10.0.0.1:80", []string{"::ffff:203.0.113.7"}, "203.0.113.7", true},
		"a mapped hop, trusted":         {"10.0.0.1:80", []string{"198.51.100.7, ::ffff:10.0.0.2"}, "198.51.100.7", false},
		"a hop with a port":             {"10.0.0.1:80", []string{"203.0.113.7:5123"}, "203.0.113.7", true},
		"an IPv6 hop with a port":       {"10.0.0.1:80", []string{"[2001:db8:1::5]:5123"}, "2001:db8:1::5", true},
		"an IPv6 hop in brackets":       {"10.0.0.1:80", []string{"[2001:db8:1::5]"}, "2001:db8:1::5", true},
		"an IPv6 hop, half a bracket":   {"10.0.0.1:80", []string{"[2001:db8:1::5"}, "10.0.0.1", false},
		"spaces and tabs":               {"10.0.0.1:80", []string{" \t203.0.113.7 \t"}, "203.0.113.7", true},
		"the proxy itself":              {"10.0.0.1:80", nil, "10.0.0.1", false},
		"a proxy that may administer":   {"10.9.0.1:80", nil, "10.9.0.1", true},
		"only proxies":                  {"10.0.0.1:80", []string{"10.9.0.9, 10.0.0.2"}, "10.9.0.9", true},
		"garbage":                       {"10.9.0.1:80", []string{"unknown"}, "10.9.0.1", false},
		"garbage behind a proxy":        {"10.9.0.1:80", []string{"203.0.113.7, <script>, 10.9.0.2"}, "10.9.0.2", false},
		"garbage left of the real one":  {"10.0.0.1:80", []string{"\"><x>, , 203.0.113.7"}, "203.0.113.7", true},
		"an empty hop":                  {"10.9.0.1:80", []string{""}, "10.9.0.1", false},
		"a comma":                       {"10.9.0.1:80", []string{","}, "10.9.0.1", false},
		"octal":                         {"10.9.0.1:80", []string{"0313.0.0161.7"}, "10.9.0.1", false},
		"a number":                      {"10.9.0.1:80", []string{"3405803783"}, "10.9.0.1", false},
		"as many hops as are read":      {"10.0.0.1:80", []string{"203.0.113.7" + strings.Repeat(", 10.0.0.2", auth.MaxHops-1)}, "203.0.113.7", true},
		"a hop too many":                {"10.9.0.1:80", []string{"203.0.113.7" + strings.Repeat(", 10.9.0.2", auth.MaxHops)}, "10.9.0.2", false},
		"a listener without addresses":  {"@", []string{"203.0.113.7"}, "@", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := from(test.peer, test.forwarded...)
			r.Header.Set("X-Real-Ip", "203.0.113.9")
			r.Header.Set("Forwarded", "for=203.0.113.9")
			r.Header.Set("True-Client-Ip", "203.0.113.9")
			if got := a.Remote(r); got != test.want {
				t.Errorf("Remote = %s, want %s", got, test.want)
			}
			if got := a.AdminAllowed(r); got != test.admin {
				t.Errorf("AdminAllowed = %v, want %v", got, test.admin)
			}
		})
	}
}

func TestWithoutProxiesNoHeaderCounts(t *testing.T) {
	a := newAuth(t, nil)
	r := from("127.0.0.1:80", "203.0.113.7")
	r.Header.Set("X-Forwarded-Proto", "https")
	if got := a.Remote(r); got != "127.0.0.1" {
		t.Errorf("Remote = %s", got)
	}
	if a.Secure(r) {
		t.Error("a header made it HTTPS")
	}
	if !a.AdminAllowed(r) {
		t.Error("no list, yet an admin is kept out")
	}
}

func TestSecure(t *testing.T) {
	a := newAuth(t, behindProxies)
	for name, test := range map[string]struct {
		peer  string
		tls   bool
		proto []string
		want  bool
	}{
		"plain":                         {"203.0.113.7:1", false, nil, false},
		"TLS":                           {"203.0.113.7:1", true, nil, true},
		"TLS, whatever a header says":   {"203.0.113.7:1", true, []string{"http"}, true},
		"a caller who says so":          {"203.0.113.7:1", false, []string{"https"}, false},
		"a proxy":                       {"10.0.0.1:1", false, []string{"https"}, true},
		"a mapped proxy":                {"[::ffff:10.0.0.1]:1", false, []string{"https"}, true},
		"a proxy, in another case":      {"10.0.0.1:1", false, []string{" HTTPS"}, true},
		"a proxy by http":               {"10.0.0.1:1", false, []string{"http"}, false},
		"a proxy that says nothing":     {"10.0.0.1:1", false, nil, false},
		"a caller before the proxy":     {"10.0.0.1:1", false, []string{"https, http"}, false},
		"a caller before it, two lines": {"10.0.0.1:1", false, []string{"https", "http"}, false},
		"the proxy after a caller":      {"10.0.0.1:1", false, []string{"http, https"}, true},
		"Traefik's WebSocket":           {"10.0.0.1:1", false, []string{"wss"}, true},
		"its plain WebSocket":           {"10.0.0.1:1", false, []string{"ws"}, false},
		"nearly":                        {"10.0.0.1:1", false, []string{"httpsx"}, false},
		"a listener without addresses":  {"@", false, []string{"https"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := from(test.peer)
			r.Header["X-Forwarded-Proto"] = test.proto
			if test.tls {
				r.TLS = &tls.ConnectionState{}
			}
			if got := a.Secure(r); got != test.want {
				t.Fatalf("got %v", got)
			}
		})
	}
}

// TestCookieBehindAProxy: the cookie's name and origin follow what the caller
// used, not the plain hop behind the proxy.
func TestCookieBehindAProxy(t *testing.T) {
	a := newAuth(t, behindProxies)
	r := from("10.0.0.1:80", "203.0.113.7")
	r.Method = "POST"
	r.Header.Set("X-Forwarded-Proto", "https")
	w := httptest.NewRecorder()
	if err := a.StartSession(w, r, auth.Identity{Subject: "alice", ExpiresAt: now}); err != nil {
		t.Fatal(err)
	}
	if got := w.Header().Get("Set-Cookie"); !strings.HasPrefix(got, "__Host-parley_session=") || !strings.Contains(got, "; Secure") {
		t.Errorf("cookie: %s", got)
	}
	for origin, ok := range map[string]bool{"https://parley.test": true, "http://parley.test": false} {
		r.Header.Set("Origin", origin)
		if err := a.CheckOrigin(r); (err == nil) != ok {
			t.Errorf("origin %s: %v", origin, err)
		}
	}
}

func TestNetworks(t *testing.T) {
	for s, test := range map[string]struct{ proxy, admin bool }{
		"10.0.0.0/8":            {true, true},
		"10.1.2.3":              {true, true},
		"10.1.2.3/32":           {true, true},
		"::1":                   {true, true},
		"2001:db8::/32":         {true, true},
		"::ffff:10.0.0.1":       {true, true},
		"::ffff:10.0.0.0/104":   {true, true},
		"0.0.0.0/0":             {false, true},
		"::/0":                  {false, true},
		"::ffff:0.0.0.0/96":     {false, true},
		"::ffff:0:0/95":         {false, false},
		"10.1.2.3/8":            {false, false},
		"10.0.0.0/33":           {false, false},
		"fe80::1%eth0":          {false, false},
		"10.0.0":                {false, false},
		"proxy.internal":        {false, false},
		"":                      {false, false},
		"*":                     {false, false},
		"10.0.0.0/8,10.1.0.0/8": {false, false},
	} {
		for what, c := range map[string]struct {
			ok     bool
			config auth.Config
		}{
			"proxy": {test.proxy, auth.Config{Secret: testSecret, TrustedProxies: []string{s}}},
			"admin": {test.admin, auth.Config{Secret: testSecret, AdminAllow: []string{s}}},
		} {
			if _, err := auth.New(c.config); (err == nil) != c.ok {
				t.Errorf("%s %q: %v", what, s, err)
			}
		}
	}
}

// FuzzRemote: whatever a header holds, the answer is an address, a stranger's is
// their own, and no admin comes from outside the list.
func FuzzRemote(f *testing.F) {
	f.Add("10.0.0.1:80", "203.0.113.7, 10.0.0.2")
	f.Add("198.51.100.7:4711", "203.0.113.7")
	f.Add("[::ffff:10.0.0.1]:80", "[::ffff:203.0.113.7]:1, ::ffff:10.9.0.1")
	f.Add("[fe80::1%eth0]:80", ",,")
	a := newAuth(f, behindProxies)
	allow := []netip.Prefix{
		netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8:1::/48"),
		netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.9.0.0/16"),
	}
	f.Fuzz(func(t *testing.T, peer, forwarded string) {
		socket, err := netip.ParseAddrPort(peer)
		if err != nil {
			return
		}
		r := from(peer, forwarded)
		got, err := netip.ParseAddr(a.Remote(r))
		if err != nil || got.Is4In6() || got.Zone() != "" {
			t.Fatalf("%s with %q: %q", peer, forwarded, a.Remote(r))
		}
		own := socket.Addr().Unmap().WithZone("")
		trusted := netip.MustParsePrefix("10.0.0.0/8").Contains(own) || own == netip.MustParseAddr("192.0.2.1") ||
			netip.MustParsePrefix("2001:db8:ffff::/48").Contains(own)
		if !trusted && got != own {
			t.Fatalf("a stranger at %s is taken for %s by %q", own, got, forwarded)
		}
		listed := false
		for _, p := range allow {
			listed = listed || p.Contains(got)
		}
		if a.AdminAllowed(r) && !listed {
			t.Fatalf("an admin from %s", got)
		}
	})
}

// Each proxy of a chain adds what it saw: the caller's own hop counts, never
// what the caller wrote before it.
func TestForwardedHeaders(t *testing.T) {
	a := newAuth(t, behindProxies)
	for name, test := range map[string]struct {
		header map[string]string
		remote string
		secure bool
	}{
		"RFC 7239":                  {map[string]string{"Forwarded": "for=203.0.113.7;proto=https;by=10.0.0.1"}, "10.0.0.1", true},
		"by http":                   {map[string]string{"Forwarded": "for=203.0.113.7;proto=http"}, "10.0.0.1", false},
		"in other cases":            {map[string]string{"Forwarded": "For=203.0.113.7; PROTO=HTTPS"}, "10.0.0.1", true},
		"IPv6 with a port":          {map[string]string{"Forwarded": `for="[2001:db8:1::5]:4711";proto=wss`}, "10.0.0.1", true},
		"two hops":                  {map[string]string{"Forwarded": "for=203.0.113.7;proto=https, for=10.0.0.2;proto=http"}, "10.0.0.1", true},
		"a caller who forges":       {map[string]string{"Forwarded": "for=203.0.113.7;proto=https, for=198.51.100.7;proto=http"}, "10.0.0.1", false},
		"commas in quotes":          {map[string]string{"Forwarded": `for="1.2.3.4,203.0.113.7";proto=http`}, "10.0.0.1", false},
		"a hidden hop":              {map[string]string{"Forwarded": "for=_gateway;proto=https"}, "10.0.0.1", true},
		"an unknown one":            {map[string]string{"Forwarded": "for=unknown"}, "10.0.0.1", false},
		"garbage":                   {map[string]string{"Forwarded": `;;=,"`}, "10.0.0.1", false},
		"both kinds":                {map[string]string{"Forwarded": "for=203.0.113.9;proto=https", "X-Forwarded-For": "203.0.113.7"}, "203.0.113.7", false},
		"TLS at the outer of two":   {map[string]string{"X-Forwarded-For": "203.0.113.7, 10.0.0.2", "X-Forwarded-Proto": "https, http"}, "203.0.113.7", true},
		"TLS between the two":       {map[string]string{"X-Forwarded-For": "203.0.113.7, 10.0.0.2", "X-Forwarded-Proto": "http, https"}, "203.0.113.7", false},
		"a scheme that was forged":  {map[string]string{"X-Forwarded-For": "203.0.113.9, 203.0.113.7", "X-Forwarded-Proto": "https, http"}, "203.0.113.7", false},
		"IPv6, the zone of a proxy": {map[string]string{"X-Forwarded-For": "fe80::1%eth0"}, "fe80::1", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := from("10.0.0.1:1")
			for header, value := range test.header {
				r.Header.Set(header, value)
			}
			if got := a.Remote(r); got != test.remote {
				t.Errorf("from %s, want %s", got, test.remote)
			}
			if got := a.Secure(r); got != test.secure {
				t.Errorf("secure: %v", got)
			}
			r.RemoteAddr = "198.51.100.1:1"
			if a.Remote(r) != "198.51.100.1" || a.Secure(r) {
				t.Error("a stranger is believed")
			}
		})
	}
}

// A default port changes no origin, wherever it stands; any other does.
func TestDefaultPortsInHostAndOrigin(t *testing.T) {
	a := newAuth(t, nil)
	for _, test := range []struct {
		host, origin string
		tls, ok      bool
	}{
		{"parley.test:443", "https://parley.test", true, true},
		{"parley.test", "https://parley.test", true, true},
		{"parley.test:80", "http://parley.test", false, true},
		{"parley.test:443", "http://parley.test", false, false},
		{"parley.test:80", "https://parley.test", true, false},
		{"parley.test:8443", "https://parley.test:8443", true, true},
		{"parley.test:8443", "https://parley.test", true, false},
		{"[2001:db8::1]:443", "https://[2001:db8::1]", true, true},
	} {
		for _, method := range []string{"POST", "GET"} {
			r := from("203.0.113.7:1")
			r.Method, r.Host = method, test.host
			r.Header.Set("Origin", test.origin)
			if method == "GET" {
				r.Header.Set("Upgrade", "websocket")
			}
			if test.tls {
				r.TLS = &tls.ConnectionState{}
			}
			if err := a.CheckOrigin(r); (err == nil) != test.ok {
				t.Errorf("%s at %s from %s: %v", method, test.host, test.origin, err)
			}
		}
	}
}

// TestWhyAnAdminPageIsNotShown: who is not known is to sign in first; from a foreign
// address nobody learns what a token opens.
func TestWhyAnAdminPageIsNotShown(t *testing.T) {
	a := newAuth(t, func(c *auth.Config) {
		behindProxies(c)
		c.Admins = []string{"alice"}
	})
	for name, test := range map[string]struct {
		peer, token string
		want        rest.ProblemCode
	}{
		"an admin":                   {"203.0.113.7:1", sign(header, payload("")), ""},
		"an admin from elsewhere":    {"198.51.100.7:1", sign(header, payload("")), rest.CodeNetwork},
		"a caller, signed in":        {"203.0.113.7:1", mint(t, a, "bob"), rest.CodeForbidden},
		"a caller, from elsewhere":   {"198.51.100.7:1", mint(t, a, "bob"), rest.CodeNetwork},
		"nobody":                     {"203.0.113.7:1", "", rest.CodeUnauthorized},
		"nobody, from elsewhere":     {"198.51.100.7:1", "", rest.CodeUnauthorized},
		"a token of somebody else's": {"203.0.113.7:1", sign(header, payload("")) + "x", rest.CodeUnauthorized},
	} {
		r := from(test.peer)
		if test.token != "" {
			r.Header.Set("Authorization", "Bearer "+test.token)
		}
		if got := a.AdminProblem(r); got != test.want {
			t.Errorf("%s: %q, not %q", name, got, test.want)
		}
	}
}

func mint(t *testing.T, a *auth.Auth, sub string) string {
	t.Helper()
	token, err := a.Mint(auth.Claims{Subject: sub}, auth.MaxLife)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestWhereAdminsComeFromChanges for the next request, and stays where a list can't be
// read.
func TestWhereAdminsComeFromChanges(t *testing.T) {
	a := newAuth(t, behindProxies)
	admits := func(peer string, want bool) {
		t.Helper()
		if got := a.AdminAllowed(from(peer)); got != want {
			t.Errorf("from %s: %v", peer, got)
		}
	}
	admits("198.51.100.7:1", false)
	if err := a.SetAdminAllow("198.51.100.0/24, 2001:db8::/32"); err != nil {
		t.Fatal(err)
	}
	admits("198.51.100.7:1", true)
	admits("203.0.113.7:1", false)
	if err := a.SetAdminAllow("here"); err == nil {
		t.Error("a list that can't be read was taken")
	}
	admits("198.51.100.7:1", true)
	admits("203.0.113.7:1", false)
	if err := a.SetAdminAllow(""); err != nil {
		t.Fatal(err)
	}
	admits("203.0.113.7:1", true)

	malformed := from("10.0.0.1:1")
	malformed.Header.Set("X-Forwarded-For", "198.51.100.7, nonsense")
	for name, test := range map[string]struct {
		list string
		from netip.Addr
		want bool
	}{
		"in it":                   {"198.51.100.0/24", netip.MustParseAddr("198.51.100.7"), true},
		"not in it":               {"198.51.100.0/24", netip.MustParseAddr("203.0.113.7"), false},
		"from somewhere, no list": {"", a.CertainRemote(malformed), true},
		"from somewhere":          {"0.0.0.0/0, ::/0", a.CertainRemote(malformed), false},
		"no list at all":          {"here", netip.MustParseAddr("203.0.113.7"), true},
	} {
		if got := a.AdmitsAdmin(test.list, test.from); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
