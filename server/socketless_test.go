package main

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"parley/shared/rest"
	"parley/shared/wire"
)

// socketlessCaller calls as an OpenAI-Realtime WebRTC client does: one request with
// the offer as it was made, without a candidate, and the channel of events.
type socketlessCaller struct {
	pc       *webrtc.PeerConnection
	id       string // the call's
	location string

	mu     sync.Mutex
	heard  int
	events []string
	opened bool
}

func (p *program) callSocketless(t *testing.T, bearer, query string) *socketlessCaller {
	t.Helper()
	var e webrtc.SettingEngine
	e.SetIncludeLoopbackCandidate(true)
	e.LoggerFactory = &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled, ScopeLevels: map[string]logging.LogLevel{}}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(e)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	c := &socketlessCaller{pc: pc}
	var running sync.WaitGroup
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop); _ = pc.GracefulClose(); running.Wait() })
	voice, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "voice", "voice")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pc.AddTrack(voice); err != nil {
		t.Fatal(err)
	}
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			if _, _, err := track.ReadRTP(); err != nil {
				return
			}
			c.mu.Lock()
			c.heard++
			c.mu.Unlock()
		}
	})
	c.listen(t)
	c.negotiate(t, p, bearer, query)
	running.Go(func() { sendFrames(voice, stop) })
	return c
}

// sendFrames sends a frame each 20 ms, until stop.
func sendFrames(voice *webrtc.TrackLocalStaticSample, stop <-chan struct{}) {
	tick := time.NewTicker(frame)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = voice.WriteSample(media.Sample{Data: append([]byte{0x78}, make([]byte, 60)...), Duration: frame}) // before the connection is up, nobody's
		case <-stop:
			return
		}
	}
}

func (c *socketlessCaller) listen(t *testing.T) {
	t.Helper()
	dc, err := c.pc.CreateDataChannel(wire.EventChannel, nil)
	if err != nil {
		t.Fatal(err)
	}
	dc.OnOpen(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.opened = true
	})
	dc.OnMessage(func(m webrtc.DataChannelMessage) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.events = append(c.events, string(m.Data))
	})
}

func (c *socketlessCaller) negotiate(t *testing.T, p *program, bearer, query string) {
	t.Helper()
	offer, err := c.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(offer.SDP, "a=candidate") {
		t.Fatal("the offer has candidates")
	}
	status, header, answer := p.post(t, rest.PathCalls+query, bearer, "application/sdp", offer.SDP)
	if status != http.StatusCreated {
		t.Fatalf("%d %s", status, answer)
	}
	c.location = header.Get("Location")
	c.id = strings.TrimPrefix(c.location, rest.PathCalls+"/")
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
}

// post sends a body as a bearer.
func (p *program) post(t *testing.T, path, bearer, kind, body string) (status int, header http.Header, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Content-Type", kind)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(text)
}

// clientSecret is one for a call of sub's.
func (p *program) clientSecret(t *testing.T, sub string) string {
	t.Helper()
	status, _, body := p.post(t, rest.PathClientSecrets, p.token(t, sub), "application/json", `{"session":{"type":"realtime","model":"echo"}}`)
	var got struct{ Value string }
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	return got.Value
}

func (c *socketlessCaller) session() string { return "sess_" + strings.TrimPrefix(c.id, "rtc_") }

func (c *socketlessCaller) hears(t *testing.T) {
	t.Helper()
	eventually(t, "audio comes back, and the channel is open", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.heard > 20 && c.opened
	})
}

// isTold waits for an event that holds a text, and for the hang-up after it.
func (c *socketlessCaller) isTold(t *testing.T, text string) {
	t.Helper()
	eventually(t, "the caller is told "+text, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return slices.ContainsFunc(c.events, func(e string) bool { return strings.Contains(e, text) })
	})
	within(t, "the connection is closed", 5*time.Second, func() bool {
		return c.pc.ConnectionState() == webrtc.PeerConnectionStateClosed
	})
}

// cause is how a session ended, by the record.
func (p *program) cause(t *testing.T, sub, session string) (cause string) {
	t.Helper()
	eventually(t, "the end is on record", func() bool {
		var record rest.SessionRecord
		p.ask(t, sub, http.MethodGet, "/api/v1/sessions/"+session, nil, &record)
		cause = string(record.EndCause)
		return record.EndedAt != nil
	})
	return cause
}

