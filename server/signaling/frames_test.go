package signaling_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"parley/shared/wire"
)

// A frame that is refused costs an error, and the socket stays open.
func TestRefusedFrames(t *testing.T) {
	cases := map[string]struct {
		frame string
		want  wire.Error
	}{
		"empty":              {``, wire.Error{Code: wire.ErrMalformed}},
		"not JSON":           {`{`, wire.Error{Code: wire.ErrMalformed}},
		"not an object":      {`"ping"`, wire.Error{Code: wire.ErrMalformed, Field: "type"}},
		"unknown type":       {`{"type":"ended","cause":"caller_left"}`, wire.Error{Code: wire.ErrUnknownType, Field: "type"}},
		"unknown field":      {`{"type":"bye","why":"x"}`, wire.Error{Code: wire.ErrUnknownField, Field: "why"}},
		"out of range":       {`{"type":"activity","kind":"sleep"}`, wire.Error{Code: wire.ErrOutOfRange, Field: "kind"}},
		"an offer too large": {`{"type":"offer","sdp":"` + strings.Repeat("x", wire.MaxSDP+1) + `"}`, wire.Error{Code: wire.ErrOutOfRange, Field: "sdp"}},
		"the largest frame":  {strings.Repeat(" ", wire.MaxFrame-1) + "x", wire.Error{Code: wire.ErrMalformed}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			cl, _ := h.start("a")
			cl.write(websocket.TextMessage, []byte(c.frame))
			if got := read[wire.Error](cl); got != c.want {
				t.Errorf("got %+v", got)
			}
			cl.say(wire.Ping{ID: 3})
			read[wire.Pong](cl)
		})
	}
}

// What no client of ours does closes the socket and ends the session.
func TestAbuse(t *testing.T) {
	text := func(frame []byte) func(*client) {
		return func(c *client) { c.write(websocket.TextMessage, frame) }
	}
	cases := map[string]struct {
		do   func(*client)
		want wire.CloseCode
		told bool // an ended message comes before the close
	}{
		"binary":         {func(c *client) { c.write(websocket.BinaryMessage, []byte(`{"type":"bye"}`)) }, wire.CloseUnsupportedData, true},
		"not UTF-8":      {text([]byte("{\"type\":\"\xff\"}")), wire.CloseInvalidFramePayloadData, true},
		"one byte large": {text(bytes.Repeat([]byte("x"), wire.MaxFrame+1)), wire.CloseMessageTooBig, true},
		"megabytes":      {text(make([]byte, 4<<20)), wire.CloseMessageTooBig, true},
		"large in fragments": {func(c *client) {
			w, err := c.NextWriter(websocket.TextMessage)
			if err != nil {
				c.t.Fatal(err)
			}
			for range 70 {
				w.Write(make([]byte, 1024))
			}
			w.Close()
		}, wire.CloseMessageTooBig, true},
		"bad opcode":    {raw(0x83, 0x80, 0, 0, 0, 0), wire.CloseProtocolError, false},
		"not masked":    {raw(0x81, 0x02, '{', '}'), wire.CloseProtocolError, false},
		"compressed":    {raw(0xc1, 0x80, 0, 0, 0, 0), wire.CloseProtocolError, false},
		"bad end":       {raw(0x88, 0x82, 0, 0, 0, 0, 0x03, 0xed), wire.CloseProtocolError, false}, // 1005 may not be sent
		"lost fragment": {raw(0x80, 0x80, 0, 0, 0, 0), wire.CloseProtocolError, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := open(t, roomy, unhurried)
			cl, hello := h.start("a")
			c.do(cl)
			code, before := cl.closes()
			if code != c.want {
				t.Errorf("closed with %d, want %d", code, c.want)
			}
			if told := len(before) == 1 && before[0] == (wire.Ended{Cause: wire.ProtocolError}); told != c.told {
				t.Errorf("before the close: %v", before)
			}
			if got := h.ended(hello.SessionID); got != wire.ProtocolError {
				t.Errorf("ended %s", got)
			}
		})
	}
}

