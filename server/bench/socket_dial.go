package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"parley/server/auth"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// socketDialer calls Parley as its clients do: with a token each, by a WebSocket that
// stays, on which reports of Chromium's size are sent.
type socketDialer struct {
	base   string
	tokens *auth.Auth
	sample rtcstats.Sample
}

// newSocketDialer makes one that reports what a browser's getStats in a file say.
func newSocketDialer(base, file string) (*socketDialer, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	d := &socketDialer{base: base}
	if d.sample, err = rtcstats.FromReports(text); err != nil {
		return nil, err
	}
	d.tokens, err = auth.New(auth.Config{Mode: auth.Demo, Secret: []byte(secret)})
	return d, err
}

func (d *socketDialer) dial(ctx context.Context, number int, offer string) (string, signaling, error) {
	token, err := d.tokens.Mint(auth.Claims{Subject: fmt.Sprintf("caller%04d", number)}, time.Hour)
	if err != nil {
		return "", nil, err
	}
	at := "ws" + strings.TrimPrefix(d.base, "http") + rest.SocketQuery{Agent: "echo"}.Path()
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+number%250))}} // an address has only so many connections
	dialer := websocket.Dialer{NetDialContext: from.DialContext, Subprotocols: []string{wire.Subprotocol}}
	conn, _, err := dialer.DialContext(ctx, at, http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		return "", nil, err
	}
	s := &socket{conn: conn, sample: d.sample}
	answer, err := s.offer(offer)
	if err != nil {
		conn.Close()
		return "", nil, err
	}
	s.reading.Go(s.read)
	return answer, s, nil
}

// socket is the signaling of one call with Parley.
type socket struct {
	conn        *websocket.Conn
	sample      rtcstats.Sample
	hasReported bool
	reading     sync.WaitGroup
}

// offer sends an offer and waits for its answer.
func (s *socket) offer(sdp string) (answer string, err error) {
	if err := s.send(wire.Offer{SDP: sdp}); err != nil {
		return "", err
	}
	for {
		_, frame, err := s.conn.ReadMessage()
		if err != nil {
			return "", err
		}
		m, err := wire.DecodeServer(frame)
		if err != nil {
			return "", err
		}
		switch m := m.(type) {
		case wire.Answer:
			return m.SDP, nil
		case wire.Error:
			return "", m
		case wire.Ended:
			return "", fmt.Errorf("the call has ended: %s", m.Cause)
		}
	}
}

func (s *socket) send(m wire.Message) error {
	frame, err := wire.Encode(m)
	if err != nil {
		return err
	}
	return s.conn.WriteMessage(websocket.TextMessage, frame)
}

// read reads what the server says until the call ends. Nothing is done about it.
func (s *socket) read() {
	for {
		if _, _, err := s.conn.ReadMessage(); err != nil {
			return
		}
	}
}

// report implements signaling: the first one has one sample, each other five.
func (s *socket) report(now time.Time) error {
	n := 1
	if s.hasReported {
		n = int(wire.ReportInterval / wire.SampleInterval)
	}
	s.hasReported = true
	report := wire.Report{}
	for i := range n {
		s.advance()
		s.sample.Timestamp = float64(now.Add(-time.Duration(n-1-i) * wire.SampleInterval).UnixMilli())
		report.Samples = append(report.Samples, s.sample)
	}
	return s.send(report)
}

// advance counts one more second of both streams.
func (s *socket) advance() {
	const packets = int64(time.Second / frame)
	in, out := *s.sample.Inbound, *s.sample.Outbound
	in.PacketsReceived += packets
	in.BytesReceived += packets * payloadSize
	out.PacketsSent += packets
	out.BytesSent += packets * payloadSize
	s.sample.Inbound, s.sample.Outbound = &in, &out
}

// hangUp implements signaling.
func (s *socket) hangUp() {
	_ = s.send(wire.Bye{}) // who has hung up already won't read it
	s.reading.Wait()
	s.conn.Close()
}
