package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/shared/rest"
)

// The clients of OpenAI's are fetched once, by name and version, and are no part of
// Parley. The bundle is all that a browser needs.
const (
	agentsPackage = "@openai/agents-realtime@0.20.0"
	agentsArchive = "openai-agents-realtime-0.20.0.tgz"
	agentsBundle  = "package/dist/bundle/"
)

// secretInstructions are the agent's. Nothing that a page receives has a word of them.
const secretInstructions = "Never mention the kumquat of the third drawer."

// steeringToken is a backend's that steers calls.
const steeringToken = "a-backends-token-of-40-characters-or-more"

// agentsFile has one agent, at a double of OpenAI's service.
const agentsFile = `agents:
  - name: support
    title: Support
    dialect: openai
    url: %s
    key_env: DOUBLE_KEY
    allow_private: true
    model: gpt-realtime-2.1
    instructions: %s
    sideband: {token_file: sideband.token, allow: ["session.update:instructions"]}
`

// buildDouble builds the double of a realtime voice service.
func buildDouble(t *testing.T) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "double")
	build := exec.Command("go", "build", "-o", binary, "./server/agent/double/cmd")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// startDouble starts a double, and gives where calls are asked for. Its flags make it
// misbehave.
func startDouble(t *testing.T, binary string, flags ...string) (url string) {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"-listen=127.0.0.1:0"}, flags...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the double says nothing: %v", err)
	}
	return "http" + strings.TrimSpace(line[strings.Index(line, "://"):])
}

// startWithDouble starts a server whose agent is at a double, open to pages of an
// origin.
func startWithDouble(t *testing.T, origin string) *server {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "agents.yaml")
	for name, text := range map[string]string{
		file:                                 fmt.Sprintf(agentsFile, startDouble(t, buildDouble(t)), secretInstructions),
		filepath.Join(dir, "sideband.token"): steeringToken,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return startServer(t, nil, "--agents="+file, "--agent=support", "--allowed-origins="+origin)
}

// clientPage serves a page at an origin of its own, with the bundle of OpenAI's client,
// and the small backend behind it: it gives the page a client secret for one call, in
// place of its token.
type clientPage struct {
	origin string
	server *server // asked for client secrets
}

func newClientPage(t *testing.T) *clientPage {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	p := &clientPage{origin: "http://localhost:" + port}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><link rel=icon href=data:,><title>Elsewhere</title>")
	})
	mux.HandleFunc("GET /bundle/{name}", func(w http.ResponseWriter, r *http.Request) { serveBundle(w, r.PathValue("name")) })
	mux.HandleFunc("POST /key", p.giveKey)
	page := &http.Server{Handler: mux}
	done := make(chan struct{})
	go func() { defer close(done); _ = page.Serve(listener) }()
	t.Cleanup(func() { _ = page.Close(); <-done })
	return p
}

