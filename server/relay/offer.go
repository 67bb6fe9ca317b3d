package relay

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"

	"parley/shared/wire"
)

// A takenOffer is what the relay takes of an offer.
type takenOffer struct {
	sdp        string    // the sections that are taken, as the parser wrote them
	sections   []section // all of the offer's, for the answer to go through
	candidates int       // in sdp

	fingerprint string // of the certificate that the far end shows
	ufrag       string // the ICE user name fragment
}

// A section is one media section of an offer (RFC 8829 §5.3.1): either it is
// taken, or answered with port 0.
type section struct {
	isTaken bool
	media   string // "audio", "video", …
	proto   string
	format  string // one of those offered
	rtpmap  string // of the format; "" if there is none
	mid     string // "" if the offer names none
}

// readOffer takes one audio section, one for data channels if it shares the
// audio's transport, and the first usable candidates. It is given on as the parser wrote
// it, so that no second reader of the caller's text can understand it otherwise.
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
	tagged := taggedSection(&d, audio)
	usable := usableCandidates(&d, allowPrivate)
	taken, data := []*sdp.MediaDescription{}, findData(&d, audio)
	for _, m := range d.MediaDescriptions {
		if m == audio || m == data {
			taken = append(taken, m)
		}
	}
	offer := takenOffer{sections: sectionsOf(d.MediaDescriptions, taken), candidates: len(usable)}
	for i, m := range taken {
		normalize(m, tagged, &d, fmt.Sprint("parley", i))
	}
	keepOneOpus(audio)
	if err := checkTransport(audio); err != nil {
		return takenOffer{}, err
	}
	offer.fingerprint = strings.ToLower(valueOf(audio.Attributes, "fingerprint"))
	offer.ufrag = valueOf(audio.Attributes, "ice-ufrag")
	taken[0].Attributes = append(taken[0].Attributes, usable...)
	d.Attributes = sessionAttributes(&d, taken)
	d.MediaDescriptions = taken
	clean, err := d.Marshal()
	if err != nil {
		return takenOffer{}, refuseOffer("malformed", "not a session description (RFC 8866)")
	}
	offer.sdp = string(clean)
	return offer, nil
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

func sectionsOf(all, taken []*sdp.MediaDescription) []section {
	sections := make([]section, len(all))
	for i, m := range all {
		mid, _ := m.Attribute(sdp.AttrKeyMID)
		sections[i] = section{
			isTaken: slices.Contains(taken, m), media: m.MediaName.Media, mid: mid,
			proto: strings.Join(m.MediaName.Protos, "/"),
		}
		sections[i].format, sections[i].rtpmap = formatOf(m)
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

// transportKeys are attributes that a section may leave to its bundle's tagged
// section, or to the session.
var transportKeys = []string{"ice-ufrag", "ice-pwd", "ice-options", "fingerprint", "setup"}

// directions of a section; without one it sends and receives (RFC 8866 §6.7).
var directions = []string{"sendrecv", "sendonly", "recvonly", "inactive"}

// normalize writes out what a section leaves to others or to a default, and
// leaves out what is for the bundle as a whole.
func normalize(m, tagged *sdp.MediaDescription, d *sdp.SessionDescription, spareMID string) {
	if m.MediaName.Port.Value == 0 {
		m.MediaName.Port.Value = 9 // "discard", as everywhere where ICE decides (RFC 8839 §4.1.1)
	}
	transport := transportOf(m, tagged, d)
	m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool {
		return a.Key == "bundle-only" || slices.Contains(transportKeys, a.Key) || isCandidate(a)
	})
	m.Attributes = append(m.Attributes, transport...)
	if _, ok := m.Attribute(sdp.AttrKeyMID); !ok {
		m.Attributes = append(m.Attributes, sdp.NewAttribute(sdp.AttrKeyMID, spareMID))
	}
	if m.MediaName.Media != "audio" || hasDirection(m.Attributes) {
		return
	}
	direction := "sendrecv"
	for _, a := range d.Attributes {
		if slices.Contains(directions, a.Key) {
			direction = a.Key
		}
	}
	m.Attributes = append(m.Attributes, sdp.NewPropertyAttribute(direction))
}

func isCandidate(a sdp.Attribute) bool {
	return a.Key == sdp.AttrKeyCandidate || a.Key == sdp.AttrKeyEndOfCandidates
}

func hasDirection(attrs []sdp.Attribute) bool {
	return slices.ContainsFunc(attrs, func(a sdp.Attribute) bool { return slices.Contains(directions, a.Key) })
}

// transportOf returns one value for each transport attribute: the section's own,
// its bundle's, or the session's.
func transportOf(m, tagged *sdp.MediaDescription, d *sdp.SessionDescription) (found []sdp.Attribute) {
	for _, key := range transportKeys {
		for _, attrs := range [][]sdp.Attribute{m.Attributes, tagged.Attributes, d.Attributes} {
			if value := valueOf(attrs, key); value != "" {
				found = append(found, sdp.NewAttribute(key, value))
				break
			}
		}
	}
	return found
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

// checkTransport refuses an audio section that nothing can be connected to.
func checkTransport(audio *sdp.MediaDescription) error {
	for _, key := range []string{"ice-ufrag", "ice-pwd", "fingerprint"} {
		if valueOf(audio.Attributes, key) == "" {
			return refuseOffer("no_transport", "m=audio: no a=%s", key)
		}
	}
	return nil
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

// keepOneOpus drops every other codec, so that the answer names the very payload
// type that is taken and sent.
func keepOneOpus(audio *sdp.MediaDescription) {
	keep := opusType(audio)
	audio.MediaName.Formats = []string{keep}
	audio.Attributes = slices.DeleteFunc(audio.Attributes, func(a sdp.Attribute) bool {
		id, _, _ := strings.Cut(a.Value, " ")
		return slices.Contains([]string{"rtpmap", "fmtp", "rtcp-fb"}, a.Key) && id != keep
	})
}

// sessionAttributes are those that the session keeps: the group names what is
// taken, and what belongs to a transport stands in the sections.
func sessionAttributes(d *sdp.SessionDescription, taken []*sdp.MediaDescription) []sdp.Attribute {
	kept := slices.DeleteFunc(slices.Clone(d.Attributes), func(a sdp.Attribute) bool {
		return a.Key == sdp.AttrKeyGroup || slices.Contains(transportKeys, a.Key) || slices.Contains(directions, a.Key) || isCandidate(a)
	})
	mids := []string{"BUNDLE"}
	for _, m := range taken {
		mids = append(mids, valueOf(m.Attributes, sdp.AttrKeyMID))
	}
	return append(kept, sdp.NewAttribute(sdp.AttrKeyGroup, strings.Join(mids, " ")))
}

// usableCandidates returns the first candidates of the offer that media may be
// sent to, wherever they stand: a bundle has one transport. A browser names all
// its addresses, so one that is no use says nothing of the rest.
func usableCandidates(d *sdp.SessionDescription, allowPrivate bool) (usable []sdp.Attribute) {
	all := slices.Clone(d.Attributes)
	for _, m := range d.MediaDescriptions {
		all = append(all, m.Attributes...)
	}
	for _, a := range all {
		if a.Key != sdp.AttrKeyCandidate || len(usable) == wire.MaxCandidates {
			continue
		}
		known, err := candidate(a.Value, allowPrivate)
		attr := sdp.NewAttribute(sdp.AttrKeyCandidate, known)
		if err == nil && known != "" && !slices.Contains(usable, attr) {
			usable = append(usable, attr)
		}
	}
	return usable
}
