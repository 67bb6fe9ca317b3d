package relay

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"parley/server/leg"
	"parley/shared/wire"
)

// A takenOffer is what the relay takes of an offer.
type takenOffer struct {
	sections    []section // all of the offer's, for the answer to go through
	candidates  []*remoteCandidate
	fingerprint string // of the certificate that the far end shows
	credentials credentials
	setup       string // which end of DTLS the far end is
	mapping     leg.Mapping
	direction   string // of the audio, as the far end says it
	hasData     bool   // it wants data channels
	maxMessage  string // the largest message that the far end takes, as it says it
}

// credentials are those of ICE that the far end has.
type credentials struct{ ufrag, pwd string }

// A section is one media section of an offer (RFC 8829 §5.3.1): either it is
// taken, or answered with port 0.
type section struct {
	isTaken bool
	media   string // "audio", "video", …
	proto   string
	format  string // one of those offered
	rtpmap  string // of the format; "" if there is none
	mid     string // "" if the offer names none, and the section isn't taken
}

// readOffer takes one audio section, one for data channels if it shares the
// audio's transport, and the first usable candidates.
func readOffer(text string, allowPrivate bool) (takenOffer, error) {
	if len(text) > wire.MaxSDP {
		return takenOffer{}, refuseOffer("too_large", "%d bytes, the limit is %d", len(text), wire.MaxSDP)
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return takenOffer{}, refuseOffer("malformed", "not a session description (RFC 8866)")
	}
	audio, err := findAudio(d.MediaDescriptions)
	if err != nil {
		return takenOffer{}, err
	}
	data := findData(&d, audio)
	offer := takenOffer{
		sections: sectionsOf(d.MediaDescriptions, audio, data), candidates: usableCandidates(&d, allowPrivate),
		direction: directionOf(audio, &d), hasData: data != nil,
	}
	if data != nil {
		offer.maxMessage = valueOf(data.Attributes, "max-message-size")
	}
	if err := offer.readTransport(audio, &d); err != nil {
		return takenOffer{}, err
	}
	if offer.mapping = mappingOf(audio, &d); offer.mapping.PayloadType == 0 {
		return takenOffer{}, refuseOffer("no_opus", "m=audio: no Opus (opus/48000/2) that can be agreed on")
	}
	return offer, nil
}

// takesAudio reports whether the far end takes what is sent.
func (o *takenOffer) takesAudio() bool { return o.direction == "sendrecv" || o.direction == "recvonly" }

// isDTLSServer reports whether the far end insists on being DTLS's server.
func (o *takenOffer) isDTLSServer() bool { return o.setup == "passive" }

// maxMessageSize is the largest message that may be sent (RFC 8841 §6): 64 KiB where
// the far end says nothing, and without a bound where it says 0.
func (o *takenOffer) maxMessageSize() uint32 {
	const unsaid = 64 << 10
	n, err := strconv.ParseUint(o.maxMessage, 10, 32)
	switch {
	case err != nil:
		return unsaid
	case n == 0 || n > maxMessageSent:
		return maxMessageSent
	}
	return uint32(n)
}

// isLive reports whether a section is on: port 0 disables it (RFC 3264 §8.2),
// unless it only says that it lives on another's transport (RFC 8843 §6).
func isLive(m *sdp.MediaDescription) bool {
	_, isBundleOnly := m.Attribute("bundle-only")
	return m.MediaName.Port.Value != 0 || isBundleOnly
}

// findAudio returns the first audio section that is on and has Opus.
func findAudio(sections []*sdp.MediaDescription) (*sdp.MediaDescription, error) {
	why := refuseOffer("no_audio", "no m=audio section")
	for i, m := range sections {
		proto := strings.Join(m.MediaName.Protos, "/")
		switch {
		case m.MediaName.Media != "audio":
		case !isLive(m):
			why = refuseOffer("audio_disabled", "m=audio (section %d of %d): disabled by port 0", i+1, len(sections))
		case !strings.Contains(proto, "RTP/SAVP"):
			why = refuseOffer("no_dtls_srtp", "m=audio (section %d of %d): not RTP over DTLS-SRTP", i+1, len(sections))
		case opusType(m) == "":
			why = refuseOffer("no_opus", "m=audio (section %d of %d): no Opus (opus/48000/2)", i+1, len(sections))
		default:
			return m, nil
		}
	}
	return nil, why
}

// findData returns the section of the data channels, if it shares the audio's
// transport: there is one for each call.
func findData(d *sdp.SessionDescription, audio *sdp.MediaDescription) *sdp.MediaDescription {
	group := bundleOf(d, audio)
	for _, m := range d.MediaDescriptions {
		mid, _ := m.Attribute(sdp.AttrKeyMID)
		isSCTP := slices.Contains(m.MediaName.Protos, "SCTP") && slices.Contains(m.MediaName.Formats, "webrtc-datachannel")
		if m.MediaName.Media == "application" && isSCTP && isLive(m) && mid != "" && slices.Contains(group, mid) {
			return m
		}
	}
	return nil
}

// bundleOf returns the mids of the BUNDLE group (RFC 8843) that a section is in.
func bundleOf(d *sdp.SessionDescription, m *sdp.MediaDescription) []string {
	mid, _ := m.Attribute(sdp.AttrKeyMID)
	for _, a := range d.Attributes {
		words := strings.Fields(a.Value)
		if a.Key == sdp.AttrKeyGroup && len(words) > 1 && words[0] == "BUNDLE" && mid != "" && slices.Contains(words[1:], mid) {
			return words[1:]
		}
	}
	return nil
}

