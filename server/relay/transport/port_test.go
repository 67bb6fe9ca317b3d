package transport_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"

	"parley/server/relay/transport"
)

// port opens a port on loopback.
func port(t *testing.T, isAllowed func(netip.Addr) bool) (*transport.Port, *net.UDPAddr) {
	t.Helper()
	return portOn(t, "127.0.0.1:0", isAllowed)
}

func portOn(t *testing.T, address string, isAllowed func(netip.Addr) bool) (*transport.Port, *net.UDPAddr) {
	t.Helper()
	udp := socket(t, address)
	_ = udp.SetReadDeadline(time.Time{})
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, transport.PortConfig{UDP: []*net.UDPConn{udp}, TCP: tcp, IsAllowed: isAllowed}), udp.LocalAddr().(*net.UDPAddr)
}

// serve runs a port until the test ends.
func serve(t *testing.T, cfg transport.PortConfig) *transport.Port {
	t.Helper()
	p := transport.NewPort(cfg)
	ended := make(chan struct{})
	go func() { defer close(ended); p.Run() }()
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return p
}

func anywhere(netip.Addr) bool { return true }

// certificate makes one, and its fingerprint.
func certificate(t testing.TB) (tls.Certificate, transport.Fingerprint) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := selfsign.SelfSign(key)
	if err != nil {
		t.Fatal(err)
	}
	hex := strings.ReplaceAll(fmt.Sprintf("% X", sha256.Sum256(cert.Certificate[0])), " ", ":")
	f, err := transport.ParseFingerprint("sha-256 " + hex)
	if err != nil {
		t.Fatal(err)
	}
	return cert, f
}

func open(t *testing.T, p *transport.Port) (*transport.Transport, *handled) {
	t.Helper()
	cert, fingerprint := certificate(t)
	h := &handled{}
	l, err := p.Open(transport.Config{Certificate: cert, Fingerprint: fingerprint, Log: logging.NewDefaultLoggerFactory(), MaxReceived: 64 << 10},
		func(*transport.Transport) transport.Handler { return h })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l, h
}

// client sends packets to a port.
type client struct {
	t    *testing.T
	conn *net.UDPConn
	to   *net.UDPAddr
}

func newClient(t *testing.T, to *net.UDPAddr) client {
	return client{t, socket(t, "127.0.0.1:0"), to}
}

func (c client) send(packet []byte) {
	c.t.Helper()
	if _, err := c.conn.WriteTo(packet, c.to); err != nil {
		c.t.Fatal(err)
	}
}

func (c client) receive() []byte {
	c.t.Helper()
	b := make([]byte, 1500)
	n, _, err := c.conn.ReadFrom(b)
	if err != nil {
		c.t.Fatal(err)
	}
	return b[:n]
}

// check makes a check of a transport, and nominates its path.
func (c client) check(with transport.Credentials) (id []byte) {
	packet := binding(with.Ufrag, with.Pwd, stun.RawAttribute{Type: stun.AttrUseCandidate})
	c.send(packet)
	return packet[8:20]
}

// isAnswered waits for the answer to a check, and fails for anything that comes before.
func (c client) isAnswered(id []byte) {
	c.t.Helper()
	answer := c.receive()
	m := stun.Message{Raw: answer}
	if err := m.Decode(); err != nil || m.Type != stun.BindingSuccess || string(m.TransactionID[:]) != string(id) {
		c.t.Fatalf("%x came, %v", answer, err)
	}
}

// Nothing is answered before a check that verifies: it is the first thing that is.
func TestNothingIsAnsweredBeforeACheck(t *testing.T) {
	p, at := port(t, anywhere)
	l, h := open(t, p)
	other, _ := open(t, p)
	c := newClient(t, at)
	with := l.Credentials()
	for _, packet := range [][]byte{
		{}, {0}, []byte("hello"), {22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 9}, {128, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1},
		binding(with.Ufrag, "guess"), binding("nobody", with.Pwd), binding(with.Ufrag, other.Credentials().Pwd),
		stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw, // what a STUN server would answer
	} {
		c.send(packet)
	}
	c.isAnswered(c.check(with))
	if ice, dtls := l.State(); ice != webrtc.ICETransportStateConnected || dtls == webrtc.DTLSTransportStateConnected {
		t.Errorf("ICE is %v, DTLS %v", ice, dtls)
	}
	if len(h.numbers) > 0 {
		t.Error("audio was handed on")
	}
}