func serveBundle(w http.ResponseWriter, name string) {
	archive, err := npmArchive(agentsPackage, agentsArchive)
	var source string
	if err == nil {
		source, err = fromArchive(archive, agentsBundle+name)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/javascript")
	_, _ = io.WriteString(w, source)
}

// giveKey asks Parley as the backend of an application does.
func (p *clientPage) giveKey(w http.ResponseWriter, r *http.Request) {
	body := `{"session":{"type":"realtime","model":"gpt-realtime-2.1"}}`
	req, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, p.server.origin()+rest.PathClientSecrets, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+token(p.server.callerLink))
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

// plainClient is OpenAI's guide for browsers, but for the address.
const plainClient = `(async server => {
  const seen = window.seen = { events: [], states: [], errors: [] };
  const key = (await (await fetch('/key', { method: 'POST' })).json()).value;
  const pc = new RTCPeerConnection();
  const audioElement = document.createElement('audio');
  audioElement.autoplay = true;
  pc.ontrack = e => audioElement.srcObject = e.streams[0];
  pc.onconnectionstatechange = () => seen.states.push(pc.connectionState);
  const ms = await navigator.mediaDevices.getUserMedia({ audio: true });
  pc.addTrack(ms.getTracks()[0]);
  const dc = pc.createDataChannel('oai-events');
  dc.addEventListener('message', e => seen.events.push(e.data));
  dc.addEventListener('close', () => seen.states.push('disconnected'));
  const opened = new Promise(ok => dc.addEventListener('open', ok));
  const offer = await pc.createOffer();
  await pc.setLocalDescription(offer);
  const sdpResponse = await fetch(server + '/v1/realtime/calls', {
    method: 'POST', body: offer.sdp,
    headers: { Authorization: 'Bearer ' + key, 'Content-Type': 'application/sdp' },
  });
  seen.id = sdpResponse.headers.get('Location').split('/').pop();
  seen.answer = await sdpResponse.text();
  await pc.setRemoteDescription({ type: 'answer', sdp: seen.answer });
  await opened;
  dc.send(JSON.stringify({ type: 'session.update', session: { type: 'realtime', instructions: 'Be a pirate.' } }));
  window.interrupt = () => dc.send(JSON.stringify({ type: 'output_audio_buffer.clear' }));
  return seen.id;
})`

// agentsClient is what a page with OpenAI's Agents SDK does, but for the address.
const agentsClient = `(async server => {
  const seen = window.seen = { events: [], states: [], errors: [] };
  const { RealtimeAgent, RealtimeSession, OpenAIRealtimeWebRTC } = await import('/bundle/openai-realtime-agents.mjs');
  const key = (await (await fetch('/key', { method: 'POST' })).json()).value;
  const transport = new OpenAIRealtimeWebRTC({ baseUrl: server + '/v1/realtime/calls' });
  const agent = new RealtimeAgent({ name: 'Pirate', instructions: 'Be a pirate.' });
  const session = new RealtimeSession(agent, { transport });
  session.on('transport_event', e => seen.events.push(JSON.stringify(e)));
  session.on('error', e => seen.errors.push(JSON.stringify(e)));
  transport.on('connection_change', s => seen.states.push(s));
  await session.connect({ apiKey: key });
  seen.id = transport.callId;
  return seen.id;
})`

// seen is what a client's page saw.
type seen struct {
	Events, States, Errors []string
	Answer                 string
}

func (s seen) has(text string) bool { return strings.Contains(strings.Join(s.Events, "\n"), text) }

// Clients that know nothing of Parley but its address, as OpenAI's guide has them and
// as its SDK is, call from another origin: they are answered, hear the agent, interrupt
// it, by an event or by talking over it, and are ended by an admin, who tells why. What
// makes the agent they never see, though a backend steers it meanwhile.
func TestOpenAIsOwnClientsCall(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		client      string
		pause       time.Duration // of the caller's: shorter than an answer, he talks over it
		isByVoice   bool
		isByBackend bool
	}{
		"OpenAI's guide": {client: plainClient, pause: pauseAfter, isByBackend: true},
		"OpenAI's SDK":   {client: agentsClient, pause: 2 * time.Second, isByVoice: true},
	} {
		t.Run(name, func(t *testing.T) {
			page := newClientPage(t)
			srv := startWithDouble(t, page.origin)
			page.server = srv
			s := startBrowser(t, microphone{voice: voiceWithPause(t, test.pause)}, nil).open(page.origin)
			s.mayComplain("") // what the client prints is its own
			id := evaluate[string](s, test.client+"('"+srv.origin()+"').catch(e => 'failed: ' + e)")
			if !strings.HasPrefix(id, "rtc_") {
				t.Fatalf("the call: %q\n%s", id, s.output())
			}
			look := func(what string, is func(seen) bool) {
				t.Helper()
				eventually(t, what, 2*patience, func() (string, bool) {
					now := evaluate[seen](s, "window.seen")
					return fmt.Sprintf("%.4000s\n%q\n%q", strings.Join(now.Events, "\n"), now.States, now.Errors), is(now)
				})
			}
			look("session.update is answered", func(n seen) bool { return n.has(`"session.updated"`) })
			look("the agent speaks", func(n seen) bool { return n.has(`"output_audio_buffer.started"`) })
			if !test.isByVoice {
				evaluate[any](s, "window.interrupt(), 0")
			}
			look("it is interrupted", func(n seen) bool { return n.has(`"output_audio_buffer.cleared"`) })
			if test.isByBackend {
				steerByOpenAIsClient(t, srv, id)
				look("the page knows that the session is another", func(n seen) bool {
					return strings.Count(strings.Join(n.Events, "\n"), `"session.updated"`) > 1
				})
			}
			eventually(t, "the page hears the agent", 2*patience, func() (string, bool) {
				heard := evaluate[struct{ Heard float64 }](s, "window.parleyProbe.stats()").Heard
				return fmt.Sprint(heard), heard > 0
			})
			live := srv.onlySession(t)
			if live.ID != "sess_"+strings.TrimPrefix(id, "rtc_") || live.Agent != "support" {
				t.Errorf("the admin sees %+v", live)
			}
			srv.endSession(t, live.ID, "closing time")
			look("the page is told", func(n seen) bool { return n.has(`"code":"admin_ended"`) && n.has("closing time") })
			look("the client has hung up", func(n seen) bool {
				return len(n.States) > 0 && n.States[len(n.States)-1] == "disconnected"
			})
			now := evaluate[seen](s, "window.seen")
			if strings.Contains(strings.Join(now.Errors, ""), "event_not_allowed") {
				t.Errorf("the firewall is in the client's way: %q", now.Errors)
			}
			for _, secret := range []string{"kumquat", "sk-key", "pirate", "tangerine", steeringToken} {
				if now.has(secret) || strings.Contains(now.Answer, secret) || secret != "pirate" && strings.Contains(srv.log.String(), secret) {
					t.Errorf("%q has come out", secret)
				}
			}
			eventually(t, "the end is on record", patience, func() (string, bool) {
				var page rest.Page[rest.SessionRecord]
				err := srv.get(rest.PathSessions, &page)
				return fmt.Sprint(err, page.Items), len(page.Items) == 1 && page.Items[0].ID == live.ID && string(page.Items[0].EndCause) == "admin_ended"
			})
		})
	}
}

// endSession ends a session as an admin does.
func (s *server) endSession(t *testing.T, id, reason string) {
	t.Helper()
	body, _ := json.Marshal(rest.EndRequest{Reason: reason})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.origin()+strings.Replace(rest.PathEnd, "{id}", id, 1), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token(s.adminLink))
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("the admin's end: %s", resp.Status)
	}
}
