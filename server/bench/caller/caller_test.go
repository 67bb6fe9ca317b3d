package caller

import (
	"net/netip"
	"strings"
	"testing"
)

const answered = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-ufrag:name\r\na=ice-pwd:word\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=setup:passive\r\na=candidate:1 1 tcp 9 127.0.0.1 8 typ host tcptype passive\r\n" +
	"a=candidate:2 1 udp 9 ::1 9 typ host\r\na=candidate:3 1 UDP 9 127.0.0.1 9 typ host\r\n" +
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"

func TestAnAnswerIsRead(t *testing.T) {
	way := netip.MustParseAddrPort("127.0.0.1:9")
	for name, c := range map[string]struct {
		text string
		want answer
	}{
		"of a server of DTLS": {answered, answer{"name", "word", way, true, true}},
		"of a client":         {strings.Replace(answered, "passive\r", "active\r", 1), answer{"name", "word", way, false, true}},
		"without data":        {strings.Replace(answered, "m=application 9", "m=application 0", 1), answer{"name", "word", way, true, false}},
	} {
		if got, err := readAnswer(c.text); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "no audio": answered[:strings.Index(answered, "m=")], "no way": strings.ReplaceAll(answered, "UDP 9", "TCP 9"),
	} {
		if _, err := readAnswer(text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAnOfferIsAsOthersReadIt(t *testing.T) {
	c, err := New(Config{Address: netip.MustParseAddr("127.0.0.1"), Fingerprint: "sha-256 00"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got, err := readAnswer(c.Offer())
	want := answer{c.ufrag, c.pwd, netip.MustParseAddrPort(c.socket.LocalAddr().String()), false, true}
	if err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}