// A call without a socket is a call like any other: seen, measured, on record, in the
// access log, and ended by an admin, which its caller is told by the data channel.
func TestACallWithoutASocket(t *testing.T) {
	t.Parallel()
	p := start(t)
	secret := p.clientSecret(t, "ann")
	c := p.callSocketless(t, secret, "")
	c.hears(t)
	eventually(t, "the admin sees it", func() bool {
		live := p.active(t)
		return len(live) == 1 && live[0].ID == c.session() && live[0].User == "ann" && string(live[0].State) == "active"
	})
	if status, _, body := p.post(t, rest.PathCalls, secret, "application/sdp", "x"); status != http.StatusUnauthorized || !strings.Contains(body, "invalid_api_key") {
		t.Errorf("the secret once more: %d %s", status, body)
	}
	var seen rest.Connection
	eventually(t, "the server measures it", func() bool {
		p.ask(t, "demo-admin", http.MethodGet, "/api/v1/monitoring/connection/"+c.session(), nil, &seen)
		return slices.ContainsFunc(seen.Streams, func(s rest.StreamQuality) bool {
			return string(s.MeasuredBy) == "server" && s.PacketsReceived > 0
		})
	})
	if slices.ContainsFunc(seen.Streams, func(s rest.StreamQuality) bool { return string(s.MeasuredBy) == "client" }) {
		t.Error("numbers of a client that sent none")
	}
	p.ask(t, "demo-admin", http.MethodPost, "/api/v1/monitoring/sessions/"+c.session()+"/end", rest.EndRequest{Reason: "maintenance"}, nil)
	c.isTold(t, `"code":"admin_ended","message":"The call was ended by an administrator. Reason: maintenance"`)
	if got := p.cause(t, "ann", c.session()); got != "admin_ended" {
		t.Errorf("on record as %q", got)
	}
	eventually(t, "the access log has the call", func() bool {
		var page rest.Page[rest.LogEntry]
		p.ask(t, "demo-admin", http.MethodGet, rest.PathLogs+"?session="+c.session(), nil, &page)
		return slices.ContainsFunc(page.Items, func(e rest.LogEntry) bool {
			return e.Route == rest.PathCalls && e.Status == http.StatusCreated && e.User == "ann"
		})
	})
	if logs := p.logs.String(); strings.Contains(logs, secret) {
		t.Error("the client secret is in the log")
	}
}

// However a caller without a socket leaves, the place is free at once.
func TestHowACallWithoutASocketEnds(t *testing.T) {
	t.Parallel()
	p := start(t)
	for name, test := range map[string]struct {
		end   func(c *socketlessCaller, token string)
		cause wire.EndCause
		told  string
	}{
		"the connection is closed": {func(c *socketlessCaller, _ string) { _ = c.pc.Close() }, wire.CallerLeft, ""},
		"hung up": {func(c *socketlessCaller, token string) {
			if status, _, body := p.post(t, c.location+"/hangup", token, "application/json", ""); status != http.StatusOK {
				t.Errorf("%d %s", status, body)
			}
		}, wire.CallerLeft, ""},
		"ended as one's own": {func(c *socketlessCaller, _ string) {
			p.ask(t, "ann", http.MethodPost, "/api/v1/sessions/"+c.session()+"/end", nil, nil)
		}, wire.CallerLeft, ""},
		"signed out": {func(_ *socketlessCaller, token string) {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodDelete, p.base+rest.PathAuthSession, nil)
			req.Header.Set("Authorization", "Bearer "+token)
			if res, err := http.DefaultClient.Do(req); err == nil {
				res.Body.Close()
			}
		}, wire.Revoked, `"code":"revoked"`},
	} {
		t.Run(name, func(t *testing.T) {
			token := p.token(t, "ann")
			c := p.callSocketless(t, token, "?model=echo")
			c.hears(t)
			test.end(c, token)
			if test.told != "" {
				c.isTold(t, test.told)
			}
			within(t, "the place is free", 5*time.Second, func() bool { return len(p.active(t)) == 0 })
			within(t, "the connection is closed", 5*time.Second, func() bool {
				return c.pc.ConnectionState() == webrtc.PeerConnectionStateClosed
			})
			if got := p.cause(t, "ann", c.session()); got != string(test.cause) {
				t.Errorf("on record as %q, want %q", got, test.cause)
			}
		})
	}
}