// A socket of every address takes callers of both families, and knows those of IPv4 by
// their plain addresses.
func TestBothFamilies(t *testing.T) {
	p, at := portOn(t, "[::]:0", func(ip netip.Addr) bool { return !ip.Is4In6() })
	for _, own := range []string{"127.0.0.1", "::1"} {
		l, h := open(t, p)
		c := client{t, socket(t, net.JoinHostPort(own, "0")), &net.UDPAddr{IP: net.ParseIP(own), Port: at.Port}}
		from := c.conn.LocalAddr().(*net.UDPAddr).AddrPort()
		l.AddRemote(netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), "host")
		c.isAnswered(c.check(l.Credentials()))
		h.mu.Lock()
		if n := len(h.pairs); n == 0 || h.pairs[n-1].RemoteType != "host" {
			t.Errorf("%s: pairs %v", own, h.pairs)
		}
		h.mu.Unlock()
	}
}

// Where media may not go is not answered, whatever is known of the call.
func TestWhoMayNotCallIsNotAnswered(t *testing.T) {
	p, at := port(t, func(ip netip.Addr) bool { return !ip.IsLoopback() })
	l, _ := open(t, p)
	c := newClient(t, at)
	c.check(l.Credentials())
	again := newClient(t, at) // what comes later on the same socket is answered no sooner
	again.check(l.Credentials())
	_ = c.conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	if n, _, err := c.conn.ReadFrom(make([]byte, 1500)); err == nil {
		t.Errorf("%d bytes came", n)
	}
	if packets, _ := l.Received(); packets != 0 {
		t.Errorf("%d packets were taken", packets)
	}
}

// A caller moves to another address: a check from there that nominates it is enough, and
// after an ICE restart it is made with the new credentials.
func TestAPathChanges(t *testing.T) {
	p, at := port(t, anywhere)
	l, h := open(t, p)
	first, second, third := newClient(t, at), newClient(t, at), newClient(t, at)
	old := l.Credentials()
	first.isAnswered(first.check(old))
	second.isAnswered(second.check(old))
	l.Restart()
	fresh := l.Credentials()
	if fresh.Ufrag == old.Ufrag || fresh.Pwd == old.Pwd {
		t.Fatal("ICE restarted with old credentials")
	}
	second.isAnswered(second.check(old)) // until there is a new path
	third.isAnswered(third.check(fresh))
	first.check(old) // holds no more
	third.isAnswered(third.check(fresh))
	first.isAnswered(first.check(fresh))
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.pairs); n < 3 || h.pairs[0] != (transport.Pair{Protocol: "udp", RemoteType: "prflx"}) {
		t.Errorf("pairs %v", h.pairs)
	}
}

// Of two paths that the caller nominates, the one it likes less is used only once the
// other rests and media comes by this one; then at once, nominated or not.
func TestACallerIsFollowed(t *testing.T) {
	p, at := port(t, anywhere)
	l, h := open(t, p)
	liked, other := newClient(t, at), newClient(t, at)
	with, nominates := l.Credentials(), stun.RawAttribute{Type: stun.AttrUseCandidate}
	liked.isAnswered(liked.check(with))
	worse := bindingOf(90, with.Ufrag, with.Pwd, nominates)
	other.send(worse)
	other.isAnswered(worse[8:20])
	if n := h.paired(); n != 1 {
		t.Fatalf("%d paths were chosen, want the first alone", n)
	}
	media := []byte{23, 254, 253, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); h.paired() < 2; <-tick.C {
		if time.Now().After(end) {
			t.Fatal("the caller is not followed")
		}
		other.send(media)
	}
	better := bindingOf(120, with.Ufrag, with.Pwd, nominates)
	liked.send(better)
	liked.isAnswered(better[8:20])
	if n := h.paired(); n != 3 {
		t.Errorf("%d paths were chosen, want the better one again", n)
	}
}

