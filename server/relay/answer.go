package relay

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/pion/sdp/v3"

	"parley/server/relay/transport"
)

// answerParameters are what is ours in an answer.
type answerParameters struct {
	credentials transport.Credentials
	fingerprint string
	ssrc        uint32
	version     int // of the answers on one leg, it rises
	ips         []netip.Addr
	port        uint16
}

// writeAnswer answers all sections of an offer: the first that is taken has the relay's
// candidates, for its transport is that of all, and those that aren't taken are rejected.
func writeAnswer(offer takenOffer, own answerParameters) string {
	var mids, sections strings.Builder
	hasCandidates := false
	for _, s := range offer.sections {
		if !s.isTaken {
			reject(&sections, s)
			continue
		}
		mids.WriteString(" " + s.mid)
		if s.media == "audio" {
			writeAudio(&sections, s, offer, own)
		} else {
			fmt.Fprintf(&sections, "m=application 9 %s webrtc-datachannel\r\n", s.proto)
			writeTransport(&sections, s, offer, own)
			fmt.Fprintf(&sections, "a=sctp-port:5000\r\na=max-message-size:%d\r\n", maxMessage)
		}
		if !hasCandidates {
			writeCandidates(&sections, own.ips, own.port)
			hasCandidates = true
		}
	}
	return fmt.Sprintf("v=0\r\no=- %d %d IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-lite\r\na=msid-semantic: WMS %s\r\na=group:BUNDLE%s\r\n",
		own.ssrc, own.version, mediaStream, mids.String()) + sections.String()
}

// mediaStream and mediaTrack name the agent's audio (RFC 8830).
const mediaStream, mediaTrack = "parley", "agent"

// answerDirections are the other end's (RFC 3264 §6.1).
var answerDirections = map[string]string{"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}

func writeAudio(to *strings.Builder, s section, offer takenOffer, own answerParameters) {
	const fmtp = "minptime=10;useinbandfec=1" // in-band FEC costs nothing without loss and hides most of it
	m := offer.mapping
	fmt.Fprintf(to, "m=audio 9 %s %d\r\n", s.proto, m.PayloadType)
	writeTransport(to, s, offer, own)
	fmt.Fprintf(to, "a=rtcp-mux\r\na=rtpmap:%d opus/48000/2\r\na=fmtp:%d %s\r\n", m.PayloadType, m.PayloadType, fmtp)
	if m.AudioLevelID != 0 {
		fmt.Fprintf(to, "a=extmap:%d %s\r\n", m.AudioLevelID, sdp.AudioLevelURI)
	}
	fmt.Fprintf(to, "a=%s\r\n", answerDirections[offer.direction])
	if offer.takesAudio() {
		fmt.Fprintf(to, "a=msid:%s %s\r\na=ssrc:%d cname:%s\r\na=ssrc:%d msid:%s %s\r\n",
			mediaStream, mediaTrack, own.ssrc, mediaStream, own.ssrc, mediaStream, mediaTrack)
	}
}

// writeTransport says how the section is carried. Of DTLS we are the server if we may:
// then the profile of SRTP is ours to choose.
func writeTransport(to *strings.Builder, s section, offer takenOffer, own answerParameters) {
	setup := "passive"
	if offer.isDTLSServer() {
		setup = "active"
	}
	fmt.Fprintf(to, "c=IN IP4 0.0.0.0\r\na=mid:%s\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:%s\r\na=setup:%s\r\n",
		s.mid, own.credentials.Ufrag, own.credentials.Pwd, own.fingerprint, setup)
}

// reject answers a section that isn't wanted (RFC 3264 §6). A format and what it
// means have no effect, but parsers want both.
func reject(to *strings.Builder, s section) {
	fmt.Fprintf(to, "m=%s 0 %s %s\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n", s.media, s.proto, s.format)
	if s.rtpmap != "" {
		fmt.Fprintf(to, "a=rtpmap:%s\r\n", s.rtpmap)
	}
	if s.mid != "" {
		fmt.Fprintf(to, "a=mid:%s\r\n", s.mid)
	}
}

// writeCandidates writes the relay's addresses as host candidates, priorities by RFC 8445
// §5.1.2.1: UDP before TCP (RFC 6544), earlier addresses before later ones.
func writeCandidates(to *strings.Builder, ips []netip.Addr, port uint16) {
	const udpType, tcpType, component = 126, 90, 1
	add := func(foundation, kind int, proto string, nth int, rest string) {
		priority := kind<<24 | (65535-nth)<<8 | (256 - component)
		fmt.Fprintf(to, "a=candidate:%d %d %s %d %s %d typ host%s\r\n", foundation, component, proto, priority, ips[nth], port, rest)
	}
	for i := range ips {
		add(2*i+1, udpType, "udp", i, "")
		add(2*i+2, tcpType, "tcp", i, " tcptype passive")
	}
	to.WriteString("a=end-of-candidates\r\n")
}
