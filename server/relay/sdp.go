package relay

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"parley/server/leg"
	"parley/shared/wire"
)

// readOffer checks an offer and leaves only candidates that media may be sent
// to. It is given on as the parser wrote it, so that no second reader of the
// caller's text can understand it otherwise. The number counts candidates.
func readOffer(text string, allowPrivate bool) (offer string, candidates int, err error) {
	if len(text) > wire.MaxSDP {
		return "", 0, refuseOffer("too_large", nil)
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return "", 0, refuseOffer("malformed", err)
	}
	if err := checkMedia(d.MediaDescriptions); err != nil {
		return "", 0, err
	}
	groups := []*[]sdp.Attribute{&d.Attributes}
	for _, m := range d.MediaDescriptions {
		groups = append(groups, &m.Attributes)
	}
	for _, g := range groups {
		kept, n := dropUnusable(*g, allowPrivate)
		*g = kept
		candidates += n
	}
	if candidates > wire.MaxCandidates {
		return "", 0, refuseOffer("too_many_candidates", ErrCandidates)
	}
	clean, err := d.Marshal()
	if err != nil {
		return "", 0, refuseOffer("malformed", err)
	}
	return string(clean), candidates, nil
}

// checkMedia wants one audio section, and at most one for data channels.
func checkMedia(sections []*sdp.MediaDescription) error {
	var audio, data int
	for _, m := range sections {
		switch m.MediaName.Media {
		case "audio":
			audio++
		case "application":
			data++
		default:
			return refuseOffer("unsupported_section", nil)
		}
	}
	if audio != 1 || data > 1 {
		return refuseOffer("wrong_sections", nil)
	}
	return nil
}

// dropUnusable drops candidates that can't be used. A browser names all its addresses,
// so one that is refused says nothing of the rest.
func dropUnusable(attrs []sdp.Attribute, allowPrivate bool) (kept []sdp.Attribute, candidates int) {
	kept = attrs[:0]
	for _, a := range attrs {
		if a.Key == sdp.AttrKeyCandidate {
			candidates++
			known, err := candidate(a.Value, allowPrivate)
			if err != nil || known == "" {
				continue
			}
			a.Value = known
		}
		kept = append(kept, a)
	}
	return kept, candidates
}

// writeAnswer puts the relay's own candidates into pion's answer, and reads
// from it what was agreed. The sections are bundled: the first one's transport
// is that of all.
func writeAnswer(text string, ips []netip.Addr, port uint16) (string, leg.Mapping, error) {
	var told strings.Builder
	var m leg.Mapping
	section, audio := 0, false
	for line := range strings.SplitAfterSeq(text, "\r\n") {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch {
		case key == "a=candidate", key == "a=end-of-candidates":
			continue
		case strings.HasPrefix(line, "m="):
			if section++; section == 2 {
				offer(&told, ips, port)
			}
			audio = strings.HasPrefix(line, "m=audio ")
		case audio:
			readMapping(&m, key, value)
		}
		told.WriteString(line)
	}
	if section == 1 {
		offer(&told, ips, port)
	}
	if m.PayloadType == 0 {
		return "", m, refuseOffer("no_opus", nil)
	}
	return told.String(), m, nil
}

// readMapping takes note of an attribute of the audio section.
func readMapping(m *leg.Mapping, key, value string) {
	id, what, _ := strings.Cut(value, " ")
	n, err := strconv.ParseUint(id, 10, 8)
	switch {
	case err != nil:
	case key == "a=rtpmap" && strings.HasPrefix(strings.ToLower(what), "opus/48000"):
		m.PayloadType = uint8(n)
	case key == "a=extmap" && strings.HasPrefix(what, sdp.AudioLevelURI):
		m.AudioLevelID = uint8(n)
	}
}

// offer writes the relay's addresses as host candidates, priorities by RFC 8445
// §5.1.2.1: UDP before TCP (RFC 6544), earlier addresses before later ones.
func offer(to *strings.Builder, ips []netip.Addr, port uint16) {
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
