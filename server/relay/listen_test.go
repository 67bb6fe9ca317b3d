package relay_test

import (
	"errors"
	"net"
	"net/netip"
	"testing"

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
	l, err := r.Open("s1", &log{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Offer(t.Context(), offer); !errors.Is(err, relay.ErrClosed) {
		t.Errorf("an offer afterwards: %v", err)
	}
	if _, err := r.Open("s2", &log{}); !errors.Is(err, relay.ErrClosed) {
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
