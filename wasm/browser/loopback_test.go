//go:build js

package browser

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"syscall/js"
	"testing"

	"parley/shared/wire"
	"parley/wasm/peer"
)

// recorder keeps what a connection tells.
type recorder struct {
	mu         sync.Mutex
	candidates []wire.CandidateInit
	states     []peer.ConnectionState
	pongs      []string
	texts      []string
}

func (r *recorder) Candidate(c wire.CandidateInit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.candidates = append(r.candidates, c)
}

func (r *recorder) State(s peer.ConnectionState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states = append(r.states, s)
}

func (r *recorder) Pong(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pongs = append(r.pongs, text)
}

func (r *recorder) AgentEvent(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.texts = append(r.texts, text)
}

// has reports, under the recorder's lock, what look says.
func (r *recorder) has(look func() bool) func() bool {
	return func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return look()
	}
}

// farEnd is another RTCPeerConnection of the page, which answers offers, sends
// the microphone back and echoes texts; its candidates stand in its answers.
const farEnd = `(() => {
  const pc = new RTCPeerConnection();
  let channels = [];
  pc.ondatachannel = e => {
    channels.push(e.channel);
    e.channel.onmessage = m => e.channel.send(m.data);
  };
  pc.ontrack = e => { if (!pc.sent) { pc.sent = true; pc.addTrack(e.track, e.streams[0]); } };
  return {
    pc,
    answer: async sdp => {
      await pc.setRemoteDescription({type: 'offer', sdp});
      await pc.setLocalDescription(await pc.createAnswer());
      return pc.localDescription.sdp;
    },
    add: text => pc.addIceCandidate(JSON.parse(text)),
    candidates: [],
    sendBytes: label => channels.find(c => c.label === label).send(new Uint8Array([1])),
    send: (label, text) => channels.find(c => c.label === label).send(text),
  };
})()`

// pair is a connection and the end that it talks to.
type pair struct {
	*Connection
	*recorder
	far js.Value
}

// newPair connects both ends, and waits until the call stands.
func newPair(t *testing.T) *pair {
	t.Helper()
	mic, sound := openMicrophone(t), newSound(t)
	p := &pair{recorder: &recorder{}, far: js.Global().Call("eval", farEnd)}
	c, err := Connect([]wire.ICEServer{}, mic, sound, p.recorder)
	if err != nil {
		t.Fatal(err)
	}
	p.Connection = c
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		p.far.Get("pc").Call("close")
		sound.Close()
		mic.Close()
	})
	if err := c.OpenEvents(p.recorder); err != nil {
		t.Fatal(err)
	}
	remove := listen(p.far.Get("pc"), "icecandidate", func(ev js.Value) {
		if found := ev.Get("candidate"); isPresent(found) {
			p.far.Get("candidates").Call("push", js.Global().Get("JSON").Call("stringify", found))
		}
	})
	t.Cleanup(remove)
	p.negotiate(t, false)
	eventually(t, "the call stands", p.has(func() bool { return slices.Contains(p.states, peer.ConnectionConnected) }))
	return p
}

// negotiate makes an offer and has it answered; the candidates of both ends
// follow as they are found.
func (p *pair) negotiate(t *testing.T, restart bool) (offer string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	offer, err := p.Offer(ctx, restart)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := await(ctx, p.far.Call("answer", offer))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Answer(ctx, answer.String()); err != nil {
		t.Fatal(err)
	}
	given, taken := 0, 0
	eventually(t, "both ends have candidates", func() bool {
		p.mu.Lock()
		mine := slices.Clone(p.candidates[given:])
		p.mu.Unlock()
		for _, c := range mine {
			text, _ := json.Marshal(c)
			if _, err := await(ctx, p.far.Call("add", string(text))); err != nil {
				t.Errorf("the far end refuses %s: %v", text, err)
			}
			given++
		}
		theirs := p.far.Get("candidates")
		for ; taken < theirs.Length(); taken++ {
			var c wire.CandidateInit
			if err := json.Unmarshal([]byte(theirs.Index(taken).String()), &c); err != nil {
				t.Error(err)
			}
			if err := p.AddCandidate(ctx, c); err != nil {
				t.Error(err)
			}
		}
		return given > 0 && taken > 0
	})
	return offer
}

// Two ends in one page: states, candidates, pings, events and counters go the
// whole way through the browser's WebRTC.
func TestAConnectionOfTwoEnds(t *testing.T) {
	p := newPair(t)
	if !slices.IsSorted(p.states) {
		t.Errorf("states %v, want them in their order and each once", p.states)
	}
	first := p.candidates[0]
	if first.SDPMid == nil || first.SDPMLineIndex == nil || first.UsernameFragment == nil {
		t.Errorf("candidate %+v lacks what the browser said", first)
	}
	eventually(t, "the ping channel opens", func() bool { return p.Ping("7") == nil })
	eventually(t, "a pong", p.has(func() bool { return slices.Contains(p.pongs, "7") }))
	eventually(t, "packets each way", func() bool {
		s, err := p.Sample(t.Context())
		return err == nil && s.Outbound != nil && s.Outbound.PacketsSent > 0 && s.Inbound != nil && s.Inbound.PacketsReceived > 0
	})
}

