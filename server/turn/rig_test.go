package turn_test

import (
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/logging"
	pion "github.com/pion/turn/v5"

	"parley/server/relay"
	"parley/server/turn"
	"parley/server/turn/demux"
)

// patience bounds every wait for a condition.
const patience = 20 * time.Second

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// quiet keeps pion's words out of the tests' output.
func quiet() logging.LoggerFactory {
	f := logging.NewDefaultLoggerFactory()
	f.DefaultLogLevel = logging.LogLevelDisabled
	return f
}

// rig is a media port with a TURN server on it, and HTTPS beside.
type rig struct {
	relay   *relay.Relay
	issuer  *turn.Issuer
	server  *turn.Server
	https   *demux.Splitter
	tlsAddr string

	mu   sync.Mutex
	live map[string]bool
}

func newRig(t testing.TB, external ...turn.External) *rig {
	t.Helper()
	r := &rig{live: map[string]bool{"s1": true, "s2": true}}
	var err error
	if r.relay, err = relay.Listen(relay.Config{Addr: "127.0.0.1:0", AllowPrivate: true, TURN: true}); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.tlsAddr = l.Addr().String()
	r.https = demux.SplitTLS(l, &tls.Config{Certificates: []tls.Certificate{certificate(t)}, NextProtos: []string{"h2", "http/1.1"}})
	var running sync.WaitGroup
	running.Go(func() {
		if err := r.https.Run(); err != nil {
			t.Error(err)
		}
	})
	port := r.relay.TURN()
	r.issuer = turn.NewIssuer(turn.IssuerConfig{Addrs: port.Addrs, External: external})
	r.server, err = turn.Listen(turn.Config{Port: port, TLS: r.https.TURN, Issuer: r.issuer, IsLive: r.isLive, LoggerFactory: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() { r.server.Run(t.Context()) })
	t.Cleanup(func() {
		if err := r.server.Close(); err != nil {
			t.Error(err)
		}
		if err := r.relay.Close(); err != nil {
			t.Error(err)
		}
		running.Wait()
	})
	return r
}

func (r *rig) isLive(session string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live[session]
}

func (r *rig) end(session string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.live, session)
}

// way is how a client comes: "udp", "tcp" or "tls".
func (r *rig) dial(t testing.TB, way string) net.PacketConn {
	t.Helper()
	switch way {
	case "udp":
		c, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	case "tcp":
		c, err := net.Dial("tcp", r.relay.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return pion.NewSTUNConn(c)
	}
	c, err := tls.Dial("tcp", r.tlsAddr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return pion.NewSTUNConn(c)
}

// credentials are those of a session that expire then.
func (r *rig) credentials(session string, expires time.Time) (username, password string) {
	s := r.issuer.ICEServers(turn.Holder{Session: session, Account: "acme\x00ada", Expires: expires})
	return s[0].Username, s[0].Credential
}

// client is a TURN client that hasn't asked for anything yet.
func (r *rig) client(t testing.TB, way, username, password string) *pion.Client {
	t.Helper()
	c, err := pion.NewClient(&pion.ClientConfig{
		TURNServerAddr: r.relay.Addr().String(), Conn: r.dial(t, way),
		Username: username, Password: password, LoggerFactory: quiet(), RTO: 2 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func (r *rig) allocate(t testing.TB, way, session string) net.PacketConn {
	t.Helper()
	name, password := r.credentials(session, time.Now().Add(time.Hour))
	conn, err := allocate(t, r.client(t, way, name, password))
	if err != nil {
		t.Fatalf("%s: %v", way, err)
	}
	return conn
}

// allocate asks for a relayed address, and gives it back after the test.
func allocate(t testing.TB, c *pion.Client) (net.PacketConn, error) {
	t.Helper()
	conn, err := c.Allocate()
	if err == nil {
		t.Cleanup(func() { conn.Close() })
	}
	return conn, err
}

func (r *rig) mediaPort(t testing.TB) netip.AddrPort {
	t.Helper()
	return netip.MustParseAddrPort(r.relay.Addr().String())
}

func isRefused(err error, code string) bool { return err != nil && strings.Contains(err.Error(), code) }
