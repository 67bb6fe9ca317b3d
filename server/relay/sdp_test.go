package relay_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"parley/server/relay"
	"parley/shared/wire"
)

// offer is a browser's, shortened, with one candidate.
var offer = strings.ReplaceAll(`v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 111 63
c=IN IP4 0.0.0.0
a=candidate:1 1 udp 2122260223 HOST 50000 typ host generation 0 network-id 1
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=ice-options:trickle
a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF
a=setup:actpass
a=mid:0
a=extmap:14 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=ssrc:1001 cname:x
`, "\n", "\r\n")

func TestOffers(t *testing.T) {
	public := strings.ReplaceAll(offer, "HOST", "8.8.8.8")
	audio := public[strings.Index(public, "m=audio"):]
	candidates := func(n int) string {
		var lines strings.Builder
		for i := range n {
			fmt.Fprintf(&lines, "a=candidate:1 1 udp 2122260223 10.0.0.1 %d typ host\r\n", 40000+i)
			fmt.Fprintf(&lines, "a=candidate:1 1 udp 2122260223 a%d.local 50000 typ host\r\n", i)
			fmt.Fprintf(&lines, "a=candidate:1 1 udp 2122260223 8.8.8.8 %d typ host\r\n", 40000+i)
		}
		return lines.String()
	}
	for name, test := range map[string]struct {
		sdp    string
		fails  error
		left   int // candidates
		reason string
	}{
		"a browser's":         {public, nil, 1, ""},
		"a private candidate": {strings.ReplaceAll(offer, "HOST", "10.1.2.3"), nil, 0, ""},
		"an mDNS candidate":   {strings.ReplaceAll(offer, "HOST", "abc.local"), nil, 0, ""},
		"a name":              {strings.ReplaceAll(offer, "HOST", "example.com"), nil, 0, ""},
		"20 that are usable":  {public + candidates(19), nil, 20, ""},
		"21 that are usable":  {public + candidates(20), nil, 20, ""},
		"one given 3 times":   {public + strings.Repeat("a=candidate:2 1 udp 2122260223 8.8.4.4 50000 typ host\r\n", 3), nil, 2, ""},
		"with a data channel": {public + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n", nil, 1, ""},
		"with video":          {public + strings.ReplaceAll(audio, "m=audio", "m=video"), nil, 1, ""},
		"twice audio":         {public + audio, nil, 1, ""},
		"without audio":       {public[:strings.Index(public, "m=audio")], relay.ErrOffer, 0, "no_audio"},
		"nonsense":            {"hello", relay.ErrOffer, 0, "malformed"},
		"empty":               {"", relay.ErrOffer, 0, "no_audio"},
		"too long":            {public + "a=x:" + strings.Repeat("x", wire.MaxSDP), relay.ErrOffer, 0, "too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := relay.ReadOffer(test.sdp, false)
			if !errors.Is(err, test.fails) {
				t.Fatalf("error %v, want %v", err, test.fails)
			}
			var why interface{ Reason() string }
			if err != nil && (!errors.As(err, &why) || why.Reason() != test.reason) {
				t.Errorf("refused without its word %q: %v", test.reason, err)
			}
			if n := strings.Count(got, "a=candidate:"); n != test.left {
				t.Errorf("%d candidates are left, want %d", n, test.left)
			}
		})
	}
}

