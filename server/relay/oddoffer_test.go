package relay_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"parley/server/leg"
	"parley/server/relay"
)

// splitSections cuts a description into the session's part and its sections.
func splitSections(description string) (session string, sections []string) {
	parts := strings.Split(description, "\r\nm=")
	for i, p := range parts[1:] {
		if i < len(parts)-2 {
			p += "\r\n"
		}
		sections = append(sections, "m="+p)
	}
	return parts[0] + "\r\n", sections
}

// mediaLines are a description's m= lines, without formats.
func mediaLines(description string) (lines []string) {
	_, sections := splitSections(description)
	for _, s := range sections {
		words := strings.Fields(s)
		lines = append(lines, words[0]+" "+words[1])
	}
	return lines
}

func dropLines(text string, keys ...string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		isDropped := false
		for _, k := range keys {
			isDropped = isDropped || strings.HasPrefix(line, "a="+k)
		}
		if !isDropped {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// onlyLines is what dropLines drops.
func onlyLines(text string, keys []string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		for _, k := range keys {
			if strings.HasPrefix(line, "a="+k) {
				kept.WriteString(line)
			}
		}
	}
	return kept.String()
}

var transportLines = []string{"ice-ufrag", "ice-pwd", "fingerprint", "setup", "candidate", "end-of-candidates"}

// TestOddOffers calls with the offers of other stacks: each is answered section
// by section, and media flows both ways.
func TestOddOffers(t *testing.T) {
	for name, test := range map[string]struct {
		add    func(*webrtc.PeerConnection) error // to a peer with one audio
		change func(string) string                // of the offer, on the wire
		want   string                             // the answer's m= lines; "-" is not looked at
	}{
		"audio alone":         {want: "m=audio 9"},
		"with a data channel": {add: dataChannel, want: "m=audio 9, m=application 9"},
		"video behind":        {add: transceiver(webrtc.RTPCodecTypeVideo), want: "m=audio 9, m=video 0"},
		"video first":         {add: transceiver(webrtc.RTPCodecTypeVideo), change: lastFirst, want: "m=video 0, m=audio 9"},
		"data first":          {add: dataChannel, change: lastFirst, want: "m=application 9, m=audio 9"},
		"two audios":          {add: transceiver(webrtc.RTPCodecTypeAudio), want: "m=audio 9, m=audio 0"},
		"video, data, audio": {
			add: both(transceiver(webrtc.RTPCodecTypeVideo), dataChannel), change: lastFirst,
			want: "m=application 9, m=audio 9, m=video 0",
		},
		"a disabled audio first": {
			add: transceiver(webrtc.RTPCodecTypeAudio), change: disableFirst, want: "m=audio 0, m=audio 9",
		},
		"a disabled video": {
			change: func(s string) string {
				return s + "m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:9\r\na=inactive\r\n"
			},
			want: "m=audio 9, m=video 0",
		},
		"an application that isn't known": {
			change: func(s string) string { return s + "m=application 9 UDP/BFCP *\r\nc=IN IP4 0.0.0.0\r\na=mid:9\r\n" },
			want:   "m=audio 9, m=application 0",
		},
		"a kind that isn't known": {
			change: func(s string) string { return s + "m=text 9 RTP/AVP 98\r\nc=IN IP4 0.0.0.0\r\n" },
			want:   "m=audio 9, m=text 0",
		},
		"bundle only": {
			add: dataChannel, change: bundleOnly, want: "m=audio 9, m=application 9",
		},
		"bundle only behind video": {
			add: transceiver(webrtc.RTPCodecTypeVideo), change: func(s string) string { return bundleOnly(lastFirst(s)) },
			want: "m=video 0, m=audio 9",
		},
		"data on a transport of its own": {
			add: dataChannel, change: func(s string) string { return dropLines(s, "group:") }, want: "m=audio 9, m=application 0",
		},
		"transport in the session's part": {change: transportToSession, want: "m=audio 9"},
		"no direction":                    {change: func(s string) string { return dropLines(s, "sendrecv") }, want: "m=audio 9"},
		"several fingerprints":            {change: moreFingerprints, want: "m=audio 9"},
		"two kinds of Opus":               {change: moreOpus, want: "m=audio 9"},
		"40 candidates":                   {change: moreCandidates, want: "m=audio 9"},
		"the protocol without feedback": {
			change: func(s string) string { return strings.ReplaceAll(s, "UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP") }, want: "m=audio 9",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, callerConfig{})
			if test.add != nil {
				if err := test.add(c.pc); err != nil {
					t.Fatal(err)
				}
			}
			l := c.reflected()
			sdp := c.offer(false)
			if test.change != nil {
				sdp = test.change(sdp)
			}
			answer, err := l.Offer(t.Context(), sdp)
			if err != nil {
				t.Fatalf("%v\n%s", err, sdp)
			}
			if got := strings.Join(mediaLines(answer), ", "); got != test.want {
				t.Errorf("answer %q, want %q", got, test.want)
			}
			c.accept(asPionReads(c, answer))
			c.connected()
			c.echoes()
		})
	}
}

// asPionReads puts an answer into the order and the number of sections that the
// peer itself offered, for what was changed on the wire it doesn't know.
func asPionReads(c *caller, answer string) string {
	session, sections := splitSections(answer)
	byMID := map[string]string{}
	for _, s := range sections {
		byMID[mid(s)] = s
	}
	_, own := splitSections(c.pc.LocalDescription().SDP)
	var out strings.Builder
	out.WriteString(session)
	for _, s := range own {
		out.WriteString(byMID[mid(s)])
	}
	return out.String()
}

