package relay_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/relay"
)

// public is an address that passes for the machine's own without a packet to it.
func public(t testing.TB) []netip.Addr {
	t.Helper()
	return []netip.Addr{netip.MustParseAddr("8.8.8.8")}
}

func TestOnePortForBoth(t *testing.T) {
	r := listen(t)
	udp := r.Addr().(*net.UDPAddr)
	if udp.Port == 0 {
		t.Fatal("no port")
	}
	c, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: udp.IP, Port: udp.Port})
	if err != nil {
		t.Fatalf("TCP is not on the same port: %v", err)
	}
	c.Close()
	again, err := relay.Listen(relay.Config{Addr: udp.String(), AllowPrivate: true})
	if err == nil {
		again.Close()
		t.Error("two relays have one port")
	}
}

func TestWhereARelayWontListen(t *testing.T) {
	for name, cfg := range map[string]relay.Config{
		"no port":                      {Addr: "127.0.0.1", AllowPrivate: true},
		"a name":                       {Addr: "localhost:0", AllowPrivate: true},
		"a port that is none":          {Addr: "127.0.0.1:70000", AllowPrivate: true},
		"a public address that is not": {Addr: ":0", PublicIPs: []netip.Addr{netip.MustParseAddr("192.168.1.1")}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := relay.Listen(cfg)
			if err == nil {
				r.Close()
				t.Fatal("it listens")
			}
		})
	}
}

func TestARelayThatIsClosed(t *testing.T) {
	r, err := relay.Listen(relay.Config{Addr: "127.0.0.1:0", AllowPrivate: true})
	if err != nil {
		t.Fatal(err)
	}
	l, err := r.Open("s1", &log{}, alone)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Offer(t.Context(), offer); !errors.Is(err, relay.ErrClosed) {
		t.Errorf("an offer afterwards: %v", err)
	}
	if _, err := r.Open("s2", &log{}, alone); !errors.Is(err, relay.ErrClosed) {
		t.Errorf("a leg afterwards: %v", err)
	}
	// The port is free again.
	again, err := relay.Listen(relay.Config{Addr: r.Addr().String(), AllowPrivate: true})
	if err != nil {
		t.Fatalf("the port is still taken: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// TestAddressesAreThoseOfTheAnswer changes the machine's addresses while the relay
// runs: each answer tells those of its moment, a family that came late among them.
func TestAddressesAreThoseOfTheAnswer(t *testing.T) {
	var mu sync.Mutex
	var addrs []net.Addr
	set := func(prefixes ...string) {
		mu.Lock()
		defer mu.Unlock()
		addrs = nil
		for _, p := range prefixes {
			ip, ipNet, err := net.ParseCIDR(p)
			if err != nil {
				t.Fatal(err)
			}
			addrs = append(addrs, &net.IPNet{IP: ip, Mask: ipNet.Mask})
		}
	}
	set("127.0.0.1/8")
	r, err := relay.Listen(relay.Config{Addr: ":0", AllowPrivate: true, InterfaceAddrs: func() ([]net.Addr, error) {
		mu.Lock()
		defer mu.Unlock()
		return addrs, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, test := range []struct{ has, told []string }{
		{[]string{"127.0.0.1/8"}, []string{"127.0.0.1"}},
		{[]string{"127.0.0.1/8", "10.1.2.3/24"}, []string{"10.1.2.3", "127.0.0.1"}},
		{[]string{"127.0.0.1/8", "10.9.9.9/24"}, []string{"10.9.9.9", "127.0.0.1"}},
		{[]string{"127.0.0.1/8", "2606:4700::1/64"}, []string{"2606:4700::1", "127.0.0.1"}},
	} {
		set(test.has...)
		l, err := r.Open("s1", &log{}, alone)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := l.Offer(t.Context(), strings.ReplaceAll(offer, "HOST", "127.0.0.1"))
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for line := range strings.Lines(answer) {
			if words := strings.Fields(line); strings.HasPrefix(line, "a=candidate:") && words[2] == "udp" {
				told = append(told, words[4])
			}
		}
		if !slices.Equal(told, test.told) {
			t.Errorf("with %v callers are told %v, want %v", test.has, told, test.told)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// The last TCP connection of an address is taken, one more is closed at once.
func TestTCPConnectionsOfOneAddress(t *testing.T) {
	r := listen(t)
	dial := func() net.Conn {
		c, err := net.Dial("tcp", r.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	isOpen := func(c net.Conn) bool {
		_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		_, err := c.Read(make([]byte, 1))
		return errors.Is(err, os.ErrDeadlineExceeded)
	}
	var all []net.Conn
	for range relay.MaxTCPPerAddress {
		all = append(all, dial())
	}
	if isOpen(dial()) {
		t.Error("one more than allowed stays open")
	}
	if last := all[len(all)-1]; !isOpen(last) {
		t.Error("the last that is allowed was closed")
	}
	_ = all[0].Close()
	for limit := time.Now().Add(10 * time.Second); !isOpen(dial()); { // the server learns of it
		if time.Now().After(limit) {
			t.Fatal("a place that was given back is not given again")
		}
	}
}
