package main

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/stun/v4"

	"parley/shared/wire"
)

const (
	// fair is how long others may wait while one floods.
	fair = 500 * time.Millisecond
	// floodRoom is what a flood may cost while it lasts.
	floodRoom = 64 << 20
)

// clientFrame is one whole frame of a client (RFC 6455 §5.2), with a zero mask.
func clientFrame(first byte, payload []byte) []byte {
	frame := []byte{first, 0x80 | byte(len(payload))}
	if len(payload) > 125 {
		frame = binary.BigEndian.AppendUint16([]byte{first, 0x80 | 126}, uint16(len(payload)))
	}
	return append(append(frame, 0, 0, 0, 0), payload...)
}

// 20,000 messages on one socket are not read to their end, and cost nobody else
// anything that can be felt.
func TestFloodOnASocketIsLimited(t *testing.T) {
	const frames = 20_000
	for name, frame := range map[string][]byte{
		"messages": clientFrame(0x81, []byte(`{"type":"ping"}`)),
		"pings":    clientFrame(0x89, []byte("are you there?")),
		"garbage":  clientFrame(0x81, bytes.Repeat([]byte("{"), 4<<10)),
	} {
		t.Run(name, func(t *testing.T) {
			p := spawn(t)
			other := p.talking(t, "other", "echo")
			s, _ := p.open(t, p.token(t, "flood"))
			before := p.weigh(t)
			most, stopWeighing := p.heaviest(t)
			stop := p.pulse(t)
			code := make(chan wire.CloseCode, 1)
			go func() { code <- s.closeCode(patience) }()
			sent := 0
			for ; sent < frames; sent++ {
				if _, err := s.NetConn().Write(frame); err != nil {
					break
				}
			}
			closed := <-code
			others := stop()
			stopWeighing()
			t.Logf("%d frames went out, closed with %d; others: %v; %v, at most %.1f MiB", sent, closed, others, before, float64(*most)/(1<<20))
			// Limited for what it sends; 0 is a connection that was cut before the
			// goodbye came through.
			if !slices.Contains([]wire.CloseCode{wire.CloseRateLimited, wire.ClosePolicyViolation, 0}, closed) {
				t.Errorf("closed with %d", closed)
			}
			if others.alone(others.longest) >= fair {
				t.Errorf("others waited: %v", others)
			}
			if *most >= before.bytes+floodRoom {
				t.Errorf("it weighed %d bytes, %d before", *most, before.bytes)
			}
			if len(other.end) > 0 {
				t.Errorf("the other's call ended: %+v", <-other.end)
			}
			eventually(t, "the flooder is off the list", func() bool { return len(p.active(t)) == 1 })
		})
	}
}

// closeCode reads to the end. 0: the connection was cut, for the peer went on
// sending.
func (s *socket) closeCode(limit time.Duration) wire.CloseCode {
	_ = s.SetReadDeadline(time.Now().Add(limit))
	for {
		_, _, err := s.ReadMessage()
		var closed *websocket.CloseError
		if errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure {
			return wire.CloseCode(closed.Code)
		}
		if err != nil {
			return 0
		}
	}
}

// heaviest weighs the server ten times a second until stop.
func (c *child) heaviest(t *testing.T) (most *int64, stop func()) {
	t.Helper()
	most = new(int64)
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			*most = max(*most, c.resident(t))
			select {
			case <-over:
				return
			case <-tick.C:
			}
		}
	}()
	return most, func() { close(over); <-done }
}

// mediaPort finds the server's media port where a caller does: in an answer.
func (p *program) mediaPort(t *testing.T) *net.UDPAddr {
	t.Helper()
	s, _ := p.open(t, p.token(t, "scout"))
	s.say(wire.Offer{SDP: anOffer()})
	answer := receive[wire.Answer](s)
	found := regexp.MustCompile(`candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) `).FindStringSubmatch(answer.SDP)
	if found == nil {
		t.Fatal("the answer offers no loopback address")
	}
	addr, err := net.ResolveUDPAddr("udp", "127.0.0.1:"+found[1])
	if err != nil {
		t.Fatal(err)
	}
	s.say(wire.Bye{})
	s.closes(patience)
	return addr
}

// Garbage of every protocol of the media port, as fast as it goes out, by UDP
// and TCP: the call that is on goes on, and the next one works.
func TestGarbageOnTheMediaPortStopsNoCall(t *testing.T) {
	const packets = 60_000
	p := spawn(t)
	k := p.talking(t, "ann", "echo")
	to := p.mediaPort(t)
	udp, err := net.DialUDP("udp", nil, to)
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	before := p.weigh(t)
	most, stopWeighing := p.heaviest(t)
	kinds := garbage()
	for i := range packets {
		_, _ = udp.Write(kinds[i%len(kinds)](i)) // what the kernel drops is no matter
	}
	for i := range 200 {
		tcp, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: to.IP, Port: to.Port})
		if err != nil {
			t.Fatal(err)
		}
		g := kinds[i%len(kinds)](i)
		_, _ = tcp.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(g))), g...)) // it may have hung up
		tcp.Close()
	}
	stopWeighing()
	t.Logf("%d packets; before: %v; at most %.1f MiB", packets, before, float64(*most)/(1<<20))
	if *most >= before.bytes+floodRoom {
		t.Errorf("it weighed %d bytes, %d before", *most, before.bytes)
	}
	n := len(k.back())
	// What a busy machine drops of one sentence, the next one makes up for.
	eventually(t, "the call goes on", func() bool {
		k.say(t, 200*time.Millisecond, true)
		return len(k.back()) >= n+45
	})
	next := p.talking(t, "bob", "echo")
	eventually(t, "the next call works", func() bool {
		next.say(t, 200*time.Millisecond, true)
		return len(next.back()) >= 45
	})
}

// garbage makes packets that look like each protocol: cut, wrong, or by someone
// who has no business here. i tells one from another.
func garbage() []func(i int) []byte {
	noise := make([]byte, 1200)
	_, _ = rand.Read(noise)
	number := func(b []byte, at, i int) []byte {
		b = bytes.Clone(b)
		binary.BigEndian.PutUint16(b[at:], uint16(i))
		return b
	}
	check := stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername("nobody:none"), stun.NewShortTermIntegrity("guess"), stun.Fingerprint).Raw
	// A ClientHello's fragment that says to be of 16 MB; its message number varies.
	fragment := append([]byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 1, 0, 32, 1, 255, 255, 255, 0, 0, 255, 0, 0, 0, 0, 20}, noise[:20]...)
	voice := append([]byte{128, 111, 0, 1}, noise[:160]...)
	report := append([]byte{129, 200, 0, 6}, noise[:24]...)
	return []func(int) []byte{
		func(i int) []byte { return number(noise, 2, i) },
		func(i int) []byte { return number(check, 8, i) },
		func(i int) []byte { return check[:i%len(check)] },
		func(i int) []byte { return number(fragment, 17, i) },
		func(i int) []byte { return number(voice, 2, i) },
		func(i int) []byte { return number(report, 4, i) },
	}
}
