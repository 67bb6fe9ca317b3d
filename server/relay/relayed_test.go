package relay_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/pion/stun/v4"

	"parley/server/relay"
)

func listenTURN(t *testing.T) (*relay.Relay, *relay.TURNPort) {
	t.Helper()
	r, err := relay.Listen(relay.Config{Addr: "127.0.0.1:0", AllowPrivate: true, TURN: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r, r.TURN()
}

func TestWithoutTURNThePortIsTheCallsAlone(t *testing.T) {
	if port := listen(t).TURN(); port != nil {
		t.Errorf("there is %+v", port)
	}
}

// What TURN's is comes out there, with who sent it.
func TestTURNsPacketsAreTheTURNServers(t *testing.T) {
	r, port := listenTURN(t)
	client, err := net.Dial("udp4", r.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	check := stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername("a:b"))
	ask := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest))
	for _, b := range [][]byte{check.Raw, {0x80, 111}, ask.Raw} {
		if _, err := client.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, 1500)
	n, from, err := port.Packets().ReadFrom(b)
	if err != nil || string(b[:n]) != string(ask.Raw) || from.String() != client.LocalAddr().String() {
		t.Errorf("%x from %v, %v", b[:n], from, err)
	}
}

func TestARelayedAddressIsThePortsOwn(t *testing.T) {
	r, port := listenTURN(t)
	own := netip.MustParseAddr("127.0.0.1")
	if port.IsPeer(own) {
		t.Error("a peer before there is an address")
	}
	first, err := port.Open(false)
	if err != nil {
		t.Fatal(err)
	}
	second, err := port.Open(false)
	if err != nil {
		t.Fatal(err)
	}
	at := first.LocalAddr().(*net.UDPAddr).AddrPort()
	if at.Addr() != own || at.Port() < 1024 || at.Port() > 32767 || at == second.LocalAddr().(*net.UDPAddr).AddrPort() {
		t.Errorf("at %v and %v", at, second.LocalAddr())
	}
	if !port.IsPeer(own) || port.IsPeer(netip.MustParseAddr("127.0.0.2")) {
		t.Error("peers are others than the port")
	}
	if c, err := port.Open(true); err == nil {
		t.Errorf("an address of a family that callers aren't told: %v", c.LocalAddr())
	}
	addrs, err := port.Addrs()
	if want := netip.MustParseAddrPort(r.Addr().String()); err != nil || len(addrs) != 1 || addrs[0] != want {
		t.Errorf("clients find the port at %v, %v", addrs, err)
	}
	first.Close()
	second.Close()
	if port.IsPeer(own) {
		t.Error("a peer of nobody")
	}
	if _, _, err := first.ReadFrom(make([]byte, 1)); err == nil {
		t.Error("a read of what is closed")
	}
}