// Of what comes on the ping channel, texts of a pong's length are told only; on
// the channel of events, texts.
func TestWhatAFarEndSends(t *testing.T) {
	p := newPair(t)
	longest := string(make([]byte, wire.MaxPing))
	say := func(label, text string) {
		eventually(t, label+" opens", func() (ok bool) {
			var err error
			defer recoverJSError(&err)
			p.far.Call("send", label, text)
			return true
		})
	}
	say(wire.PingChannel, longest)
	eventually(t, "the longest pong", p.has(func() bool { return slices.Contains(p.pongs, longest) }))
	p.far.Call("sendBytes", wire.PingChannel)
	say(wire.PingChannel, longest+"x")
	say(wire.PingChannel, "last")
	eventually(t, "the last pong", p.has(func() bool { return slices.Contains(p.pongs, "last") }))
	if len(p.pongs) != 2 {
		t.Errorf("pongs %q, want the longest and the last", p.pongs)
	}
	say(wire.EventChannel, `{"type":"first"}`)
	p.far.Call("sendBytes", wire.EventChannel)
	say(wire.EventChannel, `{"type":"last"}`)
	eventually(t, "the last event", p.has(func() bool { return len(p.texts) > 0 && p.texts[len(p.texts)-1] == `{"type":"last"}` }))
	if len(p.texts) != 2 {
		t.Errorf("events %q, want the first and the last", p.texts)
	}
}

// A restart changes the credentials of ICE (RFC 8445 §9), another offer doesn't.
func TestARestartHasNewCredentials(t *testing.T) {
	p := newPair(t)
	credentials := func(restart bool) string {
		sdp, err := p.Offer(t.Context(), restart)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(sdp, "a=ice-ufrag:")
		ufrag, _, _ := strings.Cut(rest, "\r\n")
		return ufrag
	}
	before := credentials(false)
	if again := credentials(false); again != before || before == "" {
		t.Errorf("an offer that restarts nothing has %q after %q", again, before)
	}
	if after := credentials(true); after == before {
		t.Error("a restart keeps the credentials")
	}
}

// Muted, the track sends silence, and the copy that feeds the level goes on.
// Close gives the microphone back unmuted.
func TestMuteIsOfWhatIsSent(t *testing.T) {
	c, done := connect(t)
	enabled := func(track js.Value) bool { return track.Get("enabled").Bool() }
	c.Mute(true)
	if level := c.mic.meterStream.Call("getAudioTracks").Index(0); enabled(c.mic.track) || !enabled(level) {
		t.Errorf("muted, the track is on: %t, the level's: %t", enabled(c.mic.track), enabled(level))
	}
	c.Mute(false)
	if !enabled(c.mic.track) {
		t.Error("the track stays off")
	}
	c.Mute(true)
	done()
	if !enabled(c.mic.track) {
		t.Error("the next call begins muted")
	}
}

// Another microphone takes the place of the one before, as muted, and nothing is
// negotiated for it.
func TestAnotherMicrophoneInMidCall(t *testing.T) {
	c, done := connect(t)
	other, err := OpenMicrophone(t.Context(), "", func(float64) {}, func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	c.Mute(true)
	before := c.mic
	if err := c.UseMicrophone(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	sent := c.pc.JSValue().Call("getSenders").Index(0).Get("track")
	if !sent.Equal(other.track) || sent.Get("enabled").Bool() || before.track.Get("readyState").String() != "live" {
		t.Errorf("%s is sent, on: %t, the one before is %s", sent.Get("id"), sent.Get("enabled").Bool(), before.track.Get("readyState"))
	}
	if c.Mute(false); !other.track.Get("enabled").Bool() {
		t.Error("the new one stays muted")
	}
	done()
	if c.UseMicrophone(t.Context(), before) == nil {
		t.Error("a closed connection takes a microphone")
	}
}

// The parts of a browser's state make one: the path alone isn't yet a secure line,
// and a failure is DTLS's only where there is a path.
func TestStatesOfAConnection(t *testing.T) {
	for name, c := range map[string]struct {
		connection, ice, dtls string
		want                  peer.ConnectionState
	}{
		"new":                     {"new", "new", "new", peer.ConnectionNew},
		"looking for a path":      {"connecting", "checking", "new", peer.ConnectionChecking},
		"securing it":             {"connecting", "connected", "connecting", peer.ConnectionSecuring},
		"securing the best path":  {"connecting", "completed", "connecting", peer.ConnectionSecuring},
		"connected":               {"connected", "connected", "connected", peer.ConnectionConnected},
		"without answers":         {"disconnected", "disconnected", "connected", peer.ConnectionDisconnected},
		"no path":                 {"failed", "failed", "new", peer.ConnectionFailed},
		"no path, in Firefox":     {"failed", "failed", "failed", peer.ConnectionFailed},
		"a path that is insecure": {"failed", "connected", "failed", peer.ConnectionInsecure},
	} {
		t.Run(name, func(t *testing.T) {
			replace(t, "RTCPeerConnection.prototype", "connectionState", `get() { return '`+c.connection+`' }`)
			replace(t, "RTCPeerConnection.prototype", "iceConnectionState", `get() { return '`+c.ice+`' }`)
			replace(t, "RTCPeerConnection.prototype", "getSenders", `value: () => [{transport: null}, {transport: {state: '`+c.dtls+`'}}]`)
			conn, done := connect(t)
			defer done()
			r := &recorder{}
			tell := conn.stateReporter(r)
			tell()
			tell()
			want := []peer.ConnectionState{c.want}
			if c.want == peer.ConnectionNew {
				want = nil // as it begins
			}
			if !slices.Equal(r.states, want) {
				t.Errorf("told %v, want %v", r.states, want)
			}
		})
	}
}