func mid(section string) string {
	_, rest, _ := strings.Cut(section, "a=mid:")
	name, _, _ := strings.Cut(rest, "\r\n")
	return name
}

// echoes speaks until something comes back.
func (c *caller) echoes() {
	c.t.Helper()
	eventually(c.t, "an echo comes", func() bool {
		c.send(spokenPacket{opus: []byte{0xf8, 1, 2}}, false)
		return len(c.packets()) > 0
	})
}

func dataChannel(pc *webrtc.PeerConnection) error {
	_, err := pc.CreateDataChannel("parley", nil)
	return err
}

func transceiver(kind webrtc.RTPCodecType) func(*webrtc.PeerConnection) error {
	return func(pc *webrtc.PeerConnection) error {
		_, err := pc.AddTransceiverFromKind(kind)
		return err
	}
}

func both(a, b func(*webrtc.PeerConnection) error) func(*webrtc.PeerConnection) error {
	return func(pc *webrtc.PeerConnection) error {
		if err := a(pc); err != nil {
			return err
		}
		return b(pc)
	}
}

// lastFirst moves the last section to the front, with its place in the bundle.
func lastFirst(description string) string {
	session, s := splitSections(description)
	s = append([]string{s[len(s)-1]}, s[:len(s)-1]...)
	mids := ""
	for _, section := range s {
		mids += " " + mid(section)
	}
	session = dropLines(session, "group:") + "a=group:BUNDLE" + mids + "\r\n"
	return session + strings.Join(s, "")
}

func disableFirst(description string) string {
	session, s := splitSections(description)
	s[0] = strings.Replace(s[0], "m=audio 9", "m=audio 0", 1)
	session = strings.Replace(session, "BUNDLE 0 1", "BUNDLE 1", 1)
	return session + strings.Join(s, "")
}

// bundleOnly has all sections but the first live on its transport (RFC 8843 §6).
func bundleOnly(description string) string {
	session, s := splitSections(description)
	for i := 1; i < len(s); i++ {
		first, rest, _ := strings.Cut(s[i], "\r\n")
		first = strings.Replace(first, " 9 ", " 0 ", 1)
		s[i] = first + "\r\n" + dropLines(rest, transportLines...) + "a=bundle-only\r\n"
	}
	return session + strings.Join(s, "")
}

func transportToSession(description string) string {
	session, s := splitSections(description)
	keys := []string{"ice-ufrag", "ice-pwd", "fingerprint", "setup"}
	common := onlyLines(session+s[0], keys)
	for i := range s {
		s[i] = dropLines(s[i], keys...)
	}
	return dropLines(session, keys...) + common + strings.Join(s, "")
}

func moreFingerprints(description string) string {
	zeros := strings.TrimSuffix(strings.Repeat("00:", 64), ":")
	return strings.ReplaceAll(description, "a=fingerprint:sha-256", "a=fingerprint:sha-512 "+zeros+"\r\na=fingerprint:SHA-256")
}

func moreOpus(description string) string {
	_, s := splitSections(description)
	first, _, _ := strings.Cut(s[0], "\r\n")
	return strings.Replace(description, first, first+" 119", 1) + "a=rtpmap:119 opus/48000/2\r\na=fmtp:119 stereo=1\r\n"
}

// moreCandidates puts 40 that are no use before the caller's own, and 40 after.
func moreCandidates(description string) string {
	var lines strings.Builder
	for i := range 40 {
		fmt.Fprintf(&lines, "a=candidate:%d 1 udp 2122260223 a%d.local 50000 typ host\r\n", i, i)
	}
	after := strings.ReplaceAll(lines.String(), "local", "example.com")
	return strings.Replace(description, "a=candidate", lines.String()+"a=candidate", 1) + after
}

// TestManyTrickledCandidates tells the relay 40 candidates that are no use before the
// caller's own: they take no place away, and the call comes about.
func TestManyTrickledCandidates(t *testing.T) {
	c := newCaller(t, callerConfig{trickle: true})
	l := c.reflected()
	answer, err := l.Offer(t.Context(), c.offer(false))
	if err != nil {
		t.Fatal(err)
	}
	c.accept(answer)
	for i := range 40 {
		line := fmt.Sprintf("candidate:%d 1 udp 2122260223 a%d.local 50000 typ host", i, i)
		if err := l.AddCandidate(webrtc.ICECandidateInit{Candidate: line}); err != nil {
			t.Errorf("candidate %d: %v", i, err)
		}
	}
	for _, i := range c.trickles() {
		if err := l.AddCandidate(i); err != nil {
			t.Error(err)
		}
	}
	c.connected()
	c.echoes()
}

// reflector sends a caller what comes of it.
type reflector struct {
	leg.Handler
	to *relay.Leg
}

func (r reflector) HandleRTP(h *rtp.Header, payload []byte, _ *rtp.AudioLevelExtension) {
	_ = r.to.WriteRTP(h, payload, nil) // what is lost here is missing at the caller, who waits for it
}

// reflected opens a leg that returns what the caller says.
func (c *caller) reflected() *relay.Leg {
	c.t.Helper()
	c.events = &log{}
	l, err := listen(c.t).Open("s1", c.events, func(caller *relay.Leg) (leg.Handler, error) { return reflector{leg.Discard, caller}, nil })
	if err != nil {
		c.t.Fatal(err)
	}
	return l
}
