package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/webrtc/v4"

	"parley/server/auth"
	"parley/shared/rest"
	"parley/shared/wire"
)

// mint makes a token with the command a developer uses.
func (p *program) mint(t *testing.T, flags ...string) string {
	t.Helper()
	var out bytes.Buffer
	args := append([]string{"token", "--mode=demo", "--data-dir=" + p.dir}, flags...)
	if err := run(t.Context(), args, &out, io.Discard, nil); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out.String())
}

// crowd makes a token for each of n callers.
func (p *program) crowd(t *testing.T, n int) []string {
	t.Helper()
	secret, err := auth.LoadOrGenerateSecret(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	a, err := auth.New(auth.Config{Mode: auth.Demo, Secret: secret, Issuer: "parley", Audience: "parley"})
	if err != nil {
		t.Fatal(err)
	}
	tokens := make([]string, n)
	for i := range tokens {
		if tokens[i], err = a.Mint(auth.Claims{Subject: fmt.Sprint("user", i)}, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	return tokens
}

// socket is a signaling socket spoken by hand, message by message.
type socket struct {
	*websocket.Conn
	t *testing.T
}

// knock asks for a socket: it is open, or the answer says why not.
func (p *program) knock(token string) (*websocket.Conn, *http.Response, error) {
	dialer := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, HandshakeTimeout: patience}
	return dialer.Dial("ws"+strings.TrimPrefix(p.base, "http")+rest.PathSocket, http.Header{"Authorization": {"Bearer " + token}})
}

// open opens a socket that must open, and takes its hello.
func (p *program) open(t *testing.T, token string) (*socket, wire.Hello) {
	t.Helper()
	conn, _, err := p.knock(token)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	s := &socket{conn, t}
	return s, receive[wire.Hello](s)
}

func (s *socket) say(m wire.Message) {
	s.t.Helper()
	frame, err := wire.Encode(m)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.WriteMessage(websocket.TextMessage, frame); err != nil {
		s.t.Fatal(err)
	}
}

// next takes a message; its error is the connection's end.
func (s *socket) next() (wire.Message, error) {
	_, frame, err := s.ReadMessage()
	if err != nil {
		return nil, err
	}
	return wire.DecodeServer(frame)
}

// receive takes messages until one of the kind.
func receive[M wire.Message](s *socket) M {
	s.t.Helper()
	_ = s.SetReadDeadline(time.Now().Add(patience))
	defer func() { _ = s.SetReadDeadline(time.Time{}) }()
	for {
		m, err := s.next()
		if err != nil {
			var none M
			s.t.Fatalf("waiting for %T: %v", none, err)
		}
		if got, ok := m.(M); ok {
			return got
		}
	}
}

// closes reads to the end, within a time, and gives the code it was closed with.
func (s *socket) closes(limit time.Duration) wire.CloseCode {
	s.t.Helper()
	_ = s.SetReadDeadline(time.Now().Add(limit))
	for {
		_, err := s.next()
		var closed *websocket.CloseError
		switch {
		case errors.As(err, &closed):
			return wire.CloseCode(closed.Code)
		case err != nil:
			s.t.Errorf("within %v the socket was not closed: %v", limit, err)
			return 0
		}
	}
}

// vanish goes as a crash does: not even the TCP connection is closed in order.
func (s *socket) vanish() {
	if tcp, ok := s.NetConn().(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // RST
	}
	s.Close()
}

// anOffer is a caller's session description that the server answers with all
// that a call costs it. Nobody is behind it.
var anOffer = sync.OnceValue(func() string {
	sdp, err := makeOffer()
	if err != nil {
		panic(err)
	}
	return sdp
})

func makeOffer() (string, error) {
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", err
	}
	defer pc.GracefulClose()
	opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
	track, err := webrtc.NewTrackLocalStaticRTP(opus, "audio", "caller")
	if err != nil {
		return "", err
	}
	if _, err := pc.AddTrack(track); err != nil {
		return "", err
	}
	if _, err := pc.CreateDataChannel(wire.PingChannel, nil); err != nil {
		return "", err
	}
	offer, err := pc.CreateOffer(nil)
	return offer.SDP, err
}

// stream is an open monitoring stream.
type stream struct {
	res    *http.Response
	cancel context.CancelFunc
	events chan sseEvent // closed at the stream's end
}

type sseEvent struct{ name, id, data string }

// follow asks for the monitoring stream; a refused one has no events.
func (p *program) follow(t *testing.T, token string, header http.Header) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+rest.PathStream, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	s := &stream{res: res, cancel: cancel, events: make(chan sseEvent, 1000)}
	t.Cleanup(s.close)
	if res.StatusCode != http.StatusOK {
		s.close()
		close(s.events)
		return s
	}
	go s.read()
	return s
}

func (s *stream) close() {
	s.cancel()
	s.res.Body.Close()
}

func (s *stream) read() {
	defer close(s.events)
	for e := range eventsOf(s.res.Body) {
		select {
		case s.events <- e:
		default: // nobody looks
		}
	}
}

// ends waits for the end of the stream and gives the name of its last event.
func (s *stream) ends(t *testing.T, limit time.Duration) (last string) {
	t.Helper()
	timeout := time.After(limit)
	for {
		select {
		case e, more := <-s.events:
			if !more {
				return last
			}
			last = e.name
		case <-timeout:
			t.Errorf("the stream still runs after %v", limit)
			return last
		}
	}
}
