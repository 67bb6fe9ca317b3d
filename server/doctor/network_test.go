package doctor_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"

	"parley/server/doctor"
	"parley/shared/wire"
)

// relayOf runs a TURN server of others, over UDP and TCP, that knows one user.
func relayOf(t *testing.T) (packets, stream string) {
	t.Helper()
	p, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := &turn.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"}
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	s, err := turn.NewServer(turn.ServerConfig{
		Realm: "test", LoggerFactory: quiet,
		AuthHandler: func(r *turn.RequestAttributes) (string, []byte, bool) {
			return r.Username, turn.GenerateAuthKey(r.Username, "test", "right"), true
		},
		PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: p, RelayAddressGenerator: address}},
		ListenerConfigs:   []turn.ListenerConfig{{Listener: l, RelayAddressGenerator: address}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return p.LocalAddr().String(), l.Addr().String()
}

func TestICEServersOfOthers(t *testing.T) {
	t.Parallel()
	packets, stream := relayOf(t)
	refused, silent := taken(t)
	server := func(url, password string) doctor.Config {
		return with(t, func(c *doctor.Config) {
			c.Addresses = func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil }
			c.ICEServers = func() ([]wire.ICEServer, error) {
				return []wire.ICEServer{{URLs: []string{url}, Username: "parley", Credential: password}}, nil
			}
		})
	}
	for name, test := range map[string]struct {
		url, password string
		result        doctor.Result
		says          string
	}{
		"STUN":             {"stun:" + packets, "", doctor.OK, "sees this machine as 127.0.0.1"},
		"TURN over UDP":    {"turn:" + packets, "right", doctor.OK, "TURN over UDP, " + packets + ": relays"},
		"TURN over TCP":    {"turn:" + stream + "?transport=tcp", "right", doctor.OK, "TURN over TCP, " + stream + ": relays"},
		"a wrong password": {"turn:" + packets, "wrong", doctor.Fault, "TURN over UDP, " + packets},
		"nothing answers":  {"stun:" + silent, "", doctor.Fault, "doesn't answer"},
		"another protocol": {"turns:" + refused + "?transport=tcp", "right", doctor.Fault, "TURN over TLS"},
		"DTLS":             {"turns:" + packets + "?transport=udp", "right", doctor.Untried, "DTLS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			finds(t, server(test.url, test.password), "ice servers", test.result, test.says)
		})
	}
	unlike := server("stun:"+packets, "")
	unlike.Addresses = healthy(t).Addresses
	finds(t, unlike, "ice servers", doctor.Warning, "callers are told 8.8.8.8")
	finds(t, with(t, func(c *doctor.Config) { c.TURN = false }), "turn", doctor.Warning, "TURN is off")
	finds(t, healthy(t), "turn", doctor.Untried, "No server runs")
}

// vouching is an identity provider, or part of one.
func vouching(t *testing.T, issuer, keys string, off time.Duration) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	if issuer == "" {
		issuer = s.URL
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"issuer":"` + issuer + `","jwks_uri":"` + s.URL + `/keys"}`))
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(keys)) })
	return s
}

func TestIdentityProvider(t *testing.T) {
	t.Parallel()
	const key = `{"keys":[{"kty":"OKP"}]}`
	for name, test := range map[string]struct {
		issuer, keys string
		result       doctor.Result
		says         string
	}{
		"well":           {"", key, doctor.OK, "has its keys"},
		"another name":   {"https://other.example", key, doctor.Fault, "calls itself"},
		"without keys":   {"", `{"keys":[]}`, doctor.Fault, "There are no keys"},
		"a page as keys": {"", "<html>", doctor.Fault, "no JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := vouching(t, test.issuer, test.keys, 0)
			finds(t, with(t, func(c *doctor.Config) { c.Issuer = s.URL }), "identity provider", test.result, test.says)
			if test.issuer == "" {
				finds(t, with(t, func(c *doctor.Config) { c.KeysURL = s.URL + "/keys" }), "keys", test.result, s.URL)
			}
		})
	}
	s := vouching(t, "", key, 0)
	s.Close()
	finds(t, with(t, func(c *doctor.Config) { c.Issuer = s.URL }), "identity provider", doctor.Fault, "can't be asked")
	finds(t, with(t, func(c *doctor.Config) { c.Issuer = s.URL }), "clock", doctor.Untried, "tells no time")
}

// Whom a server sends to by itself: calls work without them.
func TestRecipients(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := listener.Addr().String()
	c := with(t, func(c *doctor.Config) {
		c.Recipients = []doctor.Recipient{{Name: "mail server", Address: at, Act: "Look at --smtp-server."}}
	})
	finds(t, c, "mail server", doctor.OK, at+" takes connections")
	listener.Close()
	finds(t, c, "mail server", doctor.Warning, at+" can't be reached")
}

func TestClock(t *testing.T) {
	t.Parallel()
	for off, want := range map[time.Duration]struct {
		result doctor.Result
		says   string
	}{
		0:                 {doctor.OK, "agrees"},
		30 * time.Second:  {doctor.Warning, "behind"},
		-30 * time.Second: {doctor.Warning, "ahead of"},
		10 * time.Minute:  {doctor.Fault, "tokens made there are refused"},
	} {
		s := vouching(t, "", "", off)
		finds(t, with(t, func(c *doctor.Config) { c.KeysURL = s.URL + "/keys" }), "clock", want.result, want.says)
	}
	finds(t, healthy(t), "clock", doctor.Untried, "No server is named")
}

func TestARunningServer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		body   string
		result doctor.Result
		says   string
	}{
		"ready":           {http.StatusOK, `{"status":"ready"}`, doctor.OK, "takes calls"},
		"degraded":        {http.StatusOK, `{"status":"degraded","degraded":["keys"]}`, doctor.Warning, "fails: keys"},
		"draining":        {http.StatusServiceUnavailable, `{"code":"draining"}`, doctor.Warning, "about to end"},
		"another":         {http.StatusOK, `{"up":true}`, doctor.Fault, "is no Parley"},
		"another, broken": {http.StatusServiceUnavailable, `down`, doctor.Fault, "is no Parley: it answers 503"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			}))
			t.Cleanup(s.Close)
			finds(t, with(t, func(c *doctor.Config) {
				c.HTTP, c.TURN = s.Listener.Addr().String(), false
			}), "port", test.result, test.says)
		})
	}
}
