package transport_test

import (
	"testing"

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
