package bus_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"parley/server/bus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a condition may take on a machine that is busy.
const patience = 45 * time.Second

func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	tooLate := time.After(patience)
	for !is() {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-tooLate:
			t.Fatalf("not in %v: %s", patience, what)
		}
	}
}

// startServer starts an external server, on a port that is free or on that of one before.
func startServer(t *testing.T, port int) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true, Username: "parley", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server does not start")
	}
	return s
}

func open(t *testing.T, c bus.Config) *bus.Bus {
	t.Helper()
	b, err := bus.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func external(t *testing.T, s *server.Server, node string) *bus.Bus {
	return open(t, bus.Config{Node: node, Connection: bus.Connection{Servers: []string{s.ClientURL()}, User: "parley", Password: "secret"}})
}

type note struct {
	Text string `json:"text"`
}

// join gives two nodes that can ask each other.
func join(t *testing.T, a, b *bus.Bus) {
	t.Helper()
	if err := bus.Answer(b, "echo", func(_ context.Context, from string, q note) (note, error) {
		if q.Text == "fail" {
			return note{}, errors.New("no such thing")
		}
		return note{from + " said " + q.Text}, nil
	}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the nodes find each other", func() bool {
		return a.Request(t.Context(), b.Node(), "echo", note{"hello"}, new(note)) == nil
	})
}

func TestNodesTellAndAskEachOther(t *testing.T) {
	s := startServer(t, server.RANDOM_PORT)
	// A name may have what a subject can't.
	a, b := external(t, s, "node a.example *"), external(t, s, "b")
	join(t, a, b)
	heard := make(chan note, 8)
	if err := bus.Subscribe(b, "news", func(from string, n note) { heard <- note{from + ": " + n.Text} }); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the news", func() bool {
		if err := a.Publish("news", note{"one"}); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-heard:
			return got.Text == "node a.example *: one"
		case <-time.After(50 * time.Millisecond):
			return false
		}
	})
	var said note
	if err := a.Request(t.Context(), "b", "echo", note{"x"}, &said); err != nil || said.Text != "node a.example * said x" {
		t.Errorf("%q, %v", said.Text, err)
	}
	if remote := (*bus.RemoteError)(nil); !errors.As(a.Request(t.Context(), "b", "echo", note{"fail"}, &said), &remote) || remote.Text != "no such thing" {
		t.Errorf("an error of the other node: %v", remote)
	}
	if err := a.Request(t.Context(), "nobody", "echo", note{}, &said); !errors.Is(err, bus.ErrUnreachable) {
		t.Errorf("a node that is none: %v", err)
	}
}

// TestABusCounts what it told, was told and asked, and what came of it.
func TestABusCounts(t *testing.T) {
	s := startServer(t, server.RANDOM_PORT)
	a, b := external(t, s, "a"), external(t, s, "b")
	join(t, a, b)
	before, heardBefore := a.Figures(), b.Figures()
	hangs, heard := make(chan struct{}), make(chan struct{}, 1)
	t.Cleanup(func() { close(hangs) })
	if err := bus.Answer(b, "hang", func(context.Context, string, note) (note, error) { <-hangs; return note{}, nil }); err != nil {
		t.Fatal(err)
	}
	if err := bus.Subscribe(b, "news", func(string, note) { heard <- struct{}{} }); err != nil {
		t.Fatal(err)
	}
	if err := a.Request(t.Context(), "b", "echo", note{}, new(note)); err != nil { // the server knows of both by then
		t.Fatal(err)
	}
	if err := a.Publish("news", note{}); err != nil {
		t.Fatal(err)
	}
	<-heard
	_ = a.Request(t.Context(), "b", "echo", note{"fail"}, new(note))
	_ = a.Request(t.Context(), "nobody", "echo", note{}, new(note))
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_ = a.Request(soon, "b", "hang", note{}, new(note))
	got, there := a.Figures(), b.Figures()
	for what, n := range map[string][2]int64{
		"requests": {got.Requests - before.Requests, 4}, "failed": {got.Failed - before.Failed, 1},
		"unreachable": {got.Unreachable - before.Unreachable, 1}, "unanswered": {got.Unanswered - before.Unanswered, 1},
		"published": {got.Published - before.Published, 5}, "answers": {got.Received - before.Received, 2},
		"received": {there.Received - heardBefore.Received, 4}, "answered": {there.Published - heardBefore.Published, 2},
	} {
		if n[0] != n[1] {
			t.Errorf("%s: %d, want %d", what, n[0], n[1])
		}
	}
	if !got.IsConnected || got.Slow+got.Unread+got.Busy+got.UnknownVersions != 0 {
		t.Errorf("counted beside: %+v", got)
	}
}