// raw writes bytes below the WebSocket.
func raw(b ...byte) func(*client) {
	return func(c *client) {
		if _, err := c.NetConn().Write(b); err != nil {
			c.t.Fatal(err)
		}
	}
}

func TestTooManyBadFramesCloseTheSocket(t *testing.T) {
	const allowed = 10
	h := open(t)
	c, _ := h.start("a")
	for range allowed {
		c.write(websocket.TextMessage, []byte("?"))
		read[wire.Error](c)
	}
	c.say(wire.Ping{ID: 1}) // ten are borne
	read[wire.Pong](c)
	c.write(websocket.TextMessage, []byte("?"))
	read[wire.Error](c)
	c.endsWith(wire.ProtocolError, wire.ClosePolicyViolation)
}

func TestBadFramesAreForgiven(t *testing.T) {
	h := open(t, func(s *setup) {
		s.signaling.Limits.BadFrames, s.signaling.Limits.BadFrameEvery = 1, time.Millisecond
	})
	c, _ := h.start("a")
	for range 20 { // each comes a round trip and a forgiveness after the last
		c.write(websocket.TextMessage, []byte("?"))
		read[wire.Error](c)
		time.Sleep(2 * time.Millisecond) // the rhythm is what is tested
	}
	c.say(wire.Ping{ID: 1})
	read[wire.Pong](c)
}

// A refused offer costs the server more than a refused frame, and counts as one.
func TestTooManyBadOffersCloseTheSocket(t *testing.T) {
	const allowed = 10
	h := open(t)
	c, _ := h.start("a")
	for range allowed {
		c.say(wire.Offer{SDP: "bad"})
		if got := read[wire.Error](c); got.Code != wire.ErrBadOffer {
			t.Fatalf("%+v", got)
		}
	}
	c.say(wire.Ping{ID: 1}) // ten are borne
	read[wire.Pong](c)
	c.say(wire.Offer{SDP: "bad"})
	read[wire.Error](c)
	c.endsWith(wire.ProtocolError, wire.ClosePolicyViolation)
}

// A browser whose numbers or candidates can't be taken keeps its call.
func TestRefusalsThatAreNoAbuse(t *testing.T) {
	h := open(t, func(s *setup) { s.signaling.Limits.BadFrames = 1; s.signaling.Limits.BadFrameEvery = time.Hour })
	c, _ := h.call("a")
	for range 5 {
		c.say(candidate("candidate:1 1 udp 1 host.local 1 typ host")) // ignored
		c.say(candidate("candidate:1 1 udp 1 host.example 1 typ host"))
		if got := read[wire.Error](c); got.Code != wire.ErrBadCandidate {
			t.Errorf("%+v", got)
		}
		c.write(websocket.TextMessage, []byte(`{"type":"report","samples":[{"timestamp":-1}]}`))
		if got := read[wire.Error](c); got.Code != wire.ErrBadReport {
			t.Errorf("%+v", got)
		}
	}
}

func TestFramesAreLimitedAtTheirEdge(t *testing.T) {
	const burst = 30
	ping, err := wire.Encode(wire.Ping{})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]func(*client){
		"messages":        func(c *client) { c.write(websocket.TextMessage, ping) },
		"WebSocket pings": func(c *client) { c.WriteControl(websocket.PingMessage, nil, time.Now().Add(patience)) },
		"WebSocket pongs": func(c *client) { c.WriteControl(websocket.PongMessage, nil, time.Now().Add(patience)) },
	}
	for name, send := range kinds {
		t.Run(name, func(t *testing.T) {
			h := open(t, func(s *setup) {
				s.signaling.Limits.FrameBurst, s.signaling.Limits.FrameRate = burst, 1e-6
				s.Outbox = 2 * burst
			})
			c, hello := h.start("a")
			for range burst - 1 {
				send(c)
			}
			c.say(wire.Ping{ID: 9}) // the last that is taken
			for read[wire.Pong](c).ID != 9 {
			}
			send(c)
			if got := read[wire.Error](c); got.Code != wire.ErrRateLimited {
				t.Errorf("%+v", got)
			}
			c.endsWith(wire.RateLimited, wire.CloseRateLimited)
			if got := h.ended(hello.SessionID); got != wire.RateLimited {
				t.Errorf("ended %s", got)
			}
		})
	}
}

