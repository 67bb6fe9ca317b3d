package transport_test

import (
	"bytes"
	"net"
	"net/netip"
	"testing"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"

	"parley/server/relay/transport"
)

// A packet's protocol is told by its first byte, at the edges of RFC 9443 §3.
func TestKindOfAPacket(t *testing.T) {
	for name, c := range map[string]struct {
		packet []byte
		want   string
	}{
		"nothing":               {nil, "nothing"},
		"the first of STUN":     {[]byte{0}, "STUN"},
		"the last of STUN":      {[]byte{3}, "STUN"},
		"behind STUN":           {[]byte{4}, "nothing"},
		"before DTLS":           {[]byte{19}, "nothing"},
		"the first of DTLS":     {[]byte{20}, "DTLS"},
		"the last of DTLS":      {[]byte{63}, "DTLS"},
		"TURN's channels":       {[]byte{64}, "nothing"},
		"before media":          {[]byte{127}, "nothing"},
		"the first of media":    {[]byte{128}, "RTP"},
		"the last of media":     {[]byte{191, 0}, "RTP"},
		"behind media":          {[]byte{192}, "nothing"},
		"before RTCP":           {[]byte{128, 191}, "RTP"},
		"the first of RTCP":     {[]byte{128, 192}, "RTCP"},
		"a sender report":       {[]byte{128, 200}, "RTCP"},
		"the last of RTCP":      {[]byte{128, 223}, "RTCP"},
		"behind RTCP":           {[]byte{128, 224}, "RTP"},
		"Opus with a marker":    {[]byte{128, 0x80 | 111}, "RTP"},
		"a stranger's nonsense": {[]byte("GET / HTTP/1.1"), "nothing"},
	} {
		if got := transport.KindOf(c.packet); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// FuzzReceive: whatever comes from an address that no check has verified, nothing is sent
// there and a call's state is as it was; and a port changes no packet.
func FuzzReceive(f *testing.F) {
	stranger := binding("ours", "guess")
	f.Add(stranger)
	f.Add(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodBinding, stun.ClassIndication)).Raw)
	f.Add([]byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0})
	f.Add([]byte{0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7})
	f.Add([]byte{0x80, 200, 0, 1, 0, 0, 0, 7})
	f.Add([]byte{0x40, 0, 0, 4, 0, 1, 2, 3})
	f.Add([]byte{})
	cert, fingerprint := certificate(f)
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		f.Fatal(err)
	}
	defer udp.Close()
	f.Fuzz(func(t *testing.T, packet []byte) {
		p := transport.NewPort(transport.PortConfig{UDP: []*net.UDPConn{udp}, IsAllowed: anywhere, SendRelayed: func(sent []byte, to netip.AddrPort) bool {
			t.Fatalf("%x is sent to %v for %x", sent, to, packet)
			return true
		}})
		h := &handled{}
		l, err := p.Open(transport.Config{Certificate: cert, Fingerprint: fingerprint, Log: logging.NewDefaultLoggerFactory()},
			func(*transport.Transport) transport.Handler { return h })
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ice, dtls := l.State()
		is := bytes.Clone(packet)
		p.Receive(packet, somewhere)
		if !bytes.Equal(packet, is) {
			t.Errorf("%x became %x", is, packet)
		}
		if nowICE, nowDTLS := l.State(); nowICE != ice || nowDTLS != dtls {
			t.Errorf("%x has ICE %v and DTLS %v", packet, nowICE, nowDTLS)
		}
		if n, _ := l.Received(); n != 0 {
			t.Errorf("%x counts as the caller's", packet)
		}
	})
}