// A restart that comes to nothing, and one more, leave the path and its credentials.
func TestRestartsWithoutAPath(t *testing.T) {
	p, at := port(t, anywhere)
	l, _ := open(t, p)
	c := newClient(t, at)
	first := l.Credentials()
	c.isAnswered(c.check(first))
	l.Restart()
	lost := l.Credentials()
	l.Restart()
	c.check(lost)
	c.isAnswered(c.check(first))
	c.isAnswered(c.check(l.Credentials()))
}

// The address of a call that lives can't be taken over by another caller, and that of one
// that is closed can.
func TestAnAddressIsOneCalls(t *testing.T) {
	p, at := port(t, anywhere)
	one, _ := open(t, p)
	other, _ := open(t, p)
	c := newClient(t, at)
	c.isAnswered(c.check(one.Credentials()))
	c.check(other.Credentials())
	c.isAnswered(c.check(one.Credentials()))
	one.Close()
	c.isAnswered(c.check(other.Credentials()))
}

// A caller has no more paths than there is room for: those that were not checked lately
// make room.
func TestTooManyPaths(t *testing.T) {
	p, at := port(t, anywhere)
	l, _ := open(t, p)
	for range 2 * transport.MaxPaths {
		c := newClient(t, at)
		c.isAnswered(c.check(l.Credentials()))
	}
	if ice, _ := l.State(); ice != webrtc.ICETransportStateConnected {
		t.Errorf("ICE is %v", ice)
	}
}

// A signaled candidate says of which kind the path is.
func TestThePairsKind(t *testing.T) {
	p, at := port(t, anywhere)
	l, h := open(t, p)
	c := newClient(t, at)
	own := c.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	l.AddRemote(own, "srflx")
	c.isAnswered(c.check(l.Credentials()))
	l.AddRemote(own, "relay")
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.pairs); n == 0 || h.pairs[n-1].RemoteType != "relay" {
		t.Errorf("pairs %v", h.pairs)
	}
}

// Handshakes under way are bounded for an address and in all, each at its edge.
func TestHandshakesAreBounded(t *testing.T) {
	p, _ := port(t, anywhere)
	var leave []func()
	take := func(address string) bool {
		l, ok := p.EnterHandshake(address)
		if ok {
			leave = append(leave, l)
		}
		return ok
	}
	for range transport.MaxHandshakesPerAddress {
		if !take("a") {
			t.Fatal("one that may be was refused")
		}
	}
	if take("a") {
		t.Error("one address has one more than it may")
	}
	for i := len(leave); i < transport.MaxHandshakes; i++ {
		if !take(fmt.Sprint(i)) {
			t.Fatalf("the %dth was refused", i)
		}
	}
	if take("z") {
		t.Error("there is one more than may be")
	}
	for _, l := range leave {
		l()
	}
	if !take("a") {
		t.Error("a place that was given back is not given again")
	}
}

func TestAPortThatIsClosed(t *testing.T) {
	p, _ := port(t, anywhere)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Open(transport.Config{Log: logging.NewDefaultLoggerFactory()}, func(*transport.Transport) transport.Handler { return &handled{} }); err == nil {
		t.Error("it opens a transport")
	}
}

func TestFingerprints(t *testing.T) {
	good := strings.TrimSuffix(strings.Repeat("0A:", 32), ":")
	for name, c := range map[string]struct {
		text string
		want bool
	}{
		"SHA-256": {"sha-256 " + good, true}, "in capitals": {"SHA-256 " + good, true}, "no name": {good, false},
		"short": {"sha-256 " + good[3:], false}, "an unknown hash": {"sha-999 " + good, false}, "nothing": {"", false},
	} {
		if _, err := transport.ParseFingerprint(c.text); (err == nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