func TestAnswer(t *testing.T) {
	r := listen(t)
	l, err := r.Open("s1", &log{}, alone)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := l.Offer(context.Background(), strings.ReplaceAll(offer, "HOST", "127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(r.Addr().String(), ":")
	for what, want := range map[string]string{
		"its UDP candidate":   fmt.Sprintf(" udp 2130706431 127.0.0.1 %s typ host\r\n", port),
		"its TCP candidate":   fmt.Sprintf(" tcp 1526726655 127.0.0.1 %s typ host tcptype passive\r\n", port),
		"the end of them":     "a=end-of-candidates\r\n",
		"the audio level":     "a=extmap:14 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n",
		"the caller's number": "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
		"one transport":       "a=rtcp-mux\r\n",
	} {
		if !strings.Contains(answer, want) {
			t.Errorf("%s is missing (%q) in\n%s", what, want, answer)
		}
	}
	if !regexp.MustCompile(`a=fingerprint:sha-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}\r\n`).MatchString(answer) {
		t.Errorf("the fingerprint is none that every browser reads:\n%s", answer)
	}
	for _, never := range []string{"transport-cc", "nack", "red/48000", ".local"} {
		if strings.Contains(answer, never) {
			t.Errorf("%q is in\n%s", never, answer)
		}
	}
}

// A refused offer says to the caller which section is at fault, and why.
func TestRefusedOffers(t *testing.T) {
	good := strings.ReplaceAll(offer, "HOST", "127.0.0.1")
	for name, test := range map[string]struct{ sdp, reason string }{
		"no Opus":           {strings.NewReplacer("opus/48000/2", "PCMU/8000", "red/48000/2", "PCMA/8000").Replace(good), "no_opus: m=audio (section 1 of 1): no Opus (opus/48000/2)"},
		"no fingerprint":    {strings.Replace(good, "a=fingerprint", "a=nothing", 1), "no_transport: m=audio: no a=fingerprint"},
		"no ICE user name":  {strings.Replace(good, "a=ice-ufrag", "a=nothing", 1), "no_transport: m=audio: no a=ice-ufrag"},
		"no ICE password":   {strings.Replace(good, "a=ice-pwd", "a=nothing", 1), "no_transport: m=audio: no a=ice-pwd"},
		"disabled":          {strings.Replace(good, "m=audio 9", "m=audio 0", 1), "audio_disabled: m=audio (section 1 of 1): disabled by port 0"},
		"plain RTP":         {strings.Replace(good, "UDP/TLS/RTP/SAVPF", "RTP/AVP", 1), "no_dtls_srtp: m=audio (section 1 of 1): not RTP over DTLS-SRTP"},
		"video alone":       {strings.Replace(good, "m=audio", "m=video", 1), "no_audio: no m=audio section"},
		"nonsense":          {"hello", "malformed: not a session description (RFC 8866)"},
		"a bad fingerprint": {strings.Replace(good, "fingerprint:sha-256 ", "fingerprint:", 1), "not_negotiable: it has no answer as WebRTC's (RFC 8829)"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := listen(t).Open("s1", &log{}, alone)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := l.Offer(context.Background(), test.sdp)
			if !errors.Is(err, relay.ErrOffer) {
				t.Fatalf("error %v, want ErrOffer; answer\n%s", err, answer)
			}
			var told wire.Error
			if want := (wire.Error{Code: wire.ErrBadOffer, Field: "sdp", Reason: test.reason}); !errors.As(err, &told) || told != want {
				t.Errorf("told %+v, want %+v", told, want)
			}
			if _, err := l.Offer(context.Background(), good); err != nil {
				t.Errorf("a good one after it: %v", err)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTrickledCandidates(t *testing.T) {
	r, err := relay.Listen(relay.Config{Addr: ":0", PublicIPs: public(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	l, err := r.Open("s1", &log{}, alone)
	if err != nil {
		t.Fatal(err)
	}
	add := func(host string) error {
		return l.AddCandidate(webrtc.ICECandidateInit{Candidate: "candidate:1 1 udp 2122260223 " + host + " 50000 typ host"})
	}
	if err := add("8.8.8.8"); !errors.Is(err, relay.ErrNoOffer) {
		t.Errorf("before an offer: %v", err)
	}
	if _, err := l.Offer(context.Background(), strings.ReplaceAll(offer, "HOST", "abc.local")); err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]error{
		"192.168.0.1": nil, "127.0.0.1": nil, "::1": nil, "abc.local": nil, "::ffff:10.0.0.1": relay.ErrAddress, "example.com": relay.ErrCandidate,
	} {
		if err := add(host); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", host, err, want)
		}
	}
	for i := range 2 * wire.MaxCandidates {
		if err := add("8.8.8.8"); err != nil {
			t.Errorf("candidate %d: %v", i+1, err)
		}
	}
	if err := l.AddCandidate(webrtc.ICECandidateInit{}); err != nil {
		t.Errorf("the end of candidates: %v", err)
	}
	if err := add("example.com"); !errors.Is(err, relay.ErrCandidate) {
		t.Errorf("one more, that can't be used: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := add("abc.local"); !errors.Is(err, relay.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}
