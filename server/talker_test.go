package main

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"

	"parley/shared/wire"
	"parley/wasm/peer"
	"parley/wasm/peer/native"
)

// frame is how much audio one packet holds.
const frame = 20 * time.Millisecond

// talker is a caller with a real WebRTC connection over real sockets. Each
// packet it sends carries its number, so that what comes back can be told.
type talker struct {
	*native.Caller
	call *peer.Call
	end  chan peer.CallEnded

	mu      sync.Mutex
	seen    []peer.Event
	numbers []uint32 // of the packets that came back, in order
	sent    uint32
}

// ring calls the server as sub.
func (p *program) ring(t *testing.T, sub, agent string) *talker {
	t.Helper()
	return p.ringWith(t, p.token(t, sub), agent)
}

// ringWith calls the server with a token.
func (p *program) ringWith(t *testing.T, token, agent string) *talker {
	t.Helper()
	k := &talker{end: make(chan peer.CallEnded, 1)}
	k.Caller = native.New(native.Config{Server: p.base, Token: token, Agent: agent, Heard: k.heard})
	k.call = peer.New(k.Peer(k.saw))
	ctx, cancel := context.WithCancel(context.Background())
	go func() { k.end <- k.call.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-k.end
	})
	return k
}

// talking rings and waits until audio can flow.
func (p *program) talking(t *testing.T, sub, agent string) *talker {
	t.Helper()
	k := p.ring(t, sub, agent)
	eventually(t, sub+" is connected", func() bool { return has[peer.CallConnected](k) })
	return k
}

func (k *talker) saw(e peer.Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen = append(k.seen, e)
}

func (k *talker) heard(p *rtp.Packet) {
	if len(p.Payload) < 5 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.numbers = append(k.numbers, binary.BigEndian.Uint32(p.Payload[1:]))
}

// back gives the numbers of the packets that came back so far.
func (k *talker) back() []uint32 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.numbers)
}

// say sends audio for a while, in real time, loud or silent.
func (k *talker) say(t *testing.T, audio time.Duration, loud bool) {
	t.Helper()
	level := native.Level{DBOV: 127}
	if loud {
		level = native.Level{DBOV: 20, Voice: true}
	}
	tick := time.NewTicker(frame)
	defer tick.Stop()
	for range int(audio / frame) {
		payload := make([]byte, 60)
		payload[0] = 0x78 // TOC of one 20 ms fullband frame, RFC 6716 §3.1
		binary.BigEndian.PutUint32(payload[1:], k.sent)
		packet := &rtp.Packet{
			Header:  rtp.Header{SequenceNumber: uint16(k.sent), Timestamp: k.sent * 960},
			Payload: payload,
		}
		k.sent++
		if err := k.Send(packet, level); err != nil {
			t.Fatal(err)
		}
		<-tick.C
	}
}

// over waits for the end of the call.
func (k *talker) over(t *testing.T) peer.CallEnded {
	t.Helper()
	select {
	case end := <-k.end:
		k.end <- end // for the cleanup
		return end
	case <-time.After(patience):
		t.Fatal("the call doesn't end")
		return peer.CallEnded{}
	}
}

// events gives what of one kind was told so far.
func events[E peer.Event](k *talker) []E {
	k.mu.Lock()
	defer k.mu.Unlock()
	var found []E
	for _, e := range k.seen {
		if got, ok := e.(E); ok {
			found = append(found, got)
		}
	}
	return found
}

func has[E peer.Event](k *talker) bool { return len(events[E](k)) > 0 }

// session is the id of the call.
func (k *talker) session() string { return events[peer.CallAccepted](k)[0].Hello.SessionID }

// warned tells whether a warning of this code stands.
func (k *talker) warned(code wire.WarningCode) bool {
	stands := false
	for _, w := range events[peer.WarningReceived](k) {
		if w.Warning.Code == code {
			stands = !w.Warning.EndsAt.IsZero()
		}
	}
	return stands
}
