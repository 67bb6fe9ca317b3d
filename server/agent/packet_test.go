package agent_test

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtp"

	"parley/server/agent"
	"parley/server/leg"
)

// sink counts what goes out.
type sink struct{ packets, bytes int }

func (s *sink) WriteRTP(_ *rtp.Header, payload []byte) (int, error) {
	s.packets++
	s.bytes += len(payload)
	return len(payload), nil
}

// answered returns what takes the packets of a caller whom an agent answers into
// out, over a leg without a connection.
func answered(t testing.TB, a agent.Agent, m leg.Mapping, out *sink) func(raw []byte) {
	t.Helper()
	streams := leg.NewStreams()
	streams.Agree(m)
	streams.Bind(1, out)
	far, err := a.Open(context.Background(), agent.Call{Session: "s1", Audio: streams}, newLine())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	return func(raw []byte) { streams.ReceiveRTP(raw, time.Now(), far) }
}

// packets are n of a caller's, in order, with levels in extension 1.
func packets(t testing.TB, n int) [][]byte {
	t.Helper()
	raw := make([][]byte, n)
	for i := range raw {
		p := &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 111, SSRC: 7, SequenceNumber: uint16(i), Timestamp: uint32(i) * 960}, Payload: make([]byte, 80)}
		p.Payload[0] = 0x78
		if err := p.SetExtension(1, []byte{20}); err != nil {
			t.Fatal(err)
		}
		var err error
		if raw[i], err = p.Marshal(); err != nil {
			t.Fatal(err)
		}
	}
	return raw
}

// The packet's way allocates nothing, with an agent at its end.
func TestPacketsAllocateNothing(t *testing.T) {
	registry := agent.NewRegistry(agent.Builtin(newGuard(t))...)
	for _, name := range registry.Names() {
		a, _ := registry.Get(name, "", "")
		t.Run(name, func(t *testing.T) {
			out := &sink{}
			take := answered(t, a, leg.Mapping{PayloadType: 111, AudioLevelID: 1}, out)
			const runs = 400
			raw := packets(t, runs+1+400)
			for _, p := range raw[:400] { // what grows has grown
				take(p)
			}
			i := 400
			if n := testing.AllocsPerRun(runs, func() { take(raw[i]); i++ }); n >= 1 {
				t.Errorf("%v allocations a packet", n)
			}
			if name == "echo" && (out.packets != len(raw) || out.bytes != 80*len(raw)) {
				t.Errorf("%d packets and %d bytes came back of %d", out.packets, out.bytes, len(raw))
			}
		})
	}
}

func TestPaddingIsNoAudio(t *testing.T) {
	for name, test := range map[string]struct {
		raw     []byte
		packets int
		bytes   int
	}{
		"half of it":    {[]byte{0xa0, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0x78, 1, 2, 3}, 1, 1},
		"all of it":     {[]byte{0xa0, 111, 0, 2, 0, 0, 9, 0, 0, 0, 0, 7, 0, 0, 0, 4}, 0, 0},
		"more than all": {[]byte{0xa0, 111, 0, 3, 0, 0, 19, 0, 0, 0, 0, 7, 0x78, 0, 0, 200}, 0, 0},
		"another type":  {[]byte{0x80, 5, 0, 4, 0, 0, 29, 0, 0, 0, 0, 7, 0x78}, 0, 0},
		"cut":           {[]byte{0x80, 111, 0}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			out := &sink{}
			answered(t, agent.Echo{}, leg.Mapping{PayloadType: 111}, out)(test.raw)
			if out.packets != test.packets || out.bytes != test.bytes {
				t.Errorf("%d packets with %d bytes went on, want %d with %d", out.packets, out.bytes, test.packets, test.bytes)
			}
		})
	}
}

func BenchmarkEcho(b *testing.B) {
	take := answered(b, agent.Echo{}, leg.Mapping{PayloadType: 111, AudioLevelID: 1}, &sink{})
	raw := packets(b, 1)[0]
	b.ReportAllocs()
	for i := uint32(0); b.Loop(); i++ {
		binary.BigEndian.PutUint16(raw[2:], uint16(i))
		binary.BigEndian.PutUint32(raw[4:], i*960)
		take(raw)
	}
}
