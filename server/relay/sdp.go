package relay

import (
	"fmt"
	"net/netip"
	"strings"

	"parley/server/leg"
	"parley/server/leg/peerconn"
)

// writeAnswer makes the answer to all sections of the offer from pion's to those
// that were taken: it puts the relay's own candidates into the first of them,
// whose transport is that of all, and rejects the rest. It returns what was
// agreed, too.
func writeAnswer(text string, sections []section, ips []netip.Addr, port uint16) (string, leg.Mapping, error) {
	parts := strings.Split(text, "\r\nm=") // the session's part, then one for each section that was taken
	var told strings.Builder
	told.WriteString(withoutCandidates(parts[0]))
	var m leg.Mapping
	taken := 0
	for _, s := range sections {
		if !s.isTaken {
			reject(&told, s)
			continue
		}
		if taken++; taken >= len(parts) {
			return "", m, refuseOffer("not_negotiable", "m=%s: nothing in it can be answered", s.media)
		}
		part := "m=" + strings.TrimSuffix(parts[taken], "\r\n")
		if s.media == "audio" {
			m = peerconn.ReadMapping(part)
		}
		first, rest, _ := strings.Cut(part, "\r\n")
		told.WriteString(withProto(first, s.proto) + "\r\n" + withoutCandidates(rest))
		if taken == 1 {
			writeCandidates(&told, ips, port)
		}
	}
	if m.PayloadType == 0 {
		return "", m, refuseOffer("no_opus", "m=audio: no Opus (opus/48000/2) that can be agreed on")
	}
	return told.String(), m, nil
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

// withProto returns an m= line with the protocol that the offer has (RFC 8829
// §5.3.1 wants it repeated, and pion always writes the same).
func withProto(line, proto string) string {
	words := strings.Split(line, " ")
	if len(words) > 2 {
		words[2] = proto
	}
	return strings.Join(words, " ")
}

// withoutCandidates returns lines without pion's own candidates.
func withoutCandidates(lines string) string {
	var kept strings.Builder
	for line := range strings.SplitSeq(strings.TrimSuffix(lines, "\r\n"), "\r\n") {
		if !strings.HasPrefix(line, "a=candidate:") && line != "a=end-of-candidates" {
			kept.WriteString(line + "\r\n")
		}
	}
	return kept.String()
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