// 20,000 frames on one socket are limited, and cost another caller nothing.
func TestAFloodDisturbsNobody(t *testing.T) {
	frames := map[string][]byte{
		"messages":        masked(0x81, []byte(`{"type":"ping"}`)),
		"garbage":         masked(0x81, []byte(`{"type":`)),
		"WebSocket pings": masked(0x89, []byte("hi")),
		"large messages":  masked(0x81, bytes.Repeat([]byte("x"), 4<<10)),
	}
	for name, frame := range frames {
		t.Run(name, func(t *testing.T) {
			h := open(t, caps(10, 1))
			other, _ := h.start("b")
			flood, hello := h.start("a")
			done := make(chan struct{})
			go func() {
				defer close(done)
				for range 20000 {
					if _, err := flood.NetConn().Write(frame); err != nil {
						return
					}
				}
			}()
			slowest := time.Duration(0)
			for h.seen.of(hello.SessionID).Cause == "" {
				began := time.Now()
				other.say(wire.Ping{ID: 5})
				read[wire.Pong](other)
				slowest = max(slowest, time.Since(began))
				time.Sleep(time.Second / 8) // below the other's own limit
			}
			want := wire.RateLimited
			if name == "garbage" || name == "large messages" { // refused before they are too many
				want = wire.ProtocolError
			}
			if got := h.ended(hello.SessionID); got != want {
				t.Errorf("ended %s, want %s", got, want)
			}
			if slowest > 500*time.Millisecond {
				t.Errorf("another caller waited %v", slowest)
			}
			flood.NetConn().Close()
			<-done
		})
	}
}

// What a caller sends within its limits never ends its call, even where it
// reads the answers only after it sent all.
func TestABurstOfPingsIsAnswered(t *testing.T) {
	for _, burst := range []int{50, 58} { // of 60, beside what start sent
		h := open(t, caps(10, 1))
		c, hello := h.start("a")
		for i := range burst {
			c.say(wire.Ping{ID: int64(i + 1)})
		}
		for i := range burst {
			if got := read[wire.Pong](c); got.ID != int64(i+1) {
				t.Fatalf("%d of %d: %+v", i+1, burst, got)
			}
		}
		if ended := h.seen.of(hello.SessionID).Cause; ended != "" {
			t.Errorf("%d pings at once: ended %s", burst, ended)
		}
	}
}

// One frame more than the burst is a flood, and that is what all are told.
func TestAFloodIsToldAsOne(t *testing.T) {
	h := open(t, caps(10, 1))
	c, hello := h.start("a")
	go func() {
		for range 200 {
			if c.WriteMessage(websocket.TextMessage, []byte(`{"type":"ping"}`)) != nil {
				return
			}
		}
	}()
	c.endsWith(wire.RateLimited, wire.CloseRateLimited)
	if got := h.ended(hello.SessionID); got != wire.RateLimited {
		t.Errorf("ended %s", got)
	}
}

// masked is one whole client frame with a zero mask.
func masked(first byte, payload []byte) []byte {
	frame := []byte{first, 0x80 | byte(len(payload))}
	if len(payload) > 125 {
		frame = binary.BigEndian.AppendUint16([]byte{first, 0x80 | 126}, uint16(len(payload)))
	}
	return append(append(frame, 0, 0, 0, 0), payload...)
}
