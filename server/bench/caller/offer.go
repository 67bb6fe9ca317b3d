package caller

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/pion/sdp/v3"
)

// payloadType and levelID are what an offer calls Opus and the level of its audio.
const payloadType, levelID = 111, 1

// Offer is the session description (RFC 8829) of one audio and a data channel.
func (c *Caller) Offer() string {
	at := netip.MustParseAddrPort(c.socket.LocalAddr().String())
	transport := fmt.Sprintf("c=IN IP4 0.0.0.0\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:%s\r\na=setup:actpass\r\n",
		c.ufrag, c.pwd, c.cfg.Fingerprint)
	return "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n" +
		fmt.Sprintf("m=audio 9 UDP/TLS/RTP/SAVPF %d\r\n", payloadType) + transport +
		fmt.Sprintf("a=candidate:1 1 udp 2130706431 %s %d typ host\r\na=end-of-candidates\r\n", at.Addr(), at.Port()) +
		fmt.Sprintf("a=mid:0\r\na=rtcp-mux\r\na=sendrecv\r\na=rtpmap:%d opus/48000/2\r\na=fmtp:%[1]d minptime=10;useinbandfec=1\r\n", payloadType) +
		fmt.Sprintf("a=extmap:%d %s\r\na=msid:mic mic\r\na=ssrc:%d cname:bench\r\n", levelID, sdp.AudioLevelURI, c.media.ssrc) +
		"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" + transport +
		"a=mid:1\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n"
}

// answer is what of a server's answer is needed.
type answer struct {
	ufrag, pwd string
	candidate  netip.AddrPort
	isClient   bool // of DTLS, this end is
	hasData    bool
}

func readAnswer(text string) (a answer, err error) {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return a, fmt.Errorf("caller: answer: %w", err)
	}
	if len(d.MediaDescriptions) == 0 {
		return a, errors.New("caller: an answer without audio")
	}
	audio := d.MediaDescriptions[0]
	attribute := func(name string) string {
		if value, isThere := audio.Attribute(name); isThere {
			return value
		}
		value, _ := d.Attribute(name)
		return value
	}
	a.ufrag, a.pwd, a.isClient = attribute("ice-ufrag"), attribute("ice-pwd"), attribute("setup") == "passive"
	for _, line := range audio.Attributes {
		if line.Key == "candidate" && !a.candidate.IsValid() {
			a.candidate = readCandidate(line.Value)
		}
	}
	for _, m := range d.MediaDescriptions[1:] {
		a.hasData = a.hasData || m.MediaName.Media == "application" && m.MediaName.Port.Value != 0
	}
	if a.ufrag == "" || a.pwd == "" || !a.candidate.IsValid() {
		return a, errors.New("caller: an answer without a way there")
	}
	return a, nil
}

// readCandidate reads one of UDP over IPv4; any other is none.
func readCandidate(value string) (at netip.AddrPort) {
	fields := strings.Fields(value)
	if len(fields) < 6 || fields[1] != "1" || !strings.EqualFold(fields[2], "udp") {
		return at
	}
	if at, err := netip.ParseAddrPort(fields[4] + ":" + fields[5]); err == nil {
		return at
	}
	return at
}
