//go:build !js

package native_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"parley/shared/rest"
	"parley/shared/wire"
)

// far is the other end of a call on real sockets: it answers the offers of a
// client's connection on one pion connection of its own, echoes pings and
// packets, and keeps the session when a socket breaks.
type far struct {
	t       *testing.T
	http    *httptest.Server
	refuse  *rest.Problem
	deaf    atomic.Bool  // takes pings and packets and sends none back
	resumed atomic.Int32 // sockets that resumed
	offers  atomic.Int32
	voiced  atomic.Int32 // packets with a level that says speech

	handlers sync.WaitGroup
	mu       sync.Mutex
	pc       *webrtc.PeerConnection
	client   string // the DTLS fingerprint that pc answered
	tokens   int
	resumes  []wire.Resume
	queries  []string // of the sockets

	writing sync.Mutex
	conn    *websocket.Conn // the newest
}

func newFar(t *testing.T) *far {
	f := &far{t: t}
	f.http = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(func() {
		f.http.Close()
		f.handlers.Wait()
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.pc != nil {
			_ = f.pc.GracefulClose()
		}
	})
	return f
}

func (f *far) serve(w http.ResponseWriter, r *http.Request) {
	f.handlers.Add(1)
	defer f.handlers.Done()
	if f.refuse != nil {
		w.WriteHeader(f.refuse.Status)
		_ = json.NewEncoder(w).Encode(f.refuse)
		return
	}
	up := websocket.Upgrader{Subprotocols: []string{wire.Subprotocol}}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		f.t.Errorf("upgrade: %v", err)
		return
	}
	defer conn.Close()
	f.writing.Lock()
	f.conn = conn
	f.writing.Unlock()
	f.mu.Lock()
	f.queries = append(f.queries, r.URL.RawQuery)
	fresh := f.tokens == 0
	f.mu.Unlock()
	if fresh {
		f.hello()
	}
	for {
		_, frame, err := conn.ReadMessage()
		if err != nil || !f.take(frame) {
			return
		}
	}
}

func (f *far) hello() {
	f.mu.Lock()
	f.tokens++
	token := string(rune('a' + f.tokens))
	f.mu.Unlock()
	f.say(wire.Hello{SessionID: "one", ResumeToken: token, Agent: "echo", StatsIntervalMS: 1000,
		Limits: wire.Limits{ReconnectGraceS: 30}, ICEServers: []wire.ICEServer{}})
}

func (f *far) say(m wire.Message) {
	frame, err := wire.Encode(m)
	if err != nil {
		f.t.Errorf("far end: %v", err)
		return
	}
	f.writing.Lock()
	defer f.writing.Unlock()
	_ = f.conn.WriteMessage(websocket.TextMessage, frame) // a socket that is gone is what some tests are about
}

// take handles one frame, and says whether the socket goes on.
func (f *far) take(frame []byte) bool {
	m, err := wire.DecodeClient(frame)
	if err != nil {
		f.t.Errorf("far end got %s: %v", frame, err)
		return false
	}
	switch m := m.(type) {
	case wire.Resume:
		f.resumed.Add(1)
		f.mu.Lock()
		f.resumes = append(f.resumes, m)
		f.mu.Unlock()
		f.hello()
	case wire.Offer:
		f.offers.Add(1)
		f.say(wire.Answer{SDP: f.answer(m.SDP)})
		f.say(wire.State{Session: wire.StateActive, Agent: wire.AgentListening})
	case wire.Candidate:
		f.mu.Lock()
		defer f.mu.Unlock()
		if m.Candidate.Candidate != "" {
			must(f.t, f.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: m.Candidate.Candidate, SDPMid: m.Candidate.SDPMid,
				SDPMLineIndex: m.Candidate.SDPMLineIndex, UsernameFragment: m.Candidate.UsernameFragment}))
		}
	case wire.Bye:
		f.say(wire.Ended{Cause: wire.CallerLeft})
		return false
	}
	return true
}

// answer answers an offer; the candidates follow.
func (f *far) answer(offer string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if client := fingerprint(offer); f.pc == nil || client != f.client {
		if f.pc != nil {
			must(f.t, f.pc.Close())
		}
		f.pc, f.client = f.connection(), client
	}
	must(f.t, f.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}))
	answer, err := f.pc.CreateAnswer(nil)
	must(f.t, err)
	must(f.t, f.pc.SetLocalDescription(answer))
	return answer.SDP
}

// fingerprint is the line of a description that tells one connection from
// another (RFC 8122).
func fingerprint(sdp string) string {
	_, rest, _ := strings.Cut(sdp, "a=fingerprint:")
	line, _, _ := strings.Cut(rest, "\r\n")
	return line
}

func (f *far) connection() *webrtc.PeerConnection {
	media := &webrtc.MediaEngine{}
	must(f.t, media.RegisterDefaultCodecs())
	must(f.t, media.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: sdp.AudioLevelURI}, webrtc.RTPCodecTypeAudio))
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(settings)).NewPeerConnection(webrtc.Configuration{})
	must(f.t, err)
	back, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "a", "b")
	must(f.t, err)
	_, err = pc.AddTrack(back)
	must(f.t, err)
	pc.OnICECandidate(func(c *webrtc.ICECandidate) {
		if c != nil {
			init := c.ToJSON()
			f.say(wire.Candidate{Candidate: wire.CandidateInit{Candidate: init.Candidate, SDPMid: init.SDPMid, SDPMLineIndex: init.SDPMLineIndex}})
		}
	})
	pc.OnDataChannel(func(d *webrtc.DataChannel) {
		d.OnMessage(func(m webrtc.DataChannelMessage) {
			if !f.deaf.Load() {
				_ = d.SendText(string(m.Data))
			}
		})
	})
	pc.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) { f.echo(t, r, back) })
	return pc
}

func (f *far) echo(t *webrtc.TrackRemote, r *webrtc.RTPReceiver, back *webrtc.TrackLocalStaticRTP) {
	extensions := r.GetParameters().HeaderExtensions
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		for _, e := range extensions {
			var level rtp.AudioLevelExtension
			if raw := p.GetExtension(uint8(e.ID)); raw != nil && level.Unmarshal(raw) == nil && level.Voice && level.Level == 30 {
				f.voiced.Add(1)
			}
		}
		if !f.deaf.Load() {
			_ = back.WriteRTP(p)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("far end: %v", err)
	}
}
