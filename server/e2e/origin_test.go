package e2e_test

import (
	"net"
	"net/http"
	"strings"
	"testing"
)

// foreignCall is what a page of another origin does to call, with nothing of
// ours: sign in by its token, get a ticket, open the socket, and talk to the
// agent that returns what it hears.
const foreignCall = `(async (server, token) => {
  const bearer = { headers: { Authorization: 'Bearer ' + token } };
  const me = await (await fetch(server + '/api/v1/me', bearer)).json();
  const ticket = await (await fetch(server + '/api/v1/realtime/ticket', { method: 'POST', ...bearer })).json();
  const open = t => new WebSocket(server.replace('http', 'ws') + '/api/v1/realtime/ws?agent=echo', ['parley.v1', 'parley.ticket.' + t]);
  const ws = open(ticket.ticket);
  const pc = new RTCPeerConnection();
  const said = {};
  const hear = type => new Promise((ok, no) => { said[type] = ok; ws.onclose = e => no('closed: ' + e.code + ' before ' + type); });
  ws.onmessage = e => {
    const m = JSON.parse(e.data);
    if (m.type === 'candidate' && m.candidate?.candidate) pc.addIceCandidate(m.candidate);
    said[m.type]?.(m);
  };
  const hello = await hear('hello');
  const mic = await navigator.mediaDevices.getUserMedia({ audio: true });
  pc.addTrack(mic.getTracks()[0], mic);
  pc.onicecandidate = e => e.candidate?.candidate && ws.send(JSON.stringify({ type: 'candidate', candidate: { candidate: e.candidate.candidate, sdpMid: e.candidate.sdpMid, sdpMLineIndex: e.candidate.sdpMLineIndex } }));
  const answered = hear('answer');
  const offer = await pc.createOffer();
  ws.send(JSON.stringify({ type: 'offer', sdp: offer.sdp }));
  await pc.setLocalDescription(offer);
  await pc.setRemoteDescription({ type: 'answer', sdp: (await answered).sdp });
  for (let packets = 0; packets < 25;) {
    if (pc.connectionState === 'failed') throw 'no path';
    await new Promise(next => requestAnimationFrame(next));
    for (const r of (await pc.getStats()).values()) if (r.type === 'inbound-rtp') packets = r.packetsReceived;
  }
  ws.onclose = null;
  ws.send(JSON.stringify({ type: 'bye' }));
  pc.close();
  const again = await new Promise(done => { const w = open(ticket.ticket); w.onopen = () => done('open'); w.onerror = () => done('refused'); });
  return [me.sub, hello.agent, again, document.cookie, location.origin].join(' ');
})`

// A page of another origin, named by --allowed-origins, signs in and calls; one
// that isn't named reads nothing.
func TestAPageOfAnotherOriginCalls(t *testing.T) {
	t.Parallel()
	allowed, other := foreignPage(t), foreignPage(t)
	srv := startServer(t, nil, "--allowed-origins="+allowed)
	b := startBrowser(t, microphone{}, nil)
	call := foreignCall + "('" + srv.origin() + "','" + token(srv.callerLink) + "').catch(e => 'failed: ' + e)"

	page := b.open(allowed)
	page.mayComplain("WebSocket connection to") // the ticket that was spent
	got := evaluate[string](page, call)
	if !strings.HasSuffix(got, " echo refused  "+allowed) {
		t.Errorf("the page of an allowed origin: %q", got)
	}

	stranger := b.open(other)
	stranger.mayComplain("CORS")
	stranger.mayComplain("Failed to load resource")
	if got := evaluate[string](stranger, call); got != "failed: TypeError: Failed to fetch" {
		t.Errorf("the page of another origin: %q", got)
	}
	if strings.Contains(srv.log.String(), "parley.ticket.") {
		t.Error("a ticket is in the log")
	}
}

// foreignPage serves an empty page at an origin of its own, which it gives. It
// is on localhost, where a browser hands out its microphone.
func foreignPage(t *testing.T) (origin string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	page := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><link rel=icon href=data:,><title>Elsewhere</title>"))
	})}
	done := make(chan struct{})
	go func() { defer close(done); _ = page.Serve(listener) }()
	t.Cleanup(func() { _ = page.Close(); <-done })
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return "http://localhost:" + port
}