// TestWhatIsNotHandledInTimeIsCounted, message by message.
func TestWhatIsNotHandledInTimeIsCounted(t *testing.T) {
	s := startServer(t, server.RANDOM_PORT)
	a, b := external(t, s, "a"), external(t, s, "b")
	join(t, a, b)
	hangs := make(chan struct{})
	if err := bus.Subscribe(b, "news", func(string, note) { <-hangs }); err != nil {
		t.Fatal(err)
	}
	defer close(hangs)
	if err := a.Request(t.Context(), "b", "echo", note{}, new(note)); err != nil {
		t.Fatal(err)
	}
	long := note{strings.Repeat("x", bus.MaxMessage-1000)}
	const sent = bus.MaxPending/bus.MaxMessage + 20
	for range sent {
		if err := a.Publish("news", long); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "those beyond the bound are counted", func() bool { return b.Figures().Slow >= 10 })
	if f := b.Figures(); f.Slow > 20 {
		t.Errorf("%d of %d were dropped", f.Slow, sent)
	}
}

func TestAMessageHasABound(t *testing.T) {
	s := startServer(t, server.RANDOM_PORT)
	a, b := external(t, s, "a"), external(t, s, "b")
	join(t, a, b)
	overhead := len(`{"v":1,"from":"a","data":{"text":""}}`)
	if err := a.Publish("news", note{strings.Repeat("x", bus.MaxMessage-overhead)}); err != nil {
		t.Errorf("at the bound: %v", err)
	}
	if err := a.Publish("news", note{strings.Repeat("x", bus.MaxMessage-overhead+1)}); !errors.Is(err, bus.ErrTooLarge) {
		t.Errorf("over the bound: %v", err)
	}
}