// taggedSection returns the section whose transport is that of m's whole bundle.
func taggedSection(d *sdp.SessionDescription, m *sdp.MediaDescription) *sdp.MediaDescription {
	group := bundleOf(d, m)
	for _, other := range d.MediaDescriptions {
		if mid, _ := other.Attribute(sdp.AttrKeyMID); len(group) > 0 && mid == group[0] {
			return other
		}
	}
	return m
}

// sectionsOf lists all sections. One that is taken has a mid, of its own or a spare one.
func sectionsOf(all []*sdp.MediaDescription, audio, data *sdp.MediaDescription) []section {
	sections := make([]section, len(all))
	taken := 0
	for i, m := range all {
		mid, _ := m.Attribute(sdp.AttrKeyMID)
		s := section{isTaken: m == audio || m == data, media: m.MediaName.Media, mid: mid, proto: strings.Join(m.MediaName.Protos, "/")}
		s.format, s.rtpmap = formatOf(m)
		if s.isTaken {
			if s.mid == "" {
				s.mid = fmt.Sprint("parley", taken)
			}
			taken++
		}
		sections[i] = s
	}
	return sections
}

// formatOf returns a format that a section offers, the first that is described.
func formatOf(m *sdp.MediaDescription) (format, rtpmap string) {
	for _, a := range m.Attributes {
		id, _, _ := strings.Cut(a.Value, " ")
		if a.Key == "rtpmap" && slices.Contains(m.MediaName.Formats, id) {
			return id, a.Value
		}
	}
	if len(m.MediaName.Formats) > 0 {
		format = m.MediaName.Formats[0]
	}
	return format, ""
}

// directions of a section; without one it sends and receives (RFC 8866 §6.7).
var directions = []string{"sendrecv", "sendonly", "recvonly", "inactive"}

// directionOf returns the direction of a section, its own or the session's.
func directionOf(m *sdp.MediaDescription, d *sdp.SessionDescription) string {
	for _, attrs := range [][]sdp.Attribute{m.Attributes, d.Attributes} {
		for _, a := range attrs {
			if slices.Contains(directions, a.Key) {
				return a.Key
			}
		}
	}
	return directions[0]
}

// readTransport reads what a connection is made by. A section may leave it to its
// bundle's tagged section, or to the session.
func (o *takenOffer) readTransport(audio *sdp.MediaDescription, d *sdp.SessionDescription) error {
	tagged := taggedSection(d, audio)
	for _, part := range []struct {
		key      string
		to       *string
		isNeeded bool
	}{
		{"ice-ufrag", &o.credentials.ufrag, true}, {"ice-pwd", &o.credentials.pwd, true},
		{"fingerprint", &o.fingerprint, true}, {"setup", &o.setup, false},
	} {
		for _, attrs := range [][]sdp.Attribute{audio.Attributes, tagged.Attributes, d.Attributes} {
			if *part.to = valueOf(attrs, part.key); *part.to != "" {
				break
			}
		}
		if part.isNeeded && *part.to == "" {
			return refuseOffer("no_transport", "m=audio: no a=%s", part.key)
		}
	}
	o.fingerprint = strings.ToLower(o.fingerprint)
	return nil
}

// valueOf returns the value of an attribute, "" if there is none. Of several
// fingerprints (RFC 8122 §5) it is that of SHA-256, which every end knows.
func valueOf(attrs []sdp.Attribute, key string) (value string) {
	for _, a := range attrs {
		isSHA256 := key == "fingerprint" && strings.HasPrefix(strings.ToLower(a.Value), "sha-256 ")
		if a.Key == key && (value == "" || isSHA256) {
			value = a.Value
		}
	}
	return value
}

// opusType returns the payload type of the first Opus that a section offers.
func opusType(m *sdp.MediaDescription) string {
	for _, format := range m.MediaName.Formats {
		for _, a := range m.Attributes {
			id, codec, _ := strings.Cut(a.Value, " ")
			if a.Key == "rtpmap" && id == format && strings.HasPrefix(strings.ToLower(codec), "opus/48000") {
				return format
			}
		}
	}
	return ""
}

// mappingOf returns what is agreed on of a section: its first Opus, and the level if it
// has one.
func mappingOf(audio *sdp.MediaDescription, d *sdp.SessionDescription) (m leg.Mapping) {
	if n, err := strconv.ParseUint(opusType(audio), 10, 7); err == nil {
		m.PayloadType = uint8(n)
	}
	for _, a := range append(slices.Clone(audio.Attributes), d.Attributes...) {
		id, uri, _ := strings.Cut(a.Value, " ")
		id, _, _ = strings.Cut(id, "/") // a direction of its own
		if n, err := strconv.ParseUint(id, 10, 8); a.Key == "extmap" && err == nil && m.AudioLevelID == 0 && strings.HasPrefix(uri, sdp.AudioLevelURI) {
			m.AudioLevelID = uint8(n)
		}
	}
	return m
}

// usableCandidates returns the first candidates of the offer that media may be
// sent to, wherever they stand: a bundle has one transport. A browser names all
// its addresses, so one that is no use says nothing of the rest.
func usableCandidates(d *sdp.SessionDescription, allowPrivate bool) (usable []*remoteCandidate) {
	all := slices.Clone(d.Attributes)
	for _, m := range d.MediaDescriptions {
		all = append(all, m.Attributes...)
	}
	for _, a := range all {
		if a.Key != sdp.AttrKeyCandidate || len(usable) == wire.MaxCandidates {
			continue
		}
		known, err := readCandidate(a.Value, allowPrivate)
		isNew := !slices.ContainsFunc(usable, func(c *remoteCandidate) bool { return known != nil && c.text == known.text })
		if err == nil && known != nil && isNew {
			usable = append(usable, known)
		}
	}
	return usable
}