func TestMessagesOfOtherReleasesAreLeftAlone(t *testing.T) {
	s := startServer(t, server.RANDOM_PORT)
	a, b := external(t, s, "a"), external(t, s, "b")
	join(t, a, b)
	heard := make(chan string, 8)
	if err := bus.Subscribe(b, "news", func(_ string, n note) { heard <- n.Text }); err != nil {
		t.Fatal(err)
	}
	raw, err := nats.Connect(s.ClientURL(), nats.UserInfo("parley", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	waitFor(t, "the subscription", func() bool { _ = a.Publish("news", note{"ready"}); return len(heard) > 0 })
	for _, text := range []string{
		fmt.Sprintf(`{"v":%d,"from":"z","data":{"text":"of the next release"}}`, bus.Version+1),
		`{"from":"z","data":{"text":"without a version"}}`, `no JSON`,
		fmt.Sprintf(`{"v":%d,"from":"z","more":1,"data":{"text":"with a new field","new":true}}`, bus.Version),
	} {
		if err := raw.Publish("parley.all.news", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for text := range heard {
		if text == "with a new field" {
			break
		}
		if text != "ready" {
			t.Errorf("heard %q", text)
		}
	}
	if f := b.Figures(); f.UnknownVersions != 2 || f.Unread != 1 {
		t.Errorf("counted %+v", f)
	}
}

func TestABusThatWasAwayIsFoundAgain(t *testing.T) {
	s := startServer(t, server.RANDOM_PORT)
	lost := make(chan struct{}, 8)
	b := external(t, s, "b")
	a := open(t, bus.Config{
		Node: "a", OnLost: func() { lost <- struct{}{} },
		Connection: bus.Connection{Servers: []string{s.ClientURL()}, User: "parley", Password: "secret"},
	})
	join(t, a, b)
	port := s.Addr().(*net.TCPAddr).Port
	s.Shutdown()
	s.WaitForShutdown()
	waitFor(t, "the bus is missed", func() bool { return !a.IsConnected() && !b.IsConnected() })
	if err := a.Request(t.Context(), "b", "echo", note{}, new(note)); !errors.Is(err, bus.ErrUnreachable) {
		t.Errorf("a question without a bus: %v", err)
	}
	if err := a.Publish("news", note{}); !errors.Is(err, bus.ErrUnreachable) {
		t.Errorf("news without a bus: %v", err)
	}
	startServer(t, port)
	waitFor(t, "the bus is found again", func() bool {
		return a.IsConnected() && b.IsConnected() && a.Request(t.Context(), "b", "echo", note{}, new(note)) == nil
	})
	<-lost
	if a.Figures().Reconnects == 0 {
		t.Error("the reconnect was not counted")
	}
}

// connect opens a connection from node a to node b of an external server.
func connect(t *testing.T) (near, far net.Conn) {
	t.Helper()
	s := startServer(t, server.RANDOM_PORT)
	a, b := external(t, s, "a"), external(t, s, "b")
	join(t, a, b)
	l, err := b.Listen("signaling")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	near = dial(t, a)
	t.Cleanup(func() { _ = near.Close() })
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	return near, far
}

func TestAConnectionBetweenNodes(t *testing.T) {
	near, far := connect(t)
	if far.RemoteAddr().String() != "203.0.113.7:1234" {
		t.Errorf("the connection is of %v", far.RemoteAddr())
	}
	long := strings.Repeat("0123456789", 10_000)
	go func() { _, _ = near.Write([]byte(long)); _ = near.Close() }()
	if got, err := io.ReadAll(far); err != nil || string(got) != long {
		t.Errorf("%d bytes of %d, %v", len(got), len(long), err)
	}
	if err := far.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := far.Read(make([]byte, 1)); err == nil {
		t.Error("read beyond the deadline")
	}
	_ = far.Close()
	if _, err := far.Write([]byte("x")); err == nil {
		t.Error("wrote to a closed connection")
	}
}

func TestAConnectionEndsWhereItsReaderIsTooSlow(t *testing.T) {
	near, far := connect(t)
	if _, err := near.Write(make([]byte, 2<<20)); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the connection fails", func() bool { return bus.Failure(far) != nil })
	if _, err := io.Copy(io.Discard, far); err == nil {
		t.Error("all of it was kept")
	}
}

func TestNodesJoinWithoutAServerOfTheirOwn(t *testing.T) {
	for name, secured := range map[string]bool{"on loopback": false, "with certificates and a password": true} {
		t.Run(name, func(t *testing.T) {
			first := bus.Connection{Listen: "127.0.0.1:0", User: "parley"}
			second := bus.Connection{Listen: "127.0.0.1:0", User: "parley"}
			if secured {
				pool, certificate := certify(t)
				for _, c := range []*bus.Connection{&first, &second} {
					c.User, c.Password, c.CA, c.Certificate = "parley", "a password of nodes", pool, certificate
				}
			}
			a := open(t, bus.Config{Node: "a", Connection: first})
			second.Servers = []string{"nats://" + a.ListenAddr()}
			b := open(t, bus.Config{Node: "b", Connection: second})
			join(t, a, b)
			if !secured {
				return
			}
			stranger := second
			stranger.Password = "another password"
			c := open(t, bus.Config{Node: "c", Connection: stranger})
			if err := a.Request(t.Context(), "c", "echo", note{}, new(note)); !errors.Is(err, bus.ErrUnreachable) || c.Figures().Received != 0 {
				t.Errorf("a stranger is asked: %v", err)
			}
		})
	}
}

// certify makes an authority, and a certificate of it for this machine.
func certify(t *testing.T) (*x509.CertPool, *tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return pool, &tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

func TestWhatNoBusCanBeMadeOf(t *testing.T) {
	for name, c := range map[string]bus.Connection{
		"no address":                {},
		"another protocol":          {Servers: []string{"http://10.0.0.2:4222"}},
		"a password in the address": {Servers: []string{"nats://me:secret@10.0.0.2:4222"}},
		"no port":                   {Listen: "127.0.0.1"},
		"open to others":            {Listen: "0.0.0.0:6222"},
		"open, by a name":           {Listen: "node.example:6222", Password: "secret"},
		"credentials among nodes":   {Listen: "127.0.0.1:0", Credentials: "x.creds"},
	} {
		t.Run(name, func(t *testing.T) {
			if b, err := bus.Open(bus.Config{Node: "a", Connection: c}); err == nil {
				_ = b.Close()
				t.Error("it opened")
			}
		})
	}
}

func dial(t *testing.T, a *bus.Bus) net.Conn {
	t.Helper()
	c, err := a.Dial(t.Context(), "b", "signaling", "203.0.113.7:1234")
	if err != nil {
		t.Fatal(err)
	}
	return c
}
